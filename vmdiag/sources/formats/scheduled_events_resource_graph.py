"""Rows of Resource Graph's `maintenanceresources`.

Source: "Scheduled events in Azure Resource Graph" (preview, 2026-05-01). There is one row an event, overwritten at each
status, without any time: a completed migration is known to have been, not when.
"""

import re
from collections.abc import Iterator

from vmdiag.completeness import Row
from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import to_mapping
from vmdiag.sources.decoding.scheduled_event import (
    EVENT_COLUMNS,
    decode_scheduled_event,
    find_event_vms,
    fold_members,
    is_scheduled_event,
)
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import Item

SIGNALS = (Signal.HEALTH,)
EVENT_TYPE = re.compile(r"(?i)microsoft\.maintenance/scheduledevents")
NO_TYPE = re.compile("")
OTHER_ENVELOPES = {"changes", "data", "specversion", "eventTime"}


def has_event_properties(row: Row) -> bool:
    """Whether the properties are such an event's."""
    return is_scheduled_event(to_mapping(row.get("properties")))


def is_projected_event(row: Row) -> bool:
    """Whether the columns beside an id are such an event's."""
    return "id" in row and is_scheduled_event(row)


SIGNATURES = (
    Signature(none_of=OTHER_ENVELOPES, kind=EVENT_TYPE),
    Signature(all_of={"properties"}, none_of=OTHER_ENVELOPES, kind=NO_TYPE, condition=has_event_properties),
    Signature(
        one_of=EVENT_COLUMNS, none_of=OTHER_ENVELOPES, is_folded=True, kind=NO_TYPE, condition=is_projected_event
    ),
)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The event of the VMs that it lies below or names."""
    said = fold_members(to_mapping(row.get("properties")) or row)
    vms = find_event_vms(said, said.get("targetresourceid"), row.get("id"))
    yield from decode_scheduled_event(said, vms, None, ref)
