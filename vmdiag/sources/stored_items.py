"""Everything that was read, by VM, in a private database: its tables, and what is asked of them."""

import sqlite3
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from vmdiag.identity import VmId
from vmdiag.model import Gap, Kind, Record, Series, Signal, VirtualMachine, Window
from vmdiag.sources.items import IncompleteRead, MergedTimes, list_instants, merge_times
from vmdiag.values import replace

SCHEMA = """
pragma journal_mode = off;
pragma synchronous = off;
pragma cache_size = -16384;
pragma locking_mode = exclusive;
create table machine (num integer primary key, key text unique, spelling text, location text, os text, size text,
    power text);
create table record (vm integer, at real, kind text, signal text, body blob);
create table points (vm integer, name text, signal text, times blob, vals blob);
create table tag (vm integer, name text, value text, primary key (vm, name, value)) without rowid;
create table computer (vm integer, name text, primary key (vm, name)) without rowid;
create table passage (vm integer, resource text, primary key (vm, resource)) without rowid;
create table link (resource text, through text, primary key (resource, through)) without rowid;
create table address (interface text, address text, primary key (interface, address)) without rowid;
create table nearby (resource text, scope text, at real, body blob);
create table regional (subscription text, at real, body blob);
create table covers (scope text, signal text, partial text, cut integer,
    primary key (scope, signal, partial, cut)) without rowid;
create table missed (vm integer, body blob);
create table refused (scope text, signal text, reason text, since real, until real, partial integer,
    primary key (scope, signal, reason, since)) without rowid;
create table whole (scope text, signal text, form text, first real, last real,
    primary key (scope, signal, form)) without rowid;
create table lack (scope text, signal text, place text, subject text, line integer, count integer, since real,
    until real, lowers integer, body blob, primary key (scope, signal, place, subject)) without rowid;
"""
INDEXES = """
create index record_of on record (vm, at);
create index record_is on record (kind, at);
create index points_of on points (vm);
create index nearby_of on nearby (resource);
create index nearby_in on nearby (scope);
create index missed_of on missed (vm);
"""
# The resource itself and its parts (rules, routes, peerings): "0" is the character after "/".
SELECT_CHANGES = """
select rowid, resource, body from nearby
where (scope = ?1 or resource = ?1 or resource > ?1 || '/' and resource < ?1 || '0') and at between ?2 and ?3
"""
SELECT_PLACES = """
select distinct link.through, machine.key from passage
join link on link.resource = passage.resource join machine on machine.num = passage.vm
where link.through like '%/virtualnetworks/%'
union all select location, key from machine where location is not null
"""

# What stands for the beginning and the end where a reading has none.
EARLIEST, LATEST = -1e12, 1e12

Spelling = tuple[str, str, str, str | None]
# A signal, why it could not be read, and, in seconds since 1970, from when to when (0: over the whole window); whether
# a part of it was.
Refusal = tuple[str, str, float, float, bool]

_decode_record = msgspec.msgpack.Decoder(Record).decode
_decode_gap = msgspec.msgpack.Decoder(Gap).decode
_decode_lack = msgspec.msgpack.Decoder(IncompleteRead).decode


class StoredVm(NamedTuple):
    """A VM that was seen: its number here, and its id in the best spelling."""

    number: int
    id: VmId

    @property
    def scopes(self) -> tuple[str, str, str]:
        """Where a feed may have been read that concerns it: the VM, its group, its subscription."""
        subscription = f"/subscriptions/{self.id.subscription}".lower()
        return self.id.key, f"{subscription}/resourcegroups/{self.id.resource_group}".lower(), subscription


class StoredItems:
    """What was read, by the number of a VM or by scopes: ids of VMs, groups and subscriptions in lower case."""

    def __init__(self) -> None:
        # An empty name is a temporary file that SQLite deletes; it stays in memory while it fits into the cache.
        self.database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self.database.executescript(SCHEMA)

    def list_vms(self) -> list[StoredVm]:
        """Every VM that was seen, by its id."""
        found = self.database.execute("select num, spelling from machine order by key")
        return [StoredVm(number, decode_vm_id(spelling)) for number, spelling in found]

    def find_vm_number(self, vm: VmId) -> int | None:
        """The number of a VM that was seen."""
        row = self.database.execute("select num from machine where key = ?", (vm.key,)).fetchone()
        return None if row is None else int(row[0])

    def find_best_spelling(self, vm: VmId) -> VmId:
        """The best spelling that was seen of an id."""
        row = self.database.execute("select spelling from machine where key = ?", (vm.key,)).fetchone()
        return vm if row is None else decode_vm_id(row[0])

    def list_tags(self) -> defaultdict[int, list[tuple[str, str]]]:
        """The tags of every VM that has any."""
        tags: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
        for number, name, value in self.database.execute("select vm, name, value from tag"):
            tags[number].append((name, value))
        return tags

    def list_computers(self) -> list[tuple[int, str]]:
        """What VMs are called inside their guests, in lower case."""
        return self.database.execute("select vm, name from computer").fetchall()

    def list_signals(self, number: int) -> set[Signal]:
        """Of which signals something was read of a VM."""
        query = "select signal from record where vm = ?1 union select signal from points where vm = ?1"
        return {Signal(signal) for (signal,) in self.database.execute(query, (number,))}

    def find_first_times(self, kinds: Collection[Kind], span: Window) -> dict[int, datetime]:
        """When the first record of these kinds was written of each VM; a state of now is as new as the end."""
        start, end = span.start.timestamp(), span.end.timestamp()
        found = self.database.execute(
            f"select vm, min(coalesce(at, ?)) from record where kind in ({_mark(kinds)})"  # noqa: S608 - marks alone
            " and (at is null or at between ? and ?) group by vm",
            (end, *kinds, start, end),
        )
        return {number: datetime.fromtimestamp(at, UTC) for number, at in found}

    def list_times(self, number: int, kinds: Collection[Kind], span: Window) -> list[datetime]:
        """When records of these kinds were written of a VM."""
        found = self.database.execute(
            f"select at from record where vm = ? and at between ? and ? and kind in ({_mark(kinds)})",  # noqa: S608 - marks alone
            (number, *_to_seconds(span), *kinds),
        )
        return [datetime.fromtimestamp(at, UTC) for (at,) in found]

    def list_migrations(self, span: Window) -> list[tuple[str, datetime]]:
        """The VMs, by their ids in lower case, that were migrated in a span, and when."""
        found = self.database.execute(
            "select key, at from record join machine on num = vm where kind in (?, ?) and at between ? and ?",
            (Kind.LIVE_MIGRATION, Kind.LIVE_MIGRATION_FAILED, *_to_seconds(span)),
        )
        return [(key, datetime.fromtimestamp(at, UTC)) for key, at in found]

    def group_by_place(self) -> list[set[str]]:
        """The ids in lower case of the VMs of each virtual network, then of each region."""
        places: defaultdict[str, set[str]] = defaultdict(set)
        for place, key in self.database.execute(SELECT_PLACES):
            places[place.partition("/subnets/")[0]].add(key)
        return list(places.values())

    def find_measured_vms(self, signals: Collection[Signal]) -> set[int]:
        """The VMs of which there are points of one of these signals."""
        query = f"select distinct vm from points where signal in ({_mark(signals)}) and length(times) > 0"  # noqa: S608
        return {number for (number,) in self.database.execute(query, tuple(signals))}

    def list_series_names(self, number: int, signal: Signal) -> list[str]:
        """What was measured of a VM by a signal, in order."""
        query = "select distinct name from points where vm = ? and signal = ? order by name"
        return [name for (name,) in self.database.execute(query, (number, signal))]

    def read_machine(self, vm: StoredVm, network: frozenset[str]) -> VirtualMachine:
        """What the inventory knows of a VM."""
        row = self.database.execute("select location, os, size, power from machine where num = ?", (vm.number,))
        location, system, size, power = row.fetchone()
        return VirtualMachine(id=vm.id, location=location, os=system, size=size, power_state=power, network=network)

    def read_records(self, number: int, span: Window) -> Iterator[Record]:
        """The records of a VM that have a time."""
        return self._select_records(
            "select body from record where vm = ? and at between ? and ?", number, *_to_seconds(span)
        )

    def read_undated_records(self, number: int) -> Iterator[Record]:
        """The records of a VM that nobody dated."""
        return self._select_records("select body from record where vm = ? and at is null", number)

    def read_incidents(self, subscription: str, span: Window) -> Iterator[Record]:
        """The service incidents of a subscription, and those that name none."""
        query = "select body from regional where subscription in (?, '') and at between ? and ?"
        return self._select_records(query, subscription.lower(), *_to_seconds(span))

    def read_network_changes(self, ids: Iterable[str], span: Window) -> list[tuple[str, Record]]:
        """The changes of network resources with these ids, of their parts, or in groups with these ids; by resource."""
        found: dict[tuple[str, int], bytes] = {}
        for one in ids:
            for number, resource, body in self.database.execute(SELECT_CHANGES, (one, *_to_seconds(span))):
                found[resource, number] = body
        return [(resource, _decode_record(body)) for (resource, _), body in sorted(found.items())]

    def _select_records(self, query: str, *values: str | float) -> Iterator[Record]:
        return (_decode_record(body) for (body,) in self.database.execute(query, values))

    def list_interfaces(self, number: int) -> set[str]:
        """The network interfaces that a VM names."""
        return {one for (one,) in self.database.execute("select resource from passage where vm = ?", (number,))}

    def list_links(self, resource: str) -> set[str]:
        """What traffic through a resource also passes through; what was read links to itself."""
        return {one for (one,) in self.database.execute("select through from link where resource = ?", (resource,))}

    def list_all_interfaces(self) -> list[tuple[str, int]]:
        """Every network resource that a VM names, its interfaces first of all, and the VM's number."""
        return self.database.execute("select resource, vm from passage").fetchall()

    def list_addresses(self) -> list[tuple[str, str]]:
        """The private addresses that were read, and the interface of each."""
        return self.database.execute("select address, interface from address").fetchall()

    def read_series(self, number: int, span: Window) -> Iterator[Series]:
        """Every metric of a VM, in order of time, without repeats."""
        found = self.database.execute("select name, signal, times, vals from points where vm = ?", (number,))
        together: defaultdict[tuple[str, str], list[tuple[bytes, bytes]]] = defaultdict(list)
        for name, signal, times, values in found:
            together[name, signal].append((times, values))
        first, last = _to_seconds(span)
        # Metrics that were read together have the same 20,000 minutes: these are put in order once.
        known: dict[tuple[bytes, ...], tuple[MergedTimes, slice, tuple[datetime, ...]]] = {}
        for (name, signal), blobs in sorted(together.items()):
            parts = [(array("d", times), array("d", values)) for times, values in blobs]
            key = tuple(times for times, _ in blobs)
            if key not in known:
                merged = merge_times([times for times, _ in parts])
                inside = slice(bisect_left(merged.times, first), bisect_right(merged.times, last))
                known[key] = merged, inside, list_instants(merged.times[inside].tobytes())
            merged, inside, instants = known[key]
            readings = tuple(merged.merge_values(parts)[inside])
            yield Series(name=name, signal=Signal(signal), times=instants, values=readings)

    def read_recorded_gaps(self, number: int) -> list[Gap]:
        """The gaps that a recording knew of."""
        return [
            _decode_gap(body) for (body,) in self.database.execute("select body from missed where vm = ?", (number,))
        ]

    def read_refusals(self, scopes: Collection[str]) -> list[Refusal]:
        """What could not be read of each signal, in order of the reasons."""
        query = f"""select signal, reason, since, until, partial from refused
            where scope in ({_mark(scopes)}) order by reason"""  # noqa: S608 - marks alone
        return self.database.execute(query, tuple(scopes)).fetchall()

    def read_coverage(self, scopes: Collection[str]) -> list[tuple[str, str, str, bool]]:
        """The signals that were read of each scope, why they may leave things out, and whether they were cut."""
        query = f"select scope, signal, partial, cut from covers where scope in ({_mark(scopes)})"  # noqa: S608
        return self.database.execute(query, tuple(scopes)).fetchall()

    def list_covered_scopes(self) -> list[tuple[str, str, str]]:
        """Every signal and scope of which a feed was read that was not cut, and why it may leave things out."""
        return self.database.execute("select signal, scope, partial from covers where not cut").fetchall()

    def read_incomplete_reads(self, scopes: Collection[str]) -> Iterator[IncompleteRead]:
        """What readings of these scopes, and those of nobody knows what, lacked; in order of place and line."""
        query = f"""select body, scope, count, since, until, lowers from lack
            where scope in ({_mark(scopes, more=1)}) order by place, line, signal"""  # noqa: S608 - marks alone
        for body, scope, count, since, until, lowers in self.database.execute(query, (*scopes, "")):
            yield replace(
                _decode_lack(body),
                scope=scope,
                count=count,
                since=None if since == EARLIEST else datetime.fromtimestamp(since, UTC),
                until=None if until == LATEST else datetime.fromtimestamp(until, UTC),
                lowers_verdict=bool(lowers),
            )

    def read_complete_reads(self, signal: Signal, scopes: Collection[str]) -> list[tuple[str, float, float]]:
        """In which forms a signal was read whole, from when to when in seconds since 1970."""
        query = f"select form, first, last from whole where signal = ? and scope in ({_mark(scopes)})"  # noqa: S608
        return self.database.execute(query, (signal, *scopes)).fetchall()


def describe_refusal(signal: Signal, reason: str, *, window: Window | None = None, partial: bool = False) -> Refusal:
    """What could not be read of a signal: at all, in part, or over a window."""
    since, until = _to_seconds(window) if window else (0.0, 0.0)
    return signal, reason, since, until, partial


def decode_vm_id(spelling: str) -> VmId:
    """The id that `encode_vm_id` wrote."""
    subscription, group, name, scale_set = msgspec.json.decode(spelling[1:], type=Spelling)
    return VmId(subscription=subscription, resource_group=group, name=name, scale_set=scale_set)


def _to_seconds(span: Window) -> tuple[float, float]:
    return span.start.timestamp(), span.end.timestamp()


def _mark(values: Collection[object], more: int = 0) -> str:
    return ", ".join("?" * (len(values) + more))
