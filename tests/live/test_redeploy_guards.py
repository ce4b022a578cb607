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
from tests.arm.world import Maintenance
from tests.conftest import COMMAND
from tests.incidents.model import Operation, ServiceIssue, Truth
from tests.live.conftest import Azure, Starter, mending, world
from vmdiag.identity import VmId
from vmdiag.redeploy.journal import Deed, Step
from vmdiag.redeploy.state_folder import alone

VM = VmId(subscription=SUBSCRIPTION, resource_group="prod", name="web-01")
OTHER = VmId(subscription=SUBSCRIPTION, resource_group="test", name="db-01")
HOUR = timedelta(hours=1)


def logged(one: World, name: str, ago: timedelta, below: str = "") -> None:
    """Somebody did something to the VM, so long ago."""
    (vm,) = one
    done = Operation(at=one.now() - ago, target=vm.id + below, name=f"Microsoft.Compute/virtualMachines/{name}")
    truth = Truth(until=one.now(), operations=(done,))
    one.journal.add(truth, timedelta(seconds=1), caller="ops", correlation=f"{name}/{ago}", client_request_id="theirs")


def changed(**knobs: Any) -> Callable[[], World]:
    return lambda: world(**knobs)


def with_log(*deeds: tuple[str, timedelta, str]) -> Callable[[], World]:
    def told() -> World:
        one = world()
        for deed in deeds:
            logged(one, *deed)
        return one

    return told


def _locked() -> World:
    one = world()
    one.locks.append(Lock(scope=f"/subscriptions/{SUBSCRIPTION}/resourceGroups/prod", level="CanNotDelete"))
    return one


def _announced() -> World:
    one = world()
    one.maintenance.append(Maintenance(vm=str(VM), kind="Reboot", not_before=one.now() + HOUR))
    return one


def incident(ago: timedelta, service: str = "Virtual Machines", region: str = "West Europe") -> Callable[[], World]:
    def told() -> World:
        one = world()
        at = one.now() - ago
        one.issues.append(ServiceIssue(at=at, subscription=SUBSCRIPTION, region=region, service=service))
        return one

    return told


def _storm() -> World:
    many = World.fleet(vms=12, groups=2, migrated=3)
    many.redeploying = mending()
    return many


BLOCKED: dict[str, tuple[Callable[[], World], tuple[str, ...]]] = {
    "verdict": (changed(annotation="LiveMigrationFailure"), ()),
    "state/provisioning": (changed(provisioning="Failed"), ()),
    "state/lock on the VM": (changed(locks=("ReadOnly",)), ()),
    "state/lock above": (_locked, ()),
    "data": (changed(ephemeral=True), ()),
    "owner/tag": (changed(tags={"VMDiag-Protect": "yes"}), ()),
    "owner/AKS": (changed(tags={"aks-managed-poolName": "pool"}), ()),
    "count": (_storm, ("--all",)),
    "storm": (_storm, ("--all", "--max", "5")),
    # Begun only now, it explains nothing of what happened two hours ago.
    "service event/young": (incident(timedelta(minutes=5)), ()),
    "service event/old": (incident(99 * HOUR), ()),
    "service event/of another service": (incident(2 * HOUR, "Storage"), ()),
    "service event/announced": (_announced, ()),
    "repeat/hours": (with_log(("redeploy/action", 5 * HOUR, "")), ()),
    "repeat/week": (with_log(("redeploy/action", 30 * HOUR, ""), ("redeploy/action", 99 * HOUR, "")), ()),
    "grace/VM": (with_log(("start/action", timedelta(minutes=20), "")), ()),
    "grace/extension": (with_log(("extensions/write", timedelta(minutes=20), "/extensions/Agent")), ()),
}


@pytest.mark.parametrize("name", BLOCKED)
def test_a_guard_alone_keeps_the_request_from_leaving(azure: Starter, name: str) -> None:
    build, arguments = BLOCKED[name]
    there = azure(build())
    for way in ((), ("--dry-run",)):
        ran, cases = there.redeploy(*arguments, *way)
        told = [case["mitigation"] for case in cases if case["mitigation"]]

        assert (ran.code, there.posts) == (5, 0), ran.err
        assert {done["status"] for done in told} == {"refused"}
        refusing = {guard["guard"] for done in told for guard in done["guards"] if guard["passes"] is False}
        # Three VMs are more than --max as well.
        assert refusing == ({"count", "storm"} if name == "count" else {name.partition("/")[0]})
        assert all(f"{name.partition('/')[0]}: " in done["says"] for done in told)
        assert ran.err.startswith("not redeployed: ")
    assert not there.journal.path.exists()


def test_the_same_vm_without_any_of_it_is_redeployed(azure: Starter) -> None:
    one = with_log(("redeploy/action", 99 * HOUR, ""), ("start/action", 45 * timedelta(minutes=1), ""))()
    elsewhere = ServiceIssue(
        at=one.now() - HOUR, subscription=SUBSCRIPTION, region="North Europe", service="Virtual Machines"
    )
    over = replace(elsewhere, region="West Europe", at=one.now() - 30 * HOUR, mitigated=one.now() - 29 * HOUR)
    one.issues += [elsewhere, over]
    there = azure(one)
    ran, _ = there.redeploy()

    assert (ran.code, there.posts) == (0, 1)


def test_an_instance_of_a_uniform_scale_set_is_refused(azure: Starter) -> None:
    there = azure(world(uniform=True, scale_set="pool"))
    (vm,) = there.arm.world
    ran, (case,) = there.check(vm.id, "--redeploy", "--yes")

    assert (ran.code, there.posts) == (5, 0)
    assert "owner: an instance of the scale set pool" in case["mitigation"]["says"]


def test_without_a_terminal_and_without_yes_it_is_refused(azure: Starter) -> None:
    there = azure(world())
    ran, (case,) = there.check("prod/web-01", "--redeploy")

    assert (ran.code, there.posts) == (5, 0)
    assert case["mitigation"]["says"] == "consent: no terminal to ask at, and no --yes (limit: a typed yes, or --yes)"


def test_what_cannot_be_read_again_is_not_redeployed(azure: Starter) -> None:
    there = azure(world(heartbeats=False))
    there.arm.fail(Fault(path="providers/Microsoft.Insights/metrics", kind="status", status=403, after=1))
    ran, (case,) = there.redeploy()

    assert (ran.code, there.posts) == (5, 0)
    assert case["mitigation"]["status"] == "refused"


FEEDS = [
    "eventtypes/management.*resourceUri",
    r"virtualMachines/web-01\?.*instanceView",
    "providers/Microsoft.ResourceHealth/events",
    "providers/Microsoft.ResourceGraph",
]


@pytest.mark.parametrize("path", FEEDS)
def test_a_feed_that_the_guards_need_and_that_is_refused_refuses(azure: Starter, path: str) -> None:
    there = azure(world())
    there.arm.fail(Fault(path=path, kind="status", status=403, after=path.startswith("virtual")))
    ran, (case,) = there.redeploy("--dry-run")

    assert (ran.code, there.posts) == (5, 0)
    assert "could not be read" in case["mitigation"]["says"]


@pytest.mark.parametrize("kind", [{"kind": "status", "status": 200}, {"kind": "malformed", "every": 1}])
@pytest.mark.parametrize(("path", "after", "named"), [
    ("eventtypes/management.*resourceUri", 0, "repeat"),
    ("providers/Microsoft.ResourceHealth/events", 1, "service event"),
])  # fmt: skip
def test_what_cannot_be_understood_is_not_taken_for_nothing(
    azure: Starter, path: str, after: int, named: str, kind: dict[str, Any]
) -> None:
    one = with_log(("redeploy/action", 99 * HOUR, ""))()
    one.issues.append(ServiceIssue(at=one.now() - 99 * HOUR, subscription=SUBSCRIPTION, region="x", service="y"))
    there = azure(one)
    there.arm.fail(Fault(path=path, after=after, **kind))
    ran, (case,) = there.redeploy("--dry-run")

    assert (ran.code, there.posts) == (5, 0)
    assert f"{named}: could not be read" in case["mitigation"]["says"]


def test_a_log_that_was_read_in_part_refuses(azure: Starter) -> None:
    writes = [("write", hours * HOUR, "") for hours in (10, 20, 30, 40, 50, 70, 99)]
    one = with_log(*writes)()
    there = azure(one, page=4)
    there.arm.fail(Fault(path="resourceUri.*skiptoken", kind="slow", seconds=30))
    ran, (case,) = there.redeploy("--timeout", "5s")

    assert (ran.code, there.posts) == (5, 0)
    assert "repeat: could not be read" in case["mitigation"]["says"]


def test_locks_that_may_not_be_read_count_as_none_and_the_plan_says_so(azure: Starter) -> None:
    one = world()
    one.denied.add(("Microsoft.Authorization/locks/read", f"/subscriptions/{SUBSCRIPTION}"))
    ran, (case,) = azure(one).redeploy("--dry-run")

    assert (ran.code, case["mitigation"]["status"]) == (1, "planned")
    assert "whether a lock forbids it could not be read" in case["mitigation"]["risks"]


@pytest.mark.parametrize(
    ("knobs", "option"),
    [({"annotation": "LiveMigrationFailure"}, "--include-suspected"), ({"ephemeral": True}, "--allow-data-loss")],
)
def test_the_operator_may_want_suspected_vms_and_accept_the_loss_of_data(
    azure: Starter, knobs: dict[str, Any], option: str
) -> None:
    there = azure(world(**knobs))
    ran, _ = there.redeploy(option)

    assert (ran.code, there.posts) == (0, 1)
    assert ("OS disk, which is ephemeral" in ran.err) == (option == "--allow-data-loss")


def reader(one: World) -> World:
    one.role = "reader"
    return one


@pytest.mark.parametrize(
    ("build", "arguments"),
    [
        (world, ("prod/web-01",)),
        (world, (str(VM),)),
        (lambda: World.fleet(vms=20, groups=3), ("--all",)),
        (lambda: World.fleet(vms=20, groups=3), ("--tag", "env=prod")),
    ],
)
def test_a_reader_is_told_of_the_one_missing_permission_before_anything_else(
    azure: Starter, build: Callable[[], World], arguments: tuple[str, ...]
) -> None:
    there = azure(reader(build()))
    ran, cases = there.check(*arguments, "--redeploy", "--yes")

    assert (ran.code, ran.out, cases, there.posts) == (4, "", [], 0)
    assert ran.err.count("Microsoft.") == 1
    assert "lacks Microsoft.Compute/virtualMachines/redeploy/action" in ran.err
    assert there.asked("Microsoft.Insights") == 0


def test_one_vm_that_may_not_be_redeployed_is_refused_and_the_others_are_not(azure: Starter) -> None:
    many = World.fleet(vms=40, groups=2, migrated=2)
    many.redeploying = mending()
    there = azure(many)
    _, cases = there.redeploy("--all", "--dry-run", "--max", "2")
    one, other = [case["vm"]["id"] for case in cases if case["mitigation"]]
    many.denied.add(("Microsoft.Compute/virtualMachines/redeploy/action", one))
    ran, cases = there.redeploy("--all", "--max", "2")
    done = {case["vm"]["id"]: case["mitigation"]["status"] for case in cases if case["mitigation"]}

    assert (ran.code, there.posts) == (5, 1)
    assert done == {one: "refused", other: "succeeded"}


def test_an_unfinished_redeploy_of_the_subscription_is_waited_for(azure: Starter) -> None:
    there = azure(world())
    now = there.arm.world.now()
    deed = Deed(id="x", vm=OTHER, cloud=there.arm.url, request="y", at=now - 50 * HOUR)
    there.journal.intend(deed)
    ran, (case,) = there.redeploy()

    assert (ran.code, there.posts) == (5, 0)
    assert "pace: db-01's, of 2 days ago, is not verified" in case["mitigation"]["says"]
    there.journal.add(deed, Step.VOID, now)
    assert there.redeploy()[0].code == 0


def test_our_own_journal_counts_for_the_repeat_guard(azure: Starter) -> None:
    there = azure(world())
    deed = Deed(id="x", vm=VM, cloud=there.arm.url, request="y", at=there.arm.world.now() - 4 * HOUR)
    there.journal.intend(deed)
    there.journal.add(deed, Step.VERIFIED, deed.at, reachable_again=True)
    ran, (case,) = there.redeploy()

    assert (ran.code, there.posts) == (5, 0)
    assert case["mitigation"]["says"].startswith("repeat: redeployed ")


@contextmanager
def holding(there: Azure, monkeypatch: pytest.MonkeyPatch, subscription: str) -> Iterator[None]:
    monkeypatch.setenv("XDG_STATE_HOME", str(there.state))
    with alone({f"{there.arm.url} {subscription}"}) as rival:
        assert rival is None
        yield


def test_another_run_in_the_subscription_refuses_wherever_its_journal_lies(
    azure: Starter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = azure(world())
    with holding(there, monkeypatch, SUBSCRIPTION):
        ran, (case,) = there.redeploy("--journal", str(tmp_path / "elsewhere.jsonl"))
        assert (ran.code, there.posts) == (5, 0)
        assert "lock: another run of vmdiag redeploys in " in case["mitigation"]["says"]
    with holding(there, monkeypatch, "of-another-team"):
        assert there.redeploy()[0].code == 0


@pytest.mark.parametrize("spoilt", ["a folder", "no folder", "a device", "no room"])
def test_without_a_journal_nothing_is_redeployed(azure: Starter, tmp_path: Path, spoilt: str) -> None:
    there = azure(world())
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

    assert (ran.returncode, there.posts) == (5, 0)
    assert case["mitigation"]["status"] == "refused"
    assert str(journal) in ran.stderr


def test_a_storm_of_two_hundred_is_one_message_and_no_redeploy(azure: Starter) -> None:
    storm = World.fleet(vms=400, groups=4, migrated=200)
    storm.redeploying = mending()
    there = azure(storm)
    ran, cases = there.redeploy("--all", "--max", "1000")
    done = [case["mitigation"] for case in cases if case["mitigation"]]

    assert (ran.code, there.posts, len(done)) == (5, 0, 200)
    assert len(ran.err.splitlines()) == 1
    assert "and 195 more: storm: 200 of 400 VMs are or may be affected" in ran.err
    affected = next(case for case in cases if case["mitigation"])
    assert affected["recommendation"]["action"] == "investigate"
    # No VM is looked at closely that cannot be redeployed anyway.
    assert there.asked("Microsoft.Authorization/locks") == 0


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
    azure: Starter, arguments: tuple[str, ...]
) -> None:
    there = azure()
    ran = there.run("check", "prod/web-01", *arguments)

    assert (ran.code, ran.out, len(there.arm.requests)) == (2, "", 0)
    assert "hint: " in ran.err
    assert [option for option in arguments if option.startswith("--")][-1] in ran.err


def test_what_was_planned_comes_in_every_format(azure: Starter) -> None:
    there = azure(world(ephemeral=True))
    for form in ("terminal", "markdown", "csv", "ndjson"):
        ran = there.run("check", "prod/web-01", "--since", "1d", "--redeploy", "--dry-run", "-o", form, COLUMNS="200")
        assert ran.code == 5
        assert "an ephemeral OS disk, which is wiped" in ran.out


def test_migrated_vms_that_cannot_be_judged_count_for_a_storm(azure: Starter) -> None:
    many = World.fleet(vms=12, groups=1, migrated=4)
    many.redeploying = mending()
    there = azure(many)
    one = next(vm for vm in many if vm.turns)
    metrics = rf"/virtualMachines/(?!{one.name}/)[^/]+/providers/Microsoft.Insights/metrics"
    for path in (metrics, "workspaces"):
        there.arm.fail(Fault(path=path, kind="status", status=403))
    ran, cases = there.redeploy("-g", one.group)
    (done,) = [case["mitigation"] for case in cases if case["mitigation"]]

    assert (ran.code, there.posts) == (5, 0)
    assert done["says"].startswith("storm: 10 of 12 VMs are or may be affected")
