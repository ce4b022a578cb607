"""The load balancers in front of suspects, found by the pools that the suspects' interfaces are in; each asked once.

Pools that hold addresses in place of interfaces are not found: no interface names them, and to look for them takes
every balancer of the subscription.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime

from vmdiag.identity import VmId
from vmdiag.model import Kind, Window
from vmdiag.sources.azure.feed_request import FeedRequest, clip_to_retention
from vmdiag.sources.azure.feeds import balancer_metrics
from vmdiag.sources.azure.feeds.balancer_metrics import BALANCER_ID, BalancerBackends
from vmdiag.sources.azure.feeds.metrics import RETENTION
from vmdiag.sources.azure.metric_plan import BEFORE_EVENT
from vmdiag.sources.selection import find_suspicious_times
from vmdiag.sources.store import ItemStore
from vmdiag.values import Struct, field

# An address stands in a filter between quotes; whatever else came in its place is none.
_ADDRESS = re.compile(r"[0-9a-f]*[.:][0-9a-f.:]+")


class BalancerReading(Struct, eq=False):
    """The balancers of one run; `span` is what is read at most, at the time `now`; `triggers` make a VM suspicious."""

    _store: ItemStore
    _span: Window
    _now: datetime
    _triggers: Collection[Kind]
    _asked: set[str] = field(default_factory=set)

    def build_metric_requests(self, vms: Collection[VmId], suspects: Collection[VmId]) -> Iterator[FeedRequest]:
        """One call for each balancer in front of these VMs that was not asked yet, for all suspects behind it."""
        self._store.flush_pending()
        fronts = find_fronts(self._store, suspects) if vms else {}
        keys = {vm.key for vm in vms}
        for backends in fronts.values():
            if backends.front not in self._asked and keys & backends.vms.keys():
                self._asked.add(backends.front)
                known = backends.vms.values()
                seen = [find_suspicious_times(self._store, vm, self._span, self._triggers) for vm in known]
                # Before what was seen of each of them, or of all time where nothing was seen of one.
                first = min(min(times, default=self._span.start) for times in seen) - BEFORE_EVENT
                wanted = Window(max(first, self._span.start), self._span.end)
                span = clip_to_retention(wanted, self._now, RETENTION)
                if span is not None:
                    yield balancer_metrics.build_feed_request(backends, span)


def find_fronts(store: ItemStore, vms: Collection[VmId]) -> dict[str, BalancerBackends]:
    """The balancers in front of VMs, by their ids, with the VMs' private addresses; an empty one is not known."""
    addresses = defaultdict(list)
    for address, interface in store.list_addresses():
        if _ADDRESS.fullmatch(address):
            addresses[interface].append(address)
    found: defaultdict[str, dict[str, set[VmId]]] = defaultdict(lambda: defaultdict(set))
    for vm in sorted(vms, key=lambda one: one.key):
        number = store.find_vm_number(vm)
        for interface in sorted(store.list_interfaces(number)) if number is not None else ():
            for front in filter(BALANCER_ID.fullmatch, store.list_links(interface)):
                for address in addresses[interface] or [""]:
                    found[front][address].add(vm)
    return {
        front: BalancerBackends(front, {address: tuple(vms) for address, vms in owners.items()})
        for front, owners in sorted(found.items())
    }
