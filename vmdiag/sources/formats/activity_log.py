"""Events of the activity log as the API, the CLI and the portal's JSON give them; must not know what they mean.

Sources: "Azure Activity Log event schema", "REST API: Activity Logs - List", `az monitor activity-log list`.
"""

from collections.abc import Iterator, Mapping

from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import text
from vmdiag.sources.decoding.operation_names import operation
from vmdiag.sources.decoding.resource_ids import resource, vm_of_health
from vmdiag.sources.decoding.timestamps import first, from_ticks
from vmdiag.sources.items import Item, Row

SIGNALS = log_entry.SIGNALS
# What an event is about; the API before 2015 and the filters of today say `resourceUri`.
NAMING = frozenset({"id", "resourceId", "resourceUri"})


def recognises(row: Row) -> bool:
    """An event has `eventTimestamp`, or at least an operation on a resource, and no other form's name for the time."""
    if "eventTimestamp" in row:
        return True
    if "time" in row or "TimeGenerated" in row:
        return False
    return "relatedEvents" in row or ("operationName" in row and not NAMING.isdisjoint(row))


def items(row: Row, ref: str) -> Iterator[Item]:
    """What an event says of a VM, of a network resource or of a region, and that the log was read."""
    return log_entry.items(entry(row), ref)


def signals(row: Row) -> tuple[Signal, ...]:
    """The feeds that an event belongs to, as far as it tells."""
    category = text(row.get("category")) or text(row.get("eventSource"))
    return log_entry.signals(category, _operation(row.get("operationName")))


def entry(row: Row) -> log_entry.Entry:
    """The event without its wire form; raises `Malformed` without a resource or a time."""
    event_id = text(row.get("id"))
    # A `$select` may leave the resource out; an event's id begins with it.
    named = event_id[: max(event_id.lower().find("/events/"), 0)]
    target = resource(row.get("resourceId"), row.get("resourceUri"), named)
    ticks = from_ticks(event_id.rpartition("/")[2])
    return log_entry.Entry(
        at=first(vm_of_health(target), row.get("eventTimestamp"), ticks),
        resource=target,
        operation=_operation(row.get("operationName")),
        status=text(row.get("status")),
        category=text(row.get("category")) or text(row.get("eventSource")),  # alerts call it the event's source
        substatus=text(row.get("subStatus")),
        correlation=text(row.get("correlationId")),
        event=text(row.get("eventName")),
        properties=log_entry.inner(row.get("properties")),
    )


def _operation(written: object) -> str:
    """The operation's name; events may have only the one shown to people."""
    if isinstance(written, Mapping) and text(written.get("value")):
        return text(written.get("value"))
    return operation(text(written))
