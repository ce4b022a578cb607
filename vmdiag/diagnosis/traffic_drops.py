"""What is usual for a traffic metric, when it falls below that, how far, and when it is back; pure numbers.

A minute that was not reported is not a zero: everything is counted on reported points. The baseline is the median of
the last well hour, so that one quiet or busy minute does not move it; rolling medians of ten minutes decide whether
traffic was lost; where it began and ended is dated by the minute (contract, section 3).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from operator import itemgetter, sub
from statistics import median

from vmdiag.model import Interval, Series, Window, subtract_span
from vmdiag.values import Struct

# "Lost" leaves room for the noise that goes on at the host's port when the VM's flows are dead: probes, ARP.
FRACTION = 0.05
# Above this share of its baseline traffic is normal; between the two a part of it is gone (contract, section 3).
NORMAL = 0.5
POINTS_NEEDED = 5  # reported points of ten minutes
COARSE_POINTS_NEEDED = 2  # of a grain that has no five in ten minutes
BASELINE = timedelta(minutes=60)
# At least half of the hour's minutes must be there, fewer where the metric is coarser than a minute.
BASELINE_SHARE = 0.5
# Below this a VM is idle: a few probes more or less would look like a collapse or a recovery.
LEAST_BYTES = 10_000.0
LEAST_FLOWS = 2.0
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
EVER = datetime.min.replace(tzinfo=UTC)
HABIT_DAYS = 3
DAYS_BACK = 10  # enough for three working days around a long weekend
# "The same hour" of an earlier day: half an hour either way.
SAME_HOUR = timedelta(minutes=30)
SHORTEST_COLLAPSE = timedelta(minutes=10)
# The shortest fall that counts as a piece of an intermittent loss.
SHORTEST_PIECE = timedelta(minutes=3)
# Traffic is back when the readings of three minutes in a row, rounded up, have held; one may be a stray packet.
HELD = timedelta(minutes=3)
MOST_IN_THE_WAY = 100  # collapses between an instant and the well hour before it
# The minute in which a path breaks still carries a part of its traffic, and the next may not be reported: how far back
# a fall may have begun.
EDGE = timedelta(minutes=10)

Spans = Sequence[tuple[datetime, datetime]]


class TrafficDrop(Struct, frozen=True):
    """From the first low reading to the first of those that held; figures are per minute.

    `lasted` says that it was long enough to be called lost by itself; `part_back` is since when it was above a
    twentieth for good, though not yet above half.
    """

    interval: Interval
    baseline: float
    level: float
    lasted: bool = True
    part_back: datetime | None = None


class PartialDrop(Struct, frozen=True):
    """Traffic at or below half of its baseline, from the first such reading to the first of those that held."""

    interval: Interval
    share: float


class Metric(Struct, frozen=True):
    """A series with the times in which traffic was lost: these `spans` are left out of every baseline."""

    series: Series
    drops: tuple[TrafficDrop, ...]
    spans: Spans


def measure_metric(series: Series) -> Metric:
    """A series with the falls of three minutes and more, in order of time."""
    times, values = series.times, series.values
    drops: list[TrafficDrop] = []
    lost: list[tuple[datetime, datetime]] = []
    told, ceiling = 0, FRACTION * max(values, default=0.0)
    # Cheap first: most readings are well above what can be called low, or beside the largest that their baseline can
    # hold, so their hour need not be looked at.
    for index in [at for at, value in enumerate(values) if value <= ceiling and at]:
        low = index >= told and values[index] < values[index - 1]
        fallen = low and values[index] <= FRACTION * max(values[max(0, index - 60) : index])
        baseline = find_usual_before(series, times[index], lost) if fallen else None
        # What was low before is no fall: where it began there was no baseline to fall from.
        if baseline is None or not values[index] <= FRACTION * baseline < values[index - 1]:
            continue
        back = _find_held(series, index, baseline)
        stop = len(times) if back is None else back
        first = _find_first_lost(series, index, stop, FRACTION * baseline)
        low_from = index if first is None else first
        end = None if back is None else times[back]
        length = (end or times[-1] + find_step(series, stop)) - times[low_from]
        level = median(values[low_from:stop])
        # A pause of a minute or two is no fall, nor is one of which half is traffic.
        if length >= SHORTEST_PIECE and (first is not None or level <= FRACTION * baseline):
            scale, begin = scale_to_minute(series, low_from), _find_begin(series, low_from, baseline)
            part_back = _find_rise(series, low_from, stop, FRACTION * baseline)
            drop = TrafficDrop(Interval(begin, end), baseline * scale, level * scale, first is not None, part_back)
            lost.append((begin, times[stop - 1] + MINUTE))
            drops.append(drop)
        told = max(stop, index + 1)
    spans = [(drop.interval.start, drop.interval.end or times[-1] + MINUTE) for drop in drops]
    return Metric(series, tuple(drops), spans)


def find_baseline(metric: Metric, at: datetime) -> float | None:
    """The median of the well hour before an instant, per minute; `None` where it is not worth the name."""
    level = find_usual_before(metric.series, at, metric.spans)
    return None if level is None else level * scale_to_minute(metric.series, bisect_left(metric.series.times, at))


def measure_share(metric: Metric, span: Window, before: datetime) -> float | None:
    """The median of a span as a share of the baseline before an instant; `None` where either is missing."""
    readings = list_readings(metric.series, span)
    baseline = find_usual_before(metric.series, before, metric.spans)
    return None if baseline is None or not readings else median(readings) / baseline


def list_readings(series: Series, span: Window) -> tuple[float, ...]:
    """The values that were reported in a span, both ends included."""
    return series.values[bisect_left(series.times, span.start) : bisect_right(series.times, span.end)]


def find_partial_drops(metric: Metric, span: Window, before: datetime) -> Iterator[PartialDrop]:
    """The falls to half and less of the baseline before an instant that begin in a span, whatever their length."""
    series, baseline = metric.series, find_usual_before(metric.series, before, metric.spans)
    index, last = bisect_left(series.times, span.start), bisect_right(series.times, span.end)
    while baseline is not None and index < last:
        if _is_well(series, index, baseline, series.times[index]):
            index += 1
            continue
        back = _find_held(series, index, baseline)
        stop = len(series.times) if back is None else back
        end = None if back is None else series.times[back]
        yield PartialDrop(Interval(series.times[index], end), median(series.values[index:stop]) / baseline)
        index = max(stop, index + 1)


def find_step(series: Series, index: int) -> timedelta:
    """The usual distance of the readings just before one, at least a minute."""
    near = series.times[max(0, index - 30) : index]
    steps = sorted(map(sub, near[1:], near))
    return max(MINUTE, steps[len(steps) // 2]) if steps else MINUTE


def scale_to_minute(series: Series, index: int) -> float:
    """By what a reading is multiplied to be told per minute: flows are averages, bytes are sums."""
    return 1.0 if "flows" in series.name.lower() else MINUTE / find_step(series, index)


def find_usual_before(series: Series, at: datetime, lost: Spans) -> float | None:
    """The median of the last hour before an instant in which nothing was lost; `None` where it is not worth the name.

    `lost` are spans in order of time, of which those that began before the instant count.
    """
    points: list[float] = []
    needed, reached, before = BASELINE, at, bisect_left(lost, at, key=itemgetter(0))
    for begin, end in chain(reversed(lost[max(0, before - MOST_IN_THE_WAY) : before]), [(EVER, EVER)]):
        span = max(min(needed, reached - end), timedelta())
        points += series.values[bisect_left(series.times, reached - span) : bisect_left(series.times, reached)]
        needed, reached = needed - span, min(reached, begin)
        if not needed:
            break
    step = find_step(series, bisect_left(series.times, at))
    expected = BASELINE / step
    least = POINTS_NEEDED if expected >= 2 * POINTS_NEEDED else COARSE_POINTS_NEEDED
    return _find_level(series, points, step) if len(points) >= max(least, BASELINE_SHARE * expected) else None


def _find_level(series: Series, points: Sequence[float], step: timedelta) -> float | None:
    """The median of readings; `None` of a VM that is idle."""
    level = median(points)
    least = LEAST_FLOWS if "flows" in series.name.lower() else LEAST_BYTES * (step / MINUTE)
    return level if level >= least else None


def _find_begin(series: Series, index: int, baseline: float) -> datetime:
    """When the fall began: the readings just before may already be less than half, and of a coarse one its share."""
    times, values = series.times, series.values
    limit = subtract_span(times[index], EDGE)
    step = find_step(series, index)
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
        step = find_step(series, at)
        after = min(bisect_left(times, times[at] + max(SHORTEST_COLLAPSE, COARSE_POINTS_NEEDED * step)), stop)
        needed = min(POINTS_NEEDED, max(COARSE_POINTS_NEEDED, SHORTEST_COLLAPSE // step))
        whole = times[after - 1] + step - times[at] >= SHORTEST_COLLAPSE
        if whole and after - at >= needed and median(values[at:after]) <= limit:
            while at > index and values[at - 1] <= limit:
                at -= 1  # noqa: PLW2901 - the readings before it were too few to say so
            return at
    return None


def _find_rise(series: Series, index: int, stop: int, limit: float) -> datetime | None:
    """Since when the readings of a fall are above its limit for good; `None` where they are low at its end."""
    needed = -(HELD // -find_step(series, index))
    at, low = stop, 0
    while at > index and low < needed:
        at -= 1
        low = low + 1 if series.values[at] <= limit else 0
    first = at + low if low == needed else at
    while first < stop and series.values[first] <= limit:
        first += 1
    return series.times[first] if stop - first >= needed and first > index else None


def _find_held(series: Series, index: int, baseline: float) -> int | None:
    """The first of the readings that held above half of the baseline, or of what is usual at that hour."""
    needed, alike, onset = -(HELD // -find_step(series, index)), 0, series.times[index]
    for at in range(index, len(series.times)):
        alike = alike + 1 if _is_well(series, at, baseline, onset) else 0
        if alike == needed:
            return at - needed + 1
    return None


def _is_well(series: Series, index: int, baseline: float, onset: datetime) -> bool:
    """Whether a reading is above half of the baseline, or of the median of this hour on the days before the fall."""
    at, value = series.times[index], series.values[index]
    # At a twentieth and less it is lost, whatever the hour.
    if value > NORMAL * baseline or value <= FRACTION * baseline:
        return value > NORMAL * baseline
    points: list[float] = []
    for day in range(1, 2 * HABIT_DAYS + 1):
        middle = subtract_span(at, day * DAY)
        if middle + SAME_HOUR < onset:
            first = bisect_left(series.times, subtract_span(middle, SAME_HOUR))
            points += series.values[first : bisect_right(series.times, middle + SAME_HOUR)]
    step = find_step(series, index)
    usual = _find_level(series, points, step) if len(points) >= POINTS_NEEDED else None
    return usual is not None and value > NORMAL * usual
