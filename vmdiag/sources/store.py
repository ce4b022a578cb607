"""Everything heard, by VM, on disk as soon as it is much; must not know files, formats or what is of interest.

Files come in any order and an archive may be larger than memory, so all is written to a private database that goes
with its connection, and read back one VM at a time.
"""

import sqlite3
from array import array
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.identity import VmId
from vmdiag.model import Gap, Record, Signal, VirtualMachine, Window
from vmdiag.sources import coverage
from vmdiag.sources.items import (
    CompleteRead,
    ComputerName,
    FeedCoverage,
    IncompleteRead,
    Item,
    MalformedRow,
    MetricPoints,
    NetworkChange,
    NetworkLink,
    ObservedTime,
    PackedMetricPoints,
    RecordedGap,
    RecordingOrigin,
    ServiceIncident,
    UndatedState,
    VmInventory,
    VmRecord,
    VmTags,
)
from vmdiag.sources.vm_spelling import Spelling, decode_vm_id, encode_vm_id

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
UPSERT_MACHINE = """
insert into machine (key, spelling, location, os, size, power) values (?, ?, ?, ?, ?, ?)
on conflict (key) do update set spelling = min(spelling, excluded.spelling),
    location = min(coalesce(location, excluded.location), coalesce(excluded.location, location)),
    os = min(coalesce(os, excluded.os), coalesce(excluded.os, os)),
    size = min(coalesce(size, excluded.size), coalesce(excluded.size, size)),
    power = min(coalesce(power, excluded.power), coalesce(excluded.power, power))
"""
ROW_INSERTS = {
    "record": "insert into record values (?, ?, ?, ?, ?)",
    "nearby": "insert into nearby values (?, ?, ?, ?)",
    "regional": "insert into regional values (?, ?, ?)",
}

# Outside these years a time is a sentinel: year 1 for "never", year 9999 for "for ever".
EARLIEST_TIME = datetime(2010, 1, 1, tzinfo=UTC)
LATEST_TIME = datetime(2100, 1, 1, tzinfo=UTC)
# The parts of an id have at most 90 characters each; one of a megabyte is meant to fill memory.
ID_LENGTH_LIMIT = 2_048
# What waits in memory before it is written: points of all series together, rows, and their bytes.
POINTS_LIMIT = 200_000
SERIES_LIMIT = 10_000
ROWS_LIMIT = 5_000
BYTES_LIMIT = 8 << 20
CACHE_LIMIT = 20_000

encode = msgspec.msgpack.Encoder().encode


class ItemStore:
    """Takes items in any order; once `finish_loading`d it is read with SQL, and may take more after that.

    `newest` is the latest instant that was told of, `newest_observed` that of records which say nothing of a VM,
    `cloud` the one that a recording was made in.
    """

    def __init__(self) -> None:
        # An empty name is a temporary file that SQLite deletes; it stays in memory while it fits into the cache.
        self.database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self.database.executescript(SCHEMA + coverage.SCHEMA)
        self.database.execute("begin")
        self.newest: datetime | None = None
        self.newest_observed: datetime | None = None
        self.cloud: str | None = None
        self.recorded_until: datetime | None = None
        self._numbers: dict[Spelling, int] = {}
        self._known_coverage: set[FeedCoverage] = set()
        self._rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in ROW_INSERTS}
        self._waiting = self._bytes = 0
        self._points: dict[tuple[int, str, str], tuple[array[float], array[float]]] = {}
        self._point_count = 0

    def add_item(self, item: Item) -> None:  # noqa: C901, PLR0912 - a case a kind
        """Keep an item; raises `MalformedRow` when its time cannot be."""
        match item:
            case VmRecord(vm, record):
                self._add_record(self._ensure_vm_number(vm), record, self._register_time(record.at, vm))
            case PackedMetricPoints() | MetricPoints():
                self._add_points(item if isinstance(item, PackedMetricPoints) else PackedMetricPoints.pack_points(item))
            case FeedCoverage():
                self._add_coverage(item)
            case UndatedState(vm=vm, signal=signal, name=name, status=status, facts=facts, ref=ref):
                record = Record(at=EARLIEST_TIME, signal=signal, name=name, status=status, facts=facts, ref=ref)
                self._add_record(self._ensure_vm_number(vm), record, None)
            case VmInventory(machine):
                only_seen = machine == VirtualMachine(id=machine.id)
                _ = self._ensure_vm_number(machine.id) if only_seen else self._merge_machine(machine)
            case VmTags(vm, tags):
                rows = [(self._ensure_vm_number(vm), name, value) for name, value in tags.items()]
                self.database.executemany("insert or ignore into tag values (?, ?, ?)", rows)
            case ComputerName(vm, name):
                row = (self._ensure_vm_number(vm), name.lower())
                self.database.execute("insert or ignore into computer values (?, ?)", row)
            case NetworkChange(resource=resource, record=record):
                at = self._register_time(record.at)
                scope = "/".join(resource.lower().split("/")[:5])
                self._queue_row("nearby", (resource.lower(), scope, at, encode(record)))
            case ServiceIncident(subscription, record):
                at = self._register_time(record.at)
                self._queue_row("regional", (subscription.lower().rpartition("/")[2], at, encode(record)))
            case NetworkLink(resource, through):
                # What was read links to itself, for what is only referred to has no link of its own.
                pairs = [(resource.lower(), each.lower()) for each in (resource, *through)]
                self.database.executemany("insert or ignore into link values (?, ?)", pairs)
            case RecordedGap(vm, gap):
                self._add_recorded_gap(vm, gap)
            case ObservedTime(at):
                if EARLIEST_TIME <= at < LATEST_TIME and (self.newest_observed is None or at > self.newest_observed):
                    self.newest_observed = at
            case RecordingOrigin():
                self._set_origin(item)
            case CompleteRead() | IncompleteRead():
                coverage.store_read_outcome(self.database, item)

    def add_fault(self, vm: VmId | None, signal: Signal, file: str, line: int, reason: str) -> None:
        """Something that could not be used and is only told, of a VM or of nobody knows whom."""
        lack = IncompleteRead(
            signal=signal, scope=self.register_vm_scope(vm), form="", place=file, line=line, reason=reason
        )
        coverage.store_informational(self.database, lack)

    def register_vm_scope(self, vm: VmId | None) -> str:
        """The scope of a VM that a lack concerns, who is seen by it; of everybody where it is no VM's id at all."""
        if vm is None or len(vm.key) > ID_LENGTH_LIMIT:
            return ""
        _ = self._ensure_vm_number(vm)
        return vm.key

    def add_refusal(
        self, signal: Signal, scope: str, reason: str, *, window: Window | None = None, partial: bool = False
    ) -> None:
        """A feed that could not be read for a VM, a group or a subscription: at all, in part, or over a window."""
        since, until = (window.start.timestamp(), window.end.timestamp()) if window else (0.0, 0.0)
        row = (scope.lower(), signal, reason, since, until, partial)
        self.database.execute("insert or replace into refused values (?, ?, ?, ?, ?, ?)", row)

    def finish_loading(self) -> None:
        """All has been heard, or most of it: make it quick to read."""
        self.flush_pending()
        self.database.execute("commit")
        self.database.executescript(INDEXES)

    def flush_pending(self) -> None:
        """What was added since can be read from here on."""
        self._flush_rows()
        self._flush_points()

    def find_vm_number(self, vm: VmId) -> int | None:
        """The number of a VM that was seen."""
        row = self.database.execute("select num from machine where key = ?", (vm.key,)).fetchone()
        return None if row is None else int(row[0])

    def find_best_spelling(self, vm: VmId) -> VmId:
        """The best spelling that was seen of an id."""
        row = self.database.execute("select spelling from machine where key = ?", (vm.key,)).fetchone()
        return vm if row is None else decode_vm_id(row[0])

    def _extend_newest(self, end: datetime) -> None:
        if EARLIEST_TIME <= end < LATEST_TIME and (self.newest is None or end > self.newest):
            self.newest = end

    def _register_time(self, at: datetime, vm: VmId | None = None) -> float:
        if not EARLIEST_TIME <= at < LATEST_TIME:
            message = f"its time cannot be: {at.isoformat()}"
            raise MalformedRow(message, vm)
        self._extend_newest(at)
        return at.timestamp()

    def _ensure_vm_number(self, vm: VmId) -> int:
        spelling = (vm.subscription, vm.resource_group, vm.name, vm.scale_set)
        known = self._numbers.get(spelling)
        return self._merge_machine(VirtualMachine(id=vm)) if known is None else known

    def _merge_machine(self, machine: VirtualMachine) -> int:
        vm = machine.id
        if len(vm.key) > ID_LENGTH_LIMIT:
            message = f"an id of {len(vm.key)} characters names no VM"
            raise MalformedRow(message)
        spelling = (vm.subscription, vm.resource_group, vm.name, vm.scale_set)
        row = (vm.key, encode_vm_id(vm), machine.location, machine.os, machine.size, machine.power_state)
        self.database.execute(UPSERT_MACHINE, row)
        found: int = self.database.execute("select num from machine where key = ?", (vm.key,)).fetchone()[0]
        passages = [(found, resource.lower()) for resource in machine.network]
        self.database.executemany("insert or ignore into passage values (?, ?)", passages)
        if len(self._numbers) >= CACHE_LIMIT:
            self._numbers.clear()
        self._numbers[spelling] = found
        return found

    def _add_record(self, vm: int, record: Record, at: float | None) -> None:
        kind = interpret_record(record.signal, record.name, record.status, record.facts)
        self._queue_row("record", (vm, at, kind, record.signal, encode(record)))

    def _add_recorded_gap(self, vm: VmId, gap: Gap) -> None:
        # A recording's gaps reach to the end of the window it was made for: so that end is known, too.
        self._extend_newest(gap.window.end)
        self.database.execute("insert into missed values (?, ?)", (self._ensure_vm_number(vm), encode(gap)))

    def _set_origin(self, origin: RecordingOrigin) -> None:
        self.cloud = origin.cloud or self.cloud
        self.recorded_until = max(origin.until, self.recorded_until or origin.until)
        self._extend_newest(origin.until)

    def _add_coverage(self, covers: FeedCoverage) -> None:
        # A format says this of every row; it is written once.
        if covers in self._known_coverage:
            return
        if len(self._known_coverage) >= CACHE_LIMIT:
            self._known_coverage.clear()
        self._known_coverage.add(covers)
        row = (covers.scope.lower().rstrip("/"), covers.signal, covers.partial or "", covers.cut)
        self.database.execute("insert or ignore into covers values (?, ?, ?, ?)", row)

    def _add_points(self, packed: PackedMetricPoints) -> None:
        for end in (min(packed.times), max(packed.times)) if packed.times else ():
            self._register_time(datetime.fromtimestamp(end, UTC), packed.vm)
        key = (self._ensure_vm_number(packed.vm), packed.name, str(packed.signal))
        held = self._points.setdefault(key, (array("d"), array("d")))
        held[0].extend(packed.times)
        held[1].extend(packed.values)
        self._point_count += len(packed.times)
        if self._point_count >= POINTS_LIMIT or len(self._points) >= SERIES_LIMIT:
            self._flush_points()

    def _queue_row(self, table: str, row: tuple[object, ...]) -> None:
        self._rows[table].append(row)
        self._waiting += 1
        body = row[-1]
        self._bytes += len(body) if isinstance(body, bytes) else 0
        if self._waiting >= ROWS_LIMIT or self._bytes >= BYTES_LIMIT:
            self._flush_rows()

    def _flush_rows(self) -> None:
        for table, rows in self._rows.items():
            self.database.executemany(ROW_INSERTS[table], rows)
            rows.clear()
        self._waiting = self._bytes = 0

    def _flush_points(self) -> None:
        self.database.executemany("insert into points values (?, ?, ?, ?, ?)", _pack_blobs(self._points))
        self._points.clear()
        self._point_count = 0


def _pack_blobs(
    points: "Mapping[tuple[int, str, str], tuple[array[float], array[float]]]",
) -> Iterable[tuple[int, str, str, bytes, bytes]]:
    for (vm, name, signal), (times, values) in points.items():
        yield vm, name, signal, times.tobytes(), values.tobytes()
