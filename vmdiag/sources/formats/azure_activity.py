"""Rows of the Log Analytics table `AzureActivity`, queried or exported as CSV.

Sources: "Azure Monitor Logs reference: AzureActivity", "Send activity log data to a Log Analytics workspace" (the
columns that end in `Value`, and the letter case that varies).
"""

from collections.abc import Iterator

from vmdiag.completeness import Row
from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import find_resource_id, find_text, fold_columns, parse_health_vm
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import Item

SIGNALS = log_entry.SIGNALS
# Columns that no other table has.
OWN_COLUMNS = {"operationnamevalue", "activitystatusvalue", "categoryvalue"}
SIGNATURES = (Signature(all_of={"timegenerated"}, one_of=OWN_COLUMNS, is_folded=True),)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What a row says of a VM, of a network resource or of a region, and that the log was read."""
    cells = fold_columns(row)
    # Incidents concern no resource: the table leaves the id empty.
    subscription = find_text(cells, "subscriptionid")
    subscription = f"/subscriptions/{subscription}" if subscription else ""
    target = find_resource_id(cells.get("_resourceid"), cells.get("resourceid"), subscription)
    entry = log_entry.LogEntry(
        at=require_time(parse_health_vm(target), cells.get("timegenerated"), cells.get("eventsubmissiontimestamp")),
        resource=target,
        operation=_find_operation(cells),
        status=find_text(cells, "activitystatusvalue", "activitystatus"),
        category=find_text(cells, "categoryvalue", "category"),
        substatus=find_text(cells, "activitysubstatusvalue"),
        correlation=find_text(cells, "correlationid"),
        properties=log_entry.unwrap_properties(cells.get("properties_d"))
        or log_entry.unwrap_properties(cells.get("properties")),
    )
    return log_entry.decode_entry(entry, ref)


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """The feeds that a row belongs to, as far as it tells."""
    cells = fold_columns(row)
    return log_entry.list_possible_signals(find_text(cells, "categoryvalue", "category"), _find_operation(cells))


def _find_operation(cells: Row) -> str:
    name, shown = find_text(cells, "operationnamevalue"), find_text(cells, "operationname")
    return name or log_entry.find_operation_name(shown)
