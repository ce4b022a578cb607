"""Many VMs: what they share is asked once, what is calm is not asked closely, and nobody is lost."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.arm import Fault, World
from tests.live.conftest import METRICS, AzureStarter, get_gap_reasons

SAME = ("vm", "verdict", "scenario", "code", "state", "migrated_at", "failed_at", "recovered_at", "explanation")


def build_fleet() -> World:
    return World.with_fleet(vms=40, groups=2, migrated=4)


def get_names(cases: list[dict[str, Any]]) -> list[str]:
    return [case["vm"]["name"] for case in cases]


def test_a_quiet_fleet_with_ten_migrated_takes_few_requests(azure: AzureStarter) -> None:
    # Six more were migrated and took no harm.
    world = World.with_fleet(vms=200, groups=4, migrated=4)
    world.public = True
    there = azure(world)
    ran, cases = there.check_vms("--all", "--since", "14d")

    assert ran.code == 1, ran.err
    assert len(cases) == 200
    assert sum(case["verdict"] == "confirmed" for case in cases) == 4
    assert sum(case["migrated_at"] is not None for case in cases) == 10
    assert {case["verdict"] for case in cases} <= {"confirmed", "clear"}
    assert len(there.arm.requests) <= 60


def test_the_log_of_many_groups_is_read_by_the_subscription(azure: AzureStarter) -> None:
    there = azure(World.with_fleet(vms=60, groups=20, migrated=4))
    ran, cases = there.check_vms("--all")

    assert (ran.code, len(cases)) == (1, 60)
    assert sum(case["verdict"] == "confirmed" for case in cases) == 4
    filters = [seen.query["$filter"] for seen in there.arm.requests if "eventtypes/management/values" in seen.path]
    assert 0 < len(filters) <= 3  # pages
    assert not any("resourceGroupName" in each for each in filters)


def test_the_log_of_a_large_fleet_is_read_over_the_window_and_farther_back_of_suspects_alone(
    azure: AzureStarter,
) -> None:
    there = azure(World.with_fleet(vms=260, groups=26, migrated=2))
    ran, cases = there.check_vms("--all", "--since", "30m")
    sent = there.arm.requests
    _, deep = there.check_vms("--group", "rg-00", "--since", "30m", "--screen", "off")

    assert (ran.code, len(cases), sum(case["verdict"] == "confirmed" for case in cases)) == (1, 260, 2)
    # All eight were migrated before the window, and within what is read of everybody's log.
    (search,) = (seen.body.decode() for seen in sent if b"datacollectionruleassociations" in seen.body)
    groups = set(re.findall("/resourcegroups/([^/]+)/", search))
    recent, *earlier = (seen.query["$filter"] for seen in sent if "eventtypes/management/values" in seen.path)
    assert "resourceGroupName" not in recent
    assert sorted(each.split("'")[5] for each in earlier) == sorted(groups)
    assert all(each.split("'")[1] < recent.split("'")[1] == each.split("'")[3] for each in earlier)
    # Where agents write to is looked up for suspects alone. Resource Graph and the log tell the same of each, and each
    # was available all the time: Resource Health's history adds nothing, as a reading of all there is shows.
    assert search.count("/virtualmachines/") == 8
    assert [seen for seen in sent if seen.path.endswith("availabilityStatuses")] == []
    assert there.count_requests("availabilityStatuses") == len(deep)
    # Nobody is told otherwise than by a reading of all there is.
    shown = {case["vm"]["id"]: [case[name] for name in SAME] for case in cases}
    assert {case["vm"]["id"]: [case[name] for name in SAME] for case in deep}.items() <= shown.items()
    calm = next(case for case in cases if case["vm"]["resource_group"] not in groups)
    assert calm["verdict"] == "clear"
    assert "activity" not in get_gap_reasons(calm)  # what lies before the window is no part of it


def test_who_may_read_the_log_of_groups_alone_reads_it_by_the_group(azure: AzureStarter) -> None:
    world = World.with_fleet(vms=60, groups=20, migrated=4)
    _, whole = azure(world).check_vms("--all")
    refused = Fault(path="eventtypes/management/values(?!.*resourceGroupName.{1,3}eq)", kind="status", status=403)
    there = azure(world, refused)
    ran, cases = there.check_vms("--all")

    assert ran.code == 1
    assert [[case[name] for name in SAME] for case in cases] == [[case[name] for name in SAME] for case in whole]
    assert not any("activity" in get_gap_reasons(case) for case in cases)
    assert there.count_requests("eventtypes/management/values") == 21


def test_read_again_alone_a_vm_gets_the_answer_of_the_batch_where_a_calm_one_was_not_read_closely(
    azure: AzureStarter,
) -> None:
    there = azure(build_fleet())
    _, cases = there.check_vms("--all")
    flagged, calm = ([case for case in cases if (case["migrated_at"] is None) is calm] for calm in (False, True))

    assert calm
    assert all("nothing suspicious" in get_gap_reasons(case)["cpu"] for case in calm)
    assert {case["verdict"] for case in calm} == {"clear"}
    for case in (*flagged, *calm[:4]):
        _, (again,) = there.check_vms(case["vm"]["id"])
        assert {name: again[name] for name in SAME} == {name: case[name] for name in SAME}
        assert again["recommendation"] == case["recommendation"]
        assert [loss["signals"] for loss in again["losses"]] == [loss["signals"] for loss in case["losses"]]


def test_cases_come_in_the_order_asked_for(azure: AzureStarter, tmp_path: Path) -> None:
    there = azure(build_fleet())
    _, cases = there.check_vms("--all")
    ids = [case["vm"]["id"] for case in cases]
    wanted = [*get_names(cases)[::-3]]
    (tmp_path / "vms.txt").write_text("# tonight\n" + "\n".join(wanted))
    _, listed = there.check_vms("--vms-from", "vms.txt")

    assert ids == sorted(ids, key=str.lower)
    assert get_names(listed) == wanted


def test_ndjson_comes_as_it_is_known_the_calm_ones_first(azure: AzureStarter) -> None:
    ran = azure(build_fleet()).run_command("check", "--all", "--since", "1d", "-o", "ndjson")
    verdicts = [json.loads(line)["verdict"] for line in ran.out.splitlines()]

    assert len(verdicts) == 40
    assert verdicts[-4:] == ["confirmed"] * 4


def test_groups_and_standard_input_choose(azure: AzureStarter) -> None:
    there = azure(build_fleet())
    _, cases = there.check_vms("--resource-group", "rg-01")
    ran = there.runner(
        "check", "-", "--since", "1d", "-o", "json", "--cloud", there.arm.url,
        given="\n".join(get_names(cases)[:3]), **there.arm.environment,
    )  # fmt: skip

    assert {case["vm"]["resource_group"] for case in cases} == {"rg-01"}
    assert get_names(json.loads(ran.out)["cases"]) == get_names(cases)[:3]


def test_tags_choose_whatever_the_case_of_their_names(azure: AzureStarter) -> None:
    there = azure(World.with_one_vm(tags={"App": "shop", "tier": "web"}))

    assert len(there.check_vms("--tag", "app=shop", "--tag", "TIER=web")[1]) == 1
    ran, cases = there.check_vms("--tag", "app=Shop")
    assert (ran.code, cases) == (4, [])
    assert "Did you mean App=shop?" in ran.err


def test_a_name_that_means_several_lists_them(azure: AzureStarter) -> None:
    world = World.with_fleet(vms=4, groups=2, migrated=0)
    there = azure(world)
    _, cases = there.check_vms("--all")
    shared = [name for name in get_names(cases) if get_names(cases).count(name) > 1]
    if not shared:
        pytest.skip("no two VMs of this fleet share a name")
    ran = there.run_command("check", shared[0])
    assert ran.code == 2
    assert "means 2 VMs" in ran.err


def test_without_resource_graph_nobody_is_called_calm_unseen(azure: AzureStarter) -> None:
    world = build_fleet()
    world.graph = False
    ran, cases = azure(world).check_vms("--all")

    assert ran.code == 1, ran.err
    assert len(cases) == 40
    assert sum(case["verdict"] == "confirmed" for case in cases) == 4
    assert not any("nothing suspicious" in reason for case in cases for reason in get_gap_reasons(case).values())


def test_a_vm_whose_metrics_are_refused_does_not_take_the_others_along(azure: AzureStarter) -> None:
    there = azure(build_fleet())
    _, cases = there.check_vms("--all")
    victim = next(case["vm"]["name"] for case in cases if case["verdict"] == "confirmed")
    there.arm.add_fault(Fault(path=f"{victim}/providers/Microsoft.Insights/metrics", kind="status", status=403))
    _, again = there.check_vms("--all")
    hit = {case["vm"]["name"]: case for case in again}[victim]

    assert len(again) == 40
    assert "refused" in get_gap_reasons(hit)["traffic"]
    assert sum(case["verdict"] == "confirmed" for case in again) >= 3


def test_a_report_is_resumed_where_it_was_cut(azure: AzureStarter, tmp_path: Path) -> None:
    there = azure(build_fleet())
    whole = there.run_command("check", "--all", "--since", "1d", "-o", "ndjson").out.splitlines()
    (tmp_path / "first.ndjson").write_text("\n".join(whole[:25]) + "\n" + whole[25][:200])
    before = len(there.arm.requests)
    ran = there.run_command("check", "--all", "--since", "1d", "-o", "ndjson", "--resume", "first.ndjson")
    resumed = [json.loads(line) for line in ran.out.splitlines()]

    assert ran.code == 1
    assert "line 26 of the earlier report" in ran.err
    assert sorted(get_names(resumed)) == sorted(get_names([json.loads(line) for line in whole]))
    assert [json.dumps(case) for case in resumed if json.dumps(case) in set(whole[:25])]
    assert {json.loads(line)["vm"]["id"]: json.loads(line) for line in whole[:25]}.items() <= {
        case["vm"]["id"]: case for case in resumed
    }.items()
    assert len(there.arm.requests) > before


def test_a_resumed_report_has_every_form(azure: AzureStarter, tmp_path: Path) -> None:
    there = azure()
    first = there.run_command("check", "web-01", "--since", "1d", "-o", "ndjson").out
    (tmp_path / "first.ndjson").write_text(first)
    ran, (case,) = there.check_vms("web-01", "--resume", "first.ndjson")

    assert ran.code == 1
    assert case == json.loads(first)
    for form in ("terminal", "markdown", "csv"):
        told = there.run_command("check", "web-01", "--since", "1d", "-o", form, "--resume", "first.ndjson")
        assert told.code == 1
        assert "web-01" in told.out


def test_a_vm_that_was_cut_short_is_read_again(azure: AzureStarter, tmp_path: Path) -> None:
    there = azure(Fault(path=METRICS, kind="hang"))
    cut = there.run_command("check", "web-01", "--since", "1d", "-o", "ndjson", "--timeout", "3s").out
    there.arm.clear_faults()
    (tmp_path / "cut.ndjson").write_text(cut)
    assert "run's time was over" in cut
    _, (case,) = there.check_vms("web-01", "--resume", "cut.ndjson")

    assert (case["gaps"], case["verdict"]) == ([], "confirmed")


def test_with_the_screen_off_every_vm_is_read_deeply(azure: AzureStarter) -> None:
    there = azure(World.with_fleet(vms=12, groups=1, migrated=1))
    ran, cases = there.check_vms("--all", "--screen", "off")

    assert (ran.code, len(cases)) == (1, 12)
    assert not any("nothing suspicious" in reason for case in cases for reason in get_gap_reasons(case).values())
    assert not any({"traffic", "cpu", "power", "agent"} & get_gap_reasons(case).keys() for case in cases)
    assert there.count_requests("availabilityStatuses") == 12
