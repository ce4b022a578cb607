"""Events of the activity log as the API, the CLI and the portal's JSON give them.

Sources: "Azure Activity Log event schema", "REST API: Activity Logs - List", `az monitor activity-log list`.
"""

from collections.abc import Iterator
from operator import attrgetter

from vmdiag.completeness import Row
from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import find_resource_id, find_text, parse_health_vm, to_text
from vmdiag.sources.decoding.timestamps import parse_ticks, require_time
from vmdiag.sources.formats import RecordScreen, Signature
from vmdiag.sources.items import Item

SIGNALS = log_entry.SIGNALS
# What an event is about; the API before 2015 and the filters of today say `resourceUri`.
RESOURCE_KEYS = {"id", "resourceId", "resourceUri"}
OTHER_TIMES = {"time", "TimeGenerated"}  # as other forms name the time
SIGNATURES = (
    Signature(all_of={"eventTimestamp"}),
    Signature(all_of={"relatedEvents"}, none_of=OTHER_TIMES),
    Signature(all_of={"operationName"}, one_of=RESOURCE_KEYS, none_of=OTHER_TIMES),
)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What an event says of a VM, of a network resource or of a region, and that the log was read."""
    return log_entry.decode_entry(decode_log_entry(row), ref)


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """The feeds that an event belongs to, as far as it tells."""
    return log_entry.list_possible_signals(find_text(row, "category", "eventSource"), _find_operation(row))


def decode_log_entry(row: Row) -> log_entry.LogEntry:
    """The event without its wire form; raises `MalformedRow` without a resource or a time."""
    event_id = find_text(row, "id")
    # A `$select` may leave the resource out; an event's id begins with it.
    named = event_id[: max(event_id.lower().find("/events/"), 0)]
    target = find_resource_id(row.get("resourceId"), row.get("resourceUri"), named)
    ticks = parse_ticks(event_id.rpartition("/")[2])
    return log_entry.LogEntry(
        at=require_time(parse_health_vm(target), row.get("eventTimestamp"), ticks),
        resource=target,
        operation=_find_operation(row),
        status=find_text(row, "status"),
        category=find_text(row, "category", "eventSource"),  # alerts call it the event's source
        substatus=find_text(row, "subStatus"),
        correlation=find_text(row, "correlationId"),
        event=find_text(row, "eventName"),
        properties=log_entry.unwrap_properties(row.get("properties")),
    )


def _find_operation(row: Row) -> str:
    """The operation's name; events may have only the one shown to people."""
    written = row.get("operationName")
    name = find_text(written, "value") if isinstance(written, dict) else ""
    return name or log_entry.find_operation_name(to_text(written))


def build_screen() -> RecordScreen:
    """Which records say nothing."""
    from vmdiag.sources.decoding.log_structs import LoggedEvent

    return RecordScreen(
        LoggedEvent,
        attrgetter("resourceId"),
        ("operationName.value", "category.value"),
        log_entry.find_silent_parent,
        log_entry.find_silent_scope,
        log_entry.is_silent_kind,
        log_entry.list_coverage,
    )
