"""Which hours of a suspect's metrics are read by the minute, told by its events and by what its hours hold.

A first reading has a point an hour: mean, least, most and how many minutes were reported. An hour of which no minute
can be the beginning or the end of a loss is told by its mean; every other is read by the minute, and so are the hours
around what is known of the VM, around now, and the same hours of earlier days, which tell its habits.
"""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain, groupby

from vmdiag.diagnosis.traffic_drops import DAYS_BACK, FRACTION, HABIT_DAYS, LEAST_BYTES, LEAST_FLOWS, NORMAL
from vmdiag.model import Signal, Window
from vmdiag.sources.items import HourlyReadings, PackedMetricPoints

HOUR, MINUTE = 3600, 60  # seconds
HOURS_A_DAY, MINUTES_AN_HOUR = 24, 60
PLANS_REMEMBERED = 4
# The well hour before the earliest onset, and as many minutes behind it as it takes to call something lost or healed.
BEFORE_EVENT, AFTER_EVENT = timedelta(minutes=120), timedelta(minutes=90)
# The last readings say how things stand.
BEFORE_END = timedelta(minutes=120)
# Before a fall: its own baseline, and that of a fall in the hour before.
HOURS_BEFORE_FALL = 2
# A median is at most twice the mean, and the sixty minutes before an instant lie in two hours.
MEDIAN_BOUND = 2.0
# A fall is over when so many hours in a row have carried half of what was usual before; each is read by the minute.
WELL_HOURS = 3
# In a lasting loss hours whose minutes differ by less hold neither its end nor its beginning: between lost (a
# twentieth) and well (half) lies ten.
STEADY = 4.0


def plan_hours(
    readings: Iterable[HourlyReadings], events: Iterable[datetime], span: Window, ends_at: datetime
) -> frozenset[int]:
    """The hours of a VM that are to be read by the minute, within a span."""
    known = list(readings)
    traffic = [one for one in known if one.signal is Signal.TRAFFIC]
    # Where the first reading reached less far back, so does the second.
    first, last = to_hour(span.start), to_hour(span.end)
    first = max(first, min((one.hours[0] for one in known if one.hours), default=first))
    wanted = set(range(to_hour(ends_at - BEFORE_END), last + 1))
    for at in events:
        wanted.update(range(to_hour(at - BEFORE_EVENT), to_hour(at + AFTER_EVENT) + 1))
    falls = set[int]().union(*map(find_unsteady_hours, traffic))
    for hour in falls:
        wanted.update(range(hour - HOURS_BEFORE_FALL, hour + 2))
    means = [dict(zip(one.hours, one.means, strict=True)) for one in traffic]
    # The same hour of earlier days, until three of them carried what this one's day did.
    for hour in tuple(wanted):
        seen = 0
        for day in range(1, DAYS_BACK + 1):
            other = hour - day * HOURS_A_DAY
            wanted.add(other)
            seen += all(one.get(other, 0.0) >= NORMAL * one.get(hour - 1, 0.0) for one in means)
            if seen == HABIT_DAYS:
                break
    return frozenset(hour for hour in wanted if first <= hour <= last)


def find_unsteady_hours(metric: HourlyReadings) -> set[int]:
    """The hours of a traffic metric in which a loss may begin or end, or of which minutes are missing."""
    usual_count = Counter(metric.counts).most_common(1)[0][0] if metric.counts else 0.0
    least_baseline = LEAST_FLOWS if "flows" in metric.name.lower() else LEAST_BYTES
    found = set[int]()
    before, lost_from, well = None, 0.0, WELL_HOURS
    rows = zip(metric.hours, metric.means, metric.least, metric.most, metric.counts, strict=True)
    for hour, mean, least, most, count in rows:
        ceiling = MEDIAN_BOUND * (mean + (mean if before is None else before))
        may_fall = ceiling >= least_baseline and least <= FRACTION * ceiling
        if count != usual_count or count < 0:
            found.add(hour)
        if well >= WELL_HOURS and may_fall:
            well, lost_from = 0, max(mean, before or 0.0)
            found.add(hour)
        elif well < WELL_HOURS:
            is_dead = most <= FRACTION * least_baseline
            is_steady = before is not None and most <= STEADY * least and before / STEADY <= mean <= before * STEADY
            if not (is_dead or (is_steady and mean < NORMAL * lost_from)):
                found.add(hour)
            well = well + 1 if mean >= NORMAL * lost_from and not may_fall else 0
        before = mean
    return found


def list_spans(hours: Iterable[int], end: datetime, longest: int = 30 * HOURS_A_DAY) -> list[Window]:
    """The hours as spans, those beside one another as one, none longer than so many hours or beyond the end."""
    spans = []
    for run in list_runs(hours):
        for first in range(0, len(run), longest):
            last = run[first : first + longest][-1]
            spans.append(Window(to_time(run[first]), min(to_time(last + 1), end)))
    return [span for span in spans if span.start < span.end]


def list_runs(hours: Iterable[int]) -> list[list[int]]:
    """The hours in runs, those beside one another as one."""
    runs = groupby(enumerate(sorted(hours)), lambda pair: pair[1] - pair[0])
    return [[hour for _, hour in run] for _, run in runs]


def spread_hours(metric: HourlyReadings, read: Collection[int]) -> PackedMetricPoints:
    """The hours that are not read by the minute, as so many equal minutes.

    Of work (processor, disk) of which some minutes had none only one shows it: nobody is called alive by a mean.
    """
    usual_count = Counter(metric.counts).most_common(1)[0][0] if metric.counts else 0.0
    kept = [
        (hour, round(MINUTES_AN_HOUR * min(1.0, count / usual_count)) if count > 0 and hour not in read else 0)
        for hour, count in zip(metric.hours, metric.counts, strict=True)
    ]
    values = array("d")
    for (_, minutes), mean, least, most in zip(kept, metric.means, metric.least, metric.most, strict=True):
        if minutes > 0:
            is_mixed = metric.signal is not Signal.TRAFFIC and least <= 0 < most
            equal = array("d", (0.0 if is_mixed else mean,)) * minutes
            if is_mixed:
                equal[0] = most
            values.extend(equal)
    times = _list_minutes(tuple(kept))
    return PackedMetricPoints(vm=metric.vm, name=metric.name, signal=metric.signal, times=times, values=values)


@lru_cache(PLANS_REMEMBERED)
def _list_minutes(hours: tuple[tuple[int, int], ...]) -> "array[float]":
    """The first minutes of each of the hours, which are those of all metrics of a VM."""
    starts = ((hour * HOUR, minutes * MINUTE) for hour, minutes in hours)
    return array("d", chain.from_iterable(range(start, start + length, MINUTE) for start, length in starts))


def to_hour(at: datetime) -> int:
    """The hour since 1970 in which an instant lies."""
    return int(at.timestamp() // HOUR)


def to_time(hour: int) -> datetime:
    """When an hour since 1970 begins."""
    return datetime.fromtimestamp(hour * HOUR, UTC)
