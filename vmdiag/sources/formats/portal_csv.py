"""The activity log as the portal's "Download as CSV" writes it.

Source: "Use the Azure Monitor activity log: Download the activity log"; columns as two public loaders read them. It has
display names and no properties: it can tell an operation or that there was a health event, never which one.
"""

import re
from collections.abc import Iterator

from vmdiag.completeness import MalformedRow, Row
from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import find_resource_id, find_text, fold_columns, parse_health_vm
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import FeedCoverage, Item

SIGNALS = (Signal.ACTIVITY, Signal.HEALTH)
# The portal's headings hold blanks as no other form's do.
SIGNATURES = (Signature(all_of={"operation name", "event category", "status", "time"}, is_folded=True),)
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
NO_PROPERTIES = "the portal's CSV has no properties: a live migration cannot be seen in it"
DISPLAY_TYPES = {"virtual machine": "Microsoft.Compute/virtualMachines"}  # older portals


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """The feeds that a row belongs to, as far as it tells; of an incident it names no region."""
    cells = fold_columns(row)
    operation = log_entry.find_operation_name(find_text(cells, "operation name"))
    found = log_entry.list_possible_signals(find_text(cells, "event category"), operation)
    return tuple(signal for signal in found if signal in SIGNALS)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What a row tells of a VM or a network resource, and that the log was read, without what it cannot show."""
    cells = fold_columns(row)
    shown, category = find_text(cells, "operation name"), find_text(cells, "event category")
    operation = log_entry.find_operation_name(shown)
    subscription, group = find_text(cells, "subscription"), find_text(cells, "resource group")
    if GUID.fullmatch(subscription):
        where = f"/subscriptions/{subscription}{f'/resourcegroups/{group}' if group else ''}".lower()
        yield FeedCoverage(signal=Signal.ACTIVITY, scope=where)
        yield FeedCoverage(signal=Signal.HEALTH, scope=where, partial=NO_PROPERTIES)
    if log_entry.find_feed(category, operation) in (None, Signal.SERVICE):
        return  # an incident without its properties names no region
    target = _make_resource_id(cells)
    if target is None:
        return
    entry = log_entry.LogEntry(
        at=require_time(parse_health_vm(target), cells.get("time")),
        resource=target,
        operation=operation,
        status=find_text(cells, "status"),
        category=category,
        correlation=find_text(cells, "correlation id"),
        properties={"title": shown},
    )
    yield from log_entry.decode_entry_content(entry, ref)


def _make_resource_id(cells: Row) -> str | None:
    """The resource's id, which newer files have, or one made of its parts; `None` where the file has neither."""
    name, kind = find_text(cells, "resource"), find_text(cells, "resource type")
    if name.lower().startswith(("/subscriptions/", "subscriptions/")):
        return find_resource_id(name)
    subscription, group = find_text(cells, "subscription"), find_text(cells, "resource group")
    provider, *types = DISPLAY_TYPES.get(kind.lower(), kind).split("/")
    names = name.split("/")
    if not (name and group and types) or len(names) != len(types):
        return None
    if not GUID.fullmatch(subscription):
        message = "the file tells the subscription's name, not its id"
        raise MalformedRow(message)
    path = "/".join(f"{each}/{named}" for each, named in zip(types, names, strict=True))
    return find_resource_id(f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}/{path}")
