"""The activity log as the portal's "Download as CSV" writes it; must not know what an operation means.

Source: "Use the Azure Monitor activity log: Download the activity log"; columns as two public loaders read them. It has
display names and no properties: it can tell an operation or that there was a health event, never which one.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import columns, table, text
from vmdiag.sources.decoding.operation_names import operation
from vmdiag.sources.decoding.resource_ids import resource, vm_of_health
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.items import Covers, Item, Malformed, Row

SIGNALS = (Signal.ACTIVITY, Signal.HEALTH)

COLUMNS = frozenset({"operation name", "event category", "status", "time"})
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
NO_PROPERTIES = "the portal's CSV has no properties: a live migration cannot be seen in it"
SPOKEN_TYPES = {"virtual machine": "Microsoft.Compute/virtualMachines"}  # older portals


def recognises(row: Row) -> bool:
    """A row has the portal's headings, which hold blanks as no other form's do."""
    return columns(row).keys() >= COLUMNS


def signals(row: Row) -> tuple[Signal, ...]:
    """The feeds that a row belongs to, as far as it tells; of an incident it names no region."""
    cells = table(row)
    found = log_entry.signals(text(cells.get("event category")), operation(text(cells.get("operation name"))))
    return tuple(signal for signal in found if signal in SIGNALS)


def items(row: Row, ref: str) -> Iterator[Item]:
    """What a row tells of a VM or a network resource, and that the log was read, without what it cannot show."""
    cells = table(row)
    shown = text(cells.get("operation name"))
    category = text(cells.get("event category"))
    subscription = text(cells.get("subscription"))
    yield from _covers(subscription, text(cells.get("resource group")))
    if log_entry.feed(category, operation(shown)) in (None, Signal.SERVICE):
        return  # an incident without its properties names no region
    target = _resource(cells)
    if target is None:
        return
    entry = log_entry.Entry(
        at=first(vm_of_health(target), cells.get("time")),
        resource=target,
        operation=operation(shown),
        status=text(cells.get("status")),
        category=category,
        correlation=text(cells.get("correlation id")),
        properties={"title": shown},
    )
    yield from log_entry.said(entry, ref)


@lru_cache(maxsize=1024)  # the rows of a file share a few groups
def _covers(subscription: str, group: str) -> tuple[Covers, ...]:
    if not GUID.fullmatch(subscription):
        return ()
    where = f"/subscriptions/{subscription}" + (f"/resourcegroups/{group}" if group else "")
    return (
        Covers(signal=Signal.ACTIVITY, scope=where.lower()),
        Covers(signal=Signal.HEALTH, scope=where.lower(), partial=NO_PROPERTIES),
    )


def _resource(cells: dict[str, object]) -> str | None:
    """The resource's id, which newer files have, or one made of its parts; `None` where the file has neither."""
    name, kind = text(cells.get("resource")), text(cells.get("resource type"))
    if name.lower().startswith(("/subscriptions/", "subscriptions/")):
        return resource(name)
    subscription, group = text(cells.get("subscription")), text(cells.get("resource group"))
    provider, *types = SPOKEN_TYPES.get(kind.lower(), kind).split("/")
    names = name.split("/")
    if not (name and group and types) or len(names) != len(types):
        return None
    if not GUID.fullmatch(subscription):
        message = "the file tells the subscription's name, not its id"
        raise Malformed(message)
    path = "/".join(f"{each}/{named}" for each, named in zip(types, names, strict=True))
    return resource(f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}/{path}")
