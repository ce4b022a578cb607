"""Rows of Resource Graph's `resourcechanges`: who changed VMs and networks, for fourteen days; must not judge a change.

Source: "Azure Resource Graph: Get resource changes". It shows what was written, so it leaves out what only acts.
"""

from collections.abc import Iterator, Mapping

from vmdiag.model import Record, Signal
from vmdiag.sources.decoding.fields import (
    collect_facts,
    find_resource_id,
    get_path,
    parse_network_id,
    parse_scope,
    parse_vm_id,
    to_mapping,
    to_text,
)
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats.resource_graph_health_changes import concerns_health, find_change
from vmdiag.sources.items import FeedCoverage, Item, NetworkChange, Row, VmRecord

SIGNALS = (Signal.ACTIVITY,)

WRITES_ONLY = "resource changes show what was written or deleted, not restarts and redeploys"
PATH_LIMIT = 20  # of a change that rewrote a resource; the first tell what it was
# What the platform writes by itself when a VM's state changes: nobody's operation.
STATE_PREFIXES = ("properties.extended.", "properties.instanceview.")


def recognises_row(row: Row) -> bool:
    """A change of anything but a record of Resource Health's."""
    body = find_change(row)
    return body is not None and not concerns_health(row, body)


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """What was changed decides; where it was lost with a part of the row, it may have been a health record."""
    body = find_change(row) or {}
    return (
        SIGNALS
        if to_text(body.get("targetResourceType")) or to_text(body.get("targetResourceId"))
        else (*SIGNALS, Signal.HEALTH)
    )


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The write or the deletion of a VM or of what its traffic passes through."""
    body = find_change(row) or {}
    target = find_resource_id(body.get("targetResourceId"))
    vm, near, where = parse_vm_id(target), parse_network_id(target), parse_scope(target)
    at = require_time(vm, get_path(body, "changeAttributes", "timestamp"))
    if where is not None:
        yield FeedCoverage(signal=Signal.ACTIVITY, scope=where, partial=WRITES_ONLY)
    paths = list(to_mapping(body.get("changes")))
    if paths and all(path.lower().startswith(STATE_PREFIXES) for path in paths):
        return
    record = Record(
        at=at,
        signal=Signal.ACTIVITY,
        name=f"{_find_resource_type(body, target)}/{_find_operation_verb(body)}",
        status="Succeeded",  # what failed changes nothing
        facts=_collect_change_facts(body, target, paths),
        ref=ref,
    )
    if vm is not None:
        yield VmRecord(vm, record)
    if near is not None:
        yield NetworkChange(resource=near, record=record)


def _find_resource_type(body: Mapping[str, object], target: str) -> str:
    """The target's type, as written or as its id shows it; a VM's in the spelling of its operations."""
    if parse_vm_id(target) is not None:
        return "Microsoft.Compute/virtualMachines"
    provider, *parts = target.rpartition("/providers/")[2].split("/")
    return to_text(body.get("targetResourceType"))[:200] or "/".join([provider, *parts[::2]])[:200]


def _find_operation_verb(body: Mapping[str, object]) -> str:
    return "delete" if to_text(body.get("changeType")).lower() == "delete" else "write"


def _collect_change_facts(body: Mapping[str, object], target: str, paths: list[str]) -> dict[str, str]:
    """What changed and by which means; never who did it."""
    made = to_mapping(body.get("changeAttributes"))
    return collect_facts(
        resource=target.lower(),
        correlation=made.get("correlationId"),
        changed=",".join(paths[:PATH_LIMIT]),
        clientType=made.get("clientType"),
        operation=made.get("operation"),
    )
