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
from vmdiag.sources.network_path import NetworkPath, read_path, relation, unread_logs
from vmdiag.sources.protocol import reading_span
from vmdiag.sources.selection import Asked
from vmdiag.sources.undated_records import date_records

# Metric points arrive within a minute or two: a series that ends earlier than this has a silent tail.
LATE = timedelta(minutes=5)
# Two covered groups of a subscription are the sign of an export of all of it.
GROUPS_OF_ALL = 2
FEEDS = (Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE)
METRICS = (Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK)
# Not feeds: what the operator says and what is tried from here.
ASIDE = frozenset({Signal.OPERATOR, Signal.PROBE})

_record = msgspec.msgpack.Decoder(Record).decode
_gap = msgspec.msgpack.Decoder(Gap).decode


class Teller:
    """Makes transcripts over one window.

    `silence` is what is said of a signal that nothing was heard of; `infers` says that where several groups of a
    subscription were read, all of them were. `hidden` is what is said of a part of a VM's network that did not come,
    `is_network_whole` whether all that was asked of the networks was answered, `is_network_told` whether this cloud
    tells of them at all.
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
        self._inferred = self._subscriptions() if infers else {}
        self._infers = infers
        self.hidden = "not in the archive"
        self.is_network_whole = self.is_network_told = True

    def tell(self, asked: Asked) -> Transcript:
        """All that was heard of a VM in the window and, as far as its losses may reach back, before it."""
        if asked.number is None:
            gaps = tuple(Gap(signal=signal, window=self._span, reason=asked.reason) for signal in self._signals())
            return Transcript(vm=VirtualMachine(id=asked.id), gaps=gaps)
        path = read_path(self._database, asked.number, asked.id, whole=self.is_network_whole)
        vm = self._machine(asked.id, asked.number, path)
        records = (*self._records(asked.number), *self._nearby(path), *self._regional(vm.id))
        series = tuple(read_series(self._database, asked.number, self._between()))
        gaps = (*self._gaps(vm.id, asked.number, records, series), *self._unseen_changes(vm.id, asked.number, path))
        gaps = tuple(map(self._reaching_back, gaps))
        return Transcript(vm=vm, records=records, series=series, gaps=gaps)

    def faults(self) -> tuple[Gap, ...]:
        """What could not be used and concerns nobody in particular."""
        return tuple(coverage.gaps(self._database, self._window, (), {}))

    def _signals(self) -> list[Signal]:
        return sorted(signal for signal in self._needs.signals if signal not in ASIDE)

    def _machine(self, vm: VmId, number: int, path: NetworkPath) -> VirtualMachine:
        row = self._database.execute("select location, os, size, power from machine where num = ?", (number,))
        location, system, size, power = row.fetchone()
        return VirtualMachine(id=vm, location=location, os=system, size=size, power_state=power, network=path.known)

    def _between(self) -> tuple[float, float]:
        return self._span.start.timestamp(), self._span.end.timestamp()

    def _records(self, number: int) -> Iterator[Record]:
        found = self._database.execute(
            "select at, body from record where vm = ? and (at is null or at between ? and ?)",
            (number, *self._between()),
        )
        undated: list[Record] = []
        for at, body in found:
            if at is None:
                undated.append(_record(body))
            else:
                yield _record(body)
        yield from date_records(undated, self._span)

    def _nearby(self, path: NetworkPath) -> Iterator[Record]:
        """The network changes that touch the VM, or may: their relation cannot be known."""
        found: dict[tuple[str, int], Record] = {}
        for group in (path.group, *sorted(path.unread_groups)):
            found.update(self._changes("scope = ?", group))
        for one in sorted(path.known):
            # The resource itself and its parts (rules, routes, peerings): "0" is the character after "/".
            found.update(self._changes("(resource = ? or resource > ? || '/' and resource < ? || '0')", one, one, one))
        for (resource, _), record in sorted(found.items()):
            related = relation(resource, path, self.hidden)
            if related is not None:
                why = {"relation_reason": related.reason} if related.reason else {}
                yield replace(record, facts={**record.facts, "resource": resource, "relation": related.word, **why})

    def _changes(self, where: str, *values: str) -> Iterator[tuple[tuple[str, int], Record]]:
        query = f"select rowid, resource, body from nearby where {where} and at between ? and ?"  # noqa: S608 - ours
        for number, resource, body in self._database.execute(query, (*values, *self._between())):
            yield (resource, number), _record(body)

    def _regional(self, vm: VmId) -> Iterator[Record]:
        found = self._database.execute(
            "select body from regional where subscription in (?, '') and at between ? and ?",
            (vm.subscription.lower(), *self._between()),
        )
        for (body,) in found:
            yield _record(body)

    def _gaps(self, vm: VmId, number: int, records: tuple[Record, ...], series: tuple[Series, ...]) -> Iterator[Gap]:
        recorded = [_gap(body) for (body,) in self._database.execute("select body from missed where vm = ?", (number,))]
        yield from recorded
        yield from coverage.gaps(self._database, self._span, _scopes(vm), _measured(series))
        heard, halved = self._heard(vm)
        told = {gap.signal for gap in recorded} | self._recorded(vm)
        for signal in self._signals():
            refusals = list(self._refusals(signal, vm))
            yield from (gap for gap in refusals if gap.window != self._window)
            if signal in told:
                yield from (replace(gap, partial=True) for gap in refusals if gap.window == self._window)
                continue
            reason = "; ".join(gap.reason for gap in refusals if gap.window == self._window)
            if signal in FEEDS:
                # What a cut reading covers is told by its own gap.
                if signal not in halved or reason or heard.get(signal):
                    yield from self._feed_gap(signal, heard.get(signal, set()), reason)
            elif signal in METRICS or signal is Signal.HEARTBEAT:
                yield from self._series_gap(signal, [one for one in series if one.signal is signal], reason)
            elif not any(record.signal is signal for record in records):
                yield self._silent(signal, reason or self._silence)
        for signal in sorted(ASIDE):
            yield from self._refusals(signal, vm)

    def _unseen_changes(self, vm: VmId, number: int, path: NetworkPath) -> Iterator[Gap]:
        """Where a change of the VM's network would not have been seen, though its own group's log was read."""
        kept = self._database.execute("select 1 from missed where vm = ?", (number,)).fetchone()
        unread = self._unread_logs((path.group, *sorted(path.other_groups)))
        if kept or Signal.ACTIVITY in self._recorded(vm) or path.group in unread:
            # A recording has told it, or there is a gap for all changes.
            return
        if not path.is_followed and not self._infers:
            # An export without any network is usual; that Azure itself does not show it is worth a word.
            said = f"its network interfaces are {self.hidden}; changes of networks in other groups are not seen"
            # Which logs would have to be read is not known then: the rival may stand in any of them.
            is_cut = self.is_network_told and not self.is_network_whole
            yield replace(self._silent(Signal.ACTIVITY, said, partial=True), cut=is_cut)
        for group, reason in unread.items():
            why = reason or "its activity log is not in the archive"
            said = f"changes of the VM's network in the resource group {group.rpartition('/')[2]} were not seen: {why}"
            yield Gap(signal=Signal.ACTIVITY, window=self._window, reason=said, partial=True, cut=True)

    def _unread_logs(self, groups: Iterable[str]) -> dict[str, str]:
        """Of these groups the ones whose activity log was not read, and why where that is known."""
        inferred = {scope for signal, scope in self._inferred if signal is Signal.ACTIVITY}
        return unread_logs(
            self._database, (one for one in groups if one.rpartition("/resourcegroups/")[0] not in inferred)
        )

    def _reaching_back(self, gap: Gap) -> Gap:
        """What was not heard from the window's start on was not heard before it either."""
        if gap.window.start != self._window.start:
            return gap
        return replace(gap, window=Window(self._span.start, gap.window.end))

    def _silent(self, signal: Signal, reason: str, *, partial: bool = False) -> Gap:
        return Gap(signal=signal, window=self._window, reason=reason, partial=partial)

    def _refusals(self, signal: Signal, vm: VmId) -> Iterator[Gap]:
        """What could not be read of the VM, its group or its subscription; over the whole window, or a part of it."""
        found = self._database.execute(
            "select reason, since, until, partial from refused where signal = ? and scope in (?, ?, ?) order by reason",
            (signal, *_scopes(vm)),
        )
        for reason, since, until, partial in found:
            whole = Window(datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC))
            window = whole if until else self._window
            yield Gap(signal=signal, window=window, reason=reason, partial=bool(partial))

    def _feed_gap(self, signal: Signal, heard: set[str], reason: str) -> Iterator[Gap]:
        if not heard:
            yield self._silent(signal, reason or NOT_READ[signal])
        elif "" not in heard or reason:
            said = (reason, "" if "" in heard else min(heard))
            yield self._silent(signal, "; ".join(filter(None, said)), partial=True)

    def _series_gap(self, signal: Signal, series: list[Series], reason: str) -> Iterator[Gap]:
        times = [one.times[-1] for one in series if one.times]
        if not series:
            yield self._silent(signal, reason or self._silence)
        elif not times:
            yield self._silent(signal, reason or "asked for, and answered without a single value")
        else:
            if reason:
                yield self._silent(signal, reason, partial=True)
            # For heartbeats a missing tail is the symptom itself.
            if signal in METRICS and self._window.end - max(times) > LATE:
                tail = Window(max(times), self._window.end)
                yield Gap(signal=signal, window=tail, reason=f"no readings after {max(times):%Y-%m-%d %H:%M}Z")

    def _heard(self, vm: VmId) -> tuple[dict[str, set[str]], set[str]]:
        """Why each signal that was heard may leave things out (an empty reason: it does not), and what was cut."""
        scopes = _scopes(vm)
        heard: defaultdict[str, set[str]] = defaultdict(set)
        halved: set[str] = set()
        for signal, partial, cut in self._database.execute(
            "select signal, partial, cut from covers where scope in (?, ?, ?)", scopes
        ):
            if cut and not partial:
                halved.add(signal)
            else:
                heard[signal].add(partial)
        for signal in FEEDS:
            heard[signal] |= self._inferred.get((signal, scopes[-1]), set())
        return heard, halved

    def _recorded(self, vm: VmId) -> set[str]:
        """The signals that a recording of this very VM says it heard."""
        found = self._database.execute(
            "select signal from covers where scope = ? and partial = '' and not cut", (vm.key,)
        )
        return {signal for (signal,) in found}

    def _subscriptions(self) -> dict[tuple[str, str], set[str]]:
        """What was read of several groups of a subscription."""
        groups: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
        for signal, scope, partial in self._database.execute("select signal, scope, partial from covers where not cut"):
            parts = scope.split("/")
            if len(parts) == 5:  # noqa: PLR2004 - /subscriptions/S/resourcegroups/G
                groups[signal, "/".join(parts[:3]), partial].add(scope)
        inferred: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for (signal, subscription, partial), scopes in groups.items():
            if len(scopes) >= GROUPS_OF_ALL:
                inferred[signal, subscription].add(partial)
        return inferred


def _measured(series: tuple[Series, ...]) -> dict[Signal, tuple[float, float]]:
    """From when to when each signal was measured."""
    spans: dict[Signal, tuple[float, float]] = {}
    for one in series:
        if one.times:
            first, last = spans.get(one.signal, (one.times[0].timestamp(), one.times[-1].timestamp()))
            spans[one.signal] = min(first, one.times[0].timestamp()), max(last, one.times[-1].timestamp())
    return spans


def _scopes(vm: VmId) -> tuple[str, str, str]:
    """Where a feed may have been read that concerns a VM: the VM, its group, its subscription."""
    subscription = f"/subscriptions/{vm.subscription}".lower()
    return vm.key, f"{subscription}/resourcegroups/{vm.resource_group}".lower(), subscription


NOT_READ = {
    Signal.ACTIVITY: "no activity log of this VM's resource group is in the archive",
    Signal.HEALTH: "no health history of this VM is in the archive",
    Signal.SERVICE: "no service health of this VM's subscription is in the archive",
}
