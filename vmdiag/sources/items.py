"""What a format reads out of a row, the seam between it and the rest; must not know files, streams or formats."""

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import chain, compress, count, pairwise
from operator import ge
from typing import Self

from vmdiag.identity import VmId
from vmdiag.model import Gap, Record, Signal, VirtualMachine

Points = tuple["array[float]", "array[float]"]
# The minutes of a fortnight are those of all VMs.
INSTANTS_LIMIT = 1 << 16
# Of so many stretches points are put together as wholes: hours that were read by the minute, between others.
STRETCHES_LIMIT = 500
# In place of a time that is not known.
UNDATED = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class VmRecord:
    """Something that was said about one VM; a state of an unknown time (`UNDATED`) is as new as the archive's end."""

    vm: VmId
    record: Record
    is_dated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPoints:
    """Points of one metric of one VM, one or thousands; none when the metric was asked for and had no value."""

    vm: VmId
    name: str
    signal: Signal
    times: tuple[datetime, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedMetricPoints:
    """The same as seconds since 1970 and values: a tenth of the memory, for what waits its turn."""

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
        return cls(vm=points.vm, name=points.name, signal=points.signal, times=times, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class HourlyReadings:
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


@dataclass(frozen=True, slots=True)
class VmInventory:
    """A part of the inventory; what several rows know of one VM, and of its tags, is put together.

    `computer` is what it is called inside its guest: its name in tables that know computers, not resources.
    """

    vm: VirtualMachine
    tags: Mapping[str, str] = field(default_factory=dict)
    computer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkChange:
    """A change of a network resource: it concerns the VMs that `resource` touches, perhaps those of its group."""

    resource: str
    record: Record


@dataclass(frozen=True, slots=True)
class ServiceIncident:
    """A service incident: it concerns the VMs of a subscription, in the regions that the record's facts name."""

    subscription: str
    record: Record


@dataclass(frozen=True, slots=True)
class NetworkLink:
    """What traffic through `resource` also passes through (a NIC its subnet, group, address); ids in lower case."""

    resource: str
    through: frozenset[str]


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """The private addresses of a network interface, whose id is in lower case."""

    interface: str
    addresses: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCoverage:
    """That a feed was read: for a VM, a resource group or a subscription (ids in lower case).

    `partial` says why the feed may leave things out, where it may; `cut` that the answer or file was not whole.
    """

    signal: Signal
    scope: str
    partial: str | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteRead:
    """That a reading was whole: of what, in which form, and from when to when it tells (everything without)."""

    signal: Signal
    scope: str
    form: str
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncompleteRead:
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


@dataclass(frozen=True, slots=True)
class RecordedGap:
    """A gap that a recording knew of; `FeedCoverage` of the same signal stands beside it where not all was missed."""

    vm: VmId
    gap: Gap


@dataclass(frozen=True, slots=True)
class ObservedTime:
    """When something was recorded that tells nothing: an archive that holds only such has an end, too."""

    at: datetime


@dataclass(frozen=True, slots=True)
class RecordingOrigin:
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


# The instant of so many seconds since 1970, and the same, remembered: of a minute that others were measured at, too.
to_own_instant = partial(datetime.fromtimestamp, tz=UTC)
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
