"""Rows of Resource Graph's `resourcechanges`: who changed VMs and networks, for fourteen days; must not judge a change.

Source: "Azure Resource Graph: Get resource changes". It shows what was written, so it leaves out what only acts.
"""

from collections.abc import Iterator, Mapping

from vmdiag.model import Record, Signal
from vmdiag.sources.decoding.fields import at as at_path
from vmdiag.sources.decoding.fields import facts, mapping, text
from vmdiag.sources.decoding.resource_ids import carrier, resource, scope, vm_itself
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.formats.resource_graph_health_changes import change, concerns_health
from vmdiag.sources.items import Covers, Heard, Item, Nearby, Row

SIGNALS = (Signal.ACTIVITY,)

WRITES_ONLY = "resource changes show what was written or deleted, not restarts and redeploys"
MOST_PATHS = 20  # of a change that rewrote a resource; the first tell what it was
# What the platform writes by itself when a VM's state changes: nobody's operation.
STATE = ("properties.extended.", "properties.instanceview.")


def recognises(row: Row) -> bool:
    """A change of anything but a record of Resource Health's."""
    body = change(row)
    return body is not None and not concerns_health(row, body)


def signals(row: Row) -> tuple[Signal, ...]:
    """What was changed decides; where it was lost with a part of the row, it may have been a health record."""
    body = change(row) or {}
    return (
        SIGNALS
        if text(body.get("targetResourceType")) or text(body.get("targetResourceId"))
        else (*SIGNALS, Signal.HEALTH)
    )


def items(row: Row, ref: str) -> Iterator[Item]:
    """The write or the deletion of a VM or of what its traffic passes through."""
    body = change(row) or {}
    target = resource(body.get("targetResourceId"))
    vm, near, where = vm_itself(target), carrier(target), scope(target)
    at = first(vm, at_path(body, "changeAttributes", "timestamp"))
    if where is not None:
        yield Covers(signal=Signal.ACTIVITY, scope=where, partial=WRITES_ONLY)
    paths = list(mapping(body.get("changes")))
    if paths and all(path.lower().startswith(STATE) for path in paths):
        return
    record = Record(
        at=at,
        signal=Signal.ACTIVITY,
        name=f"{_type(body, target)}/{_verb(body)}",
        status="Succeeded",  # what failed changes nothing
        facts=_facts(body, target, paths),
        ref=ref,
    )
    if vm is not None:
        yield Heard(vm, record)
    if near is not None:
        yield Nearby(resource=near, record=record)


def _type(body: Mapping[str, object], target: str) -> str:
    """The target's type, as written or as its id shows it; a VM's in the spelling of its operations."""
    if vm_itself(target) is not None:
        return "Microsoft.Compute/virtualMachines"
    provider, *parts = target.rpartition("/providers/")[2].split("/")
    return text(body.get("targetResourceType"))[:200] or "/".join([provider, *parts[::2]])[:200]


def _verb(body: Mapping[str, object]) -> str:
    return "delete" if text(body.get("changeType")).lower() == "delete" else "write"


def _facts(body: Mapping[str, object], target: str, paths: list[str]) -> dict[str, str]:
    """What changed and by which means; never who did it."""
    made = mapping(body.get("changeAttributes"))
    return facts(
        resource=target.lower(),
        correlation=made.get("correlationId"),
        changed=",".join(paths[:MOST_PATHS]),
        clientType=made.get("clientType"),
        operation=made.get("operation"),
    )
