"""Which logs are read for whom: of few VMs whole, of many over the window, and farther back where it can matter.

Who was migrated and who was not available Resource Graph tells for fourteen days, of all VMs at once and by a dozen
pages. The activity log of a large fleet over that time is hundreds of pages, of which Azure answers 50 in 30 seconds
("Azure Monitor service limits"), and of calm VMs it adds what their window holds. Of a suspect it is read as far back
as the suspect is measured.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from vmdiag.identity import VmId
from vmdiag.model import Kind, Window
from vmdiag.sources.azure.feed_request import FeedRequest, get_group_id, get_subscription_id
from vmdiag.sources.azure.feeds import activity_log, service_events
from vmdiag.sources.decoding.fields import parse_scope, parse_subscription
from vmdiag.sources.network_path import read_path
from vmdiag.sources.selection import find_first_suspicions
from vmdiag.sources.store import ItemStore
from vmdiag.sources.stored_items import StoredVm
from vmdiag.values import Struct, field, replace

# What competes with a loss at the window's beginning: changes count from half an hour before it, a restart or redeploy
# before its migration explains why the VM stood well in between.
BEFORE_WINDOW = timedelta(hours=6)


class LogReading(Struct):
    """The logs of one run, over `span` at most, at the time `now`; those of all are read from `log_start` on."""

    _store: ItemStore
    _window: Window
    _span: Window
    _now: datetime
    _triggers: Collection[Kind]
    log_start: datetime
    _requested_scopes: set[str] = field(default_factory=set)
    _earlier_groups: set[str] = field(default_factory=set)

    def limit_to_window(self) -> None:
        """From here on the logs are read over the window, and farther back only by `build_earlier_requests`."""
        self.log_start = max(self._span.start, self._window.start - BEFORE_WINDOW)

    def build_shared_requests(self, vms: Iterable[VmId]) -> Iterator[FeedRequest]:
        """What one question answers for many: the logs of the VMs' groups and of those that hold their networks."""
        self._store.flush_pending()
        around = map(parse_scope, self._store.list_network_parts())
        groups = {get_group_id(vm) for vm in vms} | set(filter(None, around))
        fresh = groups - self._requested_scopes
        recent, is_part = Window(self.log_start, self._span.end), self.log_start > self._span.start
        yield from activity_log.build_feed_requests(fresh, recent, self._now, is_part=is_part)
        subscriptions = {get_subscription_id(vm) for vm in vms}
        unseen = sorted(subscriptions - self._requested_scopes)
        yield from service_events.build_feed_requests(unseen, self._span, self._now)
        self._requested_scopes |= groups | subscriptions

    def build_suspect_requests(self, spans: Mapping[VmId, Window]) -> Iterator[FeedRequest]:
        """The logs before `log_start` of those with a telling record before the window, and whose record has no time.

        `spans` are what is measured of the suspects; where nobody knows since when, the log is read as far as it goes.
        """
        first = find_first_suspicions(self._store, self._span, self._triggers)
        begun = {vm: first.get(self._store.find_vm_number(vm) or 0, self._span.end) for vm in spans}
        undated = {vm: self._span for vm, at in begun.items() if at >= self._span.end}
        early = {vm: self._span.start for vm, at in begun.items() if at < self._window.start or vm in undated}
        return self.build_earlier_requests({**spans, **undated}, early)

    def build_earlier_requests(
        self, spans: Mapping[VmId, Window], falls: Mapping[VmId, datetime]
    ) -> Iterator[FeedRequest]:
        """The logs before `log_start` of the groups, and of those with their networks, of VMs that fell before it.

        They are read from the beginning of the VM's span on.
        """
        self._store.flush_pending()
        since: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
        for vm in falls:
            start = spans[vm].start if vm in spans and falls[vm] < self.log_start else self.log_start
            if start >= self.log_start:
                continue
            number = self._store.find_vm_number(vm)
            around = () if number is None else read_path(self._store, StoredVm(number, vm)).other_groups
            for group in {get_group_id(vm), *around} - self._earlier_groups:
                known = since[parse_subscription(group) or ""]
                known[group] = min(start, known.get(group, start))
        for groups in since.values():
            self._earlier_groups |= groups.keys()
            earlier = Window(min(groups.values()), self.log_start)
            for request in activity_log.build_feed_requests(groups, earlier, self._now, is_part=True):
                fallbacks = tuple(replace(one, span=earlier) for one in request.fallbacks)
                yield replace(request, span=earlier, fallbacks=fallbacks)
