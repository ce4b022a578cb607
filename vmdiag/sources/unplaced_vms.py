"""VMs that were named without their resource id, and whose they are once all files were read; must not know a format.

Metadata documents, `Get-AzVM -Status` and tables of Log Analytics that were projected name a VM or a computer only.
Such a name is a VM's where the files know exactly one VM of that name; of two nobody can say which one is meant.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from vmdiag.identity import VmId
from vmdiag.model import Signal
from vmdiag.sources.store import ItemStore
from vmdiag.sources.vm_spelling import decode_vm_id

# In place of a subscription: no id can have these, and the parts of a name cannot be mistaken for each other.
BY_NAME, BY_COMPUTER = "?name", "?computer"
COPY_INVENTORY = """
update machine set (location, os, size, power) = (
    select coalesce(machine.location, other.location), coalesce(machine.os, other.os),
        coalesce(machine.size, other.size), coalesce(machine.power, other.power)
    from machine as other where other.num = ?2) where num = ?1
"""
AMBIGUOUS_NAME = "records that name a VM only as {name} were left out: {count} VMs of that name are in the archive"
UNKNOWN_NAMES = "records that name a VM only as {names} were left out: no VM of that name is in the archive"
NAMED_LIMIT = 3


def make_name_placeholder(name: str, resource_group: str = "") -> VmId:
    """Stands for the one VM of this name, in this group where one is given."""
    return VmId(subscription=BY_NAME, resource_group=resource_group or "?", name=name)


def make_computer_placeholder(name: str) -> VmId:
    """Stands for the one VM whose guest, or which itself, is called so; a domain behind a dot is not looked at."""
    return VmId(subscription=BY_COMPUTER, resource_group="?", name=name)


def is_placeholder(vm: VmId) -> bool:
    """Whether a VM is known by a name only."""
    return vm.subscription in (BY_NAME, BY_COMPUTER)


@dataclass(slots=True)
class _VmIndex:
    """The VMs with an id, by what they are called."""

    ids: dict[int, VmId]
    by_name: defaultdict[str, set[int]]
    by_computer: defaultdict[str, set[int]]
    with_computer: set[int]

    def find_matches(self, vm: VmId) -> set[int]:
        """The VMs that a name may mean."""
        name = vm.name.lower()
        if vm.subscription == BY_NAME:
            group = vm.resource_group.lower()
            return {one for one in self.by_name[name] if group in ("?", self.ids[one].resource_group.lower())}
        for called in dict.fromkeys((name, name.partition(".")[0])):
            # A VM whose computer is known to be called otherwise is not meant by its own name.
            if found := self.by_computer[called] | (self.by_name[called] - self.with_computer):
                return found
        return set()


def resolve_placeholders(spool: ItemStore) -> Iterator[str]:
    """Give what was heard of a name to the VM of that name; what has none is dropped, and told of in words."""
    database = spool.database
    machines = [
        (number, decode_vm_id(spelling)) for number, spelling in database.execute("select num, spelling from machine")
    ]
    unplaced = [(number, vm) for number, vm in machines if is_placeholder(vm)]
    if not unplaced:
        return
    known = _index_vms(database, {number: vm for number, vm in machines if not is_placeholder(vm)})
    nobody: list[str] = []
    twins: list[str] = []
    for number, vm in unplaced:
        found = known.find_matches(vm)
        if len(found) == 1:
            (one,) = found
            _move_to_vm(database, number, one, vm, known.ids[one])
        elif found:
            reason = AMBIGUOUS_NAME.format(name=vm.name, count=len(found))
            twins.append(reason)
            for signal in _list_signals(database, number):
                for one in found:
                    spool.add_refusal(signal, known.ids[one].key, reason, partial=True)
        else:
            nobody.append(vm.name)
        _delete_vm(database, number, vm)
    yield from twins[:NAMED_LIMIT]
    if len(twins) > NAMED_LIMIT:
        yield f"{len(twins) - NAMED_LIMIT} more names of several VMs each: their records were left out, too"
    if nobody:
        more = f" and {len(nobody) - NAMED_LIMIT} others" if len(nobody) > NAMED_LIMIT else ""
        yield UNKNOWN_NAMES.format(names=", ".join(sorted(nobody)[:NAMED_LIMIT]) + more)


def _index_vms(database: sqlite3.Connection, ids: dict[int, VmId]) -> _VmIndex:
    known = _VmIndex(ids, defaultdict(set), defaultdict(set), set())
    for number, vm in ids.items():
        # An instance of a uniform set is called SET_NUMBER everywhere but in its id.
        known.by_name[f"{vm.scale_set}_{vm.name}".lower() if vm.scale_set else vm.name.lower()].add(number)
    for number, name in database.execute("select vm, name from computer"):
        if number in ids:
            known.by_computer[name].add(number)
            known.with_computer.add(number)
    return known


def _list_signals(database: sqlite3.Connection, number: int) -> set[Signal]:
    rows = database.execute(
        "select signal from record where vm = ? union select signal from points where vm = ?", 2 * (number,)
    )
    return {Signal(signal) for (signal,) in rows}


def _move_to_vm(database: sqlite3.Connection, number: int, target: int, vm: VmId, owner: VmId) -> None:
    for table in _list_tables(database, "vm"):
        database.execute(f"update or ignore {table} set vm = ? where vm = ?", (target, number))  # noqa: S608 - ours
    for table in _list_tables(database, "scope"):
        database.execute(f"update or ignore {table} set scope = ? where scope = ?", (owner.key, vm.key))  # noqa: S608
    database.execute(COPY_INVENTORY, (target, number))


def _delete_vm(database: sqlite3.Connection, number: int, vm: VmId) -> None:
    for table in _list_tables(database, "vm"):
        database.execute(f"delete from {table} where vm = ?", (number,))  # noqa: S608
    for table in _list_tables(database, "scope"):
        database.execute(f"delete from {table} where scope = ?", (vm.key,))  # noqa: S608
    database.execute("delete from machine where num = ?", (number,))


def _list_tables(database: sqlite3.Connection, column: str) -> list[str]:
    """The tables that say in this column what they are about."""
    query = "select m.name from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table' and c.name = ?"
    return [name for (name,) in database.execute(query, (column,))]
