"""Rows of the Log Analytics table `AzureActivity`, queried or exported as CSV; must not know what they mean.

Sources: "Azure Monitor Logs reference: AzureActivity", "Send activity log data to a Log Analytics workspace" (the
columns that end in `Value`, and the letter case that varies).
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import find_resource_id, fold_column_names, fold_columns, parse_health_vm, to_text
from vmdiag.sources.decoding.log_entry import find_operation_name
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.items import Item, Row

SIGNALS = log_entry.SIGNALS

OWN_COLUMNS = frozenset({"operationnamevalue", "activitystatusvalue", "categoryvalue"})


def recognises_row(row: Row) -> bool:
    """A row has `TimeGenerated` and one of the columns that no other table has."""
    names = fold_column_names(row)
    return "timegenerated" in names and not OWN_COLUMNS.isdisjoint(names)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What a row says of a VM, of a network resource or of a region, and that the log was read."""
    cells = fold_columns(row)
    target = find_resource_id(
        cells.get("_resourceid"), cells.get("resourceid"), _make_subscription_id(cells.get("subscriptionid"))
    )
    entry = log_entry.LogEntry(
        at=require_time(parse_health_vm(target), cells.get("timegenerated"), cells.get("eventsubmissiontimestamp")),
        resource=target,
        operation=_find_operation(cells),
        status=to_text(cells.get("activitystatusvalue")) or to_text(cells.get("activitystatus")),
        category=to_text(cells.get("categoryvalue")) or to_text(cells.get("category")),
        substatus=to_text(cells.get("activitysubstatusvalue")),
        correlation=to_text(cells.get("correlationid")),
        properties=log_entry.unwrap_properties(cells.get("properties_d"))
        or log_entry.unwrap_properties(cells.get("properties")),
    )
    return log_entry.decode_entry(entry, ref)


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """The feeds that a row belongs to, as far as it tells."""
    cells = fold_columns(row)
    category = to_text(cells.get("categoryvalue")) or to_text(cells.get("category"))
    return log_entry.list_possible_signals(category, _find_operation(cells))


def _find_operation(cells: Row) -> str:
    return to_text(cells.get("operationnamevalue")) or find_operation_name(to_text(cells.get("operationname")))


def _make_subscription_id(written: object) -> str:
    """The id of a subscription, for incidents: they concern no resource, and the table leaves the id empty."""
    name = to_text(written)
    return f"/subscriptions/{name}" if name else ""
