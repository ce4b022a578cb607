"""Which of the VMs in the spool are asked for, and how many others there are; must not know what a VM's story is."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from vmdiag.errors import NotFound
from vmdiag.identity import VmId
from vmdiag.model import NO_SUCH_VM, Kind, Signal, Window
from vmdiag.sources.protocol import Scope
from vmdiag.sources.scope_words import (
    ALLOW_EMPTY,
    VmNameIndex,
    has_scope_tags,
    is_in_scope,
    make_missing_tags_error,
    require_members,
    resolve_vms,
)
from vmdiag.sources.vm_spelling import decode_vm_id

# What makes a VM worth a look when nothing was named: the triggers of the scenarios, and every word for a loss.
LOSS_KINDS = frozenset(
    {
        Kind.UNAVAILABLE,
        Kind.DEGRADED,
        Kind.STOP,
        Kind.DEALLOCATE,
        Kind.DELETE,
        Kind.POWER_STOPPED,
        Kind.POWER_DEALLOCATED,
        Kind.UNREACHABLE,
        Kind.PROBE_FAILED,
    }
)
# Changes around a VM are no reason to look at it.
IGNORED_KINDS = frozenset({Kind.NETWORK_CHANGE, Kind.SERVICE_INCIDENT})
IN_ARCHIVE = "in the archive"
NOT_IN_ARCHIVE = f"{NO_SUCH_VM} {IN_ARCHIVE}: nothing in it is about this id"


@dataclass(frozen=True, slots=True)
class SelectedVm:
    """A VM to tell of: its number in the spool, `None` when the spool knows nothing of it, and why then."""

    id: VmId
    number: int | None
    reason: str = NOT_IN_ARCHIVE


@dataclass(frozen=True, slots=True)
class VmSelection:
    """The VMs in the order asked for (else by id), those `comparison_vms` them to be compared with, and how many more.

    Of the others, `quiet` are those in scope of which nothing telling was heard.
    """

    vms: tuple[SelectedVm, ...]
    others: int
    comparison_vms: tuple[SelectedVm, ...] = ()
    quiet: int = 0


def select_vms(database: sqlite3.Connection, scope: Scope, span: Window, triggers: Iterable[Kind]) -> VmSelection:
    """The VMs in scope; raises `UsageError` for a name that means several, `NotFound` for what is not there.

    Behind the VMs that were named come those that had trouble, too: what many of them share shows only together.
    """
    seen = [
        SelectedVm(decode_vm_id(spelling), number)
        for number, spelling in database.execute("select num, spelling from machine order by key")
    ]
    if scope.lists_none:
        return VmSelection((), len(seen))
    ids = [*(one.id for one in seen), *scope.finished]
    inside = [one for one in seen if is_in_scope(one.id, scope)]
    if not scope.vms:
        inside = _filter_members(database, scope, ids, inside)
    left = [one for one in inside if one.id not in scope.finished]
    if not scope.vms and (scope.everything or scope.groups or scope.tags):
        return VmSelection(tuple(left), len(seen) - len(inside))
    suspicious = find_suspects(database, span, triggers)
    candidates = [one for one in left if one.number in suspicious]
    known = len(seen) - len(inside) + len(left)
    if not scope.vms:
        return VmSelection(tuple(candidates), known - len(candidates), quiet=len(left) - len(candidates))
    named = _resolve_named_vms(scope, seen, ids)
    asked = set(named)
    neighbours = tuple(one for one in candidates if one not in asked)
    others = known - sum(one.number is not None for one in named) - len(neighbours)
    quiet = sum(one.number not in suspicious for one in left if one not in asked)
    return VmSelection(tuple(named), others, neighbours, quiet)


def _filter_members(
    database: sqlite3.Connection, scope: Scope, ids: list[VmId], inside: list[SelectedVm]
) -> list[SelectedVm]:
    """The VMs in the groups and subscriptions, and with the tags, of the scope; raises where there is none."""
    require_members(scope, ids, IN_ARCHIVE)
    if scope.tags:
        tags: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
        for number, name, value in database.execute("select vm, name, value from tag"):
            tags[number].append((name, value))
        there = [pair for one in inside if one.number is not None for pair in tags[one.number]]
        inside = [one for one in inside if one.number is not None and has_scope_tags(tags[one.number], scope)]
        if not inside and not scope.allow_empty:
            raise make_missing_tags_error(scope, there, IN_ARCHIVE)
    if scope.everything and not inside and not scope.finished and not scope.allow_empty:
        message = f"no VM is {IN_ARCHIVE}"
        raise NotFound(message, f"Add an export of the VMs or of their activity log. {ALLOW_EMPTY}")
    return inside


def _resolve_named_vms(scope: Scope, seen: list[SelectedVm], ids: list[VmId]) -> list[SelectedVm]:
    names = VmNameIndex((vm for vm in ids if is_in_scope(vm, scope)), IN_ARCHIVE)
    if not all(selector.vm_id or names.find_matches(selector) for selector in scope.vms):
        require_members(scope, ids, IN_ARCHIVE)
    resolved = resolve_vms(scope, names)
    # An id means its VM, whichever group or subscription the other names are looked for in.
    known = {one.id: one for one in seen}
    reasons = resolved.missing
    return [
        known.get(vm) or SelectedVm(vm, None, reasons.get(vm, NOT_IN_ARCHIVE))
        for vm in resolved.vms
        if vm not in scope.finished
    ]


def find_suspects(database: sqlite3.Connection, span: Window, triggers: Iterable[Kind]) -> frozenset[int]:
    """The numbers of the VMs with a telling record in what was read, or with readings in which a loss may show."""
    read = database.execute(
        "select distinct vm from points where signal in (?, ?) and length(times) > 0",
        (Signal.TRAFFIC, Signal.HEARTBEAT),
    )
    return frozenset(find_first_suspicions(database, span, triggers)) | {number for (number,) in read}


def find_first_suspicions(database: sqlite3.Connection, span: Window, triggers: Iterable[Kind]) -> dict[int, datetime]:
    """When the VMs' first telling records were written, by the VMs' numbers; a state of now is as new as the end."""
    kinds = frozenset(triggers) - IGNORED_KINDS | LOSS_KINDS
    marks = ", ".join("?" * len(kinds))
    end = span.end.timestamp()
    found = database.execute(
        f"select vm, min(coalesce(at, ?)) from record where kind in ({marks})"  # noqa: S608 - marks alone
        " and (at is null or at between ? and ?) group by vm",
        (end, *kinds, span.start.timestamp(), end),
    )
    return {number: datetime.fromtimestamp(at, UTC) for number, at in found}
