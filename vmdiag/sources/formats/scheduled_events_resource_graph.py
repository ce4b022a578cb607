"""Rows of Resource Graph's `maintenanceresources`; must not know what a scheduled event means.

Source: "Scheduled events in Azure Resource Graph" (preview, 2026-05-01). There is one row an event, overwritten at each
status, without any time: a completed migration is known to have been, not when.
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import mapping, text
from vmdiag.sources.decoding.scheduled_event import is_event, items_of, members_of, vms_of
from vmdiag.sources.items import Item, Row

SIGNALS = (Signal.HEALTH,)
KIND = "microsoft.maintenance/scheduledevents"


def recognises(row: Row) -> bool:
    """A row of that type, or one without a type whose properties, or columns beside an id, are such an event's."""
    if "changes" in row or "data" in row or "specversion" in row or "eventTime" in row:
        return False
    kind = text(row.get("type")).lower()
    if kind:
        return kind == KIND
    return is_event(members_of(mapping(row.get("properties")))) or ("id" in row and is_event(members_of(row)))


def items(row: Row, ref: str) -> Iterator[Item]:
    """The event of the VMs that it lies below or names."""
    said = members_of(mapping(row.get("properties")) or row)
    yield from items_of(said, vms_of(said, said.get("targetresourceid"), row.get("id")), None, ref)
