"""The activity log as `Get-AzActivityLog | ConvertTo-Json` writes it.

Source: Az.Monitor's `PSEventData` and `PSEventDataNoDetails`. Operation, category and status come in the language of
whoever asked; what Resource Manager calls an operation survives in its authorization, and a health event by what its
properties hold. Without `-DetailedOutput` there are no properties: then the log can show no live migration.
"""

import re
from collections.abc import Iterator

from vmdiag.completeness import MalformedRow, Row
from vmdiag.diagnosis.event_kinds import PHASES
from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.envelopes import convert_powershell
from vmdiag.sources.decoding.fields import find_resource_id, find_text, get_path, parse_health_vm, to_mapping, to_text
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import Item

SIGNALS = log_entry.SIGNALS
SIGNATURES = (Signature(all_of={"EventTimestamp", "OperationName"}),)  # spelt as .NET does
NO_DETAILS = "Get-AzActivityLog without -DetailedOutput has no properties: a live migration cannot be seen in it"
PROPERTIES_MISSING = "a health event without its properties: export it again with -DetailedOutput"
# What is asked for only with -DetailedOutput.
DETAIL_KEYS = ("eventDataId", "id", "eventName", "submissionTimestamp")
HEALTH_KEYS = frozenset(
    {"currentHealthStatus", "previousHealthStatus", "annotationName", "eventProperties", "healthStatus", "cause"}
)
INCIDENT_KEYS = frozenset({"incidentType", "trackingId"})
ERROR_CODE = re.compile(r"\b([45])[0-9]{2}\b")  # `BadRequest (HTTP Status Code: 400)`, whatever the language around it


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """The feeds that an entry belongs to, as far as it tells."""
    plain = to_mapping(convert_powershell(row))
    return log_entry.list_possible_signals(_find_category(plain, _read_properties(plain)), _find_operation(plain))


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What an entry says, and that the log was read: of health only as far as it has properties."""
    plain = to_mapping(convert_powershell(row))
    told = _read_properties(plain)
    subscription, group = find_text(plain, "subscriptionId"), find_text(plain, "resourceGroupName")
    within = f"/subscriptions/{subscription}" + (f"/resourceGroups/{group}" if group else "") if subscription else ""
    event = find_text(plain, "id")
    # Not all that is asked for comes under the name under which it is told.
    target = find_resource_id(
        plain.get("resourceId"),
        plain.get("resourceUri"),
        get_path(plain, "authorization", "scope"),
        event[: max(event.lower().find("/events/"), 0)],
        within,
    )
    status, substatus = find_text(plain, "status"), find_text(plain, "subStatus")
    # The code beside a word in another language tells at least of an error; older releases have pairs.
    has_failed = status.lower() not in PHASES and ERROR_CODE.search(substatus) is not None
    entry = log_entry.LogEntry(
        at=require_time(parse_health_vm(target), plain.get("eventTimestamp"), plain.get("submissionTimestamp")),
        resource=target,
        operation=_find_operation(plain),
        status="Failed" if has_failed else status,
        category=_find_category(plain, told),
        substatus=substatus,
        correlation=find_text(plain, "correlationId"),
        properties=told,
    )
    if told or find_text(plain, *DETAIL_KEYS):
        yield from log_entry.decode_entry(entry, ref)
        return
    yield from log_entry.cover_scope(target, Signal.ACTIVITY)
    yield from log_entry.cover_scope(target, Signal.HEALTH, NO_DETAILS)
    feed, vm = log_entry.find_feed(entry.category, entry.operation), parse_health_vm(target)
    if feed is Signal.ACTIVITY:
        yield from log_entry.decode_entry_content(entry, ref)
    # Of another resource's health nothing is wanted; of one that is not named nobody can say whose it is.
    elif feed is Signal.HEALTH and (vm is not None or "/providers/" not in target.lower()):
        raise MalformedRow(PROPERTIES_MISSING, vm)


def _find_operation(row: Row) -> str:
    action = to_text(get_path(row, "authorization", "action"))
    return action or log_entry.find_operation_name(find_text(row, "operationName"))


def _read_properties(row: Row) -> Row:
    """Both PowerShells put a dictionary's entries under `Content`."""
    written = to_mapping(row.get("properties"))
    plain = {key: value for key, value in written.items() if key != "content"}
    return log_entry.unwrap_properties(written.get("content") or plain)


def _find_category(row: Row, told: Row) -> str:
    """The category in Azure's own word, whatever language it was told in."""
    written = find_text(row, "category")
    if log_entry.fold_category(written) in log_entry.FEEDS_BY_CATEGORY:
        return written
    if to_text(get_path(row, "authorization", "action")):
        return "Administrative"
    if not INCIDENT_KEYS.isdisjoint(told):
        return "ServiceHealth"
    return "ResourceHealth" if not told or not HEALTH_KEYS.isdisjoint(told) else written
