"""Which of the VMs in the spool are asked for, and how many others there are; must not know what a VM's story is."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from vmdiag.errors import NotFound, UsageError
from vmdiag.identity import Selector, VmId
from vmdiag.model import Kind, Scope, Signal, Window
from vmdiag.sources.archive._spool import unspelt

# What makes a VM worth a look when nothing was named: the triggers of the scenarios, and every word for a loss.
LOSSES = frozenset(
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
ORDINARY = frozenset({Kind.NETWORK_CHANGE, Kind.SERVICE_INCIDENT})
MOST_LISTED = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """A VM to tell of: its number in the spool, `None` when the spool knows nothing of it."""

    id: VmId
    number: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """The VMs in the order asked for (else by id), and how many more were seen."""

    vms: tuple[Asked, ...]
    others: int


def chosen(database: sqlite3.Connection, scope: Scope, window: Window, triggers: Iterable[Kind]) -> Choice:
    """The VMs in scope; raises `UsageError` or `NotFound` for a name that means several or none.

    Behind the VMs that were named come those that had trouble, too: what many of them share shows only together.
    """
    seen = [
        Asked(unspelt(spelling), number)
        for number, spelling in database.execute("select num, spelling from machine order by key")
    ]
    inside = [one for one in seen if _is_inside(one.id, scope)]
    if scope.everything or (scope.groups and not scope.vms):
        return Choice(tuple(inside), len(seen) - len(inside))
    troubled = _troubled(database, window, frozenset(triggers) - ORDINARY | LOSSES)
    candidates = [one for one in inside if one.number in troubled]
    if not scope.vms:
        return Choice(tuple(candidates), len(seen) - len(candidates))
    named = list(dict.fromkeys(_named(selector, inside) for selector in scope.vms))
    neighbours = [one for one in candidates if one not in named]
    return Choice((*named, *neighbours), len(seen) - sum(one.number is not None for one in named) - len(neighbours))


def _is_inside(vm: VmId, scope: Scope) -> bool:
    groups = {group.lower() for group in scope.groups}
    subscriptions = {one.lower() for one in scope.subscriptions}
    return (not groups or vm.resource_group.lower() in groups) and (
        not subscriptions or vm.subscription.lower() in subscriptions
    )


def _troubled(database: sqlite3.Connection, window: Window, kinds: frozenset[Kind]) -> frozenset[int]:
    """The VMs with a telling record in the window, or with readings in which a loss may show."""
    marks = ", ".join("?" * len(kinds))
    span = (window.start.timestamp(), window.end.timestamp())
    told = database.execute(
        f"select distinct vm from record where kind in ({marks}) and (at is null or at between ? and ?)",  # noqa: S608
        (*kinds, *span),
    )
    read = database.execute(
        "select distinct vm from points where signal in (?, ?) and length(times) > 0",
        (Signal.TRAFFIC, Signal.HEARTBEAT),
    )
    return frozenset(number for rows in (told, read) for (number,) in rows)


def _named(selector: Selector, seen: list[Asked]) -> Asked:
    found = [one for one in seen if selector.matches(one.id)]
    if len(found) == 1:
        return found[0]
    if found:
        listed = "\n  ".join(str(one.id) for one in found[:MOST_LISTED])
        message = f"{selector.text} means {len(found)} VMs:\n  {listed}"
        raise UsageError(message, "Name it as resource-group/name, or by its resource id.")
    stated = VmId.parse(selector.text)
    if stated is not None:
        return Asked(stated, None)
    names = {one.id.name.lower(): f"{one.id.resource_group}/{one.id.name}" for one in seen}
    near = get_close_matches(selector.text.lower().rpartition("/")[2], names, cutoff=0.5)
    guess = f"Did you mean {', '.join(names[name] for name in near)}? " if near else ""
    message = f"no VM of the archive is called {selector.text}"
    raise NotFound(message, f"{guess}Without a name, every VM that had trouble is told of.")
