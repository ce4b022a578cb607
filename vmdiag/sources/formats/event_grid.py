"""Health events that Event Grid delivered, in its own schema or as CloudEvents; must not know what a name means.

Source: "Azure Resource Notifications - Health Resources events in Azure Event Grid". Both schemas carry the same
`data.resourceInfo.properties`; other types of event are told apart and say nothing here.
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding import health_status
from vmdiag.sources.decoding.fields import find_resource_id, get_path, parse_health_vm, to_mapping, to_text
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.items import FeedCoverage, Item, Row

SIGNALS = (Signal.HEALTH,)

HEALTH_RESOURCES = "microsoft.resourcenotifications.healthresources."
NOTIFICATIONS = "microsoft.resourcenotifications."
OTHER_TYPES = (
    "microsoft.maintenance",
    "microsoft.resourcenotifications.maintenanceresources.",
    "microsoft.resources.resource",
)


def recognises_row(row: Row) -> bool:
    """An event of Resource Notifications by its type, or any event by the members that only its schema has."""
    kind = _read_event_type(row)
    if kind.startswith(OTHER_TYPES):
        return False  # other formats read them
    if kind.startswith(NOTIFICATIONS):
        return True
    return ("specversion" in row and "type" in row) or ("eventType" in row and "eventTime" in row)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The state or the annotation that was notified; nothing for an event of another topic or resource."""
    if not _read_event_type(row).startswith(HEALTH_RESOURCES):
        return
    told = get_path(row, "data", "resourceInfo")
    said = to_mapping(get_path(told, "properties"))
    target = find_resource_id(said.get("targetResourceId"), get_path(told, "id"), row.get("subject"))
    vm = parse_health_vm(target)
    if vm is None:
        return
    delivered = row.get("eventTime"), row.get("time")
    at = require_time(
        vm, said.get("occurredTime"), get_path(row, "data", "operationalInfo", "resourceEventTime"), *delivered
    )
    yield FeedCoverage(signal=Signal.HEALTH, scope=vm.key)
    yield from health_status.decode_health_event(vm, at, said, ref)


def _read_event_type(row: Row) -> str:
    return (to_text(row.get("eventType")) or to_text(row.get("type"))).lower()
