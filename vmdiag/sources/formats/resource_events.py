"""What Resource Manager tells Event Grid that it has done (`Microsoft.Resources.Resource...`), in Azure's words.

Sources: "Azure subscription as an Event Grid source", "Azure resource group as an Event Grid source". Only the end of
an operation is told, of PUT, PATCH, POST and DELETE; nothing that the platform does by itself ever comes this way.
"""

import re
from collections.abc import Iterator

from vmdiag.completeness import Row
from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.fields import find_resource_id, find_text, get_path, parse_vm_id, to_mapping, to_text
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats import EVENT_TYPE_KEYS, Signature
from vmdiag.sources.items import Item

SIGNALS = (Signal.ACTIVITY,)
EVENT_TYPE = re.compile(r"(?i)microsoft\.resources\.resource(?:write|delete|action)(success|failure|cancel)")
SIGNATURES = (Signature(all_of={"data"}, kind=EVENT_TYPE, kind_keys=EVENT_TYPE_KEYS),)
END_STATUSES = {"success": "Succeeded", "failure": "Failed", "cancel": "Canceled"}
SINGLE_EVENTS_ONLY = "Event Grid tells single operations, and only those that its subscription asks for"


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The operation, as it ended, and that single operations were told of its group.

    Raises `MalformedRow` without a resource or a time.
    """
    data = to_mapping(row.get("data"))
    target = find_resource_id(data.get("resourceUri"), row.get("subject"))
    found = EVENT_TYPE.fullmatch(find_text(row, *EVENT_TYPE_KEYS))
    entry = log_entry.LogEntry(
        at=require_time(parse_vm_id(target), row.get("eventTime"), row.get("time")),
        resource=target,
        operation=find_text(data, "operationName") or to_text(get_path(data, "authorization", "action")),
        # The type decides: `status` is the request's and may be a code.
        status=END_STATUSES[found[1].lower()] if found else find_text(data, "status"),
        category="Administrative",
        correlation=find_text(data, "correlationId"),
    )
    yield from log_entry.cover_scope(target, Signal.ACTIVITY, SINGLE_EVENTS_ONLY)
    yield from log_entry.decode_entry_content(entry, ref)
