"""Rows of Resource Graph's `maintenanceresources`; must not know what a scheduled event means.

Source: "Scheduled events in Azure Resource Graph" (preview, 2026-05-01). There is one row an event, overwritten at each
status, without any time: a completed migration is known to have been, not when.
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import to_mapping, to_text
from vmdiag.sources.decoding.scheduled_event import (
    decode_scheduled_event,
    find_event_vms,
    fold_members,
    is_scheduled_event,
)
from vmdiag.sources.items import Item, Row

SIGNALS = (Signal.HEALTH,)
EVENT_TYPE = "microsoft.maintenance/scheduledevents"


def recognises_row(row: Row) -> bool:
    """A row of that type, or one without a type whose properties, or columns beside an id, are such an event's."""
    if "changes" in row or "data" in row or "specversion" in row or "eventTime" in row:
        return False
    kind = to_text(row.get("type")).lower()
    if kind:
        return kind == EVENT_TYPE
    return is_scheduled_event(fold_members(to_mapping(row.get("properties")))) or (
        "id" in row and is_scheduled_event(fold_members(row))
    )


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The event of the VMs that it lies below or names."""
    said = fold_members(to_mapping(row.get("properties")) or row)
    yield from decode_scheduled_event(
        said, find_event_vms(said, said.get("targetresourceid"), row.get("id")), None, ref
    )
