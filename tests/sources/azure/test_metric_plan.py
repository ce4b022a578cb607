"""Which hours are read by the minute: what is judged of them is what is judged of all minutes."""

import random
from array import array
from datetime import UTC, datetime, timedelta
from statistics import fmean

import pytest

from vmdiag.diagnosis.traffic_drops import measure_metric
from vmdiag.diagnosis.traffic_losses import find_recurring_onsets
from vmdiag.identity import VmId
from vmdiag.model import Series, Signal, Window
from vmdiag.sources.azure.metric_plan import HOUR, find_unsteady_hours, list_spans, plan_hours, spread_hours, to_hour
from vmdiag.sources.items import HourlyReadings
from vmdiag.values import replace

VM = VmId(subscription="s", resource_group="g", name="vm")
DAYS = 10
MINUTES = DAYS * 1440
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
FIRST = to_hour(BEGIN)
END = BEGIN + timedelta(minutes=MINUTES)
SPAN = Window(BEGIN, END)


def generate_minutes(seed: int) -> list[float]:
    """Ten days of a VM with nights, bursts and losses of all lengths, some of them for good, one perhaps each night."""
    rng = random.Random(seed)  # noqa: S311 - measurements, no secret
    usual, night, spread = rng.choice([2e4, 1e6, 1e8]), rng.choice([1.0, 0.4, 0.2]), rng.choice([0.1, 0.5, 0.9])
    values = [
        usual * (night if minute // 60 % 24 < 6 else 1.0) * (1 + rng.uniform(-spread, spread))
        for minute in range(MINUTES)
    ]
    for _ in range(rng.randint(0, 3)):
        begin = rng.randrange(120, MINUTES)
        length = rng.choice([3, 8, 12, 25, 70, 400, 3000, MINUTES])
        share, back = rng.choice([0.0, 0.01, 0.04]), rng.choice([1.0, 0.7])
        for minute in range(begin, min(MINUTES, begin + length)):
            values[minute] *= share
        for minute in range(begin + length, min(MINUTES, begin + length + 90)):
            values[minute] *= back
    for day in range(DAYS) if rng.random() < 0.3 else ():
        for minute in range(day * 1440 + 600, day * 1440 + 620):
            values[minute] *= 0.02
    return values


def build_hours(values: list[float]) -> HourlyReadings:
    pieces = [values[start : start + 60] for start in range(0, len(values), 60)]
    return HourlyReadings(
        vm=VM,
        name="Network In Total",
        signal=Signal.TRAFFIC,
        hours=array("q", range(FIRST, FIRST + len(pieces))),
        means=array("d", map(fmean, pieces)),
        least=array("d", map(min, pieces)),
        most=array("d", map(max, pieces)),
        counts=array("d", map(float, map(len, pieces))),
    )


def build_series(points: dict[float, float]) -> Series:
    times = tuple(datetime.fromtimestamp(at, UTC) for at in sorted(points))
    return Series(
        name="Network In Total", signal=Signal.TRAFFIC, times=times, values=tuple(points[at] for at in sorted(points))
    )


@pytest.mark.parametrize("seed", range(24))
def test_the_losses_and_habits_of_what_is_read_in_part_are_those_of_all_minutes(seed: int) -> None:
    values = generate_minutes(seed)
    hours = build_hours(values)
    read = plan_hours([hours], [], SPAN, END)
    spread = spread_hours(hours, read)
    every = {(FIRST * HOUR) + 60.0 * minute: value for minute, value in enumerate(values)}
    minutes = {at: value for at, value in every.items() if at // HOUR in read}
    assert minutes.keys().isdisjoint(spread.times)
    whole = measure_metric(build_series(every))
    part = measure_metric(build_series(minutes | dict(zip(spread.times, spread.values, strict=True))))

    assert [(drop.interval, drop.lasted) for drop in part.drops] == [
        (drop.interval, drop.lasted) for drop in whole.drops
    ]
    assert find_recurring_onsets(part) == find_recurring_onsets(whole)


def test_of_a_steady_vm_little_is_read_by_the_minute() -> None:
    rng = random.Random(1)  # noqa: S311 - measurements, no secret
    hours = build_hours([1e6 * (1 + rng.uniform(-0.3, 0.3)) for _ in range(MINUTES)])
    moved = END - timedelta(days=2)
    read = plan_hours([hours], [moved], SPAN, END)

    assert find_unsteady_hours(hours) == set()
    assert to_hour(moved) in read
    assert to_hour(moved - timedelta(days=3)) in read
    assert len(read) <= 0.2 * DAYS * 24
    assert len(list_spans(read, END)) <= 8


def test_hours_of_which_minutes_are_missing_or_nothing_was_told_are_read_by_the_minute() -> None:
    hours = build_hours([1e6] * MINUTES)
    hours.counts[50], hours.counts[70] = 41.0, -1.0

    assert find_unsteady_hours(hours) == {FIRST + 50, FIRST + 70}
    assert not {(FIRST + 70) * HOUR + 60.0 * minute for minute in range(60)} & set(spread_hours(hours, ()).times)


def test_a_mean_of_work_calls_nobody_alive_who_stood_still_most_of_the_hour() -> None:
    hours = build_hours([0.0] * 59 + [6e6])
    work = HourlyReadings(
        vm=VM, name="Disk Read Bytes", signal=Signal.DISK, hours=hours.hours, means=hours.means, least=hours.least,
        most=hours.most, counts=hours.counts,
    )  # fmt: skip

    assert sorted(spread_hours(work, ()).values) == [*[0.0] * 59, 6e6]


def test_hours_that_were_mostly_told_without_their_count_are_no_minutes() -> None:
    hours = build_hours([0.0] * 59 + [6e6] + [1.0] * 120)
    hours.counts[:] = array("d", (60.0, -1.0, -1.0))
    work = replace(hours, signal=Signal.DISK)

    assert list(spread_hours(work, ()).times) == []


def test_spans_are_no_longer_than_azure_answers_and_end_now() -> None:
    spans = list_spans(range(FIRST, FIRST + 24 * 40), END, longest=24 * 30)

    assert [(one.end - one.start) / timedelta(days=1) for one in spans] == [DAYS]
    assert len(list_spans([FIRST, FIRST + 1, FIRST + 5], END)) == 2
