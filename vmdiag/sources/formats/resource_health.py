"""Items of Resource Health's availability statuses: a VM's history and its current state; must not judge a state.

Source: "REST API: Availability Statuses - List". Since 2022 an item without a state is an event that touched the VM.
The time is spelt `occuredTime` in all versions but one.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import unquote_plus

from vmdiag.model import Signal
from vmdiag.sources.decoding import health_status
from vmdiag.sources.decoding.fields import HEALTH_PROVIDER, find_resource_id, parse_health_vm, to_mapping, to_text
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.items import FeedCoverage, Item, Row

SIGNALS = (Signal.HEALTH,)

# Not the whole word: Microsoft's example of 2015 has `AvailabilityStatueses`.
STATUS_TYPES = ("microsoft.resourcehealth/availabilitystatu", "microsoft.resourcehealth/childavailabilitystatu")
CURRENT_ONLY = "only the current status"


def recognises_row(row: Row) -> bool:
    """An item of that type, or below such an id, which does not name its target as Resource Graph's rows do."""
    properties = row.get("properties")
    kind = to_text(row.get("type")).lower()
    if not kind:
        _, marker, tail = to_text(row.get("id")).lower().rpartition(HEALTH_PROVIDER)
        kind = f"microsoft.resourcehealth/{tail}" if marker else ""
    return (
        kind.startswith(STATUS_TYPES)
        and "eventTimestamp" not in row
        and "targetResourceId" not in to_mapping(properties)
    )


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The state or the event of an item; nothing for a classic VM or another resource."""
    said = to_mapping(row.get("properties"))
    vm = parse_health_vm(find_resource_id(row.get("id")))
    if vm is None:
        return
    name = to_text(row.get("name")) or to_text(row.get("id")).rpartition("/")[2]
    at = require_time(vm, *_list_times(said), unquote_plus(name))  # history items are named by their time
    current = name.lower() == "current"
    yield FeedCoverage(signal=Signal.HEALTH, scope=vm.key, partial=CURRENT_ONLY if current else None)
    yield from health_status.decode_health_event(vm, at, said, ref)


def _list_times(said: Mapping[str, object]) -> tuple[object, ...]:
    return said.get("occuredTime"), said.get("occurredTime")
