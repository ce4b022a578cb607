"""One live reading, in rounds: who is meant, what concerns all, what concerns the suspicious.

A few VMs are read whole at once, in two rounds; where their ids are known beforehand the second asks only for what the
first has found: groups that hold their networks, workspaces that their agents write to.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, starmap
from operator import call

from vmdiag.arm.request import Endpoint
from vmdiag.arm.session import Session
from vmdiag.identity import VmId
from vmdiag.model import Needs, Signal, Transcript, VirtualMachine, Window
from vmdiag.sources.azure._balancer_reading import BalancerReading
from vmdiag.sources.azure._comparison_vms import choose_comparison_spans, find_nearby_vms
from vmdiag.sources.azure._feed_reader import FeedReader
from vmdiag.sources.azure._health_reading import HealthReading
from vmdiag.sources.azure._heartbeat_reading import HeartbeatReading
from vmdiag.sources.azure._log_reading import LogReading
from vmdiag.sources.azure._metric_reading import MetricReading
from vmdiag.sources.azure._monitor_reading import MonitorReading
from vmdiag.sources.azure._scope_resolution import ScopeResolution
from vmdiag.sources.azure._unread_feeds import (
    PAST_WINDOW_REASON,
    UNKNOWN_VM_REASON,
    UnreadFeeds,
)
from vmdiag.sources.azure.feed_request import PRESENT_TOLERANCE, FeedRequest
from vmdiag.sources.azure.feeds import (
    health_changes,
    network,
    virtual_machine,
)
from vmdiag.sources.azure.probe import probe_addresses
from vmdiag.sources.azure.proof_reading import ProofReading
from vmdiag.sources.azure.scoped_vms import find_explicit_ids, select_subscriptions
from vmdiag.sources.azure.worker_pool import WorkerPool, return_large_blocks
from vmdiag.sources.items import VmInventory
from vmdiag.sources.protocol import Reading, Scope, VmFilter, Watcher, reading_span
from vmdiag.sources.selection import ResolvedScope, SelectedVm, build_vm_filter, find_first_suspicions, find_suspects
from vmdiag.sources.store import ItemStore
from vmdiag.sources.transcripts import TranscriptBuilder

# So many VMs are read whole, and at once; of more, only the suspicious ones.
WHOLE_READ_LIMIT = 8
# Of more than so many the activity log is read over the window alone: that of fewer is a dozen pages (our judgement).
WHOLE_LOG_LIMIT = 250
# Of the suspicious so many are read at once: enough to fill calls, and no more than fits into memory (of 300 over a
# fortnight 50 at once took 206 MB, 24 took 183).
SUSPECTS_AT_ONCE = 24

Spans = Mapping[VmId, Window]


class LiveReading:
    """The state of one reading; `start_reading` is called once."""

    def __init__(self, session: Session, watcher: Watcher, scope: Scope, window: Window, needs: Needs) -> None:
        self._session = session
        self._watcher = watcher
        self._settings = session.settings
        self._scope = scope
        self._window = window
        self._needs = needs
        self._span = reading_span(window, needs)
        self._now = session.now
        self._store = ItemStore()
        self._reader = FeedReader(session, self._store, watcher)
        self._reader.includes_now = self._now - window.end <= PRESENT_TOLERANCE
        self._addresses: dict[VmId, str] = {}
        self._who, self._subscriptions = build_vm_filter(scope), select_subscriptions(scope)
        who, subscriptions = self._who, self._subscriptions
        self._unread_feeds = UnreadFeeds(self._store, self._reader, window, self._span, self._now)
        self._logs = LogReading(self._store, window, self._span, self._now, needs.triggers, self._span.start)
        self._resolution = ScopeResolution(scope, self._reader, self._store, watcher)
        self._visible_vms = self._resolution.visible_vms
        self._health_request = health_changes.build_feed_request(who, subscriptions, self._span, self._now)
        # The VMs that are known beforehand; what is found of them is followed at once, without waiting for the rest.
        stated = tuple(dict.fromkeys(find_explicit_ids(scope).values()))
        self._known_vms = stated if len(scope.vms) == len(stated) <= WHOLE_READ_LIMIT else ()
        # Of many the logs are read once it is known who is meant, and how far back.
        build_logs = partial(self._logs.build_shared_requests, self._known_vms) if self._known_vms else tuple
        self._network_request = network.build_feed_request(who, subscriptions, self._addresses.setdefault, build_logs)
        self._health = HealthReading(self._reader, self._store, self._health_request, self._span, self._now)
        self._neighbours_by_vm: defaultdict[VmId, list[VmId]] = defaultdict(list)
        self._neighbours_request = network.build_neighbour_search(
            who, subscriptions, lambda vm, other: self._neighbours_by_vm[vm].append(other)
        )
        self._comparison_spans: dict[VmId, Window] = {}
        self._proofs = ProofReading(session, self._store, watcher, scope, window.end)
        self._metrics = MetricReading(session, self._reader, self._store, self._span, self._now, needs.triggers)
        self._balancers = BalancerReading(self._store, self._span, self._now, needs.triggers)
        self._monitors = MonitorReading(self._reader, self._store)
        workspaces = self._settings.workspaces
        self._heartbeats = HeartbeatReading(self._monitors.build_requests, workspaces, self._span, WHOLE_READ_LIMIT)

    def start_reading(self) -> Reading:
        """Read what concerns all, and promise the rest; raises `SourceError` when nothing could be read."""
        # What Resource Graph answers for all at once; first what most follows from.
        known = self._known_vms
        asked = [self._network_request, self._resolution.inventory_request, self._health_request]
        if 0 < len(self._scope.vms) <= WHOLE_READ_LIMIT:
            # Of more there are others in scope to compare with, and where agents write to is asked of suspects alone.
            search = tuple(self._heartbeats.build_search(self._who, self._subscriptions, known))
            if search and self._session.cloud.logs:
                # Heartbeats come last of all, and take a token of their own: it is there when it is known who has them.
                sign_in = partial(self._session.sign_in, Endpoint.LOGS)
                WorkerPool[Endpoint, object](1).submit_job(Endpoint.LOGS, partial(map, call, (sign_in,)))
            asked = [*search, *asked, self._neighbours_request]
        own = self._build_vm_requests(known), self._heartbeats.build_requests(known)
        self._reader.finish_requests(chain(asked, self._logs.build_shared_requests(known), *own), but_late=True)
        found = self._resolve_vms()
        vms = tuple(vm for vm in found.vms if vm not in found.missing)
        few = vms if len(vms) <= WHOLE_READ_LIMIT else ()
        if len(vms) > WHOLE_LOG_LIMIT and self._scope.screens and self._reader.was_heard_whole(self._health_request):
            self._logs.limit_to_window()
        places = self._heartbeats.build_search(self._who, self._subscriptions, few) if few else ()
        more = places, self._build_vm_requests(set(few) - set(known)), self._heartbeats.build_requests(few)
        near = {vm: [one for one in some if one not in vms] for vm, some in self._neighbours_by_vm.items()}
        minutes = chain(self._metrics.build_minute_requests(few), self._balancers.build_metric_requests(few, few))
        logs = self._logs.build_shared_requests(vms)
        self._reader.finish_requests(chain(logs, *more, self._build_comparison_requests(near), minutes), but_late=True)
        # The logs that came last may tell of a migration, too; of who was made out by now nothing was measured yet.
        compared = self._build_comparison_requests(near)
        self._reader.submit_requests(chain(compared, self._metrics.build_minute_requests(few)))
        self._metrics.store_hours(few)  # while the last answers, mostly of heartbeats, are on their way
        self._reader.finish_requests()
        self._probe_vms(vms)
        self._proofs.prove_suspects(few, self._span, self._needs.triggers)
        self._record_unread_feeds(vms)
        self._store.finish_loading()
        limits = self._unread_feeds.build_source_limits(self._network_request)
        teller = TranscriptBuilder(self._store, self._window, self._needs, limits)
        missing = starmap(self._unread_feeds.build_empty_transcript, found.missing.items())
        return Reading(
            window=self._window,
            transcripts=chain(missing, self._build_transcripts(vms, few, teller)),
            vms=found.vms,
            gaps=(*self._unread_feeds.list_run_gaps(), *teller.find_unassigned_gaps()),
            cloud=self._session.cloud.name,
        )

    def _build_vm_requests(self, vms: Iterable[VmId], spans: Spans | None = None) -> Iterator[FeedRequest]:
        """What takes a question a VM; with `spans` its view only where the inventory did not show whether it runs."""
        some = sorted(vms, key=lambda vm: vm.key)
        stated = {vm for vm, one in self._visible_vms.items() if one.has_power_state}
        unseen = [vm for vm in some if spans is None or vm not in stated]
        yield from virtual_machine.build_feed_requests(unseen, self._heartbeats.add_workspace)
        untold = [vm for vm in some if spans is None or not self._health.is_told_twice(vm, spans[vm])]
        yield from self._health.build_history_requests(untold)
        yield from self._metrics.build_hourly_requests(some, spans or {})

    def _build_comparison_requests(self, near: Mapping[VmId, Iterable[VmId]]) -> list[FeedRequest]:
        """The traffic of some others around the migrations, who tests them, and whether they were migrated, too."""
        self._store.flush_pending()
        spans = choose_comparison_spans(self._store, self._span, near)
        fresh = {vm: span for vm, span in spans.items() if vm not in self._comparison_spans}
        self._comparison_spans |= fresh
        strangers = VmFilter(ids=tuple(sorted(vm.key for vm in fresh if vm not in self._visible_vms)))
        changes = [health_changes.build_feed_request(strangers, (), self._span, self._now)] if strangers.ids else []
        tests = self._monitors.build_comparison_requests(fresh)
        return [*changes, *self._metrics.build_comparison_requests(fresh), *tests]

    def _probe_vms(self, vms: Iterable[VmId]) -> None:
        if self._settings.probe_port is None:
            return
        if self._reader.includes_now:
            addresses = {vm: self._addresses.get(vm) for vm in vms}
            probe_addresses(addresses, self._window.end, self._store, self._session)
        else:
            for vm in vms:
                self._store.add_refusal(Signal.PROBE, vm.key, PAST_WINDOW_REASON)

    def _resolve_vms(self) -> ResolvedScope:
        """The VMs in scope, by now all known, in Azure's spelling where it is known."""
        found = self._resolution.resolve_vms()
        spelt = {vm: vm for vm in self._visible_vms}
        for vm in found.vms:
            if vm not in found.missing:
                self._store.add_item(VmInventory(VirtualMachine(id=vm)))
        asked = [vm for vm in found.vms if vm not in self._scope.finished]
        return ResolvedScope(tuple(spelt.get(vm) or self._store.find_best_spelling(vm) for vm in asked), found.missing)

    def _record_unread_feeds(self, vms: tuple[VmId, ...]) -> None:
        """What could not be seen, once all that concerns everybody was asked."""
        blind = self._unread_feeds
        blind.invisible_subscriptions = sorted(self._resolution.list_invisible_subscriptions())
        blind.require_any_answer(any_shown=bool(self._visible_vms))
        if not self._scope.allow_empty:
            self._resolution.require_visible_subscriptions()
        if not vms:
            self._watcher.warn("there is no VM in scope")
        if len(vms) > WHOLE_READ_LIMIT and self._scope.screens:
            for fault in blind.list_screen_faults(self._health_request):
                self._watcher.warn(fault)
        blind.record_health_coverage(vms, self._visible_vms, self._health_request)

    def _build_transcripts(
        self, vms: tuple[VmId, ...], few: tuple[VmId, ...], teller: TranscriptBuilder
    ) -> Iterator[Transcript]:
        """The VMs: those that were read whole or are calm at once, the others as their answers come."""
        numbers = find_suspects(self._store, self._span, self._needs.triggers)
        # Those of which something telling was seen, or of which it could not be seen whether they were migrated.
        many, unread = set(vms) - set(few), self._unread_feeds.unread_vms
        is_deep = not self._scope.screens
        suspicious = {vm for vm in many if is_deep or self._store.find_vm_number(vm) in numbers or vm in unread}
        calm = many - suspicious
        nearby = find_nearby_vms(self._store, suspicious, calm) if suspicious else {}
        spans = self._choose_spans(suspicious) if self._scope.screens else None
        self._reader.submit_requests(self._build_comparison_requests(nearby))
        self._reader.submit_requests(self._logs.build_suspect_requests(spans or {}))
        search = self._heartbeats.build_search(self._who, self._subscriptions, suspicious, followed=False)
        self._reader.submit_requests(search if suspicious else ())
        calm |= self._comparison_spans.keys()
        waiting = suspicious | (self._comparison_spans.keys() if not few else set())
        for vm in (*vms, *(self._comparison_spans if few else ())):
            if vm not in waiting:
                yield self._build_transcript(teller, vm, calm=vm in calm)
        self._reader.finish_requests()
        for vm in self._comparison_spans if not few else ():
            yield self._build_transcript(teller, vm, calm=True)
        yield from self._build_suspects(suspicious, spans, teller)

    def _build_suspects(
        self, suspicious: Collection[VmId], spans: Spans | None, teller: TranscriptBuilder
    ) -> Iterator[Transcript]:
        """The suspicious, some at a time: while these are told and let go the next are already asked for."""
        groups = self._metrics.group_vms(sorted(suspicious, key=lambda vm: vm.key), SUSPECTS_AT_ONCE)
        if groups:
            return_large_blocks()
        for some, following in zip([(), *groups], [*groups, ()], strict=True):
            self._reader.finish_requests(but_late=True)
            falls = {vm: self._metrics.find_first_fall(vm) for vm in some}
            uncertain = [vm for vm in some if not self._metrics.was_always_available(vm, (spans or {}).get(vm))]
            earlier = self._logs.build_earlier_requests(spans or {}, falls)
            self._reader.finish_requests(chain(earlier, self._health.build_history_requests(uncertain)), but_late=True)
            self._proofs.prove_vms(some, self._span, self._needs.triggers)
            waiting = {vm.key: vm for vm in some}
            self._reader.submit_requests(self._metrics.build_minute_requests(some))
            self._reader.submit_requests(self._balancers.build_metric_requests(some, suspicious))
            later = self._build_vm_requests(following, spans), self._heartbeats.build_requests(following, spans)
            self._reader.submit_requests(chain(*later))
            finished = self._reader.iterate_finished_scopes()
            while waiting and (key := next(finished, None)) is not None:
                if key in waiting:
                    yield self._build_transcript(teller, waiting.pop(key), calm=False)
            for vm in waiting.values():
                yield self._build_transcript(teller, vm, calm=False)

    def _choose_spans(self, vms: Iterable[VmId]) -> dict[VmId, Window]:
        """Over which span each of many VMs is measured: its window, and what lies around its first telling record."""
        first = find_first_suspicions(self._store, self._span, self._needs.triggers)
        spans = {}
        for vm in vms:
            begun = first.get(self._store.find_vm_number(vm) or 0, self._span.end)
            start = max(self._span.start, min(begun, self._window.start) - self._needs.margin)
            spans[vm] = self._span if vm in self._unread_feeds.unread_vms else Window(start, self._span.end)
        return spans

    def _build_transcript(self, teller: TranscriptBuilder, vm: VmId, *, calm: bool) -> Transcript:
        self._metrics.store_hours((vm,))
        self._store.flush_pending()
        has_workspace = self._heartbeats.has_workspace(vm)
        self._monitors.record_gap(vm, is_calm=calm)
        if self._resolution.is_unknown_vm(vm):
            reason = f"{UNKNOWN_VM_REASON}{self._resolution.suggest_names(vm)}"
            return self._unread_feeds.build_empty_transcript(vm, reason)
        number = self._store.find_vm_number(vm)
        refusals = self._unread_feeds.list_refusals(
            vm, self._heartbeats.search, has_workspace=has_workspace, is_calm=calm
        )
        transcript = teller.build_transcript(SelectedVm(vm, number), refusals)
        if number is not None:
            self._store.delete_points(number)
        return transcript
