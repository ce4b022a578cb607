"""Tells one VM from the spool: its records, series and what was not heard of it; must not judge."""

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec

from vmdiag.identity import VmId
from vmdiag.model import Gap, Needs, Record, Series, Signal, Transcript, VirtualMachine, Window
from vmdiag.sources.archive._choice import Asked
from vmdiag.sources.archive._network import network_of, relation

# Metric points arrive within a minute or two: a series that ends earlier than this has a silent tail.
LATE = timedelta(minutes=5)
# Two covered groups of a subscription are the sign of an export of all of it.
GROUPS_OF_ALL = 2
FEEDS = (Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE)
METRICS = (Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK)
# Not feeds: what the operator says and what is tried from here.
ASIDE = (Signal.OPERATOR, Signal.PROBE)

_record = msgspec.msgpack.Decoder(Record).decode
_gap = msgspec.msgpack.Decoder(Gap).decode


class Teller:
    """Makes transcripts over one window."""

    def __init__(self, database: sqlite3.Connection, window: Window, needs: Needs) -> None:
        self._database = database
        self._window = window
        self._needs = needs
        room = window.start - datetime.min.replace(tzinfo=UTC)
        self._span = Window(window.start - min(needs.margin, room), window.end)
        self._covered = self._coverage()

    def tell(self, asked: Asked) -> Transcript:
        """All that was heard of a VM, in the window and the margin before it."""
        if asked.number is None:
            gaps = tuple(
                Gap(signal=signal, window=self._window, reason="nothing about this VM is in the archive")
                for signal in self._signals()
            )
            return Transcript(vm=VirtualMachine(id=asked.id), gaps=gaps)
        vm = self._machine(asked.id, asked.number)
        records = (*self._records(asked.number), *self._nearby(vm), *self._regional(vm.id))
        series = tuple(self._series(asked.number))
        gaps = tuple(self._gaps(vm.id, asked.number, records, series))
        return Transcript(vm=vm, records=records, series=series, gaps=gaps)

    def faults(self) -> tuple[Gap, ...]:
        """What could not be used and concerns nobody in particular."""
        return tuple(self._faults(0))

    def _signals(self) -> list[Signal]:
        return sorted(signal for signal in self._needs.signals if signal not in ASIDE)

    def _machine(self, vm: VmId, number: int) -> VirtualMachine:
        row = self._database.execute("select location, os, size, power from machine where num = ?", (number,))
        location, system, size, power = row.fetchone()
        network = network_of(self._database, number)
        return VirtualMachine(id=vm, location=location, os=system, size=size, power_state=power, network=network)

    def _between(self) -> tuple[float, float]:
        return self._span.start.timestamp(), self._span.end.timestamp()

    def _records(self, number: int) -> Iterator[Record]:
        found = self._database.execute(
            "select at, body from record where vm = ? and (at is null or at between ? and ?)",
            (number, *self._between()),
        )
        for at, body in found:
            record = _record(body)
            # A state without a time is as new as the archive.
            yield record if at is not None else replace(record, at=self._window.end)

    def _nearby(self, vm: VirtualMachine) -> Iterator[Record]:
        """The network changes that touch the VM, or may: those in its own group whose relation cannot be known."""
        group = f"/subscriptions/{vm.id.subscription}/resourcegroups/{vm.id.resource_group}".lower()
        found = dict(self._changes("scope = ?", group))
        for one in sorted(vm.network):
            # The resource itself and its parts (rules, routes, peerings): "0" is the character after "/".
            found.update(self._changes("(resource = ? or resource > ? || '/' and resource < ? || '0')", one, one, one))
        for (resource, _), record in sorted(found.items()):
            related = relation(resource, vm.network, in_group=resource.startswith(f"{group}/"))
            if related is not None:
                yield replace(record, facts={**record.facts, "resource": resource, "relation": related})

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

    def _series(self, number: int) -> Iterator[Series]:
        found = self._database.execute("select name, signal, times, vals from points where vm = ?", (number,))
        together: defaultdict[tuple[str, str], dict[float, float]] = defaultdict(dict)
        first, last = self._between()
        for name, signal, times, values in found:
            # Of two readings of one minute the larger is the fuller count.
            points = together[name, signal]
            for at, value in zip(array("d", times), array("d", values), strict=True):
                if first <= at <= last:
                    points[at] = max(value, points.get(at, value))
        for (name, signal), points in sorted(together.items()):
            ordered = sorted(points.items())
            yield Series(
                name=name,
                signal=Signal(signal),
                times=tuple(datetime.fromtimestamp(at, UTC) for at, _ in ordered),
                values=tuple(value for _, value in ordered),
            )

    def _gaps(self, vm: VmId, number: int, records: tuple[Record, ...], series: tuple[Series, ...]) -> Iterator[Gap]:
        recorded = [_gap(body) for (body,) in self._database.execute("select body from missed where vm = ?", (number,))]
        yield from recorded
        yield from self._faults(number)
        told = {gap.signal for gap in recorded} | self._covered_for(vm.key)
        for signal in self._signals():
            if signal in told:
                continue
            if signal in FEEDS:
                yield from self._feed_gap(signal, vm)
            elif signal in METRICS or signal is Signal.HEARTBEAT:
                yield from self._series_gap(signal, [one for one in series if one.signal is signal])
            elif not any(record.signal is signal for record in records):
                yield self._silent(signal, "not in the archive")

    def _silent(self, signal: Signal, reason: str, *, partial: bool = False) -> Gap:
        return Gap(signal=signal, window=self._window, reason=reason, partial=partial)

    def _feed_gap(self, signal: Signal, vm: VmId) -> Iterator[Gap]:
        group = f"/subscriptions/{vm.subscription}/resourcegroups/{vm.resource_group}".lower()
        heard = {
            partial
            for scope in (vm.key, group, f"/subscriptions/{vm.subscription}".lower())
            for partial in self._covered.get((signal, scope), ())
        }
        if not heard:
            yield self._silent(signal, NOT_READ[signal])
        elif "" not in heard:
            yield self._silent(signal, min(heard), partial=True)

    def _series_gap(self, signal: Signal, series: list[Series]) -> Iterator[Gap]:
        times = [one.times[-1] for one in series if one.times]
        if not series:
            yield self._silent(signal, "not in the archive")
        elif not times:
            yield self._silent(signal, "asked for, and answered without a single value")
        elif signal in METRICS and self._window.end - max(times) > LATE:
            # For heartbeats a missing tail is the symptom itself.
            tail = Window(max(times), self._window.end)
            yield Gap(signal=signal, window=tail, reason=f"no readings after {max(times):%Y-%m-%d %H:%M}Z")

    def _faults(self, number: int) -> Iterator[Gap]:
        found = self._database.execute(
            "select signal, file, line, reason, count from fault where vm = ? order by file, line", (number,)
        )
        for signal, file, line, reason, count in found:
            more = f" and {count - 1} more" if count > 1 else ""
            where = f"{file}, line {line}" if line else file
            yield self._silent(Signal(signal), f"malformed: {where}: {reason}{more}", partial=True)

    def _covered_for(self, key: str) -> set[Signal]:
        """The signals that a recording of this very VM says it heard."""
        return {signal for signal in self._needs.signals if "" in self._covered.get((signal, key), ())}

    def _coverage(self) -> dict[tuple[str, str], set[str]]:
        """What was said to be heard, by signal and scope; a subscription counts when several of its groups do."""
        covered: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        groups: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
        for signal, scope, partial in self._database.execute("select signal, scope, partial from covers"):
            covered[signal, scope].add(partial)
            parts = scope.split("/")
            if len(parts) == 5:  # noqa: PLR2004 - /subscriptions/S/resourcegroups/G
                groups[signal, "/".join(parts[:3]), partial].add(scope)
        for (signal, subscription, partial), scopes in groups.items():
            if len(scopes) >= GROUPS_OF_ALL:
                covered[signal, subscription].add(partial)
        return covered


NOT_READ = {
    Signal.ACTIVITY: "no activity log of this VM's resource group is in the archive",
    Signal.HEALTH: "no health history of this VM is in the archive",
    Signal.SERVICE: "no service health of this VM's subscription is in the archive",
}
