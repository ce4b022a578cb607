"""Tells one VM from the spool: its records, series and what was not heard of it; must not judge."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec

from vmdiag.identity import VmId
from vmdiag.model import Gap, Needs, Record, Series, Signal, Transcript, VirtualMachine, Window
from vmdiag.sources import coverage
from vmdiag.sources.metric_series import read_series
from vmdiag.sources.network_path import NetworkPath, find_unread_logs, read_path, relate_to_vm
from vmdiag.sources.protocol import reading_span
from vmdiag.sources.selection import SelectedVm
from vmdiag.sources.undated_records import date_records

# Metric points arrive within a minute or two: a series that ends earlier than this has a silent tail.
TAIL_TOLERANCE = timedelta(minutes=5)
# Two covered groups of a subscription are the sign of an export of all of it.
WHOLE_SUBSCRIPTION_GROUPS = 2
FEED_SIGNALS = (Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE)
METRIC_SIGNALS = (Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK)
# Not feeds: what the operator says and what is tried from here.
NON_FEED_SIGNALS = frozenset({Signal.OPERATOR, Signal.PROBE})

_decode_record = msgspec.msgpack.Decoder(Record).decode
_decode_gap = msgspec.msgpack.Decoder(Gap).decode


class TranscriptBuilder:
    """Makes transcripts over one window.

    `silence` is what is said of a signal that nothing was heard of; `infers` says that where several groups of a
    subscription were read, all of them were. `missing_phrase` is what is said of a part of a VM's network that did not
    come, `is_network_whole` whether all that was asked of the networks was answered, `is_network_told` whether this
    cloud tells of them at all.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        window: Window,
        needs: Needs,
        *,
        silence: str = "not in the archive",
        infers: bool = True,
    ) -> None:
        self._database = database
        self._window = window
        self._needs = needs
        self._silence = silence
        self._span = reading_span(window, needs)
        self._inferred = self._infer_whole_subscriptions() if infers else {}
        self._infers = infers
        self.missing_phrase = "not in the archive"
        self.is_network_whole = self.is_network_told = True

    def build_transcript(self, asked: SelectedVm) -> Transcript:
        """All that was heard of a VM in the window and, as far as its losses may reach back, before it."""
        if asked.number is None:
            gaps = tuple(Gap(signal=signal, window=self._span, reason=asked.reason) for signal in self._list_signals())
            return Transcript(vm=VirtualMachine(id=asked.id), gaps=gaps)
        path = read_path(self._database, asked.number, asked.id, whole=self.is_network_whole)
        vm = self._read_machine(asked.id, asked.number, path)
        records = (*self._read_records(asked.number), *self._read_network_changes(path), *self._read_incidents(vm.id))
        series = tuple(read_series(self._database, asked.number, self._get_span_seconds()))
        gaps = (
            *self._find_gaps(vm.id, asked.number, records, series),
            *self._find_unseen_changes(vm.id, asked.number, path),
        )
        gaps = tuple(map(self._extend_to_span_start, gaps))
        return Transcript(vm=vm, records=records, series=series, gaps=gaps)

    def find_unassigned_gaps(self) -> tuple[Gap, ...]:
        """What could not be used and concerns nobody in particular."""
        return tuple(coverage.find_gaps(self._database, self._window, (), {}))

    def _list_signals(self) -> list[Signal]:
        return sorted(signal for signal in self._needs.signals if signal not in NON_FEED_SIGNALS)

    def _read_machine(self, vm: VmId, number: int, path: NetworkPath) -> VirtualMachine:
        row = self._database.execute("select location, os, size, power from machine where num = ?", (number,))
        location, system, size, power = row.fetchone()
        return VirtualMachine(id=vm, location=location, os=system, size=size, power_state=power, network=path.resources)

    def _get_span_seconds(self) -> tuple[float, float]:
        return self._span.start.timestamp(), self._span.end.timestamp()

    def _read_records(self, number: int) -> Iterator[Record]:
        found = self._database.execute(
            "select at, body from record where vm = ? and (at is null or at between ? and ?)",
            (number, *self._get_span_seconds()),
        )
        undated: list[Record] = []
        for at, body in found:
            if at is None:
                undated.append(_decode_record(body))
            else:
                yield _decode_record(body)
        yield from date_records(undated, self._span)

    def _read_network_changes(self, path: NetworkPath) -> Iterator[Record]:
        """The network changes that touch the VM, or may: their relation cannot be known."""
        found: dict[tuple[str, int], Record] = {}
        for group in (path.group, *sorted(path.unread_groups)):
            found.update(self._query_changes("scope = ?", group))
        for one in sorted(path.resources):
            # The resource itself and its parts (rules, routes, peerings): "0" is the character after "/".
            found.update(
                self._query_changes("(resource = ? or resource > ? || '/' and resource < ? || '0')", one, one, one)
            )
        for (resource, _), record in sorted(found.items()):
            related = relate_to_vm(resource, path, self.missing_phrase)
            if related is not None:
                why = {"relation_reason": related.reason} if related.reason else {}
                yield replace(record, facts={**record.facts, "resource": resource, "relation": related.word, **why})

    def _query_changes(self, where: str, *values: str) -> Iterator[tuple[tuple[str, int], Record]]:
        query = f"select rowid, resource, body from nearby where {where} and at between ? and ?"  # noqa: S608 - ours
        for number, resource, body in self._database.execute(query, (*values, *self._get_span_seconds())):
            yield (resource, number), _decode_record(body)

    def _read_incidents(self, vm: VmId) -> Iterator[Record]:
        found = self._database.execute(
            "select body from regional where subscription in (?, '') and at between ? and ?",
            (vm.subscription.lower(), *self._get_span_seconds()),
        )
        for (body,) in found:
            yield _decode_record(body)

    def _find_gaps(
        self, vm: VmId, number: int, records: tuple[Record, ...], series: tuple[Series, ...]
    ) -> Iterator[Gap]:
        recorded = [
            _decode_gap(body) for (body,) in self._database.execute("select body from missed where vm = ?", (number,))
        ]
        yield from recorded
        yield from coverage.find_gaps(self._database, self._span, _list_scopes(vm), _find_measured_spans(series))
        heard, halved = self._read_coverage(vm)
        told = {gap.signal for gap in recorded} | self._list_recorded_signals(vm)
        for signal in self._list_signals():
            refusals = list(self._read_refusals(signal, vm))
            yield from (gap for gap in refusals if gap.window != self._window)
            if signal in told:
                yield from (replace(gap, partial=True) for gap in refusals if gap.window == self._window)
                continue
            reason = "; ".join(gap.reason for gap in refusals if gap.window == self._window)
            if signal in FEED_SIGNALS:
                # What a cut reading covers is told by its own gap.
                if signal not in halved or reason or heard.get(signal):
                    yield from self._find_feed_gaps(signal, heard.get(signal, set()), reason)
            elif signal in METRIC_SIGNALS or signal is Signal.HEARTBEAT:
                yield from self._find_series_gaps(signal, [one for one in series if one.signal is signal], reason)
            elif not any(record.signal is signal for record in records):
                yield self._make_window_gap(signal, reason or self._silence)
        for signal in sorted(NON_FEED_SIGNALS):
            yield from self._read_refusals(signal, vm)

    def _find_unseen_changes(self, vm: VmId, number: int, path: NetworkPath) -> Iterator[Gap]:
        """Where a change of the VM's network would not have been seen, though its own group's log was read."""
        kept = self._database.execute("select 1 from missed where vm = ?", (number,)).fetchone()
        unread = self._find_unread_logs((path.group, *sorted(path.other_groups)))
        if kept or Signal.ACTIVITY in self._list_recorded_signals(vm) or path.group in unread:
            # A recording has told it, or there is a gap for all changes.
            return
        if not path.has_known_networks and not self._infers:
            # An export without any network is usual; that Azure itself does not show it is worth a word.
            said = f"its network interfaces are {self.missing_phrase}; changes of networks in other groups are not seen"
            # Which logs would have to be read is not known then: the rival may stand in any of them.
            is_cut = self.is_network_told and not self.is_network_whole
            yield replace(self._make_window_gap(Signal.ACTIVITY, said, partial=True), cut=is_cut)
        for group, reason in unread.items():
            why = reason or "its activity log is not in the archive"
            said = f"changes of the VM's network in the resource group {group.rpartition('/')[2]} were not seen: {why}"
            yield Gap(signal=Signal.ACTIVITY, window=self._window, reason=said, partial=True, cut=True)

    def _find_unread_logs(self, groups: Iterable[str]) -> dict[str, str]:
        """Of these groups the ones whose activity log was not read, and why where that is known."""
        inferred = {scope for signal, scope in self._inferred if signal is Signal.ACTIVITY}
        return find_unread_logs(
            self._database, (one for one in groups if one.rpartition("/resourcegroups/")[0] not in inferred)
        )

    def _extend_to_span_start(self, gap: Gap) -> Gap:
        """What was not heard from the window's start on was not heard before it either."""
        if gap.window.start != self._window.start:
            return gap
        return replace(gap, window=Window(self._span.start, gap.window.end))

    def _make_window_gap(self, signal: Signal, reason: str, *, partial: bool = False) -> Gap:
        return Gap(signal=signal, window=self._window, reason=reason, partial=partial)

    def _read_refusals(self, signal: Signal, vm: VmId) -> Iterator[Gap]:
        """What could not be read of the VM, its group or its subscription; over the whole window, or a part of it."""
        found = self._database.execute(
            "select reason, since, until, partial from refused where signal = ? and scope in (?, ?, ?) order by reason",
            (signal, *_list_scopes(vm)),
        )
        for reason, since, until, partial in found:
            whole = Window(datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC))
            window = whole if until else self._window
            yield Gap(signal=signal, window=window, reason=reason, partial=bool(partial))

    def _find_feed_gaps(self, signal: Signal, partial_reasons: set[str], reason: str) -> Iterator[Gap]:
        if not partial_reasons:
            yield self._make_window_gap(signal, reason or UNREAD_REASONS[signal])
        elif "" not in partial_reasons or reason:
            said = (reason, "" if "" in partial_reasons else min(partial_reasons))
            yield self._make_window_gap(signal, "; ".join(filter(None, said)), partial=True)

    def _find_series_gaps(self, signal: Signal, series: list[Series], reason: str) -> Iterator[Gap]:
        times = [one.times[-1] for one in series if one.times]
        if not series:
            yield self._make_window_gap(signal, reason or self._silence)
        elif not times:
            yield self._make_window_gap(signal, reason or "asked for, and answered without a single value")
        else:
            if reason:
                yield self._make_window_gap(signal, reason, partial=True)
            # For heartbeats a missing tail is the symptom itself.
            if signal in METRIC_SIGNALS and self._window.end - max(times) > TAIL_TOLERANCE:
                tail = Window(max(times), self._window.end)
                yield Gap(signal=signal, window=tail, reason=f"no readings after {max(times):%Y-%m-%d %H:%M}Z")

    def _read_coverage(self, vm: VmId) -> tuple[dict[str, set[str]], set[str]]:
        """Why each signal that was heard may leave things out (an empty reason: it does not), and what was cut."""
        scopes = _list_scopes(vm)
        heard: defaultdict[str, set[str]] = defaultdict(set)
        halved: set[str] = set()
        for signal, partial, cut in self._database.execute(
            "select signal, partial, cut from covers where scope in (?, ?, ?)", scopes
        ):
            if cut and not partial:
                halved.add(signal)
            else:
                heard[signal].add(partial)
        for signal in FEED_SIGNALS:
            heard[signal] |= self._inferred.get((signal, scopes[-1]), set())
        return heard, halved

    def _list_recorded_signals(self, vm: VmId) -> set[str]:
        """The signals that a recording of this very VM says it heard."""
        found = self._database.execute(
            "select signal from covers where scope = ? and partial = '' and not cut", (vm.key,)
        )
        return {signal for (signal,) in found}

    def _infer_whole_subscriptions(self) -> dict[tuple[str, str], set[str]]:
        """What was read of several groups of a subscription."""
        groups: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
        for signal, scope, partial in self._database.execute("select signal, scope, partial from covers where not cut"):
            parts = scope.split("/")
            if len(parts) == 5:  # noqa: PLR2004 - /subscriptions/S/resourcegroups/G
                groups[signal, "/".join(parts[:3]), partial].add(scope)
        inferred: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for (signal, subscription, partial), scopes in groups.items():
            if len(scopes) >= WHOLE_SUBSCRIPTION_GROUPS:
                inferred[signal, subscription].add(partial)
        return inferred


def _find_measured_spans(series: tuple[Series, ...]) -> dict[Signal, tuple[float, float]]:
    """From when to when each signal was measured."""
    spans: dict[Signal, tuple[float, float]] = {}
    for one in series:
        if one.times:
            first, last = spans.get(one.signal, (one.times[0].timestamp(), one.times[-1].timestamp()))
            spans[one.signal] = min(first, one.times[0].timestamp()), max(last, one.times[-1].timestamp())
    return spans


def _list_scopes(vm: VmId) -> tuple[str, str, str]:
    """Where a feed may have been read that concerns a VM: the VM, its group, its subscription."""
    subscription = f"/subscriptions/{vm.subscription}".lower()
    return vm.key, f"{subscription}/resourcegroups/{vm.resource_group}".lower(), subscription


UNREAD_REASONS = {
    Signal.ACTIVITY: "no activity log of this VM's resource group is in the archive",
    Signal.HEALTH: "no health history of this VM is in the archive",
    Signal.SERVICE: "no service health of this VM's subscription is in the archive",
}
