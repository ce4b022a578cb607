"""Rows in which a query has gathered a day of a VM: heartbeats, and points of a metric."""

from datetime import UTC, datetime

import pytest

from tests.sources.reading import known, read, sampled, vm
from tests.sources.rows import VM
from vmdiag.completeness import MalformedRow, Row
from vmdiag.model import Signal
from vmdiag.sources.items import IncompleteRead

BEATS = ["2026-03-02T08:01:00.0000000Z", "2026-03-02T08:00:00.1234567Z", "2026-03-02T08:01:00.0000000Z"]
TIMES = (datetime(2026, 3, 2, 8, 0, 0, 123456, UTC), datetime(2026, 3, 2, 8, 1, tzinfo=UTC))
POINTS = [["2026-03-02T08:01:00Z", 2.5], ["2026-03-02T08:00:00Z", 0], ["2026-03-02T08:02:00Z", None]]


def gather_beats(beats: object, **members: object) -> Row:
    """A row of a VM and day, as the query API gives it."""
    return {"_ResourceId": VM.lower(), "beats": beats, "OSType": "Linux", "Computer": "web-01", "day": None, **members}


def gather_points(points: object, **members: object) -> Row:
    """The same of a metric."""
    named = {"_ResourceId": VM.lower(), "MetricName": "NETWORK IN TOTAL", "TimeGrain": "PT1M", "day": None}
    return {**named, "points": points, **members}


@pytest.mark.parametrize("beats", [BEATS, str(BEATS).replace("'", '"')], ids=["a list", "a text of JSON"])
def test_a_days_beats_are_told_in_order_and_once_each(beats: object) -> None:
    items = read("heartbeat", gather_beats(beats))
    (series,) = sampled(items)

    assert (series.vm, series.signal, series.times, series.values) == (vm(), Signal.HEARTBEAT, TIMES, (1.0, 1.0))
    assert [one.vm.os for one in known(items)] == ["linux"]


@pytest.mark.parametrize("row", [gather_beats(None), gather_beats([]), gather_points(None, MetricName="")])
def test_a_vm_of_which_nothing_was_gathered_is_known_and_has_no_series(row: Row) -> None:
    items = read("heartbeat" if "beats" in row else "azure-metrics", row)

    assert [one.vm.id for one in known(items)] == [vm()]
    assert sampled(items) == []


def test_points_are_told_in_order_and_what_was_not_measured_is_no_zero() -> None:
    (series,) = sampled(read("azure-metrics", gather_points(POINTS)))

    assert series.name == "Network In Total"
    assert [at.minute for at in series.times] == [0, 1]
    assert series.values == (0.0, 2.5)


def test_gathered_points_that_lie_too_far_apart_are_told_as_such() -> None:
    items = read("azure-metrics", gather_points(POINTS, TimeGrain="PT1H"))

    assert ["1 h apart" in item.reason for item in items if isinstance(item, IncompleteRead)] == [True]


@pytest.mark.parametrize("points", [[["soon", 1]], [["2026-03-02T08:00:00Z", "many"]], [["2026-03-02T08:00:00Z"]], [7]])
def test_a_point_that_cannot_be_read_takes_only_itself_with_it(points: list[object]) -> None:
    with pytest.raises(MalformedRow, match="Network In Total") as caught:
        read("azure-metrics", gather_points([*points, *POINTS]))

    assert caught.value.vm == vm()


def test_a_beat_without_a_time_is_malformed() -> None:
    with pytest.raises(MalformedRow, match="without times"):
        read("heartbeat", gather_beats([*BEATS, "soon"]))


def test_a_machine_that_is_no_vm_of_azure_is_none_here_either() -> None:
    other = "/subscriptions/s/resourceGroups/g/providers/Microsoft.HybridCompute/machines/m"

    assert read("heartbeat", gather_beats(BEATS, _ResourceId=other)) == []
    assert read("azure-metrics", gather_points(POINTS, _ResourceId=other)) == []
