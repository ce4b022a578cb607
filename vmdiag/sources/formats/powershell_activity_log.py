"""The activity log as `Get-AzActivityLog | ConvertTo-Json` writes it; must not know what an entry means.

Source: Az.Monitor's `PSEventData` and `PSEventDataNoDetails`. Operation, category and status come in the language of
whoever asked; what Resource Manager calls an operation survives in its authorization, and a health event by what its
properties hold. Without `-DetailedOutput` there are no properties: then the log can show no live migration.
"""

import re
from collections.abc import Iterator, Mapping

from vmdiag.diagnosis.event_kinds import PHASES
from vmdiag.model import Signal
from vmdiag.sources.decoding import log_entry
from vmdiag.sources.decoding.envelopes import convert_powershell
from vmdiag.sources.decoding.fields import find_resource_id, get_path, parse_health_vm, parse_scope, to_mapping, to_text
from vmdiag.sources.decoding.log_entry import find_operation_name
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.items import FeedCoverage, Item, MalformedRow, Row

SIGNALS = (Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE)
NO_DETAILS = "Get-AzActivityLog without -DetailedOutput has no properties: a live migration cannot be seen in it"
PROPERTIES_MISSING = "a health event without its properties: export it again with -DetailedOutput"
# What is asked for only with -DetailedOutput.
DETAIL_KEYS = ("eventDataId", "id", "eventName", "submissionTimestamp")
HEALTH_KEYS = frozenset(
    {"currentHealthStatus", "previousHealthStatus", "annotationName", "eventProperties", "healthStatus", "cause"}
)
INCIDENT_KEYS = frozenset({"incidentType", "trackingId"})
ERROR_CODE = re.compile(r"\b([45])[0-9]{2}\b")  # `BadRequest (HTTP Status Code: 400)`, whatever the language around it


def recognises_row(row: Row) -> bool:
    """An entry has a time and an operation, spelt as .NET does."""
    return "EventTimestamp" in row and "OperationName" in row


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """The feeds that an entry belongs to, as far as it tells."""
    plain = to_mapping(convert_powershell(row))
    action = to_text(get_path(plain, "authorization", "action")) or find_operation_name(
        to_text(plain.get("operationName"))
    )
    return log_entry.list_possible_signals(_find_category(plain, _read_properties(plain)), action)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What an entry says, and that the log was read: of health only as far as it has properties."""
    plain = to_mapping(convert_powershell(row))
    told = _read_properties(plain)
    category = _find_category(plain, told)
    target = _find_target_id(plain)
    entry = log_entry.LogEntry(
        at=require_time(parse_health_vm(target), plain.get("eventTimestamp"), plain.get("submissionTimestamp")),
        resource=target,
        operation=to_text(get_path(plain, "authorization", "action"))
        or find_operation_name(to_text(plain.get("operationName"))),
        status=_find_status(plain),
        category=category,
        substatus=to_text(plain.get("subStatus")),
        correlation=to_text(plain.get("correlationId")),
        properties=told,
    )
    if told or any(to_text(plain.get(key)) for key in DETAIL_KEYS):
        yield from log_entry.decode_entry(entry, ref)
    else:
        yield from _decode_without_details(entry, ref)


def _decode_without_details(entry: log_entry.LogEntry, ref: str) -> Iterator[Item]:
    where = parse_scope(entry.resource)
    if where is not None:
        yield FeedCoverage(signal=Signal.ACTIVITY, scope=where)
        yield FeedCoverage(signal=Signal.HEALTH, scope=where, partial=NO_DETAILS)
    feed = log_entry.find_feed(entry.category, entry.operation)
    if feed is Signal.ACTIVITY:
        yield from log_entry.decode_entry_content(entry, ref)
    elif feed is Signal.HEALTH:
        vm = parse_health_vm(entry.resource)
        # Of another resource's health nothing is wanted; of one that is not named nobody can say whose it is.
        if vm is not None or "/providers/" not in entry.resource.lower():
            raise MalformedRow(PROPERTIES_MISSING, vm)


def _read_properties(row: Mapping[str, object]) -> Mapping[str, object]:
    """Both PowerShells put a dictionary's entries under `Content`."""
    written = to_mapping(row.get("properties"))
    return log_entry.unwrap_properties(
        written.get("content") or {key: value for key, value in written.items() if key != "content"}
    )


def _find_category(row: Mapping[str, object], told: Mapping[str, object]) -> str:
    """The category in Azure's own word, whatever language it was told in."""
    written = to_text(row.get("category"))
    if log_entry.fold_category(written) in log_entry.FEEDS_BY_CATEGORY:
        return written
    if to_text(get_path(row, "authorization", "action")):
        return "Administrative"
    if not INCIDENT_KEYS.isdisjoint(told):
        return "ServiceHealth"
    return "ResourceHealth" if not told or not HEALTH_KEYS.isdisjoint(told) else written


def _find_target_id(row: Mapping[str, object]) -> str:
    subscription, group = to_text(row.get("subscriptionId")), to_text(row.get("resourceGroupName"))
    within = f"/subscriptions/{subscription}" + (f"/resourceGroups/{group}" if group else "") if subscription else ""
    event = to_text(row.get("id"))
    named = event[: max(event.lower().find("/events/"), 0)]
    # Not all that is asked for comes under the name under which it is told.
    return find_resource_id(
        row.get("resourceId"), row.get("resourceUri"), get_path(row, "authorization", "scope"), named, within
    )


def _find_status(row: Mapping[str, object]) -> str:
    """The status, or what the code beside it says where the word is in another language; older releases have pairs."""
    written = to_text(row.get("status"))
    if written.lower() in PHASES or not ERROR_CODE.search(to_text(row.get("subStatus"))):
        return written
    return "Failed"
