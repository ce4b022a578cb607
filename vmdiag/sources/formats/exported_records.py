"""Activity-log records as diagnostic settings export them: `PT1H.json` and event hubs.

Sources: "Azure Activity Log event schema: Schema from storage account and event hubs", "Azure resource log schema".
"""

from collections.abc import Iterator
from operator import attrgetter

from vmdiag.completeness import Row
from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import find_resource_id, find_text, fold_column_names, parse_health_vm
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats import RecordScreen, Signature
from vmdiag.sources.items import Item

SIGNALS = log_entry.SIGNALS


def names_no_metric(row: Row) -> bool:
    """Whether a record is no metric's."""
    return "metricname" not in fold_column_names(row)


SIGNATURES = (
    Signature(
        all_of={"time"},
        one_of={"operationName", "category"},
        none_of={"eventTimestamp", "specversion", "macAddress"},
        condition=names_no_metric,
    ),
)


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """The feeds that a record belongs to, as far as it tells."""
    operation = log_entry.find_operation_name(find_text(row, "operationName"))
    return log_entry.list_possible_signals(find_text(row, "category"), operation)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What a record says, and that the log was read; resource logs come in the same form and say nothing here."""
    category = find_text(row, "category")
    if category and log_entry.fold_category(category) not in log_entry.FEEDS_BY_CATEGORY:
        return
    target = find_resource_id(row.get("resourceId"))
    word, _, rest = find_text(row, "resultSignature").partition(".")  # `Succeeded.Created`, `Started.`, `200`
    entry = log_entry.LogEntry(
        at=require_time(parse_health_vm(target), row.get("time")),
        resource=target,
        operation=log_entry.find_operation_name(find_text(row, "operationName")),
        status=find_text(row, "resultType", "status") or word,
        category=category,
        substatus=rest or word,
        correlation=find_text(row, "correlationId"),
        properties=log_entry.unwrap_properties(row.get("properties")),
    )
    yield from log_entry.decode_entry(entry, ref)


def build_screen() -> RecordScreen:
    """Which records say nothing."""
    from vmdiag.sources.decoding.log_structs import ExportedRecord

    return RecordScreen(
        ExportedRecord,
        attrgetter("resourceId"),
        ("operationName", "category"),
        log_entry.find_silent_parent,
        log_entry.find_silent_scope,
        log_entry.is_silent_kind,
        log_entry.list_coverage,
    )
