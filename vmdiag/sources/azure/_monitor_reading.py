"""Who tests the VMs from elsewhere, read of suspects: one search for all, then each workspace once for many VMs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources.azure._feed_reader import FeedReader, get_gap_reason
from vmdiag.sources.azure.feed_request import FeedRequest
from vmdiag.sources.azure.feeds import connection_monitor, network
from vmdiag.sources.store import ItemStore
from vmdiag.values import Struct, field

# Of so many who look it is asked where they are, in one query; from where others look is not known then.
SOURCE_LIMIT = 500
UNKNOWN_MONITORS_REASON = "which connection monitors test it is not known"


class MonitorReading(Struct, eq=False):
    """The tests of one run's VMs."""

    _reader: FeedReader
    _store: ItemStore
    _fresh_sources: set[VmId] = field(default_factory=set)
    _known_sources: set[VmId] = field(default_factory=set)
    _named: defaultdict[str, set[VmId]] = field(default_factory=lambda: defaultdict(set))
    _requested: set[tuple[str, VmId]] = field(default_factory=set)
    _search: FeedRequest | None = None

    def build_requests(
        self, vms: Iterable[VmId], workspaces: Mapping[str, Iterable[VmId]], span: Window
    ) -> Iterator[FeedRequest]:
        """The tests of some VMs, in the workspaces that are theirs and in those that monitors of them write to."""
        some = sorted(vms, key=lambda vm: vm.key)
        if some and self._search is None:
            self._search = connection_monitor.build_workspace_search(
                lambda vm, workspace: self._named[workspace].add(vm), lambda: self._build_tests(some, self._named, span)
            )
            yield self._search
        for known in (workspaces, self._named):
            yield from self._build_tests(some, known, span)

    def build_comparison_requests(self, spans: Mapping[VmId, Window]) -> Iterator[FeedRequest]:
        """The tests of VMs that others are compared with: one that fails behind the same appliance tells of that."""
        if spans:
            around = Window(min(one.start for one in spans.values()), max(one.end for one in spans.values()))
            yield from self.build_requests(spans, {}, around)

    def record_gap(self, vm: VmId, *, is_calm: bool) -> None:
        """Where the search failed nobody knows whether somebody tests the VM; of one that is calm nobody asked."""
        if self._search is None or is_calm:
            return
        error = self._reader.failures.get(self._search)
        if error is not None:
            self._store.add_refusal(Signal.MONITOR, vm.key, f"{UNKNOWN_MONITORS_REASON}: {get_gap_reason(error)}")
        elif self._search in self._reader.incomplete_requests:
            reason = f"{UNKNOWN_MONITORS_REASON}: their list was not whole"
            self._store.add_refusal(Signal.MONITOR, vm.key, reason)

    def _build_tests(
        self, vms: Iterable[VmId], workspaces: Mapping[str, Iterable[VmId]], span: Window
    ) -> Iterator[FeedRequest]:
        for workspace, known in list(workspaces.items()):
            inside = set(known)
            fresh = [vm for vm in vms if vm in inside and (workspace, vm) not in self._requested]
            self._requested.update((workspace, vm) for vm in fresh)
            if fresh:
                yield connection_monitor.build_feed_request(
                    workspace, fresh, span, self._fresh_sources.add, partial(self._place_sources, fresh)
                )

    def _place_sources(self, vms: Iterable[VmId]) -> Iterator[FeedRequest]:
        """The networks of the VMs that look, as far as they are not read: they say from where it is looked."""
        self._store.flush_pending()
        fresh = self._fresh_sources - self._known_sources
        numbers = {vm: self._store.find_vm_number(vm) for vm in fresh}
        known = {
            vm: self._store.list_interfaces(number) if number is not None else () for vm, number in numbers.items()
        }
        # Of a neighbour no more is known than that it is one.
        strangers = [vm for vm, parts in known.items() if not any("/networkinterfaces/" in part for part in parts)]
        self._known_sources |= fresh
        if strangers:
            some = sorted(vm.key for vm in strangers)[:SOURCE_LIMIT]
            yield network.build_source_search(some, tuple(vm.key for vm in vms))
