"""One live reading, in rounds: who is meant, what concerns all, what concerns the suspicious; must not judge.

A few VMs are read whole at once, in two rounds; where their ids are known beforehand the second asks only for what the
first has found: groups that hold their networks, workspaces that their agents write to.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import chain

from vmdiag.arm.session import Session
from vmdiag.errors import NotFound
from vmdiag.identity import VmId
from vmdiag.model import Needs, Signal, Transcript, VirtualMachine, Window
from vmdiag.sources import kql
from vmdiag.sources.azure import (
    _comparison_vms,
    activity_log,
    health_changes,
    health_history,
    heartbeat,
    inventory,
    metrics,
    network,
    probe,
    scoped_vms,
    service_events,
    virtual_machine,
)
from vmdiag.sources.azure._feed_reader import Reader, reason_of
from vmdiag.sources.azure._scope_resolution import Resolution
from vmdiag.sources.azure._unread_feeds import HIDDEN_PART, HISTORY, PATHS, SILENCE, Blind
from vmdiag.sources.azure.feed_request import Ask, group_of, subscription_of
from vmdiag.sources.decoding.resource_ids import scope as scope_of
from vmdiag.sources.items import Known, Row
from vmdiag.sources.protocol import Reading, Scope, Watcher, reading_span
from vmdiag.sources.scope_words import Resolved
from vmdiag.sources.selection import Asked, first_telling, suspects
from vmdiag.sources.store import Spool
from vmdiag.sources.transcripts import Teller

# So many VMs are read whole, and at once; of more, only the suspicious ones.
FEW = 8
# A window that ended longer ago than this is history: a state of now is no part of it.
NOW = timedelta(minutes=5)


class Run:
    """The state of one reading; `reading` is called once."""

    def __init__(self, session: Session, watcher: Watcher, scope: Scope, window: Window, needs: Needs) -> None:
        self._session = session
        self._watcher = watcher
        self._access = session.access
        self._scope = scope
        self._window = window
        self._needs = needs
        self._span = reading_span(window, needs)
        self._now = session.now
        self._spool = Spool()
        self._reader = Reader(session, self._spool, watcher)
        self._reader.present = self._now - window.end <= NOW
        self._shown: dict[VmId, scoped_vms.Shown] = {}
        # Dictionaries for their order and their quick look-up.
        self._writers: defaultdict[str, dict[VmId, None]] = defaultdict(dict)
        self._addresses: dict[VmId, str] = {}
        self._beating: set[tuple[str, VmId]] = set()
        self._asked: set[str] = set()
        who, subscriptions = scoped_vms.who(scope), scoped_vms.subscriptions(scope)
        self._inventory = inventory.ask(who, subscriptions, self._show)
        self._resolution = Resolution(
            scope=scope,
            reader=self._reader,
            spool=self._spool,
            watcher=watcher,
            asked=self._inventory,
            shown=self._shown,
        )
        self._changes = health_changes.ask(who, subscriptions, self._span, self._now)
        # The VMs that are known beforehand; what is found of them is followed at once, without waiting for the rest.
        stated = tuple(dict.fromkeys(scoped_vms.stated(scope).values()))
        self._known = stated if len(scope.vms) == len(stated) <= FEW else ()
        self._network = network.ask(who, subscriptions, self._meet, lambda: self._shared(self._known))
        self._search = heartbeat.search(who, subscriptions, self._write, lambda: self._beats(self._known))
        self._near: defaultdict[VmId, list[VmId]] = defaultdict(list)
        self._neighbours = network.neighbours(who, subscriptions, lambda vm, other: self._near[vm].append(other))
        self._witnesses: dict[VmId, Window] = {}

    def reading(self) -> Reading:
        """Read what concerns all, and promise the rest; raises `SourceError` when nothing could be read."""
        self._reader.finish([*self._graph(), *self._shared(self._known), *self._close(self._known)])
        found = self._settled()
        vms = tuple(vm for vm in found.vms if vm not in found.missing)
        few = vms if len(vms) <= FEW else ()
        later = [*self._shared(vms), *self._close(set(few) - set(self._known)), *self._beats(few)]
        others = {vm: [other for other in near if other not in vms] for vm, near in self._near.items()}
        self._reader.finish([*later, *self._witness(others)])
        # The logs that came last may tell of a migration, too.
        self._reader.finish(self._witness(others))
        self._probe(vms)
        blind = self._blind(vms)
        self._spool.close()
        teller = Teller(self._spool.database, self._window, self._needs, silence=SILENCE, infers=False)
        lost, is_cut = self._reader.failures.get(self._network), self._network in self._reader.cut
        teller.hidden = (PATHS if is_cut else HIDDEN_PART) if lost is None else f"not known ({reason_of(lost)})"
        teller.is_network_whole = lost is None and not is_cut
        # A cloud without Resource Graph is told of, and not mistrusted for ever.
        teller.is_network_told = not isinstance(lost, NotFound)
        return Reading(
            window=self._window,
            transcripts=chain(blind.missing(found.missing, self._needs), self._told(vms, few, teller, blind)),
            vms=found.vms,
            gaps=(*blind.of_run(), *teller.faults()),
            cloud=self._session.cloud.name,
        )

    # what is asked

    def _graph(self) -> Iterator[Ask]:
        """What Resource Graph answers for all at once."""
        yield from (self._inventory, self._changes, self._network)
        if not self._access.workspaces:
            yield self._search
        if 0 < len(self._scope.vms) <= FEW:
            # Of more VMs, or of a whole group, there are others in scope to compare with.
            yield self._neighbours

    def _shared(self, vms: Iterable[VmId]) -> Iterator[Ask]:
        """What one question answers for many: the logs of the VMs' groups and of those that hold their networks."""
        self._spool.flush()
        found = self._spool.database.execute("select resource from passage union select through from link")
        groups = {group_of(vm) for vm in vms} | {group for (one,) in found if (group := scope_of(one))}
        yield from activity_log.asks(sorted(groups - self._asked), self._span, self._now)
        subscriptions = {subscription_of(vm) for vm in vms}
        yield from service_events.asks(sorted(subscriptions - self._asked), self._span, self._now)
        self._asked |= groups | subscriptions

    def _close(self, vms: Iterable[VmId], spans: Mapping[VmId, Window] | None = None) -> Iterator[Ask]:
        """What takes a question a VM; with `spans` its view only where the inventory did not show whether it runs."""
        some = sorted(vms, key=lambda vm: vm.key)
        unseen = [vm for vm in some if spans is None or vm not in self._shown or not self._shown[vm].has_power]
        yield from virtual_machine.asks(unseen, self._write)
        yield from health_history.asks(some, self._span, self._now)
        for vm in some:
            yield from metrics.asks((vm,), self._span if spans is None else spans[vm], self._now)

    def _beats(self, vms: Iterable[VmId], spans: Mapping[VmId, Window] | None = None) -> Iterator[Ask]:
        """The heartbeats, in the workspaces that were given, else in those that were found."""
        start = self._span.start if not spans else min(span.start for span in spans.values())
        some = set(vms)
        for workspace in self._access.workspaces:
            self._writers[workspace] = dict.fromkeys(sorted(some, key=lambda vm: vm.key))
        for workspace, writers in self._writers.items():
            fresh = [vm for vm in writers if vm in some and (workspace, vm) not in self._beating]
            self._beating.update((workspace, vm) for vm in fresh)
            yield from heartbeat.asks(workspace, fresh, Window(start, self._span.end))

    def _witness(self, near: Mapping[VmId, Iterable[VmId]]) -> list[Ask]:
        """The traffic of some others around the migrations, and whether they were migrated themselves."""
        self._spool.flush()
        spans = _comparison_vms.around_migrations(self._spool.database, self._span, near)
        fresh = {vm: span for vm, span in spans.items() if vm not in self._witnesses}
        self._witnesses |= fresh
        strangers = kql.Who(ids=tuple(sorted(vm.key for vm in fresh if vm not in self._shown)))
        changes = [health_changes.ask(strangers, (), self._span, self._now)] if strangers.ids else []
        return [*changes, *metrics.witness_asks(fresh)]

    def _show(self, row: Row) -> None:
        one = scoped_vms.shown(row)
        if one is not None:
            self._shown[one.id] = one

    def _meet(self, vm: VmId, address: str) -> None:
        self._addresses.setdefault(vm, address)

    def _write(self, vm: VmId, workspace: str) -> None:
        if not self._access.workspaces:
            self._writers[workspace].setdefault(vm)

    def _probe(self, vms: Iterable[VmId]) -> None:
        if self._access.probe is None:
            return
        if self._reader.present:
            addresses = {vm: self._addresses.get(vm) for vm in vms}
            probe.probe(addresses, self._window.end, self._spool, self._session)
        else:
            for vm in vms:
                self._spool.refuse(Signal.PROBE, vm.key, HISTORY)

    # who is meant

    def _settled(self) -> Resolved:
        """The VMs in scope, by now all known, in Azure's spelling where it is known."""
        found = self._resolution.resolve()
        spelt = {vm: vm for vm in self._shown}
        for vm in found.vms:
            if vm not in found.missing:
                self._spool.add(Known(VirtualMachine(id=vm)))
        vms = (spelt.get(vm) or self._spool.spelling(vm) for vm in found.vms if vm not in self._scope.finished)
        return Resolved(tuple(vms), found.missing)

    # what is told

    def _blind(self, vms: tuple[VmId, ...]) -> Blind:
        """What could not be seen, once all that concerns everybody was asked."""
        blind = Blind(self._spool, self._reader, self._window, self._span, self._now)
        blind.absent = sorted(self._resolution.absent())
        blind.refuse_silence(any_shown=bool(self._shown))
        if not self._scope.allow_empty:
            self._resolution.require_visible()
        if not vms:
            self._watcher.warn("there is no VM in scope")
        blind.tell_graph(vms, self._shown, self._changes)
        return blind

    def _told(self, vms: tuple[VmId, ...], few: tuple[VmId, ...], teller: Teller, blind: Blind) -> Iterator[Transcript]:
        """The VMs: those that were read whole or are calm at once, the others as their answers come."""
        suspicious = set() if few else self._suspicious(vms, blind)
        spans = self._deciding(suspicious, blind)
        self._reader.add([*self._close(suspicious, spans), *self._beats(suspicious, spans)])
        calm = set(vms) - suspicious - set(few)
        self._reader.add(self._witness(_comparison_vms.by_place(self._spool.database, suspicious, calm)))
        calm |= self._witnesses.keys()
        waiting = {vm.key: vm for vm in (*suspicious, *self._witnesses)} if not few else {}
        for vm in (*vms, *(self._witnesses if few else ())):
            if vm.key not in waiting:
                yield self._tell(vm, teller, blind, calm=vm in calm)
        for key in self._reader.finished():
            if key in waiting:
                yield self._tell(vm := waiting.pop(key), teller, blind, calm=vm in calm)

    def _suspicious(self, vms: tuple[VmId, ...], blind: Blind) -> set[VmId]:
        """The VMs of which something telling was seen, or of which it could not be seen whether they were migrated."""
        numbers = suspects(self._spool.database, self._span, self._needs.triggers)
        return {vm for vm in vms if self._spool.number(vm) in numbers or vm in blind.unseen}

    def _deciding(self, vms: Iterable[VmId], blind: Blind) -> dict[VmId, Window]:
        """Over which span each of many VMs is measured: its window, and what lies around its first telling record.

        A fortnight of minutes is ten megabytes a VM; of one that was found by a record its onset lies about there.
        """
        first = first_telling(self._spool.database, self._span, self._needs.triggers)
        spans = {}
        for vm in vms:
            number = self._spool.number(vm)
            begun = first.get(number, self._span.end) if number is not None else self._span.end
            start = max(self._span.start, min(begun, self._window.start) - self._needs.margin)
            spans[vm] = self._span if vm in blind.unseen else Window(start, self._span.end)
        return spans

    def _tell(self, vm: VmId, teller: Teller, blind: Blind, *, calm: bool = False) -> Transcript:
        self._spool.flush()
        blind.tell(vm, self._writers, self._search, calm=calm)
        if self._resolution.is_gone(vm):
            return blind.stranger(vm, self._needs, self._resolution.guess(vm))
        return teller.tell(Asked(vm, self._spool.number(vm)))
