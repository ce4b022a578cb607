"""The document of the instance metadata service, and events cut from it.

Source: "Azure Metadata Service: Scheduled Events for Linux VMs" (api-version 2020-07-01). It names VMs without their
ids, has no time of its own, and forgets an event that is over: an empty list says nothing about the past.
"""

from collections.abc import Iterator

from vmdiag.completeness import Row
from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import iter_objects
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
DOCUMENT_COLUMNS = {"documentincarnation", "_documentincarnation"}
ENVELOPES = {"id", "properties", "data"}  # an event that has one is another format's


def is_document(row: Row) -> bool:
    """Whether a row is the document, by its two members."""
    return fold_members(row).keys() >= {"documentincarnation", "events"}


SIGNATURES = (
    Signature(one_of=DOCUMENT_COLUMNS, none_of=ENVELOPES, is_folded=True, condition=is_document),
    Signature(one_of=EVENT_COLUMNS, none_of=ENVELOPES, is_folded=True, condition=is_scheduled_event),
)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """Each event of each VM that it names."""
    said = fold_members(row)
    events = [fold_members(each) for each in iter_objects(said["events"])] if "events" in said else [said]
    for event in events:
        yield from decode_scheduled_event(event, find_event_vms(event), None, ref)
