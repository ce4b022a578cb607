"""Whom a scope means among all that was read: VMs by name, members of groups, those in which something shows.

Metadata documents, `Get-AzVM -Status` and tables of Log Analytics that were projected name a VM or a computer only.
Such a name is a VM's where exactly one VM of that name is known; of two nobody can say which one is meant.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import product

from vmdiag.errors import NotFound
from vmdiag.identity import BY_ADDRESS, BY_INTERFACE, BY_NAME, VmId, is_placeholder
from vmdiag.model import Kind, Window
from vmdiag.sources.coverage import list_half_read_vms
from vmdiag.sources.protocol import Scope
from vmdiag.sources.selection import (
    ALLOW_EMPTY,
    SelectedVm,
    describe_absent_vm,
    find_suspects,
    has_scope_tags,
    is_in_scope,
    make_missing_tags_error,
    require_members,
    resolve_vms,
)
from vmdiag.sources.store import ItemStore
from vmdiag.sources.stored_items import StoredItems, StoredVm
from vmdiag.values import Struct

IN_ARCHIVE = "in the archive"
NAMED_LIMIT = 3


class VmSelection(Struct, frozen=True):
    """The VMs in the order asked for (else by id), those `comparison_vms` them to be compared with, and how many more.

    Of the others in scope of which nothing telling was heard, `unclear` are those of which too little was read to know
    that there is nothing, `quiet` the rest.
    """

    vms: tuple[SelectedVm, ...]
    others: int
    comparison_vms: tuple[SelectedVm, ...] = ()
    quiet: int = 0
    unclear: int = 0


class _VmsByName:
    """The VMs with an id, by what they are called."""

    def __init__(self, store: StoredItems, vms: Iterable[StoredVm]) -> None:
        self._store = store
        self._by_name: defaultdict[str, set[StoredVm]] = defaultdict(set)
        self._by_computer: defaultdict[str, set[StoredVm]] = defaultdict(set)
        self._with_computer: set[StoredVm] = set()
        numbers = {}
        for vm in vms:
            numbers[vm.number] = vm
            # An instance of a uniform set is called SET_NUMBER everywhere but in its id.
            name = f"{vm.id.scale_set}_{vm.id.name}" if vm.id.scale_set else vm.id.name
            self._by_name[name.lower()].add(vm)
        self._numbers = numbers
        for number, name in store.list_computers():
            if number in numbers:
                self._by_computer[name].add(numbers[number])
                self._with_computer.add(numbers[number])

    @cached_property
    def _by_interface(self) -> dict[str, set[StoredVm]]:
        found: defaultdict[str, set[StoredVm]] = defaultdict(set)
        for interface, number in self._store.list_all_interfaces():
            if number in self._numbers:
                found[interface].add(self._numbers[number])
        return found

    @cached_property
    def _by_address(self) -> dict[str, set[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for address, interface in self._store.list_addresses():
            found[address].add(interface)
        return found

    def find_matches(self, vm: VmId) -> set[StoredVm]:
        """The VMs that a name may mean."""
        name, group = vm.name.lower(), vm.resource_group.lower()
        if vm.subscription == BY_INTERFACE:
            return self._by_interface.get(name, set())
        if vm.subscription == BY_ADDRESS:
            holders = self._by_address.get(name, set())
            if group != "?":  # networks may use the same addresses: the pool tells whose it is
                holders = {one for one in holders if group in self._store.list_links(one)}
            return {one for interface in holders for one in self._by_interface.get(interface, ())}
        if vm.subscription == BY_NAME:
            return {one for one in self._by_name[name] if group in ("?", one.id.resource_group.lower())}
        for called in (name, name.partition(".")[0]):
            # A VM whose computer is known to be called otherwise is not meant by its own name.
            if found := self._by_computer[called] | (self._by_name[called] - self._with_computer):
                return found
        return set()


def resolve_placeholders(store: ItemStore, where: str = IN_ARCHIVE) -> Iterator[str]:
    """Give what was heard of a name to the VM of that name; what has none is dropped, and told of in words.

    `where` is in what it was looked for: "in the archive".
    """
    vms = store.list_vms()
    unplaced = sorted(one for one in vms if is_placeholder(one.id))
    if not unplaced:
        return
    known = _VmsByName(store, (one for one in vms if not is_placeholder(one.id)))
    nobody: list[str] = []
    twins: list[str] = []
    for one in unplaced:
        found = known.find_matches(one.id)
        if len(found) == 1:
            store.move_items(one, *found)
        elif found:
            said = f"records that name a VM only as {one.id.name} were left out"
            twins.append(f"{said}: {len(found)} VMs of that name are {where}")
            for signal, twin in product(store.list_signals(one.number), found):
                store.add_refusal(signal, twin.id.key, twins[-1], partial=True)
        else:
            nobody.append(one.id.name)
        store.delete_vm(one)
    yield from twins[:NAMED_LIMIT]
    if len(twins) > NAMED_LIMIT:
        yield f"{len(twins) - NAMED_LIMIT} more names of several VMs each: their records were left out, too"
    if nobody:
        more = f" and {len(nobody) - NAMED_LIMIT} others" if len(nobody) > NAMED_LIMIT else ""
        names = ", ".join(sorted(nobody)[:NAMED_LIMIT]) + more
        yield f"records that name a VM only as {names} were left out: no VM of that name is {where}"


def select_vms(
    store: StoredItems, scope: Scope, span: Window, triggers: Iterable[Kind], where: str = IN_ARCHIVE
) -> VmSelection:
    """The VMs in scope; raises `UsageError` for a name that means several, `NotFound` for what is not there.

    Behind the VMs that were named come those that had trouble, too: what many of them share shows only together.
    """
    seen = [SelectedVm(vm, number) for number, vm in store.list_vms()]
    if scope.lists_none:
        return VmSelection((), len(seen))
    ids = [*(one.id for one in seen), *scope.finished]
    inside = [one for one in seen if is_in_scope(one.id, scope)]
    if not scope.vms:
        inside = _filter_members(store, scope, ids, inside, where)
    left = [one for one in inside if one.id not in scope.finished]
    if not scope.vms and (scope.everything or scope.groups or scope.tags):
        return VmSelection(tuple(left), len(seen) - len(inside))
    suspicious = find_suspects(store, span, triggers)
    candidates = [one for one in left if one.number in suspicious]
    known = len(seen) - len(inside) + len(left)
    if not scope.vms:
        numbers = {one.number for one in left} - suspicious
        halved = list_half_read_vms(store, span, (vm for vm in store.list_vms() if vm.number in numbers))
        unclear = sum(1 for _ in halved)
        return VmSelection(tuple(candidates), known - len(candidates), quiet=len(numbers) - unclear, unclear=unclear)
    resolved = resolve_vms(scope, ids, where)
    # An id means its VM, whichever group or subscription the other names are looked for in.
    by_id = {one.id: one for one in seen}
    reasons = resolved.missing
    named = [
        by_id.get(vm) or SelectedVm(vm, None, reasons.get(vm, describe_absent_vm(where)))
        for vm in resolved.vms
        if vm not in scope.finished
    ]
    asked = set(named)
    neighbours = tuple(one for one in candidates if one not in asked)
    others = known - sum(one.number is not None for one in named) - len(neighbours)
    quiet = sum(one.number not in suspicious for one in left if one not in asked)
    return VmSelection(tuple(named), others, neighbours, quiet)


def _filter_members(
    store: StoredItems, scope: Scope, ids: list[VmId], inside: list[SelectedVm], where: str
) -> list[SelectedVm]:
    """The VMs in the groups and subscriptions, and with the tags, of the scope; raises where there is none."""
    require_members(scope, ids, where)
    if scope.tags:
        tags = store.list_tags()
        there = [pair for one in inside if one.number is not None for pair in tags[one.number]]
        inside = [one for one in inside if one.number is not None and has_scope_tags(tags[one.number], scope)]
        if not inside and not scope.allow_empty:
            raise make_missing_tags_error(scope, there, where)
    if scope.everything and not inside and not scope.finished and not scope.allow_empty:
        message = f"no VM is {where}"
        advice = "Add an export of the VMs or of their activity log. " if where == IN_ARCHIVE else ""
        raise NotFound(message, f"{advice}{ALLOW_EMPTY}")
    return inside
