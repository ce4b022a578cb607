"""Events of the activity log as the API, the CLI and the portal's JSON give them; must not know what they mean.

Sources: "Azure Activity Log event schema", "REST API: Activity Logs - List", `az monitor activity-log list`.
"""

from collections.abc import Iterator, Mapping

from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import find_resource_id, parse_health_vm, to_text
from vmdiag.sources.decoding.log_entry import find_operation_name
from vmdiag.sources.decoding.timestamps import parse_ticks, require_time
from vmdiag.sources.items import Item, Row

SIGNALS = log_entry.SIGNALS
# What an event is about; the API before 2015 and the filters of today say `resourceUri`.
RESOURCE_KEYS = frozenset({"id", "resourceId", "resourceUri"})


def recognises_row(row: Row) -> bool:
    """An event has `eventTimestamp`, or at least an operation on a resource, and no other form's name for the time."""
    if "eventTimestamp" in row:
        return True
    if "time" in row or "TimeGenerated" in row:
        return False
    return "relatedEvents" in row or ("operationName" in row and not RESOURCE_KEYS.isdisjoint(row))


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What an event says of a VM, of a network resource or of a region, and that the log was read."""
    return log_entry.decode_entry(decode_log_entry(row), ref)


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """The feeds that an event belongs to, as far as it tells."""
    category = to_text(row.get("category")) or to_text(row.get("eventSource"))
    return log_entry.list_possible_signals(category, _find_operation(row.get("operationName")))


def decode_log_entry(row: Row) -> log_entry.LogEntry:
    """The event without its wire form; raises `MalformedRow` without a resource or a time."""
    event_id = to_text(row.get("id"))
    # A `$select` may leave the resource out; an event's id begins with it.
    named = event_id[: max(event_id.lower().find("/events/"), 0)]
    target = find_resource_id(row.get("resourceId"), row.get("resourceUri"), named)
    ticks = parse_ticks(event_id.rpartition("/")[2])
    return log_entry.LogEntry(
        at=require_time(parse_health_vm(target), row.get("eventTimestamp"), ticks),
        resource=target,
        operation=_find_operation(row.get("operationName")),
        status=to_text(row.get("status")),
        category=to_text(row.get("category")) or to_text(row.get("eventSource")),  # alerts call it the event's source
        substatus=to_text(row.get("subStatus")),
        correlation=to_text(row.get("correlationId")),
        event=to_text(row.get("eventName")),
        properties=log_entry.unwrap_properties(row.get("properties")),
    )


def _find_operation(written: object) -> str:
    """The operation's name; events may have only the one shown to people."""
    if isinstance(written, Mapping) and to_text(written.get("value")):
        return to_text(written.get("value"))
    return find_operation_name(to_text(written))
