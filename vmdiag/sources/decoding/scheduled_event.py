"""An event of Azure's Scheduled Events, freed of its wire form, and whose it is; must not know what an event means.

Sources: "Azure Metadata Service: Scheduled Events", "Scheduled events in Event Grid", "... in Azure Resource Graph":
one schema in three envelopes. Before api-version 2017-08-01 names carried a `_`. Nothing in an event says when it
began or ended: that is told by its envelope, or by nobody.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from vmdiag.identity import VmId
from vmdiag.model import Record, Signal
from vmdiag.sources.decoding.fields import brief, elements, facts, text
from vmdiag.sources.decoding.resource_ids import vm_itself
from vmdiag.sources.decoding.timestamps import iso, parse
from vmdiag.sources.items import Heard, Item, Malformed, Snapshot
from vmdiag.sources.unplaced_vms import vm_by_name

OWN = frozenset({"eventtype", "eventstatus"})
BELOW = "/providers/microsoft.maintenance/"
SET = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)/providers/microsoft\.compute/"
    r"(?P<kind>virtualmachinescalesets|availabilitysets)/(?P<name>[^/]+)",
    re.IGNORECASE,
)
ALIAS = "the event names its VM only by an alias of Azure's own"
MOST_NAMED = 1_000  # VMs of one event; a scale set has no more instances


def members_of(written: Mapping[str, object]) -> dict[str, object]:
    """The members of an event by their names in lower case."""
    return {str(key).lstrip("_").lower(): value for key, value in written.items()}


def is_event(said: Mapping[str, object]) -> bool:
    """Whether these members are those of a scheduled event."""
    return said.keys() >= OWN and ("resources" in said or "eventid" in said)


def items_of(said: Mapping[str, object], vms: list[VmId], at: datetime | None, ref: str) -> Iterator[Item]:
    """The event once for each of its VMs; one that nobody dates has the fact `undated`."""
    kind = text(said.get("resourcetype")).lower()
    if kind not in ("", "virtualmachine"):
        return
    status = brief(said.get("eventstatus"))
    known = facts(
        event_type=said.get("eventtype"),
        event=said.get("eventid"),
        stage=status,
        summary=said.get("description"),
        source=said.get("eventsource"),
        duration=said.get("durationinseconds"),
        not_before=iso(parse(said.get("notbefore"))),
    )
    for vm in vms:
        if at is None:
            told = {**known, "undated": "true"}
            yield Snapshot(vm=vm, signal=Signal.HEALTH, name="", status=status, facts=told, ref=ref)
        else:
            yield Heard(vm, Record(at=at, signal=Signal.HEALTH, name="", status=status, facts=known, ref=ref))


def vms_of(said: Mapping[str, object], *identifiers: object) -> list[VmId]:
    """The VMs of an event that lies below a VM or a set, or names its VMs only; raises `Malformed` for none."""
    names = [name for each in elements(said.get("resources"))[:MOST_NAMED] if (name := text(each))]
    written = [text(each) for each in identifiers if text(each)]
    for identifier in written:
        cut = identifier.lower().find(BELOW)
        owner = identifier if cut < 0 else identifier[:cut]
        vm = vm_itself(owner)
        if vm is not None:
            return [vm]
        if found := SET.fullmatch(owner):
            return [_member(found, name) for name in names]
    if written and not names:
        raise Malformed(ALIAS)
    if not names:
        message = "the event names no VM"
        raise Malformed(message)
    return [vm_by_name(name) for name in names]


def _member(owner: re.Match[str], name: str) -> VmId:
    """A VM of a set: an instance of a uniform one is called SET_NUMBER, any other is a VM of the set's group."""
    scale_set, _, number = name.rpartition("_")
    is_uniform = owner["kind"].lower() == "virtualmachinescalesets" and number.isdecimal()
    if is_uniform and scale_set.lower() == owner["name"].lower():
        return VmId(
            subscription=owner["subscription"], resource_group=owner["group"], name=number, scale_set=owner["name"]
        )
    return VmId(subscription=owner["subscription"], resource_group=owner["group"], name=name)
