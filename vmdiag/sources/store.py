"""Takes what was read, by VM, onto disk as soon as it is much.

Files come in any order and an archive may be larger than memory, so all is written to a private database that goes
with its connection, and read back one VM at a time.
"""

from array import array
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from vmdiag.completeness import MalformedRow
from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.identity import VmId
from vmdiag.model import Signal, VirtualMachine, Window
from vmdiag.sources import items
from vmdiag.sources.stored_items import EARLIEST, INDEXES, LATEST, Spelling, StoredItems, StoredVm, describe_refusal
from vmdiag.values import replace

UPSERT_MACHINE = """
insert into machine (key, spelling, location, os, size, power) values (?, ?, ?, ?, ?, ?)
on conflict (key) do update set spelling = min(spelling, excluded.spelling),
    location = min(coalesce(location, excluded.location), coalesce(excluded.location, location)),
    os = min(coalesce(os, excluded.os), coalesce(excluded.os, os)),
    size = min(coalesce(size, excluded.size), coalesce(excluded.size, size)),
    power = min(coalesce(power, excluded.power), coalesce(excluded.power, power))
"""
COPY_INVENTORY = """
update machine set (location, os, size, power) = (
    select coalesce(machine.location, other.location), coalesce(machine.os, other.os),
        coalesce(machine.size, other.size), coalesce(machine.power, other.power)
    from machine as other where other.num = ?2) where num = ?1
"""
SUBJECT_COLUMNS = """
select m.name, c.name from sqlite_master m join pragma_table_info(m.name) c
where m.type = 'table' and c.name in ('vm', 'scope')
"""
# Of several whole readings of a form the one over the longest span is remembered: pieces do not make each other good.
INSERT_COMPLETE = """
insert into whole values (?, ?, ?, ?, ?) on conflict do update set first = excluded.first, last = excluded.last
where excluded.last - excluded.first > last - first
"""
INSERT_LACK = """
insert into lack values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set
    count = count + excluded.count, since = min(since, excluded.since), until = max(until, excluded.until),
    lowers = max(lowers, excluded.lowers)
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


class ItemStore(StoredItems):
    """Takes items in any order; once `finish_loading` was called it is quick to read, and may take more after that.

    `oldest` and `newest` are the ends of what was told, `newest_observed` that of records which say nothing of a VM,
    `cloud` the one that a recording was made in.
    """

    def __init__(self) -> None:
        super().__init__()
        self.database.execute("begin")
        self.oldest: datetime | None = None
        self.newest: datetime | None = None
        self.newest_observed: datetime | None = None
        self.cloud: str | None = None
        self.recorded_until: datetime | None = None
        self._numbers: dict[Spelling, int] = {}
        # A format says this of every row; it is written once.
        self._add_coverage = lru_cache(CACHE_LIMIT)(self._write_coverage)
        self._rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in ROW_INSERTS}
        self._waiting = self._bytes = 0
        self._points: dict[tuple[int, str, str], tuple[array[float], array[float]]] = {}
        self._point_count = 0

    def add_item(self, item: items.Item) -> None:  # noqa: C901, PLR0912 - a case a kind
        """Keep an item; raises `MalformedRow` when its time cannot be."""
        match item:
            case items.VmRecord(vm, record, is_dated):
                number, at = self._ensure_vm_number(vm), self._register_time(record.at, vm) if is_dated else None
                kind = interpret_record(record.signal, record.name, record.status, record.facts)
                self._queue_row("record", (number, at, kind, record.signal, encode(record)))
            case items.PackedMetricPoints():
                self._add_points(item)
            case items.MetricPoints():
                self._add_points(items.PackedMetricPoints.pack_points(item))
            case items.FeedCoverage():
                self._add_coverage(item)
            case items.VmInventory(machine, tags, computer):
                only_seen = machine == VirtualMachine(id=machine.id)
                number = self._ensure_vm_number(machine.id) if only_seen else self._merge_machine(machine)
                rows = [(number, name, value) for name, value in tags.items()]
                self.database.executemany("insert or ignore into tag values (?, ?, ?)", rows)
                if computer:
                    self.database.execute("insert or ignore into computer values (?, ?)", (number, computer.lower()))
            case items.NetworkChange(resource=resource, record=record):
                at = self._register_time(record.at)
                scope = "/".join(resource.lower().split("/")[:5])
                self._queue_row("nearby", (resource.lower(), scope, at, encode(record)))
            case items.ServiceIncident(subscription, record):
                at = self._register_time(record.at)
                self._queue_row("regional", (subscription.lower().rpartition("/")[2], at, encode(record)))
            case items.NetworkLink(resource, through):
                # What was read links to itself, for what is only referred to has no link of its own.
                pairs = [(resource.lower(), each.lower()) for each in (resource, *through)]
                self.database.executemany("insert or ignore into link values (?, ?)", pairs)
            case items.InterfaceAddress(interface, addresses):
                pairs = [(interface, address) for address in addresses]
                self.database.executemany("insert or ignore into address values (?, ?)", pairs)
            case items.RecordedGap(vm, gap):
                # A recording's gaps reach to the end of the window it was made for: so that end is known, too.
                self._extend_newest(gap.window.end)
                self.database.execute("insert into missed values (?, ?)", (self._ensure_vm_number(vm), encode(gap)))
            case items.ObservedTime(at):
                if EARLIEST_TIME <= at < LATEST_TIME and (self.newest_observed is None or at > self.newest_observed):
                    self.newest_observed = at
            case items.RecordingOrigin(cloud, until):
                self.cloud = cloud or self.cloud
                self.recorded_until = max(until, self.recorded_until or until)
                self._extend_newest(until)
            case items.CompleteRead() | items.IncompleteRead():
                self._add_read_outcome(item)

    def add_fault(self, vm: VmId | None, signal: Signal, file: str, line: int, reason: str) -> None:
        """Something that could not be used, of which nothing is concluded, of a VM or of nobody knows whom."""
        scope = self.register_vm_scope(vm)
        fault = items.IncompleteRead(signal=signal, scope=scope, form="", place=file, line=line, reason=reason)
        self._add_read_outcome(replace(fault, is_record=True, lowers_verdict=False))

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
        row = (scope.lower(), *describe_refusal(signal, reason, window=window, partial=partial))
        self.database.execute("insert or replace into refused values (?, ?, ?, ?, ?, ?)", row)

    def finish_loading(self) -> None:
        """All has been heard, or most of it: make it quick to read."""
        self.flush_pending()
        self.database.execute("commit")
        self.database.executescript(INDEXES)
        # What comes after is a row here and there, for each of thousands of VMs: outside of a transaction each is one.
        self.database.execute("begin")

    def flush_pending(self) -> None:
        """What was added since can be read from here on."""
        self._flush_rows()
        self._flush_points()

    def move_items(self, source: StoredVm, target: StoredVm) -> None:
        """Give to one VM what was read of another, and what it says of itself where the former does not know."""
        new = {"vm": target.number, "scope": target.id.key}
        for table, column, old in self._find_mentions(source):
            query = f"update or ignore {table} set {column} = ? where {column} = ?"  # noqa: S608 - ours
            self.database.execute(query, (new[column], old))
        self.database.execute(COPY_INVENTORY, (target.number, source.number))

    def find_location(self, vm: VmId) -> str | None:
        """The region of a VM, where the inventory tells it."""
        row = self.database.execute("select location from machine where key = ?", (vm.key,)).fetchone()
        return None if row is None else row[0]

    def list_network_parts(self) -> list[str]:
        """What the traffic of the VMs passes through, by its ids."""
        query = "select resource from passage union select through from link"
        return [one for (one,) in self.database.execute(query)]

    def delete_points(self, number: int) -> None:
        """Forget what was measured of a VM, once it was told."""
        self.database.execute("delete from points where vm = ?", (number,))

    def delete_vm(self, vm: StoredVm) -> None:
        """Forget a VM and all that was read of it."""
        for table, column, value in self._find_mentions(vm):
            self.database.execute(f"delete from {table} where {column} = ?", (value,))  # noqa: S608 - ours
        self.database.execute("delete from machine where num = ?", (vm.number,))

    def _find_mentions(self, vm: StoredVm) -> list[tuple[str, str, int | str]]:
        """The tables and columns that say what they are about, and what they hold where it is this VM."""
        values: dict[str, int | str] = {"vm": vm.number, "scope": vm.id.key}
        return [(table, column, values[column]) for table, column in self.database.execute(SUBJECT_COLUMNS)]

    def _extend_newest(self, end: datetime) -> None:
        if EARLIEST_TIME <= end < LATEST_TIME and (self.newest is None or end > self.newest):
            self.newest = end

    def _register_time(self, at: datetime, vm: VmId | None = None) -> float:
        if not EARLIEST_TIME <= at < LATEST_TIME:
            message = f"its time cannot be: {at.isoformat()}"
            raise MalformedRow(message, vm)
        self._extend_newest(at)
        self.oldest = at if self.oldest is None or at < self.oldest else self.oldest
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

    def _add_read_outcome(self, item: items.CompleteRead | items.IncompleteRead) -> None:
        scope = item.scope.lower().rstrip("/")
        first, last = _to_seconds(item.first, EARLIEST), _to_seconds(item.last, LATEST)
        if isinstance(item, items.CompleteRead):
            self.database.execute(INSERT_COMPLETE, (scope, item.signal, item.form, first, last))
            return
        since, until = _to_seconds(item.since, EARLIEST), _to_seconds(item.until, LATEST)
        subject = "" if item.is_record else item.reason
        key = (scope, item.signal, item.place, subject, item.line)
        self.database.execute(INSERT_LACK, (*key, item.count, since, until, item.lowers_verdict, encode(item)))

    def _write_coverage(self, covers: items.FeedCoverage) -> None:
        row = (covers.scope.lower().rstrip("/"), covers.signal, covers.partial or "", covers.cut)
        self.database.execute("insert or ignore into covers values (?, ?, ?, ?)", row)

    def _add_points(self, packed: items.PackedMetricPoints) -> None:
        for end in (packed.times[0], packed.times[-1]) if packed.times else ():
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
        rows = ((*key, times.tobytes(), values.tobytes()) for key, (times, values) in self._points.items())
        self.database.executemany("insert into points values (?, ?, ?, ?, ?)", rows)
        self._points.clear()
        self._point_count = 0


def encode_vm_id(vm: VmId) -> str:
    """The id's spelling, such that the least is the best to show, whichever file came first.

    Exports write every id in capitals and Log Analytics in small letters: mixed case is the name as it was given, and
    of the other two small letters are the likelier name.
    """
    name = f"{vm.resource_group}{vm.name}"
    rank = 2 if name.isupper() else 1 if name.islower() else 0
    return f"{rank}{msgspec.json.encode((vm.subscription, vm.resource_group, vm.name, vm.scale_set)).decode()}"


def _to_seconds(at: datetime | None, otherwise: float) -> float:
    return otherwise if at is None else at.timestamp()
