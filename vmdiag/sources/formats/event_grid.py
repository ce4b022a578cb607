"""Health events that Event Grid delivered, in its own schema or as CloudEvents; must not know what a name means.

Source: "Azure Resource Notifications - Health Resources events in Azure Event Grid". Both schemas carry the same
`data.resourceInfo.properties`; other types of event are told apart and say nothing here.
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding import health_status
from vmdiag.sources.decoding.fields import at as at_path
from vmdiag.sources.decoding.fields import mapping, text
from vmdiag.sources.decoding.resource_ids import resource, vm_of_health
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.items import Covers, Item, Row

SIGNALS = (Signal.HEALTH,)

HEALTH_RESOURCES = "microsoft.resourcenotifications.healthresources."
NOTIFICATIONS = "microsoft.resourcenotifications."
OTHERS = (
    "microsoft.maintenance",
    "microsoft.resourcenotifications.maintenanceresources.",
    "microsoft.resources.resource",
)


def recognises(row: Row) -> bool:
    """An event of Resource Notifications by its type, or any event by the members that only its schema has."""
    kind = _type(row)
    if kind.startswith(OTHERS):
        return False  # other formats read them
    if kind.startswith(NOTIFICATIONS):
        return True
    return ("specversion" in row and "type" in row) or ("eventType" in row and "eventTime" in row)


def items(row: Row, ref: str) -> Iterator[Item]:
    """The state or the annotation that was notified; nothing for an event of another topic or resource."""
    if not _type(row).startswith(HEALTH_RESOURCES):
        return
    told = at_path(row, "data", "resourceInfo")
    said = mapping(at_path(told, "properties"))
    target = resource(said.get("targetResourceId"), at_path(told, "id"), row.get("subject"))
    vm = vm_of_health(target)
    if vm is None:
        return
    delivered = row.get("eventTime"), row.get("time")
    at = first(vm, said.get("occurredTime"), at_path(row, "data", "operationalInfo", "resourceEventTime"), *delivered)
    yield Covers(signal=Signal.HEALTH, scope=vm.key)
    yield from health_status.understood(vm, at, said, ref)


def _type(row: Row) -> str:
    return (text(row.get("eventType")) or text(row.get("type"))).lower()
