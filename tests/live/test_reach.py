"""How far back Azure is read: the window says which losses are told, not what their judgement may look at."""

from datetime import datetime, timedelta

import pytest

from tests.arm import World
from tests.live.conftest import ID, AzureStarter, get_gap_reasons
from vmdiag.pipeline import combine_needs

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_vm_that_was_migrated_before_the_window_and_is_well_lost_nothing(azure: AzureStarter) -> None:
    ran, (case,) = azure(World.with_one_vm(lost_ago=None)).check_vms(ID, "--since", "30m")

    assert ran.code == 0, ran.err
    assert (case["verdict"], case["losses"], case["gaps"]) == ("clear", [], [])


@pytest.mark.parametrize("since", ["30m", "1h", "14d"])
def test_a_vm_that_died_two_hours_ago_is_read_with_its_migration_at_the_usual_price(
    azure: AzureStarter, since: str
) -> None:
    there = azure()
    _, (case,) = there.check_vms(ID, "--since", since)

    (loss,) = case["losses"]
    assert {"traffic", "heartbeat"} <= set(loss["signals"])
    assert case["migrated_at"] is not None
    assert case["migrated_at"] < loss["from"]
    assert case["gaps"] == []
    # By the hour, then by the minute: around the loss and at the same hours of three earlier days.
    asked = [seen.query["interval"] for seen in there.arm.requests if "Insights/metrics" in seen.path]
    assert asked == ["PT1H", *["PT1M"] * 4]
    assert sum(seen.authorized for seen in there.arm.requests) == 17


def test_in_a_fleet_the_dead_are_found_however_short_the_window_and_no_fortnight_of_minutes_is_read(
    azure: AzureStarter,
) -> None:
    there = azure(World.with_fleet(vms=40, groups=2, migrated=4))
    _, cases = there.check_vms("--all", "--since", "30m")
    spans = [seen.query["timespan"].split("/") for seen in there.arm.requests if "Insights/metrics" in seen.path]
    read = [datetime.fromisoformat(end) - datetime.fromisoformat(start) for start, end in spans]
    short = len(there.arm.requests)
    there.check_vms("--all", "--since", "14d")

    assert sum(case["state"] == "open" for case in cases) == 4
    assert all(case["migrated_at"] for case in cases if case["losses"])
    # The migrations lie eight hours back at most.
    assert len(read) >= 10
    assert max(read) <= 9 * HOUR + combine_needs().margin
    assert short <= len(there.arm.requests) - short


def test_a_log_is_not_asked_for_days_that_it_has_forgotten(azure: AzureStarter) -> None:
    # 90 days are kept; the reading of this window would reach 99 back, and the whole call would be refused.
    there = azure()
    _, (case,) = there.check_vms(ID, "--since", "86d", "--until", "85d")

    assert there.count_requests("eventtypes") == 1
    assert "activity" not in get_gap_reasons(case)
    assert "not kept before" in get_gap_reasons(case)["health"]


def test_of_a_window_that_is_forgotten_nothing_is_asked_and_nothing_is_called_clear(azure: AzureStarter) -> None:
    there = azure()
    ran, (case,) = there.check_vms(ID, "--since", "101d", "--until", "100d")

    assert ran.code == 3, ran.err
    assert (there.count_requests("eventtypes"), there.count_requests("Insights/metrics")) == (0, 0)
    for signal in ("activity", "health", "traffic"):
        assert "not kept before" in get_gap_reasons(case)[signal]


def test_changes_of_health_that_resource_graph_has_forgotten_are_a_gap_in_a_fleet(azure: AzureStarter) -> None:
    # They are kept for 14 days; of the calm VMs of a fleet nothing else tells of the health.
    _, cases = azure(World.with_fleet(vms=10, groups=1, migrated=0)).check_vms(
        "--all", "--since", "21d", "--until", "20d"
    )
    calm = [case for case in cases if not case["migrated_at"]]

    assert calm
    assert all("not kept before" in get_gap_reasons(case)["health"] for case in calm)
