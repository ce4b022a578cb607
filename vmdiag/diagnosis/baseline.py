"""What is usual for a metric: the median of the well hour before, and of an hour on earlier days; pure numbers."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from vmdiag.model import Series, subtract_span

# "Lost" leaves room for the noise that goes on at the host's port when the VM's flows are dead: probes, ARP.
FRACTION = 0.05
# Above this share of its baseline traffic is normal; between the two a part of it is gone (contract, section 3).
NORMAL = 0.5
POINTS_NEEDED = 5  # reported points of ten minutes
COARSE_POINTS_NEEDED = 2  # of a grain that has no five in ten minutes
# The baseline is the median of the hour before, so that one quiet or busy minute does not move it.
BASELINE = timedelta(minutes=60)
# At least half of the hour's minutes must be there, fewer where the metric is coarser than a minute.
BASELINE_SHARE = 0.5
# Below this a VM is idle: a few probes more or less would look like a collapse or a recovery.
LEAST_BYTES = 10_000.0
LEAST_FLOWS = 2.0
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
HABIT_DAYS = 3
# "The same hour" of an earlier day: half an hour either way.
SAME_HOUR = timedelta(minutes=30)


def find_step(series: Series) -> timedelta:
    """The usual distance of a series' readings, at least a minute."""
    return find_step_before(series, len(series.times))


def find_usual_before(
    series: Series, index: int, at: datetime, lost: Sequence[tuple[datetime, datetime]]
) -> float | None:
    """The median of the last well hour before an instant; `None` where it is not worth the name."""
    if not series.times:
        return None
    points = [
        value
        for begin, end in _find_well_hour(at, lost)
        for value in series.values[bisect_left(series.times, begin) : bisect_left(series.times, end)]
    ]
    step = find_step_before(series, index)
    expected = BASELINE / step
    least = POINTS_NEEDED if expected >= 2 * POINTS_NEEDED else COARSE_POINTS_NEEDED
    if len(points) < max(least, BASELINE_SHARE * expected):
        return None
    level = median(points)
    return level if level >= _find_least_baseline(series, step) else None


def _find_well_hour(at: datetime, lost: Sequence[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    """The spans that together are the last hour before an instant in which nothing was lost, latest first."""
    needed, reached = BASELINE, at
    for begin, end in reversed(lost):
        span = max(min(needed, reached - end), timedelta())
        yield subtract_span(reached, span), reached
        needed, reached = needed - span, min(reached, begin)
        if not needed:
            return
    yield subtract_span(reached, needed), reached


def counts_flows(series: Series) -> bool:
    """Whether a metric counts flows at a time, not the bytes of an interval."""
    return "flows" in series.name.lower()


def scale_to_minute(series: Series, index: int) -> float:
    """By what a reading is multiplied to be told per minute: flows are averages, bytes are sums."""
    return 1.0 if counts_flows(series) else MINUTE / find_step_before(series, index)


def find_step_before(series: Series, index: int) -> timedelta:
    """The usual distance of readings just before an instant, at least a minute."""
    near = series.times[max(0, index - 30) : index]
    steps = sorted(b - a for a, b in pairwise(near))
    return max(MINUTE, steps[len(steps) // 2]) if steps else MINUTE


def find_usual_at_hour(series: Series, at: datetime, onset: datetime) -> float | None:
    """The median of this hour on the days before the fall began; `None` where they show too little."""
    points: list[float] = []
    for day in range(1, 2 * HABIT_DAYS + 1):
        middle = subtract_span(at, day * DAY)
        if middle + SAME_HOUR >= onset:
            continue
        near = (
            bisect_left(series.times, subtract_span(middle, SAME_HOUR)),
            bisect_right(series.times, middle + SAME_HOUR),
        )
        points += series.values[near[0] : near[1]]
    if len(points) < POINTS_NEEDED:
        return None
    step = find_step_before(series, bisect_left(series.times, at))
    level = median(points)
    return level if level >= _find_least_baseline(series, step) else None


def _find_least_baseline(series: Series, step: timedelta) -> float:
    return LEAST_FLOWS if counts_flows(series) else LEAST_BYTES * (step / MINUTE)
