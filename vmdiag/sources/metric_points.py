"""Points of metrics as packed seconds since 1970 and values, put in order of time and told as instants.

A fortnight of one metric is 20,000 of them: what is done with each is done by the array, not one by one.
"""

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain, compress, count, pairwise
from operator import ge

Points = tuple["array[float]", "array[float]"]
# The minutes of a fortnight are those of all VMs.
INSTANTS_LIMIT = 1 << 16
# Of so many stretches points are put together as wholes: hours that were read by the minute, between others.
STRETCHES_LIMIT = 500


def to_own_instant(at: float) -> datetime:
    """The instant of so many seconds since 1970."""
    return datetime.fromtimestamp(at, UTC)


# The same, remembered: of a minute that others were measured at, too.
to_instant = lru_cache(INSTANTS_LIMIT)(to_own_instant)


def merge_points(parts: Iterable[Points]) -> Points:
    """All points in order of time; of two readings of one minute the larger is the fuller count."""
    stretches = list(chain.from_iterable(map(_split_rising, parts)))
    joined = _join_stretches(stretches) if len(stretches) <= STRETCHES_LIMIT else None
    if joined is not None:
        return joined
    points = dict(chain.from_iterable(zip(*part, strict=True) for part in stretches))
    if len(points) < sum(len(times) for times, _ in stretches):
        points = dict(sorted(chain.from_iterable(zip(*part, strict=True) for part in stretches)))
    ordered = sorted(points)
    return array("d", ordered), array("d", map(points.__getitem__, ordered))


def _split_rising(part: Points) -> Iterator[Points]:
    """Stretches in which each point is later than the one before."""
    times, values = part
    ends = compress(count(1), map(ge, times, times[1:]))
    for first, end in pairwise((0, *ends, len(times))):
        if first < end:
            yield (times[first:end], values[first:end]) if end - first < len(times) else part


def _join_stretches(stretches: list[Points]) -> Points | None:
    """The stretches one after another, cut where others lie between; `None` where an instant is in two of them."""
    whole: Points = array("d"), array("d")
    pending = sorted(stretches, key=_get_last_place)
    for _ in range(STRETCHES_LIMIT):
        if not pending:
            return whole
        times, values = pending.pop()
        end = bisect_left(times, pending[-1][0][0]) if pending else len(times)
        if not end:
            return None
        whole[0].extend(times[:end])
        whole[1].extend(values[:end])
        if end < len(times):
            insort(pending, (times[end:], values[end:]), key=_get_last_place)
    return None


def _get_last_place(part: Points) -> float:
    return -part[0][0]
