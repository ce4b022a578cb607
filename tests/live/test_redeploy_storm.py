"""One platform event is not so many broken VMs: across processes, beyond what rights show, and whoever redeployed."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.arm import Fault, World
from tests.arm.vm import Vm
from tests.live.conftest import AzureStarter, LocalAzure, build_fleet, log_operation
from vmdiag.identity import VmId
from vmdiag.redeploy.journal import JournalEntry, Step

HALF_AN_HOUR = timedelta(minutes=30)
# So little that two of them leave this machine's clock and Azure's within what the guards allow.
BRIEF = timedelta(minutes=4, seconds=40)


def list_cut_off(one: World) -> list[Vm]:
    return [vm for vm in one if vm.state_changes]


def redeploy_by_others(one: World, vms: list[Vm], ago: timedelta = HALF_AN_HOUR) -> None:
    for vm in vms:
        log_operation(one, vm.id, "Microsoft.Compute/virtualMachines/redeploy/action", ago)


def run_refused(there: LocalAzure, *arguments: str) -> tuple[int, set[str], str]:
    """The exit code, the guards that refuse and what they say."""
    ran, cases = there.check_vms(*arguments, "--redeploy", "--yes")
    done = [case["mitigation"] for case in cases if case["mitigation"]]
    guards = {guard["guard"] for each in done for guard in each["guards"] if guard["passes"] is False}
    return ran.code, guards, " ".join(each["says"] for each in done)


def test_runs_of_one_vm_each_stop_where_a_run_of_all_would(azure: AzureStarter) -> None:
    one = build_fleet(4, 1, 4, leap=BRIEF)
    there = azure(one)
    codes = [there.check_vms(vm.id, "--redeploy", "--yes")[0].code for vm in list_cut_off(one)]

    assert (there.redeploy_count, codes[:2], set(codes[2:])) == (2, [0, 0], {5})


def test_what_others_redeployed_in_the_region_counts_with_the_candidate(azure: AzureStarter) -> None:
    one = build_fleet(12, 1, 3, leap=BRIEF)
    first, *others = list_cut_off(one)
    redeploy_by_others(one, others)
    there = azure(one)
    code, guards, says = run_refused(there, first.id)

    assert (code, there.redeploy_count, guards) == (5, 0, {"storm"})
    assert "2 more redeployed there within 60 min" in says


def test_what_the_journal_tells_of_counts_though_no_log_shows_it(azure: AzureStarter) -> None:
    one = build_fleet(12, 1, 3, leap=BRIEF)
    first, *others = list_cut_off(one)
    there = azure(one)
    for number, vm in enumerate(others):
        known = VmId.parse(vm.id)
        assert known is not None
        # Of another subscription, too: a region is shared.
        elsewhere = VmId(subscription=f"of-team-{number}", resource_group="g", name=known.name)
        deed = JournalEntry(
            id=vm.id, vm=elsewhere, cloud=there.arm.url, request="y", at=one.now() - HALF_AN_HOUR, region="West Europe"
        )
        there.journal.record_intent(deed)
        there.journal.record_step(deed, Step.VERIFIED, deed.at, reachable_again=True)
    code, guards, _ = run_refused(there, first.id)

    assert (code, there.redeploy_count, guards) == (5, 0, {"storm"})


@pytest.mark.parametrize("why", ["an hour and more ago", "in another region", "the operator allows it"])
def test_what_does_not_belong_to_the_event_does_not_count(azure: AzureStarter, why: str) -> None:
    one = build_fleet(12, 1, 3, leap=BRIEF)
    first, *others = list_cut_off(one)
    redeploy_by_others(one, others, timedelta(minutes=62) if why.startswith("an hour") else HALF_AN_HOUR)
    if why == "in another region":
        for vm in others:
            object.__setattr__(vm.machine, "location", "northeurope")
    there = azure(one)
    more = ("--storm", "100") if why.startswith("the operator") else ()
    ran, _ = there.check_vms(first.id, "--redeploy", "--yes", *more)

    assert (ran.code, there.redeploy_count) == (0, 1), ran.err


def test_where_the_regions_log_cannot_be_read_now_nothing_is_redeployed(azure: AzureStarter) -> None:
    there = azure(build_fleet(1, 1, 1, leap=BRIEF), Fault(path="resourceProvider eq", kind="status", status=500))
    code, guards, says = run_refused(there, "--all")

    assert (code, there.redeploy_count, guards) == (5, 0, {"storm"})
    assert "could not be read" in says


def test_where_the_subscriptions_log_is_not_allowed_the_groups_counts_and_the_plan_says_so(azure: AzureStarter) -> None:
    one = build_fleet(12, 1, 3, leap=BRIEF)
    first, *others = list_cut_off(one)
    there = azure(one, Fault(path="resourceProvider eq", kind="status", status=403))
    _, (case,) = there.check_vms(first.id, "--redeploy", "--dry-run")
    assert case["mitigation"]["status"] == "planned"
    assert any(
        "redeploys elsewhere in the subscription could not be seen" in one for one in case["mitigation"]["risks"]
    )

    redeploy_by_others(one, others)
    assert run_refused(there, first.id)[:2] == (5, {"storm"})
    assert there.redeploy_count == 0


def test_who_cannot_be_judged_makes_no_storm_look_smaller(azure: AzureStarter) -> None:
    one = build_fleet(16, 4, 16, leap=BRIEF)
    there = azure(one)
    hidden = [vm for vm in one if vm.group != "rg-00"]
    one.denied |= {("*/read", vm.id) for vm in hidden}
    there.arm.add_fault(Fault(path="resourceGroupName eq 'rg-0[123]'", kind="status", status=403))
    code, guards, says = run_refused(there, *(vm.id for vm in one), "--max", "4")

    assert (code, there.redeploy_count) == (5, 0)
    assert guards == {"storm"}
    assert "4 of 4 VMs are or may be affected" in says


def test_cases_of_an_old_report_never_join_the_population(azure: AzureStarter, tmp_path: Path) -> None:
    one = build_fleet(10, 1, 4, leap=BRIEF)
    there = azure(one)
    well = next(vm for vm in one if not vm.state_changes)
    case = json.loads(there.run_command("check", well.id, "--since", "1d", "-o", "ndjson").out)
    old = tmp_path / "old.ndjson"
    with old.open("w", encoding="utf-8") as file:
        for number in range(60):
            name = f"{case['vm']['name']}-{number}"
            file.write(json.dumps({**case, "vm": {**case["vm"], "id": f"{well.id}-{number}", "name": name}}) + "\n")
    code, guards, says = run_refused(there, "--all", "--max", "4", "--resume", str(old))

    assert (code, there.redeploy_count, guards) == (5, 0, {"storm"})
    assert "4 of 10 VMs are or may be affected" in says
