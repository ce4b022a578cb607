"""Exports of Azure's feeds as a source: files of any known format.

Every file is read once, into a store on disk; then each VM in scope is told from it, one at a time. Metadata documents,
`Get-AzVM -Status` and tables of Log Analytics that were projected name a VM or a computer only. Such a name is a VM's
where the files know exactly one VM of that name; of two nobody can say which one is meant.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import product

from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.errors import BadArchive, NotFound, UsageError
from vmdiag.identity import VmId
from vmdiag.model import Gap, Kind, Needs, Signal, Transcript, Window
from vmdiag.sources.archive._reader import ArchiveReader
from vmdiag.sources.files.input_files import find_files
from vmdiag.sources.protocol import Reading, Scope, Watcher, reading_span
from vmdiag.sources.rows import BY_ADDRESS, BY_INTERFACE, BY_NAME, is_placeholder
from vmdiag.sources.selection import (
    ALLOW_EMPTY,
    find_suspects,
    has_scope_tags,
    is_in_scope,
    make_missing_tags_error,
    require_members,
    resolve_vms,
)
from vmdiag.sources.store import ItemStore
from vmdiag.sources.stored_items import StoredItems, StoredVm
from vmdiag.sources.transcripts import NOT_IN_ARCHIVE, SelectedVm, TranscriptBuilder

IN_ARCHIVE = "in the archive"
NAMED_LIMIT = 3
# A silence of heartbeats is one from here on (the contract's heartbeat channel): a longer one is seen for itself.
HEARTBEAT_SILENCE = timedelta(minutes=10)
OPEN_LOSS_KINDS = frozenset({Kind.UNAVAILABLE, Kind.DEGRADED, Kind.UNKNOWN})
UNTIL_ADVICE = "if it was exported later, say when: --until TIME"


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """A `Source` over the files that an address means."""

    address: str
    watcher: Watcher

    def read(self, scope: Scope, needs: Needs) -> Reading:
        """One transcript a VM; raises `BadArchive` when no file could be read, `UsageError` for an unknown name."""
        store = ItemStore()
        reader = ArchiveReader(store, self.watcher, scope)
        reader.read_files(find_files(self.address))
        store.finish_loading()
        for reason in resolve_placeholders(store):
            self.watcher.warn(reason)
        stated = scope.until if isinstance(scope.until, datetime) else None
        end = store.newest or store.newest_observed or stated or reader.newest_seen
        if end is None:
            message = f"{self.address} holds no record with a time: there is nothing to look at"
            raise BadArchive(
                message, reader.untimed_reason or "Export it again; for an inventory alone say --until TIME."
            )
        window = scope.window(end)
        if window.start >= window.end:
            message = f"the archive ends at {window.end.isoformat()}, before --since"
            raise UsageError(message, "Give an earlier --since, or a duration: it counts back from the last record.")
        chosen = select_vms(store, scope, reading_span(window, needs), needs.triggers)
        builder = TranscriptBuilder(store, window, needs)
        # A recording says until when it was made.
        is_default = scope.until is None and store.recorded_until != window.end
        vms = (*chosen.vms, *chosen.comparison_vms)
        return Reading(
            window=window,
            transcripts=_build_transcripts(builder, vms, window.end if is_default else None),
            vms=tuple(one.id for one in chosen.vms),
            others=chosen.others,
            quiet=chosen.quiet,
            gaps=builder.find_unassigned_gaps(),
            cloud=store.cloud,
        )


def _build_transcripts(
    builder: TranscriptBuilder, vms: Sequence[SelectedVm], end: datetime | None
) -> Iterator[Transcript]:
    """The transcripts; where the window ends by itself, with what its `end` hides.

    An export of heartbeats ends with the loss by its nature, and so does a log whose last entry is the loss. The window
    ends with the last record, so the silence behind it is not seen, unless somebody says when the export was made.
    """
    for one in vms:
        transcript = builder.build_transcript(one)
        hints = _find_until_hints(transcript, end) if end is not None else ()
        yield replace(transcript, gaps=(*transcript.gaps, *hints))


def _find_until_hints(transcript: Transcript, end: datetime) -> Iterator[Gap]:
    """A gap at the window's end for each signal that may have told its last of the VM."""
    reasons: dict[Signal, str] = {}
    beats = [one.times[-1] for one in transcript.series if one.signal is Signal.HEARTBEAT and one.times]
    others = [one.times[-1] for one in transcript.series if one.signal is Signal.TRAFFIC and one.times]
    if beats and end - max(beats) < HEARTBEAT_SILENCE and (not others or max(others) < max(beats)):
        reasons[Signal.HEARTBEAT] = "the archive ends with heartbeats, so their end cannot be seen in it"
    last = [record for record in transcript.records if record.at == end and record.signal is Signal.HEALTH]
    if any(interpret_record(one.signal, one.name, one.status, one.facts) in OPEN_LOSS_KINDS for one in last):
        reasons[Signal.HEALTH] = "the archive ends with this VM's loss, so what followed cannot be seen in it"
    for signal, reason in reasons.items():
        yield Gap(signal=signal, window=Window(end, end), reason=f"{reason}: {UNTIL_ADVICE}", partial=True)


@dataclass(frozen=True, slots=True)
class VmSelection:
    """The VMs in the order asked for (else by id), those `comparison_vms` them to be compared with, and how many more.

    Of the others, `quiet` are those in scope of which nothing telling was heard.
    """

    vms: tuple[SelectedVm, ...]
    others: int
    comparison_vms: tuple[SelectedVm, ...] = ()
    quiet: int = 0


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


def resolve_placeholders(store: ItemStore) -> Iterator[str]:
    """Give what was heard of a name to the VM of that name; what has none is dropped, and told of in words."""
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
            twins.append(f"{said}: {len(found)} VMs of that name are in the archive")
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
        yield f"records that name a VM only as {names} were left out: no VM of that name is in the archive"


def select_vms(store: StoredItems, scope: Scope, span: Window, triggers: Iterable[Kind]) -> VmSelection:
    """The VMs in scope; raises `UsageError` for a name that means several, `NotFound` for what is not there.

    Behind the VMs that were named come those that had trouble, too: what many of them share shows only together.
    """
    seen = [SelectedVm(vm, number) for number, vm in store.list_vms()]
    if scope.lists_none:
        return VmSelection((), len(seen))
    ids = [*(one.id for one in seen), *scope.finished]
    inside = [one for one in seen if is_in_scope(one.id, scope)]
    if not scope.vms:
        inside = _filter_members(store, scope, ids, inside)
    left = [one for one in inside if one.id not in scope.finished]
    if not scope.vms and (scope.everything or scope.groups or scope.tags):
        return VmSelection(tuple(left), len(seen) - len(inside))
    suspicious = find_suspects(store, span, triggers)
    candidates = [one for one in left if one.number in suspicious]
    known = len(seen) - len(inside) + len(left)
    if not scope.vms:
        return VmSelection(tuple(candidates), known - len(candidates), quiet=len(left) - len(candidates))
    resolved = resolve_vms(scope, ids, IN_ARCHIVE)
    # An id means its VM, whichever group or subscription the other names are looked for in.
    by_id = {one.id: one for one in seen}
    reasons = resolved.missing
    named = [
        by_id.get(vm) or SelectedVm(vm, None, reasons.get(vm, NOT_IN_ARCHIVE))
        for vm in resolved.vms
        if vm not in scope.finished
    ]
    asked = set(named)
    neighbours = tuple(one for one in candidates if one not in asked)
    others = known - sum(one.number is not None for one in named) - len(neighbours)
    quiet = sum(one.number not in suspicious for one in left if one not in asked)
    return VmSelection(tuple(named), others, neighbours, quiet)


def _filter_members(store: StoredItems, scope: Scope, ids: list[VmId], inside: list[SelectedVm]) -> list[SelectedVm]:
    """The VMs in the groups and subscriptions, and with the tags, of the scope; raises where there is none."""
    require_members(scope, ids, IN_ARCHIVE)
    if scope.tags:
        tags = store.list_tags()
        there = [pair for one in inside if one.number is not None for pair in tags[one.number]]
        inside = [one for one in inside if one.number is not None and has_scope_tags(tags[one.number], scope)]
        if not inside and not scope.allow_empty:
            raise make_missing_tags_error(scope, there, IN_ARCHIVE)
    if scope.everything and not inside and not scope.finished and not scope.allow_empty:
        message = f"no VM is {IN_ARCHIVE}"
        raise NotFound(message, f"Add an export of the VMs or of their activity log. {ALLOW_EMPTY}")
    return inside
