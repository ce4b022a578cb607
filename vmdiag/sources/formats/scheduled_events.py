"""The document of the instance metadata service, and events cut from it; must not know what an event means.

Source: "Azure Metadata Service: Scheduled Events for Linux VMs" (api-version 2020-07-01). It names VMs without their
ids, has no time of its own, and forgets an event that is over: an empty list says nothing about the past.
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import objects
from vmdiag.sources.decoding.scheduled_event import is_event, items_of, members_of, vms_of
from vmdiag.sources.items import Item, Row

SIGNALS = (Signal.HEALTH,)
ENVELOPE = frozenset({"documentincarnation", "events"})


def recognises(row: Row) -> bool:
    """The document by its two members, an event by its own; one that has an envelope is another format's."""
    if "id" in row or "properties" in row or "data" in row:
        return False
    said = members_of(row)
    return said.keys() >= ENVELOPE or is_event(said)


def items(row: Row, ref: str) -> Iterator[Item]:
    """Each event of each VM that it names."""
    said = members_of(row)
    events = [members_of(each) for each in objects(said["events"])] if "events" in said else [said]
    for event in events:
        yield from items_of(event, vms_of(event), None, ref)
