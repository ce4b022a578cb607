"""Items of Resource Health's availability statuses: a VM's history and its current state; must not judge a state.

Source: "REST API: Availability Statuses - List". Since 2022 an item without a state is an event that touched the VM.
The time is spelt `occuredTime` in all versions but one.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import unquote_plus

from vmdiag.model import Signal
from vmdiag.sources.decoding import health_status
from vmdiag.sources.decoding.fields import mapping, text
from vmdiag.sources.decoding.resource_ids import HEALTH, resource, vm_of_health
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.items import Covers, Item, Row

SIGNALS = (Signal.HEALTH,)

# Not the whole word: Microsoft's example of 2015 has `AvailabilityStatueses`.
KINDS = ("microsoft.resourcehealth/availabilitystatu", "microsoft.resourcehealth/childavailabilitystatu")
CURRENT_ONLY = "only the current status"


def recognises(row: Row) -> bool:
    """An item of that type, or below such an id, which does not name its target as Resource Graph's rows do."""
    properties = row.get("properties")
    kind = text(row.get("type")).lower()
    if not kind:
        _, marker, tail = text(row.get("id")).lower().rpartition(HEALTH)
        kind = f"microsoft.resourcehealth/{tail}" if marker else ""
    return kind.startswith(KINDS) and "eventTimestamp" not in row and "targetResourceId" not in mapping(properties)


def items(row: Row, ref: str) -> Iterator[Item]:
    """The state or the event of an item; nothing for a classic VM or another resource."""
    said = mapping(row.get("properties"))
    vm = vm_of_health(resource(row.get("id")))
    if vm is None:
        return
    name = text(row.get("name")) or text(row.get("id")).rpartition("/")[2]
    at = first(vm, *_times(said), unquote_plus(name))  # history items are named by their time
    current = name.lower() == "current"
    yield Covers(signal=Signal.HEALTH, scope=vm.key, partial=CURRENT_ONLY if current else None)
    yield from health_status.understood(vm, at, said, ref)


def _times(said: Mapping[str, object]) -> tuple[object, ...]:
    return said.get("occuredTime"), said.get("occurredTime")
