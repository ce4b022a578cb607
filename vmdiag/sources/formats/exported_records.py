"""Activity-log records as diagnostic settings export them: `PT1H.json` and event hubs; must not know what they mean.

Sources: "Azure Activity Log event schema: Schema from storage account and event hubs", "Azure resource log schema".
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import find_resource_id, fold_column_names, parse_health_vm, to_text
from vmdiag.sources.decoding.log_entry import find_operation_name
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.items import Item, Row

SIGNALS = log_entry.SIGNALS


def recognises_row(row: Row) -> bool:
    """A record has `time` beside an operation or a category; a metric's record names its metric instead."""
    if "time" not in row or "eventTimestamp" in row or "specversion" in row:
        return False
    return ("operationName" in row or "category" in row) and "metricname" not in fold_column_names(row)


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """The feeds that a record belongs to, as far as it tells."""
    return log_entry.list_possible_signals(
        to_text(row.get("category")), find_operation_name(to_text(row.get("operationName")))
    )


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What a record says, and that the log was read; resource logs come in the same form and say nothing here."""
    properties = log_entry.unwrap_properties(row.get("properties"))
    category = to_text(row.get("category"))
    if category and log_entry.fold_category(category) not in log_entry.FEEDS_BY_CATEGORY:
        return
    target = find_resource_id(row.get("resourceId"))
    word, _, rest = to_text(row.get("resultSignature")).partition(".")  # `Succeeded.Created`, `Started.`, `200`
    entry = log_entry.LogEntry(
        at=require_time(parse_health_vm(target), row.get("time")),
        resource=target,
        operation=find_operation_name(to_text(row.get("operationName"))),
        status=to_text(row.get("resultType")) or to_text(row.get("status")) or word,
        category=category,
        substatus=rest or word,
        correlation=to_text(row.get("correlationId")),
        properties=properties,
    )
    yield from log_entry.decode_entry(entry, ref)
