"""Scheduled events that Event Grid delivered, in its own schema or as CloudEvents; must not know what an event means.

Source: "Scheduled events in Event Grid" (preview, 2026-05-01). Its pages call the type by three names; the samples
have the last of `EVENT_TYPES`. The time is the envelope's.
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import get_path, to_mapping, to_text
from vmdiag.sources.decoding.scheduled_event import decode_scheduled_event, find_event_vms, fold_members
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.items import Item, Row

SIGNALS = (Signal.HEALTH,)
EVENT_TYPES = (
    "microsoft.maintenance.scheduledevents",
    "microsoft.maintenance/scheduledevents/write",
    "microsoft.resourcenotifications.maintenanceresources.scheduledeventemitted",
)


def recognises_row(row: Row) -> bool:
    """An event by its type."""
    return (to_text(row.get("eventType")) or to_text(row.get("type"))).lower() in EVENT_TYPES and "data" in row


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What was notified of each VM."""
    told = to_mapping(get_path(row, "data", "resourceInfo"))
    said = fold_members(to_mapping(told.get("properties")))
    vms = find_event_vms(said, told.get("id"), row.get("subject"), said.get("targetresourceid"))
    whose = vms[0] if len(vms) == 1 else None
    at = require_time(
        whose, get_path(row, "data", "operationalInfo", "resourceEventTime"), row.get("eventTime"), row.get("time")
    )
    yield from decode_scheduled_event(said, vms, at, ref)
