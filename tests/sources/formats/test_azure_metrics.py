"""Points of metrics, one a row, from a workspace and from an export."""

import pytest

from tests.sources.rows import EXAMPLES, VM, changed, read, sampled, vm
from vmdiag.model import Signal
from vmdiag.sources.items import IncompleteRead

NAME = "azure-metrics"


def test_a_total_is_read_under_azures_spelling() -> None:
    (point,) = sampled(read(NAME, EXAMPLES[NAME]))

    assert (point.vm, point.name, point.signal, point.values) == (vm(), "Network In Total", Signal.TRAFFIC, (1200.0,))
    assert len(point.times) == 1


@pytest.mark.parametrize(
    ("members", "values"),
    [
        ({"MetricName": "Percentage CPU"}, (600.0,)),  # a gauge is read by its mean
        ({"Total": "1200.5"}, (1200.5,)),  # as in a CSV
        ({"Total": "", "Average": None}, ()),  # not measured is no zero
    ],
)
def test_a_point_is_read_as_it_is_written(members: dict[str, object], values: tuple[float, ...]) -> None:
    assert [point.values for point in sampled(read(NAME, changed(NAME, **members)))] == [values]


@pytest.mark.parametrize("upper", [True, False])
def test_an_exported_record_is_read_in_either_letter_case(upper: bool) -> None:  # noqa: FBT001 - a parameter of the test
    members = {"count": 1, "total": 7, "average": 7, "timeGrain": "PT1M", "metricName": "Inbound Flows"}
    cased = {key[0].upper() + key[1:] if upper else key: value for key, value in members.items()}
    (point,) = sampled(read(NAME, {"time": "2026-03-02T08:14:00Z", "resourceId": VM.upper(), **cased}))

    assert point.values == (7.0,)


@pytest.mark.parametrize("cell", ["", "NaN", "null", None])
def test_what_was_not_measured_is_written_in_many_ways(cell: object) -> None:
    (point,) = sampled(read(NAME, changed(NAME, Total=cell, Average=cell)))
    assert not point.values


@pytest.mark.parametrize(
    ("grain", "coarse"), [("PT1M", 0), ("PT5M", 0), ("PT15M", 0), ("PT1H", 1), ("01:00:00", 1), ("P1D", 1)]
)
def test_points_of_any_grain_are_read_and_those_of_an_hour_say_what_to_export(grain: str, coarse: int) -> None:
    found = read(NAME, changed(NAME, TimeGrain=grain))
    flaws = [item for item in found if isinstance(item, IncompleteRead)]

    assert len(sampled(found)) == 1
    assert len(flaws) == coarse
    assert all("--interval PT1M" in flaw.reason for flaw in flaws)
