"""What a format reads out of a row, the seam between it and the rest; must not know files, streams or formats."""

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import chain, compress, count, pairwise, repeat
from operator import ge
from typing import Self

from vmdiag.identity import VmId
from vmdiag.model import Gap, Record, Signal, VirtualMachine
from vmdiag.values import Struct, field

Points = tuple["array[float]", "array[float]"]
# The instants of so many series: the minutes of a fortnight are those of all metrics and of most VMs.
SERIES_REMEMBERED = 4
# Of so many stretches points are put together as wholes: hours that were read by the minute, between others.
STRETCHES_LIMIT = 500
# In place of a time that is not known.
UNDATED = datetime.min.replace(tzinfo=UTC)


class VmRecord(Struct, frozen=True):
    """Something that was said about one VM; a state of an unknown time (`UNDATED`) is as new as the archive's end."""

    vm: VmId
    record: Record
    is_dated: bool = True


class MetricPoints(Struct, frozen=True, kw_only=True):
    """Points of one metric of one VM, one or thousands; none when the metric was asked for and had no value."""

    vm: VmId
    name: str
    signal: Signal
    times: tuple[datetime, ...]
    values: tuple[float, ...]


class PackedMetricPoints(Struct, frozen=True, kw_only=True):
    """The same as seconds since 1970, in order of time and each once, and values.

    That is a tenth of the memory, for what waits its turn.
    """

    vm: VmId
    name: str
    signal: Signal
    times: "array[float]"
    values: "array[float]"

    @classmethod
    def pack_points(cls, points: MetricPoints) -> Self:
        """The points of a sample, packed."""
        times = array("d", map(datetime.timestamp, points.times))
        values = array("d", points.values)
        if any(map(ge, times, times[1:])):
            # Of two readings of one minute the larger is the fuller count.
            ordered = dict(sorted(zip(times, values, strict=True)))
            times, values = array("d", ordered), array("d", ordered.values())
        return cls(vm=points.vm, name=points.name, signal=points.signal, times=times, values=values)


class HourlyReadings(Struct, frozen=True, kw_only=True):
    """One metric of a VM by the hour since 1970: of its minutes the mean, the least, the most, how many there were.

    A count of -1 says that this could not be told of an hour.
    """

    vm: VmId
    name: str
    signal: Signal
    hours: "array[int]" = field(default_factory=lambda: array("q"))
    means: "array[float]" = field(default_factory=lambda: array("d"))
    least: "array[float]" = field(default_factory=lambda: array("d"))
    most: "array[float]" = field(default_factory=lambda: array("d"))
    counts: "array[float]" = field(default_factory=lambda: array("d"))


class VmInventory(Struct, frozen=True):
    """A part of the inventory; what several rows know of one VM, and of its tags, is put together.

    `computer` is what it is called inside its guest: its name in tables that know computers, not resources.
    """

    vm: VirtualMachine
    tags: Mapping[str, str] = field(default_factory=dict)
    computer: str = ""


class NetworkChange(Struct, frozen=True, kw_only=True):
    """A change of a network resource: it concerns the VMs that `resource` touches, perhaps those of its group."""

    resource: str
    record: Record


class ServiceIncident(Struct, frozen=True):
    """A service incident: it concerns the VMs of a subscription, in the regions that the record's facts name."""

    subscription: str
    record: Record


class NetworkLink(Struct, frozen=True):
    """What traffic through `resource` also passes through (a NIC its subnet, group, address); ids in lower case."""

    resource: str
    through: frozenset[str]


class InterfaceAddress(Struct, frozen=True):
    """The private addresses of a network interface, whose id is in lower case."""

    interface: str
    addresses: frozenset[str]


class FeedCoverage(Struct, frozen=True, kw_only=True):
    """That a feed was read: for a VM, a resource group or a subscription (ids in lower case).

    `partial` says why the feed may leave things out, where it may; `cut` that the answer or file was not whole.
    """

    signal: Signal
    scope: str
    partial: str | None = None
    cut: bool = False


class CompleteRead(Struct, frozen=True, kw_only=True):
    """That a reading was whole: of what, in which form, and from when to when it tells (everything without)."""

    signal: Signal
    scope: str
    form: str
    first: datetime | None = None
    last: datetime | None = None


class IncompleteRead(Struct, frozen=True, kw_only=True):
    """That a reading was not whole: of a scope (empty: of nobody knows whom), of a signal, and where it shows.

    `since` and `until` bound the span that may be missing, where that can be told; `first` and `last` the span of what
    came. Records (`is_record`) that cannot be used are counted by place, and told by their first. What does not lower
    the verdict (`lowers_verdict`) is only told. The VM `unaffected_vm` is not concerned.
    """

    signal: Signal
    scope: str
    form: str
    place: str
    reason: str
    is_record: bool = False
    line: int = 0
    count: int = 1
    lowers_verdict: bool = True
    unaffected_vm: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    first: datetime | None = None
    last: datetime | None = None


class RecordedGap(Struct, frozen=True):
    """A gap that a recording knew of; `FeedCoverage` of the same signal stands beside it where not all was missed."""

    vm: VmId
    gap: Gap


class ObservedTime(Struct, frozen=True):
    """When something was recorded that tells nothing: an archive that holds only such has an end, too."""

    at: datetime


class RecordingOrigin(Struct, frozen=True):
    """Where and until when a recording was made."""

    cloud: str
    until: datetime


Item = (
    VmRecord
    | MetricPoints
    | PackedMetricPoints
    | VmInventory
    | NetworkChange
    | ServiceIncident
    | NetworkLink
    | InterfaceAddress
    | FeedCoverage
    | CompleteRead
    | IncompleteRead
    | RecordedGap
    | ObservedTime
    | RecordingOrigin
)


# The instant of so many seconds since 1970.
to_instant = partial(datetime.fromtimestamp, tz=UTC)


@lru_cache(SERIES_REMEMBERED)
def list_instants(packed: bytes) -> tuple[datetime, ...]:
    """The instants of a packed series, which are those of other metrics and of other VMs."""
    return tuple(map(datetime.fromtimestamp, array("d", packed), repeat(UTC)))


class MergedTimes(Struct, frozen=True):
    """The instants of several readings in order, each once; `pieces` of them, one after another, are all of that.

    A piece is a reading's number and its points from one to before another; there are none where an instant is in two
    readings, or where they are too much mixed.
    """

    times: "array[float]"
    pieces: tuple[tuple[int, int, int], ...] | None

    def merge_values(self, parts: Sequence[Points]) -> "array[float]":
        """What was read at these instants; of two readings of one minute the larger is the fuller count."""
        whole = array("d")
        if self.pieces is not None:
            for part, first, end in self.pieces:
                whole.extend(parts[part][1][first:end])
            return whole
        pairs = chain.from_iterable(zip(*part, strict=True) for part in parts)
        has_repeats = len(self.times) < sum(len(times) for times, _ in parts)
        points = dict(sorted(pairs) if has_repeats else pairs)
        whole.extend(map(points.__getitem__, self.times))
        return whole


def merge_times(parts: Sequence["array[float]"]) -> MergedTimes:
    """The instants of all readings in order of time."""
    rising = [(part, first, end) for part, times in enumerate(parts) for first, end in _list_rising(times)]
    pieces = _order_pieces(parts, rising) if len(rising) <= STRETCHES_LIMIT else None
    if pieces is None:
        return MergedTimes(array("d", sorted(set(chain.from_iterable(parts)))), None)
    whole = array("d")
    for part, first, end in pieces:
        whole.extend(parts[part][first:end])
    return MergedTimes(whole, tuple(pieces))


def _list_rising(times: "array[float]") -> Iterator[tuple[int, int]]:
    """Stretches in which each point is later than the one before."""
    ends = compress(count(1), map(ge, times, times[1:]))
    return ((first, end) for first, end in pairwise((0, *ends, len(times))) if first < end)


def _order_pieces(
    parts: Sequence["array[float]"], rising: Iterable[tuple[int, int, int]]
) -> list[tuple[int, int, int]] | None:
    """The stretches one after another, cut where others lie between; `None` where an instant is in two of them."""
    ordered: list[tuple[int, int, int]] = []
    pending = sorted((-parts[part][first], part, first, end) for part, first, end in rising)
    for _ in range(STRETCHES_LIMIT):
        if not pending:
            return ordered
        _, part, first, end = pending.pop()
        cut = bisect_left(parts[part], -pending[-1][0], first, end) if pending else end
        if cut == first:
            return None
        ordered.append((part, first, cut))
        if cut < end:
            insort(pending, (-parts[part][cut], part, cut, end))
    return None
