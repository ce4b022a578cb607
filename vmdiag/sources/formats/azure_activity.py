"""Rows of the Log Analytics table `AzureActivity`, queried or exported as CSV; must not know what they mean.

Sources: "Azure Monitor Logs reference: AzureActivity", "Send activity log data to a Log Analytics workspace" (the
columns that end in `Value`, and the letter case that varies).
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import columns, table, text
from vmdiag.sources.decoding.operation_names import operation
from vmdiag.sources.decoding.resource_ids import resource, vm_of_health
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.items import Item, Row

SIGNALS = log_entry.SIGNALS

OWN = frozenset({"operationnamevalue", "activitystatusvalue", "categoryvalue"})


def recognises(row: Row) -> bool:
    """A row has `TimeGenerated` and one of the columns that no other table has."""
    names = columns(row)
    return "timegenerated" in names and not OWN.isdisjoint(names)


def items(row: Row, ref: str) -> Iterator[Item]:
    """What a row says of a VM, of a network resource or of a region, and that the log was read."""
    cells = table(row)
    target = resource(cells.get("_resourceid"), cells.get("resourceid"), _subscription(cells.get("subscriptionid")))
    entry = log_entry.Entry(
        at=first(vm_of_health(target), cells.get("timegenerated"), cells.get("eventsubmissiontimestamp")),
        resource=target,
        operation=_operation(cells),
        status=text(cells.get("activitystatusvalue")) or text(cells.get("activitystatus")),
        category=text(cells.get("categoryvalue")) or text(cells.get("category")),
        substatus=text(cells.get("activitysubstatusvalue")),
        correlation=text(cells.get("correlationid")),
        properties=log_entry.inner(cells.get("properties_d")) or log_entry.inner(cells.get("properties")),
    )
    return log_entry.items(entry, ref)


def signals(row: Row) -> tuple[Signal, ...]:
    """The feeds that a row belongs to, as far as it tells."""
    cells = table(row)
    category = text(cells.get("categoryvalue")) or text(cells.get("category"))
    return log_entry.signals(category, _operation(cells))


def _operation(cells: Row) -> str:
    return text(cells.get("operationnamevalue")) or operation(text(cells.get("operationname")))


def _subscription(written: object) -> str:
    """The id of a subscription, for incidents: they concern no resource, and the table leaves the id empty."""
    name = text(written)
    return f"/subscriptions/{name}" if name else ""
