"""Health events that Event Grid delivered, in its own schema or as CloudEvents.

Source: "Azure Resource Notifications - Health Resources events in Azure Event Grid". Both schemas carry the same
`data.resourceInfo.properties`; other types of event are told apart and say nothing here.
"""

import re
from collections.abc import Iterator

from vmdiag.completeness import Row
from vmdiag.model import Signal
from vmdiag.sources.decoding import health_status
from vmdiag.sources.decoding.fields import find_resource_id, find_text, get_path, parse_health_vm, to_mapping
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats import EVENT_TYPE_KEYS, Signature
from vmdiag.sources.items import FeedCoverage, Item

SIGNALS = (Signal.HEALTH,)
HEALTH_RESOURCES = "microsoft.resourcenotifications.healthresources."
# What other formats read is none of these.
ANY_TYPE = re.compile(
    r"(?is)(?!microsoft\.maintenance|microsoft\.resourcenotifications\.maintenanceresources\."
    r"|microsoft\.resources\.resource).*"
)
NOTIFICATION_TYPE = re.compile(r"(?is)microsoft\.resourcenotifications\.(?!maintenanceresources\.).*")
SIGNATURES = (
    Signature(kind=NOTIFICATION_TYPE, kind_keys=EVENT_TYPE_KEYS),
    # Any event by the members that only its schema has.
    Signature(all_of={"specversion", "type"}, kind=ANY_TYPE, kind_keys=EVENT_TYPE_KEYS),
    Signature(all_of={"eventType", "eventTime"}, kind=ANY_TYPE, kind_keys=EVENT_TYPE_KEYS),
)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The state or the annotation that was notified; nothing for an event of another topic or resource."""
    if not find_text(row, *EVENT_TYPE_KEYS).lower().startswith(HEALTH_RESOURCES):
        return
    told = get_path(row, "data", "resourceInfo")
    said = to_mapping(get_path(told, "properties"))
    vm = parse_health_vm(find_resource_id(said.get("targetResourceId"), get_path(told, "id"), row.get("subject")))
    if vm is None:
        return
    occurred = said.get("occurredTime"), get_path(row, "data", "operationalInfo", "resourceEventTime")
    at = require_time(vm, *occurred, row.get("eventTime"), row.get("time"))
    yield FeedCoverage(signal=Signal.HEALTH, scope=vm.key)
    yield from health_status.decode_health_event(vm, at, said, ref)
