"""Rows of Resource Graph's `resourcechanges`: who changed VMs and networks, for fourteen days.

Source: "Azure Resource Graph: Get resource changes". It shows what was written, so it leaves out what only acts.
"""

from collections.abc import Iterator

from vmdiag.completeness import Row
from vmdiag.model import Record, Signal
from vmdiag.sources.decoding.fields import (
    collect_facts,
    find_resource_id,
    find_text,
    parse_network_id,
    parse_vm_id,
    to_mapping,
)
from vmdiag.sources.decoding.log_entry import cover_scope
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.formats.resource_graph_health_changes import CHANGE_TYPE, find_change, is_resource_change
from vmdiag.sources.items import Item, NetworkChange, VmRecord

SIGNALS = (Signal.ACTIVITY,)
SIGNATURES = (
    Signature(all_of={"changeAttributes"}, condition=is_resource_change),
    Signature(one_of={"type", "properties"}, kind=CHANGE_TYPE, condition=is_resource_change),
)
WRITES_ONLY = "resource changes show what was written or deleted, not restarts and redeploys"
TYPE_LENGTH = 200
PATH_LIMIT = 20  # of a change that rewrote a resource; the first tell what it was
# What the platform writes by itself when a VM's state changes: nobody's operation.
STATE_PREFIXES = ("properties.extended.", "properties.instanceview.")


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """What was changed decides; where it was lost with a part of the row, it may have been a health record."""
    body = find_change(row) or {}
    return SIGNALS if find_text(body, "targetResourceType", "targetResourceId") else (*SIGNALS, Signal.HEALTH)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The write or the deletion of a VM or of what its traffic passes through; never who did it."""
    body = find_change(row) or {}
    made = to_mapping(body.get("changeAttributes"))
    target = find_resource_id(body.get("targetResourceId"))
    vm, near = parse_vm_id(target), parse_network_id(target)
    at = require_time(vm, made.get("timestamp"))
    yield from cover_scope(target, Signal.ACTIVITY, WRITES_ONLY)
    paths = list(to_mapping(body.get("changes")))
    if paths and all(path.lower().startswith(STATE_PREFIXES) for path in paths):
        return
    verb = "delete" if find_text(body, "changeType").lower() == "delete" else "write"
    facts = collect_facts(
        resource=target.lower(),
        correlation=made.get("correlationId"),
        changed=",".join(paths[:PATH_LIMIT]),
        clientType=made.get("clientType"),
        operation=made.get("operation"),
    )
    # The type as written or as the id shows it; a VM's in the spelling of its operations.
    provider, *parts = target.rpartition("/providers/")[2].split("/")
    kind = find_text(body, "targetResourceType") or "/".join([provider, *parts[::2]])
    name = f"{kind[:TYPE_LENGTH] if vm is None else 'Microsoft.Compute/virtualMachines'}/{verb}"
    # What failed changes nothing.
    record = Record(at=at, signal=Signal.ACTIVITY, name=name, status="Succeeded", facts=facts, ref=ref)
    if vm is not None:
        yield VmRecord(vm, record)
    if near is not None:
        yield NetworkChange(resource=near, record=record)
