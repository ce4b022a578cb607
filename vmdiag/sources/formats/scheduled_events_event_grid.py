"""Scheduled events that Event Grid delivered, in its own schema or as CloudEvents; must not know what an event means.

Source: "Scheduled events in Event Grid" (preview, 2026-05-01). Its pages call the type by three names; the samples
have the last of `TYPES`. The time is the envelope's.
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import at as at_path
from vmdiag.sources.decoding.fields import mapping, text
from vmdiag.sources.decoding.scheduled_event import items_of, members_of, vms_of
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.items import Item, Row

SIGNALS = (Signal.HEALTH,)
TYPES = (
    "microsoft.maintenance.scheduledevents",
    "microsoft.maintenance/scheduledevents/write",
    "microsoft.resourcenotifications.maintenanceresources.scheduledeventemitted",
)


def recognises(row: Row) -> bool:
    """An event by its type."""
    return (text(row.get("eventType")) or text(row.get("type"))).lower() in TYPES and "data" in row


def items(row: Row, ref: str) -> Iterator[Item]:
    """What was notified of each VM."""
    told = mapping(at_path(row, "data", "resourceInfo"))
    said = members_of(mapping(told.get("properties")))
    vms = vms_of(said, told.get("id"), row.get("subject"), said.get("targetresourceid"))
    whose = vms[0] if len(vms) == 1 else None
    at = first(
        whose, at_path(row, "data", "operationalInfo", "resourceEventTime"), row.get("eventTime"), row.get("time")
    )
    yield from items_of(said, vms, at, ref)
