"""Everything heard, by VM, on disk as soon as it is much; must not know files, formats or what is of interest.

Files come in any order and an archive may be larger than memory, so all is written to a private database that goes
with its connection, and read back one VM at a time.
"""

import sqlite3
from array import array
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from vmdiag.diagnosis.event_kinds import interpret
from vmdiag.identity import VmId
from vmdiag.model import Gap, Record, Signal, VirtualMachine, Window
from vmdiag.sources import coverage
from vmdiag.sources.items import (
    Computer,
    Covers,
    Dated,
    Heard,
    Item,
    Known,
    Lack,
    Link,
    Malformed,
    Missed,
    Nearby,
    Origin,
    Packed,
    Regional,
    Sampled,
    Snapshot,
    Tagged,
    Whole,
)
from vmdiag.sources.vm_spelling import Spelling, spelt, unspelt

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
create table nearby (resource text, scope text, at real, body blob);
create table regional (subscription text, at real, body blob);
create table covers (scope text, signal text, partial text, cut integer,
    primary key (scope, signal, partial, cut)) without rowid;
create table missed (vm integer, body blob);
create table refused (scope text, signal text, reason text, since real, until real, partial integer,
    primary key (scope, signal, reason, since)) without rowid;
"""
INDEXES = """
create index record_of on record (vm, at);
create index record_is on record (kind, at);
create index points_of on points (vm);
create index nearby_of on nearby (resource);
create index nearby_in on nearby (scope);
create index missed_of on missed (vm);
"""
MERGE = """
insert into machine (key, spelling, location, os, size, power) values (?, ?, ?, ?, ?, ?)
on conflict (key) do update set spelling = min(spelling, excluded.spelling),
    location = min(coalesce(location, excluded.location), coalesce(excluded.location, location)),
    os = min(coalesce(os, excluded.os), coalesce(excluded.os, os)),
    size = min(coalesce(size, excluded.size), coalesce(excluded.size, size)),
    power = min(coalesce(power, excluded.power), coalesce(excluded.power, power))
"""
INSERTS = {
    "record": "insert into record values (?, ?, ?, ?, ?)",
    "nearby": "insert into nearby values (?, ?, ?, ?)",
    "regional": "insert into regional values (?, ?, ?)",
}

# Outside these years a time is a sentinel: year 1 for "never", year 9999 for "for ever".
FIRST = datetime(2010, 1, 1, tzinfo=UTC)
LAST = datetime(2100, 1, 1, tzinfo=UTC)
# The parts of an id have at most 90 characters each; one of a megabyte is meant to fill memory.
LONGEST_ID = 2_048
# What waits in memory before it is written: points of all series together, rows, and their bytes.
MOST_POINTS = 200_000
MOST_SERIES = 10_000
MOST_ROWS = 5_000
MOST_BYTES = 8 << 20
MOST_REMEMBERED = 20_000

encode = msgspec.msgpack.Encoder().encode


class Spool:
    """Takes items in any order; once `close`d it is read with SQL, and may take more after that.

    `newest` is the latest instant that was told of, `newest_untold` that of records which say nothing of a VM, `cloud`
    the one that a recording was made in.
    """

    def __init__(self) -> None:
        # An empty name is a temporary file that SQLite deletes; it stays in memory while it fits into the cache.
        self.database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self.database.executescript(SCHEMA + coverage.SCHEMA)
        self.database.execute("begin")
        self.newest: datetime | None = None
        self.newest_untold: datetime | None = None
        self.cloud: str | None = None
        self.recorded_until: datetime | None = None
        self.oldest: dict[Signal, datetime] = {}
        self._numbers: dict[Spelling, int] = {}
        self._covered: set[Covers] = set()
        self._rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in INSERTS}
        self._waiting = self._bytes = 0
        self._points: dict[tuple[int, str, str], tuple[array[float], array[float]]] = {}
        self._sampled = 0

    def add(self, item: Item) -> None:  # noqa: C901, PLR0912 - a case a kind
        """Keep an item; raises `Malformed` when its time cannot be."""
        match item:
            case Heard(vm, record):
                self._hear(self._number(vm), record, self._instant(record.at, record.signal, vm))
            case Packed() | Sampled():
                self._sample(item if isinstance(item, Packed) else Packed.of(item))
            case Covers():
                self._cover(item)
            case Snapshot(vm=vm, signal=signal, name=name, status=status, facts=facts, ref=ref):
                record = Record(at=FIRST, signal=signal, name=name, status=status, facts=facts, ref=ref)
                self._hear(self._number(vm), record, None)
            case Known(machine):
                only_seen = machine == VirtualMachine(id=machine.id)
                _ = self._number(machine.id) if only_seen else self._know(machine)
            case Tagged(vm, tags):
                rows = [(self._number(vm), name, value) for name, value in tags.items()]
                self.database.executemany("insert or ignore into tag values (?, ?, ?)", rows)
            case Computer(vm, name):
                row = (self._number(vm), name.lower())
                self.database.execute("insert or ignore into computer values (?, ?)", row)
            case Nearby(resource=resource, record=record):
                at = self._instant(record.at, record.signal)
                scope = "/".join(resource.lower().split("/")[:5])
                self._write("nearby", (resource.lower(), scope, at, encode(record)))
            case Regional(subscription, record):
                at = self._instant(record.at, record.signal)
                self._write("regional", (subscription.lower().rpartition("/")[2], at, encode(record)))
            case Link(resource, through):
                # What was read links to itself, for what is only referred to has no link of its own.
                pairs = [(resource.lower(), each.lower()) for each in (resource, *through)]
                self.database.executemany("insert or ignore into link values (?, ?)", pairs)
            case Missed(vm, gap):
                self._miss(vm, gap)
            case Dated(at):
                if FIRST <= at < LAST and (self.newest_untold is None or at > self.newest_untold):
                    self.newest_untold = at
            case Origin():
                self._originate(item)
            case Whole() | Lack():
                coverage.keep(self.database, item)

    def fault(self, vm: VmId | None, signal: Signal, file: str, line: int, reason: str) -> None:
        """Something that could not be used and is only told, of a VM or of nobody knows whom."""
        lack = Lack(signal=signal, scope=self.scope_of(vm), form="", place=file, line=line, reason=reason)
        coverage.tell(self.database, lack)

    def scope_of(self, vm: VmId | None) -> str:
        """The scope of a VM that a lack concerns, who is seen by it; of everybody where it is no VM's id at all."""
        if vm is None or len(vm.key) > LONGEST_ID:
            return ""
        _ = self._number(vm)
        return vm.key

    def refuse(
        self, signal: Signal, scope: str, reason: str, *, window: Window | None = None, partial: bool = False
    ) -> None:
        """A feed that could not be read for a VM, a group or a subscription: at all, in part, or over a window."""
        since, until = (window.start.timestamp(), window.end.timestamp()) if window else (0.0, 0.0)
        row = (scope.lower(), signal, reason, since, until, partial)
        self.database.execute("insert or replace into refused values (?, ?, ?, ?, ?, ?)", row)

    def close(self) -> None:
        """All has been heard, or most of it: make it quick to read."""
        self.flush()
        self.database.execute("commit")
        self.database.executescript(INDEXES)

    def flush(self) -> None:
        """What was added since can be read from here on."""
        self._flush_rows()
        self._flush_points()

    def number(self, vm: VmId) -> int | None:
        """The number of a VM that was seen."""
        row = self.database.execute("select num from machine where key = ?", (vm.key,)).fetchone()
        return None if row is None else int(row[0])

    def spelling(self, vm: VmId) -> VmId:
        """The best spelling that was seen of an id."""
        row = self.database.execute("select spelling from machine where key = ?", (vm.key,)).fetchone()
        return vm if row is None else unspelt(row[0])

    def _reach(self, end: datetime) -> None:
        if FIRST <= end < LAST and (self.newest is None or end > self.newest):
            self.newest = end

    def _instant(self, at: datetime, signal: Signal, vm: VmId | None = None) -> float:
        if not FIRST <= at < LAST:
            message = f"its time cannot be: {at.isoformat()}"
            raise Malformed(message, vm)
        self._reach(at)
        known = self.oldest.get(signal)
        if known is None or at < known:
            self.oldest[signal] = at
        return at.timestamp()

    def _number(self, vm: VmId) -> int:
        spelling = (vm.subscription, vm.resource_group, vm.name, vm.scale_set)
        known = self._numbers.get(spelling)
        return self._know(VirtualMachine(id=vm)) if known is None else known

    def _know(self, machine: VirtualMachine) -> int:
        vm = machine.id
        if len(vm.key) > LONGEST_ID:
            message = f"an id of {len(vm.key)} characters names no VM"
            raise Malformed(message)
        spelling = (vm.subscription, vm.resource_group, vm.name, vm.scale_set)
        row = (vm.key, spelt(vm), machine.location, machine.os, machine.size, machine.power_state)
        self.database.execute(MERGE, row)
        found: int = self.database.execute("select num from machine where key = ?", (vm.key,)).fetchone()[0]
        passages = [(found, resource.lower()) for resource in machine.network]
        self.database.executemany("insert or ignore into passage values (?, ?)", passages)
        if len(self._numbers) >= MOST_REMEMBERED:
            self._numbers.clear()
        self._numbers[spelling] = found
        return found

    def _hear(self, vm: int, record: Record, at: float | None) -> None:
        kind = interpret(record.signal, record.name, record.status, record.facts)
        self._write("record", (vm, at, kind, record.signal, encode(record)))

    def _miss(self, vm: VmId, gap: Gap) -> None:
        # A recording's gaps reach to the end of the window it was made for: so that end is known, too.
        self._reach(gap.window.end)
        self.database.execute("insert into missed values (?, ?)", (self._number(vm), encode(gap)))

    def _originate(self, origin: Origin) -> None:
        self.cloud = origin.cloud or self.cloud
        self.recorded_until = max(origin.until, self.recorded_until or origin.until)
        self._reach(origin.until)

    def _cover(self, covers: Covers) -> None:
        # A format says this of every row; it is written once.
        if covers in self._covered:
            return
        if len(self._covered) >= MOST_REMEMBERED:
            self._covered.clear()
        self._covered.add(covers)
        row = (covers.scope.lower().rstrip("/"), covers.signal, covers.partial or "", covers.cut)
        self.database.execute("insert or ignore into covers values (?, ?, ?, ?)", row)

    def _sample(self, packed: Packed) -> None:
        for end in (min(packed.times), max(packed.times)) if packed.times else ():
            self._instant(datetime.fromtimestamp(end, UTC), packed.signal, packed.vm)
        key = (self._number(packed.vm), packed.name, str(packed.signal))
        held = self._points.setdefault(key, (array("d"), array("d")))
        held[0].extend(packed.times)
        held[1].extend(packed.values)
        self._sampled += len(packed.times)
        if self._sampled >= MOST_POINTS or len(self._points) >= MOST_SERIES:
            self._flush_points()

    def _write(self, table: str, row: tuple[object, ...]) -> None:
        self._rows[table].append(row)
        self._waiting += 1
        body = row[-1]
        self._bytes += len(body) if isinstance(body, bytes) else 0
        if self._waiting >= MOST_ROWS or self._bytes >= MOST_BYTES:
            self._flush_rows()

    def _flush_rows(self) -> None:
        for table, rows in self._rows.items():
            self.database.executemany(INSERTS[table], rows)
            rows.clear()
        self._waiting = self._bytes = 0

    def _flush_points(self) -> None:
        self.database.executemany("insert into points values (?, ?, ?, ?, ?)", _blobs(self._points))
        self._points.clear()
        self._sampled = 0


def _blobs(
    points: "Mapping[tuple[int, str, str], tuple[array[float], array[float]]]",
) -> Iterable[tuple[int, str, str, bytes, bytes]]:
    for (vm, name, signal), (times, values) in points.items():
        yield vm, name, signal, times.tobytes(), values.tobytes()
