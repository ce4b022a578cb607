"""Scheduled events that Event Grid delivered, in its own schema or as CloudEvents.

Source: "Scheduled events in Event Grid" (preview, 2026-05-01). Its pages call the type by three names; the samples
have the last of `EVENT_TYPE`. The time is the envelope's.
"""

import re
from collections.abc import Iterator

from vmdiag.completeness import Row
from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import get_path, to_mapping
from vmdiag.sources.decoding.scheduled_event import decode_scheduled_event, find_event_vms, fold_members
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats import EVENT_TYPE_KEYS, Signature
from vmdiag.sources.items import Item

SIGNALS = (Signal.HEALTH,)
EVENT_TYPE = re.compile(
    r"(?i)microsoft\.maintenance\.scheduledevents"
    r"|microsoft\.maintenance/scheduledevents/write"
    r"|microsoft\.resourcenotifications\.maintenanceresources\.scheduledeventemitted"
)
SIGNATURES = (Signature(all_of={"data"}, kind=EVENT_TYPE, kind_keys=EVENT_TYPE_KEYS),)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What was notified of each VM."""
    told = to_mapping(get_path(row, "data", "resourceInfo"))
    said = fold_members(to_mapping(told.get("properties")))
    vms = find_event_vms(said, told.get("id"), row.get("subject"), said.get("targetresourceid"))
    occurred = get_path(row, "data", "operationalInfo", "resourceEventTime")
    at = require_time(vms[0] if len(vms) == 1 else None, occurred, row.get("eventTime"), row.get("time"))
    yield from decode_scheduled_event(said, vms, at, ref)
