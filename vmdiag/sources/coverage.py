"""What was not heard of a VM, and which of it another reading makes good.

The contract's rule: what was read in part counts as not read, unless another feed of the same signal was read whole
over that span. It is decided here, so that whoever judges need only look at a gap's `cut`.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from vmdiag.model import Gap, Needs, Record, Series, Signal, Window
from vmdiag.sources.items import IncompleteRead
from vmdiag.sources.network_path import NetworkPath
from vmdiag.sources.protocol import reading_span
from vmdiag.sources.stored_items import EARLIEST, LATEST, Refusal, StoredItems, StoredVm
from vmdiag.values import Struct, field, replace

# Of the health signal only these tell every annotation; Resource Health's history names none, the log leaves some out.
HEALTH_CHANGES_FORM = "resource-graph-health-changes"
ANNOTATION_FORMS = frozenset({HEALTH_CHANGES_FORM, "event-grid", "transcripts"})
# Answers of a service that holds all there is of its span: few rows, and their times do not bound what was asked.
ANSWER_FORMS = frozenset({HEALTH_CHANGES_FORM, "service-events"})
MEASURED_SIGNALS = frozenset({Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK, Signal.HEARTBEAT})
MIGRATION_SIGNALS = frozenset({Signal.ACTIVITY, Signal.HEALTH})  # either of them, read whole, tells of one
FEED_SIGNALS = (Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE)
# Not feeds: what the operator says and what is tried from here.
NON_FEED_SIGNALS = frozenset({Signal.OPERATOR, Signal.PROBE, Signal.PROOF})
# What others see of the VM, where somebody set that up: no gap where there is none.
WITNESS_SIGNALS = frozenset({Signal.MONITOR, Signal.BALANCER, Signal.FLOWS, Signal.APPLICATION, Signal.CONSOLE})
# What a VM's story is made of; where one of them was not heard, there is a gap.
STORY_SIGNALS = tuple(sorted(set(Signal) - NON_FEED_SIGNALS - WITNESS_SIGNALS))
# Metric points arrive within a minute or two: a series that ends earlier than this has a silent tail.
TAIL_TOLERANCE = timedelta(minutes=5)
# Two covered groups of a subscription are the sign of an export of all of it.
WHOLE_SUBSCRIPTION_GROUPS = 2
NOT_IN_ARCHIVE = "not in the archive"
UNREAD_REASONS = {
    Signal.ACTIVITY: "no activity log of this VM's resource group is in the archive",
    Signal.HEALTH: "no health history of this VM is in the archive",
    Signal.SERVICE: "no service health of this VM's subscription is in the archive",
}

# Of a fleet most VMs fared alike; those that did not are few.
SHARED_LIMIT = 256

SecondsSpan = tuple[float, float]


class SourceLimits(Struct, frozen=True, kw_only=True):
    """What a source is known to leave out.

    `silence` is what is said of a signal that nothing was heard of, `unread_reasons` what of feeds; `infers` says that
    where several groups of a subscription were read, all of them were. `missing_phrase` is what is said of a part of a
    VM's network that did not
    come, `is_network_whole` whether all that was asked of the networks was answered, `is_network_told` whether this
    cloud tells of them at all.
    """

    silence: str = NOT_IN_ARCHIVE
    unread_reasons: Mapping[Signal, str] = field(default_factory=lambda: UNREAD_REASONS)
    infers: bool = True
    missing_phrase: str = NOT_IN_ARCHIVE
    is_network_whole: bool = True
    is_network_told: bool = True


class ReadFeeds(NamedTuple):
    """What was read of a VM's feeds and what was not: VMs that fared alike share their gaps.

    `covered` are the signals that were heard, each with why it may leave things out (empty: it does not), `cut` those
    of which a reading was cut, `told` those that a recording tells of, `recorded` those with records, and `measured`
    those with series, each with its last time. `hides_networks` says that it is not known in which networks the VM is,
    `unread_logs` are the other groups through which its traffic passes, and why their log was not read.
    """

    refusals: tuple[Refusal, ...]
    covered: frozenset[tuple[str, str]]
    cut: frozenset[str]
    told: frozenset[str]
    recorded: frozenset[Signal]
    measured: tuple[tuple[Signal, datetime | None], ...]
    hides_networks: bool
    unread_logs: tuple[tuple[str, str], ...]

    def list_refusals(self, signal: Signal, window: Window) -> Iterator[Gap]:
        """What could not be read of a signal, in order of the reasons; over this window where none was named."""
        for each, reason, since, until, partial in self.refusals:
            if each == signal:
                span = Window(datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC))
                yield Gap(signal=signal, window=span if until else window, reason=reason, partial=bool(partial))


class GapFinder:
    """Finds what was not heard in a window, or before it in `span`."""

    def __init__(self, store: StoredItems, window: Window, needs: Needs, limits: SourceLimits) -> None:
        self.span = reading_span(window, needs)
        self._store = store
        self._window = window
        self._limits = limits
        self._list_gaps = lru_cache(SHARED_LIMIT)(self._find_gaps)
        # Why what was read of several groups of a subscription may leave things out, by signal and subscription.
        self._inferred: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        groups: Counter[tuple[str, str, str]] = Counter()
        for signal, scope, partial in store.list_covered_scopes() if limits.infers else ():
            parts = scope.split("/")
            if len(parts) == 5:  # noqa: PLR2004 - /subscriptions/S/resourcegroups/G
                groups[signal, "/".join(parts[:3]), partial] += 1
        for (signal, subscription, partial), count in groups.items():
            if count >= WHOLE_SUBSCRIPTION_GROUPS:
                self._inferred[signal, subscription].add(partial)

    def find_gaps(
        self,
        vm: StoredVm,
        path: NetworkPath,
        records: tuple[Record, ...],
        series: tuple[Series, ...],
        refusals: Iterable[Refusal],
    ) -> tuple[Gap, ...]:
        """The gaps of a VM; what was not heard from the window's start on was not heard before it either.

        `refusals` are those of this VM that the store does not hold.
        """
        scopes = vm.scopes
        coverage = self._store.read_coverage(scopes)
        recorded = self._store.read_recorded_gaps(vm.number)
        # The signals that a recording of this very VM says it heard.
        stated = {signal for scope, signal, partial, cut in coverage if scope == scopes[0] and not partial and not cut}
        # Where a recording has told of the VM's network it needs no other word, nor where all changes are unread.
        shows_changes = any(
            signal == Signal.ACTIVITY and scope != scopes[0] and not cut for scope, signal, _, cut in coverage
        ) and not (recorded or Signal.ACTIVITY in stated)
        inferred = {(signal, why) for signal in FEED_SIGNALS for why in self._inferred.get((signal, scopes[2]), ())}
        heard = ReadFeeds(
            refusals=tuple(sorted((*self._store.read_refusals(scopes), *refusals), key=itemgetter(1))),
            covered=frozenset((signal, partial) for _, signal, partial, cut in coverage if partial or not cut).union(
                inferred
            ),
            cut=frozenset(signal for _, signal, partial, cut in coverage if cut and not partial),
            told=frozenset(stated.union(gap.signal for gap in recorded)),
            recorded=frozenset(record.signal for record in records),
            measured=tuple((one.signal, one.times[-1] if one.times else None) for one in series),
            hides_networks=shows_changes and not path.has_known_networks,
            unread_logs=tuple(find_unread_logs(self._store, path.other_groups)) if shows_changes else (),
        )
        ends: defaultdict[Signal, list[float]] = defaultdict(list)
        for one in series:
            ends[one.signal] += [at.timestamp() for at in (one.times[:1] + one.times[-1:])]
        measured = {signal: (min(each), max(each)) for signal, each in ends.items() if each}
        lacks = find_read_gaps(self._store, self.span, scopes, measured)
        return (*map(self._extend_gap, chain(recorded, lacks)), *self._list_gaps(heard))

    def _extend_gap(self, gap: Gap) -> Gap:
        if gap.window.start != self._window.start:
            return gap
        return replace(gap, window=Window(self.span.start, gap.window.end))

    def _find_gaps(self, heard: ReadFeeds) -> tuple[Gap, ...]:
        gaps = chain(self._find_signal_gaps(heard), self._find_unseen_changes(heard))
        return tuple(map(self._extend_gap, gaps))

    def _find_signal_gaps(self, heard: ReadFeeds) -> Iterator[Gap]:
        for signal in STORY_SIGNALS:
            refusals = list(heard.list_refusals(signal, self._window))
            yield from (gap for gap in refusals if gap.window != self._window)
            whole = [gap for gap in refusals if gap.window == self._window]
            reason = "; ".join(gap.reason for gap in whole)
            partly = {partial for each, partial in heard.covered if each == signal}
            if signal in heard.told:
                yield from (replace(gap, partial=True) for gap in whole)
            elif signal in MEASURED_SIGNALS:
                yield from self._find_series_gaps(signal, [at for each, at in heard.measured if each is signal], reason)
            elif signal not in FEED_SIGNALS:
                if signal not in heard.recorded:
                    yield self._make_window_gap(signal, reason or self._limits.silence)
            elif not partly:
                # What a cut reading covers is told by its own gap.
                if signal not in heard.cut or reason:
                    yield self._make_window_gap(signal, reason or self._limits.unread_reasons[signal])
            elif "" not in partly or reason:
                said = (reason, "" if "" in partly else min(partly))
                yield self._make_window_gap(signal, "; ".join(filter(None, said)), partial=True)
        for signal in sorted(NON_FEED_SIGNALS | WITNESS_SIGNALS):
            yield from heard.list_refusals(signal, self._window)

    def _find_series_gaps(self, signal: Signal, ends: list[datetime | None], reason: str) -> Iterator[Gap]:
        last = max(filter(None, ends), default=None)
        if last is None:
            silence = "asked for, and answered without a single value" if ends else self._limits.silence
            yield self._make_window_gap(signal, reason or silence)
            return
        if reason:
            yield self._make_window_gap(signal, reason, partial=True)
        # For heartbeats a missing tail is the symptom itself.
        if signal is not Signal.HEARTBEAT and self._window.end - last > TAIL_TOLERANCE:
            tail = Window(last, self._window.end)
            yield Gap(signal=signal, window=tail, reason=f"no readings after {last:%Y-%m-%d %H:%M}Z")

    def _find_unseen_changes(self, heard: ReadFeeds) -> Iterator[Gap]:
        """Where a change of the VM's network would not have been seen, though its own group's log was read."""
        limits = self._limits
        if heard.hides_networks and not limits.infers:
            # An export without any network is usual; that Azure itself does not show it is worth a word.
            said = (
                f"its network interfaces are {limits.missing_phrase}; changes of networks in other groups are not seen"
            )
            # Which logs would have to be read is not known then: the rival may stand in any of them.
            is_cut = limits.is_network_told and not limits.is_network_whole
            yield replace(self._make_window_gap(Signal.ACTIVITY, said, partial=True), cut=is_cut)
        for group, reason in heard.unread_logs:
            why = reason or "its activity log is not in the archive"
            said = f"changes of the VM's network in the resource group {group.rpartition('/')[2]} were not seen: {why}"
            yield Gap(signal=Signal.ACTIVITY, window=self._window, reason=said, partial=True, cut=True)

    def _make_window_gap(self, signal: Signal, reason: str, *, partial: bool = False) -> Gap:
        return Gap(signal=signal, window=self._window, reason=reason, partial=partial)


def find_read_gaps(
    store: StoredItems, window: Window, scopes: Collection[str], measured: Mapping[Signal, SecondsSpan]
) -> Iterator[Gap]:
    """What readings lacked of a VM with these scopes, of which so much was measured; without scopes, of everybody.

    A lack outside the window is none.
    """
    for lack in store.read_incomplete_reads(scopes):
        since, until = lack.since or window.start, lack.until or window.end
        if since <= window.end and until >= window.start and lack.unaffected_vm not in scopes:
            span = Window(max(since, window.start), min(until, window.end))
            cut = lack.lowers_verdict and not _is_read_elsewhere(store, lack, scopes, measured)
            more = f" and {lack.count - 1} more" if lack.count > 1 else ""
            where = f"{lack.place}, line {lack.line}" if lack.line else lack.place
            reason = f"malformed: {where}: {lack.reason}{more}" if lack.is_record else f"{lack.place}: {lack.reason}"
            yield Gap(signal=lack.signal, window=span, reason=reason, partial=True, cut=cut)


def list_half_read_vms(store: StoredItems, window: Window, vms: Iterable[StoredVm]) -> Iterator[StoredVm]:
    """Those whose live migration may stand in what was cut: neither their log nor their annotations were read whole."""
    if store.database.execute("select 1 from lack where lowers").fetchone() is None:
        return
    for vm in vms:
        cut = {gap.signal for gap in find_read_gaps(store, window, vm.scopes, {}) if gap.cut}
        whole = {signal for _, signal, _, is_cut in store.read_coverage(vm.scopes) if not is_cut} - cut
        if not cut.isdisjoint(MIGRATION_SIGNALS) and whole.isdisjoint(MIGRATION_SIGNALS):
            yield vm


def _is_read_elsewhere(
    store: StoredItems, lack: IncompleteRead, scopes: Collection[str], measured: Mapping[Signal, SecondsSpan]
) -> bool:
    """Whether another reading of the same signal was whole over the span of which something may be missing."""
    readings = store.read_complete_reads(lack.signal, scopes)
    if lack.signal in MEASURED_SIGNALS:
        first, last = measured.get(lack.signal, (EARLIEST, LATEST))
        return any(since <= first and until >= last for _, since, until in readings)
    first, last = (at.timestamp() if at else 0 for at in (lack.first, lack.last))
    return any(
        (form in ANSWER_FORMS and form != lack.form) or 0 < since <= first <= last <= until or since == EARLIEST
        for form, since, until in readings
        if lack.signal is not Signal.HEALTH or form in ANNOTATION_FORMS
    )


def find_unread_logs(store: StoredItems, groups: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Of these groups the ones whose activity log was not read to its end, and why where that is known."""
    for group in sorted(groups):
        scopes = (group, "/".join(group.split("/")[:3]))
        if not any(signal == Signal.ACTIVITY and not cut for _, signal, _, cut in store.read_coverage(scopes)):
            reasons = (reason for signal, reason, *_ in store.read_refusals(scopes) if signal == Signal.ACTIVITY)
            yield group, "; ".join(dict.fromkeys(reasons))
