"""Every guard alone keeps the request from leaving, seen from outside: no POST, exit 5, the guard named."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.arm import Fault, World
from tests.arm.initial_state import Lock
from tests.arm.single_vm import SUBSCRIPTION
from tests.arm.world import AnnouncedEvent
from tests.conftest import COMMAND
from tests.incidents.model import ServiceIssue
from tests.live.conftest import AzureStarter, Change, LocalAzure, build_fleet, build_world, log_operation
from vmdiag.identity import VmId
from vmdiag.redeploy.journal import JournalEntry, Step
from vmdiag.redeploy.locks import hold_exclusive_lock

VM = VmId(subscription=SUBSCRIPTION, resource_group="prod", name="web-01")
OTHER = VmId(subscription=SUBSCRIPTION, resource_group="test", name="db-01")
HOUR = timedelta(hours=1)


def with_log(*deeds: tuple[str, timedelta, str]) -> Change:
    """What was done to the VM, or below it, and how long ago."""

    def change(one: World) -> None:
        for name, ago, below in deeds:
            log_operation(one, f"{VM}{below}", f"Microsoft.Compute/virtualMachines/{name}", ago)

    return change


def with_incident(ago: timedelta, service: str = "Virtual Machines", region: str = "West Europe") -> Change:
    return lambda one: one.issues.append(
        ServiceIssue(at=one.now() - ago, subscription=SUBSCRIPTION, region=region, service=service)
    )


def lock_group(one: World) -> None:
    one.locks.append(Lock(scope=f"/subscriptions/{SUBSCRIPTION}/resourceGroups/prod", level="CanNotDelete"))


def announce_reboot(one: World) -> None:
    one.maintenance.append(AnnouncedEvent(vm=str(VM), kind="Reboot", not_before=one.now() + HOUR))


BLOCKED: dict[str, tuple[tuple[Change, ...], dict[str, Any]]] = {
    "verdict": ((), {"annotation": "LiveMigrationFailure"}),
    "state/provisioning": ((), {"provisioning": "Failed"}),
    "state/lock on the VM": ((), {"locks": ("ReadOnly",)}),
    "state/lock above": ((lock_group,), {}),
    "data": ((), {"ephemeral": True}),
    "owner/tag": ((), {"tags": {"VMDiag-Protect": "yes"}}),
    "owner/AKS": ((), {"tags": {"aks-managed-poolName": "pool"}}),
    "count": ((), {}),
    "storm": ((), {}),
    # Begun only now, it explains nothing of what happened two hours ago.
    "service event/young": ((with_incident(timedelta(minutes=5)),), {}),
    "service event/old": ((with_incident(99 * HOUR),), {}),
    "service event/of another service": ((with_incident(2 * HOUR, "Storage"),), {}),
    "service event/announced": ((announce_reboot,), {}),
    "repeat/hours": ((with_log(("redeploy/action", 5 * HOUR, "")),), {}),
    "repeat/week": ((with_log(("redeploy/action", 30 * HOUR, ""), ("redeploy/action", 99 * HOUR, "")),), {}),
    "grace/VM": ((with_log(("start/action", timedelta(minutes=20), "")),), {}),
    "grace/extension": ((with_log(("extensions/write", timedelta(minutes=20), "/extensions/Agent")),), {}),
}
OF_A_FLEET = {"count": ("--all",), "storm": ("--all", "--max", "5")}
# No guard but that of consent knows that a run is dry: what it shows is shown of one VM and of several.
DRY = ("verdict", "storm")


@pytest.mark.parametrize("name", BLOCKED)
def test_a_guard_alone_keeps_the_request_from_leaving(azure: AzureStarter, name: str) -> None:
    changes, knobs = BLOCKED[name]
    there = azure(build_fleet(12, 2, 3) if name in OF_A_FLEET else build_world(*changes, **knobs))
    for way in ((), ("--dry-run",)) if name in DRY else ((),):
        ran, cases = there.redeploy_vms(*OF_A_FLEET.get(name, ()), *way)
        told = [case["mitigation"] for case in cases if case["mitigation"]]

        assert (ran.code, there.redeploy_count) == (5, 0), ran.err
        assert {done["status"] for done in told} == {"refused"}
        refusing = {guard["guard"] for done in told for guard in done["guards"] if guard["passes"] is False}
        # Three VMs are more than --max as well.
        assert refusing == ({"count", "storm"} if name == "count" else {name.partition("/")[0]})
        assert all(f"{name.partition('/')[0]}: " in done["says"] for done in told)
        assert ran.err.startswith("not redeployed: ")
    assert not there.journal.path.exists()


def test_the_same_vm_without_any_of_it_is_redeployed(azure: AzureStarter) -> None:
    one = build_world(with_log(("redeploy/action", 99 * HOUR, ""), ("start/action", timedelta(minutes=45), "")))
    elsewhere = ServiceIssue(
        at=one.now() - HOUR, subscription=SUBSCRIPTION, region="North Europe", service="Virtual Machines"
    )
    over = replace(elsewhere, region="West Europe", at=one.now() - 30 * HOUR, mitigated=one.now() - 29 * HOUR)
    one.issues += [elsewhere, over]
    there = azure(one)
    ran, _ = there.redeploy_vms()

    assert (ran.code, there.redeploy_count) == (0, 1)


def test_an_instance_of_a_uniform_scale_set_is_refused(azure: AzureStarter) -> None:
    there = azure(build_world(uniform=True, scale_set="pool"))
    (vm,) = there.arm.world
    ran, (case,) = there.check_vms(vm.id, "--redeploy", "--yes")

    assert (ran.code, there.redeploy_count) == (5, 0)
    assert "owner: an instance of the scale set pool" in case["mitigation"]["says"]


def test_without_a_terminal_and_without_yes_it_is_refused(azure: AzureStarter) -> None:
    there = azure(build_world())
    ran, (case,) = there.check_vms("prod/web-01", "--redeploy")

    assert (ran.code, there.redeploy_count) == (5, 0)
    assert case["mitigation"]["says"] == "consent: no terminal to ask at, and no --yes (limit: a typed yes, or --yes)"


def test_what_cannot_be_read_again_is_not_redeployed(azure: AzureStarter) -> None:
    there = azure(
        build_world(heartbeats=False),
        # The first reading takes five.
        Fault(path="providers/Microsoft.Insights/metrics", kind="status", status=403, after=5),
    )
    there.refuse_redeploy()


FEEDS = [
    "eventtypes/management.*resourceUri",
    r"virtualMachines/web-01\?.*instanceView",
    "providers/Microsoft.ResourceHealth/events",
    "providers/Microsoft.ResourceGraph",
]


@pytest.mark.parametrize("path", FEEDS)
def test_a_feed_that_the_guards_need_and_that_is_refused_refuses(azure: AzureStarter, path: str) -> None:
    there = azure(build_world(), Fault(path=path, kind="status", status=403, after=path.startswith("virtual")))
    case = there.refuse_redeploy("--dry-run")

    assert "could not be read" in case["mitigation"]["says"]


@pytest.mark.parametrize("kind", [{"kind": "status", "status": 200}, {"kind": "malformed", "every": 1}])
@pytest.mark.parametrize(("path", "after", "named"), [
    ("eventtypes/management.*resourceUri", 0, "repeat"),
    ("providers/Microsoft.ResourceHealth/events", 1, "service event"),
])  # fmt: skip
def test_what_cannot_be_understood_is_not_taken_for_nothing(
    azure: AzureStarter, path: str, after: int, named: str, kind: dict[str, Any]
) -> None:
    one = build_world(with_log(("redeploy/action", 99 * HOUR, "")))
    one.issues.append(ServiceIssue(at=one.now() - 99 * HOUR, subscription=SUBSCRIPTION, region="x", service="y"))
    case = azure(one, Fault(path=path, after=after, **kind)).refuse_redeploy("--dry-run")

    assert f"{named}: could not be read" in case["mitigation"]["says"]


def test_a_log_that_was_read_in_part_refuses(azure: AzureStarter) -> None:
    writes = [("write", hours * HOUR, "") for hours in (10, 20, 30, 40, 50, 70, 99)]
    there = azure(build_world(with_log(*writes)), Fault(path="resourceUri.*skiptoken", kind="slow", seconds=30), page=4)
    case = there.refuse_redeploy("--timeout", "5s")

    assert "repeat: could not be read" in case["mitigation"]["says"]


def test_locks_that_may_not_be_read_count_as_none_and_the_plan_says_so(azure: AzureStarter) -> None:
    one = build_world()
    one.denied.add(("Microsoft.Authorization/locks/read", f"/subscriptions/{SUBSCRIPTION}"))
    ran, (case,) = azure(one).redeploy_vms("--dry-run")

    assert (ran.code, case["mitigation"]["status"]) == (1, "planned")
    assert "whether a lock forbids it could not be read" in case["mitigation"]["risks"]


@pytest.mark.parametrize(
    ("knobs", "option"),
    [({"annotation": "LiveMigrationFailure"}, "--include-suspected"), ({"ephemeral": True}, "--allow-data-loss")],
)
def test_the_operator_may_want_suspected_vms_and_accept_the_loss_of_data(
    azure: AzureStarter, knobs: dict[str, Any], option: str
) -> None:
    there = azure(build_world(**knobs))
    ran, _ = there.redeploy_vms(option)

    assert (ran.code, there.redeploy_count) == (0, 1)
    assert ("OS disk, which is ephemeral" in ran.err) == (option == "--allow-data-loss")


def make_reader(one: World) -> World:
    one.role = "reader"
    return one


@pytest.mark.parametrize(
    ("build", "arguments"),
    [
        (build_world, ("prod/web-01",)),
        (build_world, (str(VM),)),
        (lambda: World.with_fleet(vms=20, groups=3), ("--all",)),
        (lambda: World.with_fleet(vms=20, groups=3), ("--tag", "env=prod")),
    ],
)
def test_a_reader_is_told_of_the_one_missing_permission_before_anything_else(
    azure: AzureStarter, build: Callable[[], World], arguments: tuple[str, ...]
) -> None:
    there = azure(make_reader(build()))
    ran, cases = there.check_vms(*arguments, "--redeploy", "--yes")

    assert (ran.code, ran.out, cases, there.redeploy_count) == (4, "", [], 0)
    assert ran.err.count("Microsoft.") == 1
    assert "lacks Microsoft.Compute/virtualMachines/redeploy/action" in ran.err
    assert there.count_requests("Microsoft.Insights") == 0


def test_one_vm_that_may_not_be_redeployed_is_refused_and_the_others_are_not(azure: AzureStarter) -> None:
    there = azure(build_fleet(40, 2, 2))
    _, cases = there.redeploy_vms("--all", "--dry-run", "--max", "2")
    one, other = [case["vm"]["id"] for case in cases if case["mitigation"]]
    there.arm.world.denied.add(("Microsoft.Compute/virtualMachines/redeploy/action", one))
    ran, cases = there.redeploy_vms("--all", "--max", "2")
    done = {case["vm"]["id"]: case["mitigation"]["status"] for case in cases if case["mitigation"]}

    assert (ran.code, there.redeploy_count) == (5, 1)
    assert done == {one: "refused", other: "succeeded"}


def test_an_unfinished_redeploy_of_the_subscription_is_waited_for(azure: AzureStarter) -> None:
    there = azure(build_world())
    now = there.arm.world.now()
    deed = JournalEntry(id="x", vm=OTHER, cloud=there.arm.url, request="y", at=now - 50 * HOUR)
    there.journal.record_intent(deed)
    case = there.refuse_redeploy()

    assert "pace: db-01's, of 2 days ago, is not verified" in case["mitigation"]["says"]
    there.journal.record_step(deed, Step.VOID, now)
    assert there.redeploy_vms()[0].code == 0


def test_our_own_journal_counts_for_the_repeat_guard(azure: AzureStarter) -> None:
    there = azure(build_world())
    deed = JournalEntry(id="x", vm=VM, cloud=there.arm.url, request="y", at=there.arm.world.now() - 4 * HOUR)
    there.journal.record_intent(deed)
    there.journal.record_step(deed, Step.VERIFIED, deed.at, reachable_again=True)
    case = there.refuse_redeploy()

    assert case["mitigation"]["says"].startswith("repeat: redeployed ")


@contextmanager
def hold_scope_lock(there: LocalAzure, monkeypatch: pytest.MonkeyPatch, subscription: str) -> Iterator[None]:
    monkeypatch.setenv("XDG_STATE_HOME", str(there.state))
    with hold_exclusive_lock({f"{there.arm.url} {subscription}"}) as rival:
        assert rival is None
        yield


def test_another_run_in_the_subscription_refuses_wherever_its_journal_lies(
    azure: AzureStarter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = azure(build_world())
    with hold_scope_lock(there, monkeypatch, SUBSCRIPTION):
        ran, (case,) = there.redeploy_vms("--journal", str(tmp_path / "elsewhere.jsonl"))
        assert (ran.code, there.redeploy_count) == (5, 0)
        assert "lock: another run of vmdiag redeploys in " in case["mitigation"]["says"]
    with hold_scope_lock(there, monkeypatch, "of-another-team"):
        assert there.redeploy_vms()[0].code == 0


@pytest.mark.parametrize("spoilt", ["a folder", "no folder", "a device", "no room"])
def test_without_a_journal_nothing_is_redeployed(azure: AzureStarter, tmp_path: Path, spoilt: str) -> None:
    there = azure(build_world())
    (tmp_path / "file").touch()
    places = {"a folder": tmp_path, "no folder": tmp_path / "file" / "journal", "a device": Path("/dev/zero")}
    journal = places.get(spoilt, tmp_path / "journal")
    command: list[str | Path] = [COMMAND, "check", "prod/web-01", "--since", "1d", "-o", "json", "--redeploy", "--yes"]
    # No file may grow: what a full disk looks like.
    limited = ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh"] if spoilt == "no room" else []
    ran = subprocess.run(
        [*limited, *command, "--cloud", there.arm.url, "--journal", journal],
        env={**os.environ, **there.environment},
        capture_output=True,
        check=False,
        text=True,
    )
    (case,) = json.loads(ran.stdout)["cases"]

    assert (ran.returncode, there.redeploy_count) == (5, 0)
    assert case["mitigation"]["status"] == "refused"
    assert str(journal) in ran.stderr


def test_a_storm_of_sixty_is_one_message_and_no_redeploy(azure: AzureStarter) -> None:
    storm = build_fleet(120, 4, 60)
    there = azure(storm)
    ran, cases = there.redeploy_vms("--all", "--max", "1000")
    done = [case["mitigation"] for case in cases if case["mitigation"]]

    assert (ran.code, there.redeploy_count, len(done)) == (5, 0, 60)
    assert len(ran.err.splitlines()) == 1
    assert "and 55 more: storm: 60 of 120 VMs are or may be affected" in ran.err
    affected = next(case for case in cases if case["mitigation"])
    assert affected["recommendation"]["action"] == "investigate"
    # No VM is looked at closely that cannot be redeployed anyway.
    assert there.count_requests("Microsoft.Authorization/locks") == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--yes",), ("--dry-run",), ("--max", "3"), ("--include-suspected",), ("--allow-data-loss",), ("--no-wait",),
        ("--wait-for", "1h"), ("--journal", "j"),
        ("--redeploy", "--no-wait", "--wait-for", "1h"),
        ("--redeploy", "--wait-for", "soon"), ("--redeploy", "--max", "0"),
    ],
)  # fmt: skip
def test_options_that_make_no_sense_are_told_before_anything_is_asked(
    azure: AzureStarter, arguments: tuple[str, ...]
) -> None:
    there = azure()
    ran = there.run_command("check", "prod/web-01", *arguments)

    assert (ran.code, ran.out, len(there.arm.requests)) == (2, "", 0)
    assert "hint: " in ran.err
    assert [option for option in arguments if option.startswith("--")][-1] in ran.err


def test_what_was_planned_comes_in_every_format(azure: AzureStarter) -> None:
    there = azure(build_world(ephemeral=True))
    for form in ("terminal", "markdown", "csv", "ndjson"):
        ran = there.run_command(
            "check", "prod/web-01", "--since", "1d", "--redeploy", "--dry-run", "-o", form, COLUMNS="200"
        )
        assert ran.code == 5
        assert "an ephemeral OS disk, which is wiped" in ran.out


def test_migrated_vms_that_cannot_be_judged_count_for_a_storm(azure: AzureStarter) -> None:
    there = azure(build_fleet(12, 1, 4))
    one = next(vm for vm in there.arm.world if vm.state_changes)
    metrics = rf"/virtualMachines/(?!{one.name}/)[^/]+/providers/Microsoft.Insights/metrics"
    for path in (metrics, "workspaces"):
        there.arm.add_fault(Fault(path=path, kind="status", status=403))
    ran, cases = there.redeploy_vms("-g", one.group)
    (done,) = [case["mitigation"] for case in cases if case["mitigation"]]

    assert (ran.code, there.redeploy_count) == (5, 0)
    assert done["says"].startswith("storm: 10 of 12 VMs are or may be affected")
