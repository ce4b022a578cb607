"""What Resource Manager tells Event Grid that it has done (`Microsoft.Resources.Resource...`), in Azure's words.

Sources: "Azure subscription as an Event Grid source", "Azure resource group as an Event Grid source". Only the end of
an operation is told, of PUT, PATCH, POST and DELETE; nothing that the platform does by itself ever comes this way.
"""

import re
from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import at as at_path
from vmdiag.sources.decoding.fields import mapping, text
from vmdiag.sources.decoding.resource_ids import resource, scope, vm_itself
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.items import Covers, Item, Row

SIGNALS = (Signal.ACTIVITY,)
TYPE = re.compile(r"microsoft\.resources\.resource(write|delete|action)(success|failure|cancel)")
ENDS = {"success": "Succeeded", "failure": "Failed", "cancel": "Canceled"}
SINGLE = "Event Grid tells single operations, and only those that its subscription asks for"


def recognises(row: Row) -> bool:
    """An event by its type, in either schema."""
    return TYPE.fullmatch(_type(row)) is not None and "data" in row


def items(row: Row, ref: str) -> Iterator[Item]:
    """The operation, as it ended."""
    data = mapping(row.get("data"))
    target = resource(data.get("resourceUri"), row.get("subject"))
    found = TYPE.fullmatch(_type(row))
    entry = log_entry.Entry(
        at=first(vm_itself(target), row.get("eventTime"), row.get("time")),
        resource=target,
        operation=text(data.get("operationName")) or text(at_path(data, "authorization", "action")),
        # The type decides: `status` is the request's and may be a code.
        status=ENDS[found[2]] if found else text(data.get("status")),
        category="Administrative",
        correlation=text(data.get("correlationId")),
    )
    where = scope(target)
    if where is not None:
        yield Covers(signal=Signal.ACTIVITY, scope=where, partial=SINGLE)
    yield from log_entry.said(entry, ref)


def _type(row: Row) -> str:
    return (text(row.get("eventType")) or text(row.get("type"))).lower()
