"""Activity-log records as diagnostic settings export them: `PT1H.json` and event hubs; must not know what they mean.

Sources: "Azure Activity Log event schema: Schema from storage account and event hubs", "Azure resource log schema".
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import columns, text
from vmdiag.sources.decoding.operation_names import operation
from vmdiag.sources.decoding.resource_ids import resource, vm_of_health
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.items import Item, Row

SIGNALS = log_entry.SIGNALS


def recognises(row: Row) -> bool:
    """A record has `time` beside an operation or a category; a metric's record names its metric instead."""
    if "time" not in row or "eventTimestamp" in row or "specversion" in row:
        return False
    return ("operationName" in row or "category" in row) and "metricname" not in columns(row)


def signals(row: Row) -> tuple[Signal, ...]:
    """The feeds that a record belongs to, as far as it tells."""
    return log_entry.signals(text(row.get("category")), operation(text(row.get("operationName"))))


def items(row: Row, ref: str) -> Iterator[Item]:
    """What a record says, and that the log was read; resource logs come in the same form and say nothing here."""
    properties = log_entry.inner(row.get("properties"))
    category = text(row.get("category"))
    if category and log_entry.folded(category) not in log_entry.FEEDS:
        return
    target = resource(row.get("resourceId"))
    word, _, rest = text(row.get("resultSignature")).partition(".")  # `Succeeded.Created`, `Started.`, `200`
    entry = log_entry.Entry(
        at=first(vm_of_health(target), row.get("time")),
        resource=target,
        operation=operation(text(row.get("operationName"))),
        status=text(row.get("resultType")) or text(row.get("status")) or word,
        category=category,
        substatus=rest or word,
        correlation=text(row.get("correlationId")),
        properties=properties,
    )
    yield from log_entry.items(entry, ref)
