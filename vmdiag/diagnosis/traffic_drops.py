"""When traffic falls below its own baseline, how far, and when it is back; pure numbers, must not know a cause.

A minute that was not reported is not a zero: everything is counted on reported points. Rolling medians of ten minutes
decide whether traffic was lost; where it began and ended is dated by the minute (contract, section 3).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from vmdiag.diagnosis.baseline import (
    COARSE_POINTS_NEEDED,
    FRACTION,
    MINUTE,
    NORMAL,
    POINTS_NEEDED,
    find_step_before,
    find_usual_at_hour,
    find_usual_before,
    scale_to_minute,
)
from vmdiag.identity_cache import cache_by_identity
from vmdiag.model import Interval, Series, Window, subtract_span

SHORTEST_COLLAPSE = timedelta(minutes=10)
# The shortest fall that counts as a piece of an intermittent loss.
SHORTEST_PIECE = timedelta(minutes=3)
# Traffic is back when it has held for three minutes in a row; one may be a stray packet.
HELD = timedelta(minutes=3)
MOST_IN_THE_WAY = 100  # collapses between an instant and the well hour before it
# The minute in which a path breaks still carries a part of its traffic, and the next may not be reported: how far back
# a fall may have begun.
EDGE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class TrafficDrop:
    """From the first low reading to the first of those that held; figures are per minute.

    `lasted` says that it was long enough to be called lost by itself; `part_back` is since when it was above a
    twentieth for good, though not yet above half.
    """

    interval: Interval
    baseline: float
    level: float
    lasted: bool = True
    part_back: datetime | None = None


@dataclass(frozen=True, slots=True)
class PartialDrop:
    """Traffic at or below half of its baseline, from the first such reading to the first of those that held."""

    interval: Interval
    share: float


@cache_by_identity(64)
def find_drops(series: Series) -> tuple[TrafficDrop, ...]:
    """The times in which traffic was lost, and the shorter falls of three minutes and more, in order of time."""
    return tuple(_scan_drops(series))


def has_baseline(series: Series, at: datetime) -> bool:
    """Whether the hour before an instant shows enough traffic for a collapse to be seen."""
    return find_baseline_before(series, at) is not None


def find_baseline_before(series: Series, at: datetime) -> float | None:
    """The median of the well hour before an instant, per minute; `None` where it is not worth the name."""
    level = _find_baseline(series, bisect_left(series.times, at), at)
    return None if level is None else level * scale_to_minute(series, bisect_left(series.times, at))


def measure_share_left(series: Series, span: Window) -> float | None:
    """The median of a span as a share of the baseline before it; `None` where either is missing."""
    return measure_share(series, span, span.start)


def measure_share(series: Series, span: Window, before: datetime) -> float | None:
    """The median of a span as a share of the baseline before an instant; `None` where either is missing."""
    first, after = bisect_left(series.times, span.start), bisect_right(series.times, span.end)
    baseline = _find_baseline(series, bisect_left(series.times, before), before)
    if baseline is None or first == after:
        return None
    return median(series.values[first:after]) / baseline


def count_well_points(series: Series, span: Window) -> int:
    """How many readings of a span are above half of the baseline before it."""
    first, after = bisect_left(series.times, span.start), bisect_right(series.times, span.end)
    baseline = _find_baseline(series, first, span.start)
    return 0 if baseline is None else sum(value > NORMAL * baseline for value in series.values[first:after])


def find_partial_drops(series: Series, span: Window, before: datetime) -> Iterator[PartialDrop]:
    """The falls to half and less of the baseline before an instant that begin in a span, whatever their length."""
    baseline = _find_baseline(series, bisect_left(series.times, before), before)
    if baseline is None:
        return
    index, last = bisect_left(series.times, span.start), bisect_right(series.times, span.end)
    while index < last:
        if _is_well(series, index, baseline, series.times[index]):
            index += 1
            continue
        back = _has_held(series, index, baseline)
        stop = back if back is not None else len(series.times)
        end = series.times[back] if back is not None else None
        yield PartialDrop(Interval(series.times[index], end), median(series.values[index:stop]) / baseline)
        index = max(stop, index + 1)


@cache_by_identity(64)
def list_onsets(series: Series) -> tuple[datetime, ...]:
    """When its collapses began, in order of time."""
    return tuple(one.interval.start for one in find_drops(series))


def _scan_drops(series: Series) -> Iterator[TrafficDrop]:
    times, values = series.times, series.values
    lost: list[tuple[datetime, datetime]] = []
    index, ceiling = 1, FRACTION * max(values, default=0.0)
    while index < len(times):
        # Cheap first: most readings are well above what can be called low, so their hour need not be looked at.
        low = values[index] <= ceiling and values[index] < values[index - 1]
        baseline = find_usual_before(series, index, times[index], lost) if low and _has_fallen(values, index) else None
        # What was low before is no fall: where it began there was no baseline to fall from.
        if baseline is None or not values[index] <= FRACTION * baseline < values[index - 1]:
            index += 1
            continue
        back = _has_held(series, index, baseline)
        stop = back if back is not None else len(times)
        first = _find_first_lost(series, index, stop, FRACTION * baseline)
        found = _measure_drop(series, index if first is None else first, back, baseline, lasted=first is not None)
        if found is not None:
            lost.append((found.interval.start, times[stop - 1] + MINUTE))
            yield found
        index = max(stop, index + 1)


def _has_fallen(values: Sequence[float], index: int) -> bool:
    """Whether a reading is low beside the largest that its baseline can hold."""
    return values[index] <= FRACTION * max(values[max(0, index - 60) : index])


def _measure_drop(series: Series, index: int, back: int | None, baseline: float, *, lasted: bool) -> TrafficDrop | None:
    """A fall as it is told; `None` where it is a pause of a minute or two, or half of it is traffic."""
    times, values = series.times, series.values
    stop = back if back is not None else len(times)
    length = (times[back] if back is not None else times[-1] + find_step_before(series, stop)) - times[index]
    level = median(values[index:stop])
    if length < SHORTEST_PIECE or (not lasted and level > FRACTION * baseline):
        return None
    scale = scale_to_minute(series, index)
    begin = _find_begin(series, index, baseline)
    end = times[back] if back is not None else None
    part_back = _has_risen(series, index, stop, FRACTION * baseline)
    return TrafficDrop(Interval(begin, end), baseline * scale, level * scale, lasted, part_back)


def _find_begin(series: Series, index: int, baseline: float) -> datetime:
    """When the fall began: the readings just before may already be less than half, and of a coarse one its share."""
    times, values = series.times, series.values
    limit = subtract_span(times[index], EDGE)
    step = find_step_before(series, index)
    if step > EDGE:
        share = values[index - 1] / baseline
        fresh = times[index] - times[index - 1] <= step
        return times[index] - (1 - share) * step if fresh and share < 1 - FRACTION else times[index]
    while index > 0 and values[index - 1] <= NORMAL * baseline and times[index - 1] >= limit:
        index -= 1
    return times[index]


def _find_first_lost(series: Series, index: int, stop: int, limit: float) -> int | None:
    """The first low reading with ten minutes behind it whose median is low: from there the traffic was lost."""
    times, values = series.times, series.values
    for at in range(index, stop):
        if values[at] > limit:
            continue
        step = find_step_before(series, at)
        end = times[at] + max(SHORTEST_COLLAPSE, COARSE_POINTS_NEEDED * step)
        after = min(bisect_left(times, end), stop)
        needed = min(POINTS_NEEDED, max(COARSE_POINTS_NEEDED, SHORTEST_COLLAPSE // step))
        whole = times[after - 1] + step - times[at] >= SHORTEST_COLLAPSE
        if whole and after - at >= needed and median(values[at:after]) <= limit:
            while at > index and values[at - 1] <= limit:
                at -= 1  # noqa: PLW2901 - the readings before it were too few to say so
            return at
    return None


def _has_risen(series: Series, index: int, stop: int, limit: float) -> datetime | None:
    """Since when the readings of a fall are above its limit for good; `None` where they are low at its end."""
    needed = _readings_to_hold(series, index)
    at, low = stop, 0
    while at > index and low < needed:
        at -= 1
        low = low + 1 if series.values[at] <= limit else 0
    first = at + low if low == needed else at
    while first < stop and series.values[first] <= limit:
        first += 1
    return series.times[first] if stop - first >= needed and first > index else None


def _find_baseline(series: Series, index: int, at: datetime) -> float | None:
    """The baseline before an instant; whatever was lost by then is left out."""
    before = bisect_left(list_onsets(series), at)
    lost = [
        (one.interval.start, one.interval.end or series.times[-1] + MINUTE)
        for one in find_drops(series)[max(0, before - MOST_IN_THE_WAY) : before]
    ]
    return find_usual_before(series, index, at, lost)


def _readings_to_hold(series: Series, index: int) -> int:
    """How many readings in a row cover the three minutes for which a recovery has to hold."""
    return max(1, -(HELD // -find_step_before(series, index)))


def _has_held(series: Series, index: int, baseline: float) -> int | None:
    """The first of the readings that held above half of the baseline, or of what is usual at that hour."""
    needed, alike, onset = _readings_to_hold(series, index), 0, series.times[index]
    for at in range(index, len(series.times)):
        alike = alike + 1 if _is_well(series, at, baseline, onset) else 0
        if alike == needed:
            return at - needed + 1
    return None


def _is_well(series: Series, at: int, baseline: float, onset: datetime) -> bool:
    value = series.values[at]
    if value > NORMAL * baseline:
        return True
    # At a twentieth and less it is lost, whatever the hour.
    if value <= FRACTION * baseline:
        return False
    usual = find_usual_at_hour(series, series.times[at], onset)
    return usual is not None and value > NORMAL * usual
