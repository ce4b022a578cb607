"""An event of Azure's Scheduled Events, freed of its wire form, and whose it is.

Sources: "Azure Metadata Service: Scheduled Events", "Scheduled events in Event Grid", "... in Azure Resource Graph":
one schema in three envelopes. Before api-version 2017-08-01 names carried a `_`. Nothing in an event says when it
began or ended: that is told by its envelope, or by nobody.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from vmdiag.completeness import MalformedRow
from vmdiag.identity import VmId, make_name_placeholder
from vmdiag.model import Record, Signal
from vmdiag.sources.decoding.fields import (
    collect_facts,
    cut_at,
    find_text,
    parse_vm_id,
    to_list,
    to_short_text,
    to_text,
)
from vmdiag.sources.decoding.timestamps import format_iso, parse_time
from vmdiag.sources.items import UNDATED, Item, VmRecord

EVENT_MEMBERS = frozenset({"eventtype", "eventstatus"})
EVENT_COLUMNS = frozenset({"eventtype", "_eventtype"})  # one of them, where an event's members are columns
MAINTENANCE_PROVIDER = "/providers/microsoft.maintenance/"
SET_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)/providers/microsoft\.compute/"
    r"(?P<kind>virtualmachinescalesets|availabilitysets)/(?P<name>[^/]+)",
    re.IGNORECASE,
)
ALIAS_ONLY = "the event names its VM only by an alias of Azure's own"
NAMED_LIMIT = 1_000  # VMs of one event; a scale set has no more instances


def fold_members(written: Mapping[str, object]) -> dict[str, object]:
    """The members of an event by their names in lower case."""
    return {str(key).lstrip("_").lower(): value for key, value in written.items()}


def is_scheduled_event(members: Mapping[str, object]) -> bool:
    """Whether these members are those of a scheduled event."""
    names = fold_members(members).keys()
    return names >= EVENT_MEMBERS and ("resources" in names or "eventid" in names)


def decode_scheduled_event(
    said: Mapping[str, object], vms: list[VmId], at: datetime | None, ref: str
) -> Iterator[Item]:
    """The event once for each of its VMs; one that nobody dates has the fact `undated`."""
    kind = find_text(said, "resourcetype").lower()
    if kind not in ("", "virtualmachine"):
        return
    status = to_short_text(said.get("eventstatus"))
    known = collect_facts(
        event_type=said.get("eventtype"),
        event=said.get("eventid"),
        stage=status,
        summary=said.get("description"),
        source=said.get("eventsource"),
        duration=said.get("durationinseconds"),
        not_before=format_iso(parse_time(said.get("notbefore"))),
    )
    facts = known if at else {**known, "undated": "true"}
    record = Record(at=at or UNDATED, signal=Signal.HEALTH, name="", status=status, facts=facts, ref=ref)
    yield from (VmRecord(vm, record, is_dated=at is not None) for vm in vms)


def find_event_vms(said: Mapping[str, object], *identifiers: object) -> list[VmId]:
    """The VMs of an event that lies below a VM or a set, or names its VMs only; raises `MalformedRow` for none."""
    names = [name for each in to_list(said.get("resources"))[:NAMED_LIMIT] if (name := to_text(each))]
    written = [to_text(each) for each in identifiers if to_text(each)]
    for identifier in written:
        owner = cut_at(identifier, MAINTENANCE_PROVIDER)
        vm = parse_vm_id(owner)
        if vm is not None:
            return [vm]
        if found := SET_ID.fullmatch(owner):
            vms = []
            for name in names:
                # An instance of a uniform set is called SET_NUMBER; any other is a VM of the set's group.
                scale_set, _, number = name.rpartition("_")
                is_uniform = found["kind"].lower() == "virtualmachinescalesets" and number.isdecimal()
                is_instance = is_uniform and scale_set.lower() == found["name"].lower()
                called = {"name": number, "scale_set": found["name"]} if is_instance else {"name": name}
                vms.append(VmId(subscription=found["subscription"], resource_group=found["group"], **called))
            return vms
    if written and not names:
        raise MalformedRow(ALIAS_ONLY)
    if not names:
        message = "the event names no VM"
        raise MalformedRow(message)
    return [make_name_placeholder(name) for name in names]
