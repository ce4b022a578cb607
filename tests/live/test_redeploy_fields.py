"""What is asked before a redeploy is asked where it can be answered; what cannot be known is told, not taken for no."""

from datetime import timedelta
from typing import Any

import pytest

from tests.arm import Fault, World
from tests.arm.initial_state import Lock
from tests.arm.single_vm import SUBSCRIPTION
from tests.arm.world import AnnouncedEvent
from tests.live.conftest import AzureStarter, Change, build_world, list_refusing_guards

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/prod"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
OF_SUBSCRIPTION = rf"^/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/locks"


def announce_redeploy(owner: str, *names: str) -> Change:
    return lambda one: one.maintenance.append(
        AnnouncedEvent(vm=f"{COMPUTE}/{owner}", kind="Redeploy", not_before=one.now() + timedelta(hours=1), names=names)
    )


def add_group_lock(one: World) -> None:
    one.locks.append(Lock(scope=GROUP, level="CanNotDelete"))


REFUSED: dict[str, tuple[dict[str, Any], Change, tuple[Fault, ...], str]] = {
    "managed by another": ({"managed_by": f"{GROUP}/providers/x/y/z"}, lambda _: None, (), "owner"),
    "an event of its availability set": (
        {"availability_set": "as-1"}, announce_redeploy("availabilitySets/AS-1", "db-01", "WEB-01"), (), "service event"
    ),
    "an event of its scale set": (
        {"scale_set": "pool"}, announce_redeploy("virtualMachineScaleSets/pool", "web-01"), (), "service event"
    ),
    "a lock of the group where the subscription's may not be read": (
        {}, add_group_lock, (Fault(path=OF_SUBSCRIPTION, kind="status", status=403),), "state"
    ),
    "a clock that is six minutes ahead": (
        {}, lambda one: setattr(one, "skew", timedelta(minutes=-6)), (), "clock"
    ),
    "a clock that is six minutes behind": (
        {}, lambda one: setattr(one, "skew", timedelta(minutes=6)), (), "clock"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_newer_versions_tell_and_other_levels_hold_refuses(azure: AzureStarter, name: str) -> None:
    knobs, change, faults, guard = REFUSED[name]
    there = azure(build_world(change, **knobs), *faults)

    assert list_refusing_guards(there.refuse_redeploy()) == {guard}


PASSED: dict[str, tuple[dict[str, Any], Change, tuple[Fault, ...], str]] = {
    "a cloud that does not know managedBy": (
        {"managed_by": "x"}, lambda one: setattr(one, "api_ceiling", "2023-03-01"), (), "do not tell managedBy"
    ),
    "an event of another VM of the set": (
        {"availability_set": "as-1"}, announce_redeploy("availabilitySets/as-1", "db-01"), (), "nothing scheduled"
    ),
    "an event of another set": (
        {"availability_set": "as-1"}, announce_redeploy("availabilitySets/as-2", "web-01"), (), "nothing scheduled"
    ),
    "a subscription that has not opted in": (
        {}, lambda one: one.features.clear(), (), "scheduled events are not opted in"
    ),
    "a VM that does not publish": ({"publishes": False}, lambda _: None, (), "scheduled events are not opted in"),
    "a set that does not publish": (
        {"publishes": False, "availability_set": "as-1"}, lambda _: None, (), "scheduled events are not opted in"
    ),
    "a cloud without the table": (
        {}, lambda one: setattr(one, "maintenance_table", False), (), "does not tell what is scheduled"
    ),
    "a subscription whose locks may not be read": (
        {}, lambda _: None, (Fault(path=OF_SUBSCRIPTION, kind="status", status=403),),
        "whether a lock of the subscription forbids it could not be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PASSED)
def test_what_cannot_be_known_is_told_and_does_not_refuse_for_ever(azure: AzureStarter, name: str) -> None:
    knobs, change, faults, said = PASSED[name]
    ran, (case,) = azure(build_world(change, **knobs), *faults).redeploy_vms("--dry-run")
    done = case["mitigation"]

    assert (ran.code, done["status"]) == (1, "planned"), done["says"]
    assert said in " ".join([*done["risks"], *(one["found"] for one in done["guards"])])


def test_a_state_folder_that_others_can_write_and_a_spoilt_or_newer_journal_are_refused(azure: AzureStarter) -> None:
    there = azure(build_world())
    folder = there.journal.path.parent
    folder.mkdir(parents=True)
    for mode, text, said in (
        (0o777, "", "others can write into"),
        (0o700, "spoilt\n", "line 1 is not a record of the journal"),
        (0o700, '{"v": 2, "step": "intended", "id": "x"}\n', "line 1 is of version 2"),
    ):
        folder.chmod(mode)
        if text:
            there.journal.path.write_text(text)
        assert said in there.refuse_redeploy()["mitigation"]["says"]
    listed = there.run_command("mitigations", "--resume")
    assert (listed.code, "of version 2" in listed.err) == (2, True)
    assert "Update vmdiag, and leave the journal as it is" in listed.err
    assert "Give another" not in listed.err


def test_a_storms_limit_is_no_setting_of_the_environment(azure: AzureStarter) -> None:
    there = azure(World.with_fleet(vms=12, groups=1, migrated=3))
    ran, cases = there.redeploy_vms("--all", "--max", "3", "--dry-run", VMDIAG_STORM="100")

    assert ran.code == 5
    assert all(case["mitigation"]["says"].startswith("storm: ") for case in cases if case["mitigation"])
