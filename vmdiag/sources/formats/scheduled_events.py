"""The document of the instance metadata service, and events cut from it; must not know what an event means.

Source: "Azure Metadata Service: Scheduled Events for Linux VMs" (api-version 2020-07-01). It names VMs without their
ids, has no time of its own, and forgets an event that is over: an empty list says nothing about the past.
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import iter_objects
from vmdiag.sources.decoding.scheduled_event import (
    decode_scheduled_event,
    find_event_vms,
    fold_members,
    is_scheduled_event,
)
from vmdiag.sources.items import Item, Row

SIGNALS = (Signal.HEALTH,)
ENVELOPE_KEYS = frozenset({"documentincarnation", "events"})


def recognises_row(row: Row) -> bool:
    """The document by its two members, an event by its own; one that has an envelope is another format's."""
    if "id" in row or "properties" in row or "data" in row:
        return False
    said = fold_members(row)
    return said.keys() >= ENVELOPE_KEYS or is_scheduled_event(said)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """Each event of each VM that it names."""
    said = fold_members(row)
    events = [fold_members(each) for each in iter_objects(said["events"])] if "events" in said else [said]
    for event in events:
        yield from decode_scheduled_event(event, find_event_vms(event), None, ref)
