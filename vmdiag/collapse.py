"""When traffic collapses: a metric that falls to a small part of its own baseline and stays there; pure numbers."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from statistics import median

from vmdiag.model import Interval, Series, Window

# "Collapsed" leaves room for the noise that goes on at the host's port when the VM's flows are dead: probes, ARP.
FRACTION = 0.05
SHORTEST_COLLAPSE = timedelta(minutes=10)
POINTS_NEEDED = 5  # reported points; a minute that was not reported is not a zero
# The baseline is the median of the hour before, so that one quiet or busy minute does not move it.
BASELINE = timedelta(minutes=60)
# At least half of the hour's minutes must be there, fewer where the metric is coarser than a minute.
BASELINE_SHARE = 0.5
# Below this a VM is idle: a few probes more or less would look like a collapse or a recovery.
LEAST_BYTES = 10_000.0
LEAST_FLOWS = 2.0
# Three good minutes in a row are a recovery, three low ones a relapse; one may be a stray packet.
GOOD_POINTS = 3


@dataclass(frozen=True, slots=True)
class Collapse:
    """From the first low reading to the first of the good ones; `level` is the median reading meanwhile.

    `well_since` is when it came back for good, `None` where it is low now: a metric that falls again soon has no hour
    to fall from, and so no second collapse.
    """

    interval: Interval
    baseline: float
    level: float
    well_since: datetime | None = None


@lru_cache(maxsize=64)
def collapses(series: Series) -> tuple[Collapse, ...]:
    """The collapses of a series, in order of time."""
    return tuple(_collapses(series))


def has_baseline(series: Series, at: datetime) -> bool:
    """Whether the hour before an instant shows enough traffic for a collapse to be seen."""
    return _baseline(series, bisect_left(series.times, at)) is not None


def share_left(series: Series, span: Window) -> float | None:
    """The median of a span as a share of the baseline before it; `None` where either is missing."""
    first, after = bisect_left(series.times, span.start), bisect_right(series.times, span.end)
    baseline = _baseline(series, first)
    if baseline is None or first == after:
        return None
    return median(series.values[first:after]) / baseline


def step_of(series: Series) -> timedelta:
    """The usual distance of a series' readings, at least a minute."""
    return _step(series, len(series.times))


def _collapses(series: Series) -> Iterator[Collapse]:
    times, values = series.times, series.values
    index, ceiling = 1, FRACTION * max(values, default=0.0)
    while index < len(times):
        # Cheap first: most readings are well above what can be called low, so their hour need not be looked at.
        low_enough = values[index] <= ceiling and values[index] <= FRACTION * _recent(values, index)
        baseline = _baseline(series, index) if low_enough else None
        # What was low before is no fall: where it began there was no baseline to fall from.
        if baseline is None or not values[index] <= FRACTION * baseline < values[index - 1]:
            index += 1
            continue
        low = _low_until(values, index, FRACTION * baseline)
        if not _long_enough(series, index, low):
            index = max(low, index + 1)
            continue
        limit = FRACTION * baseline
        back = _run(values, low, limit, good=True)
        end = times[back] if back is not None else None
        level = median(values[index : back if back is not None else len(values)])
        well = _for_good(values, back, limit)
        yield Collapse(Interval(times[index], end), baseline, level, times[well] if well is not None else None)
        index = back if back is not None else len(times)


def _recent(values: tuple[float, ...], index: int) -> float:
    """The largest of the readings that the baseline can hold: if even that is low, nothing has fallen."""
    return max(values[max(0, index - 60) : index])


def _baseline(series: Series, index: int) -> float | None:
    """The median of the hour before a reading, scaled to a minute; `None` where it is not worth the name."""
    if not 0 <= index <= len(series.times) or not series.times:
        return None
    at = series.times[index] if index < len(series.times) else series.times[-1] + timedelta(minutes=1)
    first = bisect_left(series.times, at - BASELINE)
    before = series.values[first:index]
    step = _step(series, index)
    if len(before) < max(POINTS_NEEDED, BASELINE_SHARE * (BASELINE / step)):
        return None
    level = median(before)
    flows = "flows" in series.name.lower()
    least = LEAST_FLOWS if flows else LEAST_BYTES * (step / timedelta(minutes=1))
    return level if level >= least else None


def _step(series: Series, index: int) -> timedelta:
    """The usual distance of readings just before an instant, at least a minute."""
    near = series.times[max(0, index - 30) : index]
    steps = sorted(b - a for a, b in pairwise(near))
    return max(timedelta(minutes=1), steps[len(steps) // 2]) if steps else timedelta(minutes=1)


def _low_until(values: tuple[float, ...], index: int, limit: float) -> int:
    while index < len(values) and values[index] <= limit:
        index += 1
    return index


def _long_enough(series: Series, first: int, after: int) -> bool:
    """Ten minutes without a good reading, the last low minute counted whole, and enough readings to say so."""
    span = series.times[after - 1] - series.times[first] + _step(series, after)
    return span >= SHORTEST_COLLAPSE and (after - first) >= min(
        POINTS_NEEDED, SHORTEST_COLLAPSE // _step(series, first)
    )


def _run(values: tuple[float, ...], index: int, limit: float, *, good: bool) -> int | None:
    """The first of three good readings, or of three low ones, in a row at or after an index; `None` when none come."""
    alike = 0
    for at in range(index, len(values)):
        alike = alike + 1 if (values[at] > limit) is good else 0
        if alike == GOOD_POINTS:
            return at - GOOD_POINTS + 1
    return None


def _for_good(values: tuple[float, ...], back: int | None, limit: float) -> int | None:
    """The first good reading after the last relapse; `None` when it is low at the end."""
    while back is not None and (again := _run(values, back, limit, good=False)) is not None:
        back = _run(values, again, limit, good=True)
    return back
