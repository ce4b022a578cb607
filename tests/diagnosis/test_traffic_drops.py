"""Traffic that collapses, and all the ways in which traffic is low, coarse or missing without collapsing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmdiag.diagnosis.traffic_drops import TrafficDrop, find_baseline, find_step, measure_metric, measure_share
from vmdiag.diagnosis.traffic_losses import find_recurring_onsets
from vmdiag.model import Series, Signal, Window

T = datetime(2026, 3, 2, tzinfo=UTC)
MIN = timedelta(minutes=1)


def series(values: Sequence[float | None], step: timedelta = MIN, name: str = "Network In Total") -> Series:
    points = [(T + n * step, value) for n, value in enumerate(values) if value is not None]
    times, found = tuple(at for at, _ in points), tuple(value for _, value in points)
    return Series(name=name, signal=Signal.TRAFFIC, times=times, values=found)


def collapses(series: Series) -> tuple[TrafficDrop, ...]:
    """The falls that lasted long enough to be called lost by themselves."""
    return tuple(one for one in measure_metric(series).drops if one.lasted)


WELL = [1e6] * 60
FLOWS = "Inbound Flows"


@pytest.mark.parametrize(("fallen", "count"), [
    pytest.param(series([9_000.0] * 60 + [0.0] * 60), 0, id="of an idle VM"),
    pytest.param(series(WELL + [0.0] * 9 + WELL), 0, id="of nine minutes"),
    pytest.param(series(WELL + [6e4] * 60), 0, id="to six percent"),
    pytest.param(series([*WELL, *[None] * 30, *[1e6] * 30]), 0, id="of minutes without a reading"),
    pytest.param(series([*WELL, *[0.0, None, None, None] * 3, 0.0, *[1e6] * 20]), 0, id="of four readings"),
    pytest.param(series(([1e6] * 5 + [0.0] * 15) * 20), 0, id="of a VM that is busy now and then"),
    pytest.param(series([]), 0, id="of nothing"),
    pytest.param(series([1e6] * 29 + [0.0] * 60), 0, id="without a baseline of half an hour"),
    pytest.param(series([1e6] * 30 + [0.0] * 60), 1, id="with a baseline of half an hour"),
    pytest.param(series([1.9] * 60 + [0.0] * 20, name=FLOWS), 0, id="below the floor of flows"),
    pytest.param(series([2.0] * 60 + [0.0] * 20, name=FLOWS), 1, id="at the floor of flows"),
    pytest.param(series([49_000.0] * 24 + [0.0] * 6, step=5 * MIN), 0, id="below the floor, which is a minute's"),
    pytest.param(series((WELL + [0.0] * 20) * 2), 2, id="twice"),
])  # fmt: skip
def test_not_every_fall_is_a_collapse(fallen: Series, count: int) -> None:
    assert len(collapses(fallen)) == count


@pytest.mark.parametrize(("fallen", "minute"), [
    (series(WELL + [0.0] * 60), 60),
    (series([5e5] * 24 + [0.0] * 6, step=5 * MIN), 120),
])  # fmt: skip
def test_a_collapse_without_an_end_is_open_in_coarse_readings_too(fallen: Series, minute: int) -> None:
    (found,) = collapses(fallen)

    assert found.interval.is_open
    assert found.interval.start == T + minute * MIN


def test_a_few_good_minutes_end_a_collapse_and_what_follows_is_the_next() -> None:
    """The dead hour is no baseline: the well hour before it is."""
    burst = [1e6] * 60 + [0.0] * 60 + [1e6] * 4 + [0.0] * 30
    first, second = collapses(series(burst))

    assert (first.interval.end, second.interval.start) == (T + 120 * MIN, T + 124 * MIN)
    assert second.interval.is_open
    assert second.baseline == 1e6


@pytest.mark.parametrize("noise", [0.0, 30_000.0, 50_000.0])
def test_ten_minutes_at_a_twentieth_are_a_collapse(noise: float) -> None:
    (found,) = collapses(series([1e6] * 60 + [noise] * 10 + [1e6] * 60))

    assert found.interval.start == T + 60 * MIN
    assert found.interval.end == T + 70 * MIN
    assert (found.baseline, found.level) == (1e6, noise)


def test_a_stray_minute_is_no_recovery_and_three_are() -> None:
    values = [1e6] * 60 + [0.0] * 20 + [1e6] + [0.0] * 20 + [1e6, 1e6] + [0.0] + [1e6] * 3
    (found,) = collapses(series(values))

    assert found.interval.end == T + 104 * MIN


def test_nothing_read_is_no_baseline() -> None:
    assert find_baseline(measure_metric(series([])), T) is None
    assert measure_share(measure_metric(series([])), Window(T, T + MIN), T) is None
    assert find_step(series([1.0]), 1) == MIN


def test_the_share_that_is_left_is_the_median_of_the_span() -> None:
    fallen, at = measure_metric(series([1e6] * 60 + [2e5] * 30)), T + 60 * MIN

    assert measure_share(fallen, Window(at, at + 30 * MIN), at) == pytest.approx(0.2)
    assert measure_share(fallen, Window(at + 35 * MIN, at + 39 * MIN), at) is None
    assert find_step(fallen.series, 90) == MIN


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e9)), max_size=300))
def test_any_readings_give_ordered_separate_collapses(values: list[float | None]) -> None:
    found = collapses(series(values))

    ends = [one.interval.end for one in found]
    assert all(end is not None for end in ends[:-1])
    for one, following in pairwise(found):
        assert one.interval.end is not None
        assert one.interval.end <= following.interval.start


def test_a_fall_of_every_working_day_is_a_habit_on_mondays_too() -> None:
    office = [[1e6 if 480 <= minute < 1080 else 2e4 for minute in range(1440)]] * 5
    week = [*office, *[[2e4] * 1440] * 2]
    usual = measure_metric(series([value for day in (*week, office[0]) for value in day]))
    found = usual.drops

    assert [one.interval.start.weekday() for one in found][-2:] == [(T.weekday() + 4) % 7, T.weekday()]
    assert found[-1].interval.start in find_recurring_onsets(usual)


def test_a_loss_at_an_hour_at_which_it_fell_once_before_is_no_habit() -> None:
    day = [1e6] * 1440
    once = [*day[:600], *[0.0] * 60, *day[660:]]
    lost = measure_metric(series([*day, *once, *day[:600], *[0.0] * 120]))

    assert lost.drops[-1].interval.start not in find_recurring_onsets(lost)
