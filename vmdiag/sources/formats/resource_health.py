"""Items of Resource Health's availability statuses: a VM's history and its current state.

Source: "REST API: Availability Statuses - List". Since 2022 an item without a state is an event that touched the VM.
The time is spelt `occuredTime` in all versions but one.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

from vmdiag.completeness import Row
from vmdiag.model import Signal
from vmdiag.sources.decoding import health_status
from vmdiag.sources.decoding.fields import find_resource_id, find_text, parse_health_vm, to_mapping
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import FeedCoverage, Item

SIGNALS = (Signal.HEALTH,)
# A type, or an id of that type. Not the whole word: Microsoft's example of 2015 has `AvailabilityStatueses`.
STATUS_TYPE = re.compile(r"(?is)(?:.+/providers/)?microsoft\.resourcehealth/(?:child)?availabilitystatu.*")
CURRENT_ONLY = "only the current status"


def names_no_target(row: Row) -> bool:
    """Whether an item does not name its target, as Resource Graph's rows do."""
    return "targetResourceId" not in to_mapping(row.get("properties"))


SIGNATURES = (
    Signature(none_of={"eventTimestamp"}, kind=STATUS_TYPE, kind_keys=("type", "id"), condition=names_no_target),
)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The state or the event of an item; nothing for a classic VM or another resource."""
    said = to_mapping(row.get("properties"))
    vm = parse_health_vm(find_resource_id(row.get("id")))
    if vm is None:
        return
    name = find_text(row, "name") or find_text(row, "id").rpartition("/")[2]
    # History items are named by their time.
    at = require_time(vm, said.get("occuredTime"), said.get("occurredTime"), unquote_plus(name))
    partial = CURRENT_ONLY if name.lower() == "current" else None
    yield FeedCoverage(signal=Signal.HEALTH, scope=vm.key, partial=partial)
    yield from health_status.decode_health_event(vm, at, said, ref)
