"""The metrics of suspects, read in two passes: by the hour over all the time, then by the minute where it can matter.

VMs of one subscription and region are asked for together where the cloud has an endpoint for that. What is read of a VM
is kept until it is told, no longer.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from math import ceil
from operator import itemgetter

from vmdiag.arm.session import Session
from vmdiag.identity import VmId
from vmdiag.model import Kind, Signal, Window
from vmdiag.sources.azure._feed_reader import FeedReader
from vmdiag.sources.azure.feed_request import FeedRequest
from vmdiag.sources.azure.feeds import metrics
from vmdiag.sources.azure.feeds.metrics import BATCH_LIMIT, MetricBatch
from vmdiag.sources.azure.metric_plan import (
    find_unsteady_hours,
    list_runs,
    list_spans,
    plan_hours,
    spread_hours,
    to_hour,
    to_time,
)
from vmdiag.sources.items import HourlyReadings
from vmdiag.sources.selection import find_suspicious_times
from vmdiag.sources.store import ItemStore
from vmdiag.values import Struct, field

# Hours times VMs, of all metrics, of one call: an answer of some megabytes, of which a few are in memory at once.
HOURLY_BATCH, MINUTE_BATCH = 4_000, 150
# VMs are asked for together while the hours of all are no more than so many times those of the first.
COMMON_SHARE = 2


class MetricReading(Struct, eq=False):
    """The metrics of one run; `span` is what is read at most, at the time `now`; `triggers` make a VM suspicious."""

    _session: Session
    _reader: FeedReader
    _store: ItemStore
    _span: Window
    _now: datetime
    _triggers: Collection[Kind]
    _readings: defaultdict[VmId, dict[str, HourlyReadings]] = field(default_factory=lambda: defaultdict(dict))
    _minute_hours: dict[VmId, frozenset[int]] = field(default_factory=dict)

    def group_vms(self, vms: Collection[VmId], size: int) -> list[list[VmId]]:
        """The VMs in groups of so many at most, so that those who can be asked for together are."""
        groups: list[list[VmId]] = []
        for _, together in self._group_by_place(vms):
            count = ceil(len(together) / size)
            for part in range(count):
                some = together[part * len(together) // count : (part + 1) * len(together) // count]
                if not groups or len(groups[-1]) + len(some) > size:
                    groups.append([])
                groups[-1] += some
        return groups

    def build_hourly_requests(self, vms: Collection[VmId], spans: Mapping[VmId, Window]) -> Iterator[FeedRequest]:
        """The first pass, over the spans of the VMs, where they have one of their own."""
        for place, together in self._group_by_place(vms):
            start = min(spans.get(vm, self._span).start for vm in together)
            hours = to_hour(self._span.end) - to_hour(start) + 1
            size = max(1, min(BATCH_LIMIT, HOURLY_BATCH // hours)) if place else len(together)
            for first in range(0, len(together), size):
                batch = _make_batch(together[first : first + size], place)
                span = Window(start, self._span.end)
                yield from metrics.build_hourly_requests(batch, span, self._now, self._add_readings)

    def build_minute_requests(self, vms: Iterable[VmId]) -> Iterator[FeedRequest]:
        """The second pass: of the VMs that the first has answered for, where something may lie."""
        plans: dict[VmId, frozenset[int]] = {}
        for vm in vms:
            if vm in self._readings and vm not in self._minute_hours:
                events = find_suspicious_times(self._store, vm, self._span, self._triggers)
                plans[vm] = plan_hours(self._readings[vm].values(), events, self._span, self._now)
        for place, together in self._group_by_place(plans):
            for batch, hours in _join_plans(together, plans, place, MINUTE_BATCH):
                self._minute_hours.update((vm, hours) for vm in batch.vms)
                names = {name for vm in batch.vms for name in self._readings[vm]}
                spans = list_spans(hours, self._span.end)
                yield from metrics.build_minute_requests(batch, spans, sorted(names))

    def find_first_fall(self, vm: VmId) -> datetime:
        """In which hour of those that were read a loss may have begun first; now where in none."""
        traffic = (one for one in self._readings.get(vm, {}).values() if one.signal is Signal.TRAFFIC)
        hours = set[int]().union(*map(find_unsteady_hours, traffic))
        return to_time(min(hours)) if hours else self._now

    def was_always_available(self, vm: VmId, span: Window | None) -> bool:
        """Whether the availability metric was read of every hour of a span, and says of each minute that the VM ran."""
        first, last = (to_hour(at) for at in ((span or self._span).start, (span or self._span).end))
        known = [one for one in self._readings.get(vm, {}).values() if one.signal is Signal.AVAILABILITY]
        return any(
            all(least >= 1 for least, count in zip(one.least, one.counts, strict=True) if count)
            # The hours in which it begins and ends may not be told yet, or no more.
            and {hour for hour, count in zip(one.hours, one.counts, strict=True) if count > 0}.issuperset(
                range(first + 1, last)
            )
            for one in known
        )

    def build_comparison_requests(self, spans: Mapping[VmId, Window]) -> Iterator[FeedRequest]:
        """The traffic of VMs that others are compared with, over a span each."""
        hours = {vm: frozenset(range(to_hour(span.start), to_hour(span.end) + 1)) for vm, span in spans.items()}
        # One of six metrics is read of them.
        size = MINUTE_BATCH * sum(map(len, metrics.METRIC_NAMES.values()))
        for place, together in self._group_by_place(spans):
            for batch, _ in _join_plans(together, hours, place, size):
                inside = [spans[vm] for vm in batch.vms]
                span = Window(min(one.start for one in inside), max(one.end for one in inside))
                yield from metrics.build_comparison_requests(batch, span)

    def store_hours(self, vms: Iterable[VmId]) -> None:
        """The hours of VMs that were not read by the minute, as points; they are let go."""
        for vm in vms:
            read = self._minute_hours.pop(vm, frozenset())
            for one in self._readings.pop(vm, {}).values():
                self._store.add_item(spread_hours(one, read))

    def _add_readings(self, one: HourlyReadings) -> None:
        self._readings[one.vm][one.name] = one

    def _group_by_place(self, vms: Collection[VmId]) -> Iterator[tuple[tuple[str, str] | None, list[VmId]]]:
        """The VMs by subscription and region, and without a place those that must be asked one by one."""
        together: defaultdict[tuple[str, str] | None, list[VmId]] = defaultdict(list)
        has_batches = self._session.cloud.metrics is not None and len(vms) > 1
        for vm in vms:
            region = (self._store.find_location(vm) or "").lower() if has_batches and vm.scale_set is None else ""
            is_asked = region and region not in self._reader.refusing_regions
            together[(vm.subscription.lower(), region) if is_asked else None].append(vm)
        for place, some in together.items():
            yield (place if len(some) > 1 else None), some


def _make_batch(vms: Iterable[VmId], place: tuple[str, str] | None) -> MetricBatch:
    return MetricBatch(tuple(vms), place[1] if place else "")


def _join_plans(
    vms: Iterable[VmId], plans: Mapping[VmId, frozenset[int]], place: tuple[str, str] | None, size: int
) -> Iterator[tuple[MetricBatch, frozenset[int]]]:
    """Batches of VMs whose hours are much the same, and the hours of all of them; each stretch of these is a call."""
    batch: list[VmId] = []
    union: frozenset[int] = frozenset()
    ordered = sorted(((min(plans[vm], default=0), vm.key, vm) for vm in vms), key=itemgetter(0, 1))
    for _, _, vm in ordered:
        joined = union | plans[vm]
        longest = max(map(len, list_runs(joined)), default=0)
        is_full = len(batch) >= BATCH_LIMIT or (len(batch) + 1) * longest > size
        if batch and (place is None or is_full or len(joined) > COMMON_SHARE * min(len(plans[vm]), len(union))):
            yield _make_batch(batch, place if len(batch) > 1 else None), union
            batch, joined = [], plans[vm]
        batch, union = [*batch, vm], joined
    if batch:
        yield _make_batch(batch, place if len(batch) > 1 else None), union
