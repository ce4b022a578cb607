"""Which of the VMs in the spool are asked for, and how many others there are; must not know what a VM's story is."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from vmdiag.errors import NotFound, UsageError
from vmdiag.identity import Selector, VmId, words_for
from vmdiag.model import Kind, Signal, Window
from vmdiag.reading import Scope
from vmdiag.sources._spool import unspelt

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
NO_NEAR_NAME = "Check the name; a resource id or resource-group/name is surest."


@dataclass(frozen=True, slots=True)
class Asked:
    """A VM to tell of: its number in the spool, `None` when the spool knows nothing of it."""

    id: VmId
    number: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """The VMs in the order asked for (else by id), those `behind` them to be compared with, and how many more."""

    vms: tuple[Asked, ...]
    others: int
    behind: tuple[Asked, ...] = ()


def chosen(database: sqlite3.Connection, scope: Scope, span: Window, triggers: Iterable[Kind]) -> Choice:
    """The VMs in scope; raises `UsageError` or `NotFound` for a name that means several or none.

    Behind the VMs that were named come those that had trouble, too: what many of them share shows only together.
    """
    seen = [
        Asked(unspelt(spelling), number)
        for number, spelling in database.execute("select num, spelling from machine order by key")
    ]
    inside = [one for one in seen if _is_inside(one.id, scope)]
    left = [one for one in inside if one.id not in scope.finished]
    if scope.everything or (scope.groups and not scope.vms):
        return Choice(tuple(left), len(seen) - len(inside))
    suspicious = suspects(database, span, triggers)
    candidates = [one for one in left if one.number in suspicious]
    known = len(seen) - len(inside) + len(left)
    if not scope.vms:
        return Choice(tuple(candidates), known - len(candidates))
    named = _named(scope, inside)
    neighbours = [one for one in candidates if one not in named]
    others = known - sum(one.number is not None for one in named) - len(neighbours)
    return Choice(tuple(named), others, tuple(neighbours))


def _named(scope: Scope, inside: list[Asked]) -> list[Asked]:
    names = Names((one.id for one in inside), "in the archive")
    known = {one.id: one for one in inside}
    meant = dict.fromkeys(names.meant(selector) for selector in scope.vms)
    return [known.get(vm) or Asked(vm, None) for vm in meant if vm not in scope.finished]


def _is_inside(vm: VmId, scope: Scope) -> bool:
    groups = {group.lower() for group in scope.groups}
    subscriptions = {one.lower() for one in scope.subscriptions}
    return (not groups or vm.resource_group.lower() in groups) and (
        not subscriptions or vm.subscription.lower() in subscriptions
    )


def suspects(database: sqlite3.Connection, span: Window, triggers: Iterable[Kind]) -> frozenset[int]:
    """The numbers of the VMs with a telling record in what was read, or with readings in which a loss may show."""
    read = database.execute(
        "select distinct vm from points where signal in (?, ?) and length(times) > 0",
        (Signal.TRAFFIC, Signal.HEARTBEAT),
    )
    return frozenset(first_telling(database, span, triggers)) | {number for (number,) in read}


def first_telling(database: sqlite3.Connection, span: Window, triggers: Iterable[Kind]) -> dict[int, datetime]:
    """When the VMs' first telling records were written, by the VMs' numbers; a state of now is as new as the end."""
    kinds = frozenset(triggers) - ORDINARY | LOSSES
    marks = ", ".join("?" * len(kinds))
    end = span.end.timestamp()
    found = database.execute(
        f"select vm, min(coalesce(at, ?)) from record where kind in ({marks})"  # noqa: S608 - marks alone
        " and (at is null or at between ? and ?) group by vm",
        (end, *kinds, span.start.timestamp(), end),
    )
    return {number: datetime.fromtimestamp(at, UTC) for number, at in found}


class Names:
    """VMs by the words that people use for them; `where` they were looked for is told with an error."""

    def __init__(self, seen: Iterable[VmId], where: str) -> None:
        self._where = where
        self._seen: defaultdict[str, list[VmId]] = defaultdict(list)
        for vm in seen:
            for word in words_for(vm):
                self._seen[word].append(vm)

    def meant(self, selector: Selector) -> VmId:
        """The one VM that a person means; raises `UsageError` where it is several, `NotFound` with near names for none.

        An id means its VM even where that was not seen.
        """
        stated = VmId.parse(selector.text)
        found = self._seen.get(selector.word) or ([stated] if stated else [])
        if len(found) == 1:
            return found[0]
        if found:
            listed = "\n  ".join(map(str, found[:MOST_LISTED]))
            message = f"{selector.text} means {len(found)} VMs:\n  {listed}"
            raise UsageError(message, "Name it as resource-group/name, or by its resource id.")
        message = f"no VM {self._where} is called {selector.text}"
        raise NotFound(message, self._near(selector.word))

    def _near(self, word: str) -> str:
        # Imported where it is needed: most names are found.
        from difflib import get_close_matches

        names = {one.name.lower(): f"{one.resource_group}/{one.name}" for known in self._seen.values() for one in known}
        near = get_close_matches(word.rpartition("/")[2], names, cutoff=0.5)
        return f"Did you mean {', '.join(names[name] for name in near)}?" if near else NO_NEAR_NAME
