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
from vmdiag.sources.decoding.client_spelling import from_powershell
from vmdiag.sources.decoding.fields import at as at_path
from vmdiag.sources.decoding.fields import mapping, text
from vmdiag.sources.decoding.operation_names import operation
from vmdiag.sources.decoding.resource_ids import resource, scope, vm_of_health
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.items import Covers, Item, Malformed, Row

SIGNALS = (Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE)
NO_DETAILS = "Get-AzActivityLog without -DetailedOutput has no properties: a live migration cannot be seen in it"
UNTOLD = "a health event without its properties: export it again with -DetailedOutput"
# What is asked for only with -DetailedOutput.
DETAILS = ("eventDataId", "id", "eventName", "submissionTimestamp")
HEALTH = frozenset(
    {"currentHealthStatus", "previousHealthStatus", "annotationName", "eventProperties", "healthStatus", "cause"}
)
INCIDENT = frozenset({"incidentType", "trackingId"})
CODE = re.compile(r"\b([45])[0-9]{2}\b")  # `BadRequest (HTTP Status Code: 400)`, whatever the language around it


def recognises(row: Row) -> bool:
    """An entry has a time and an operation, spelt as .NET does."""
    return "EventTimestamp" in row and "OperationName" in row


def signals(row: Row) -> tuple[Signal, ...]:
    """The feeds that an entry belongs to, as far as it tells."""
    plain = mapping(from_powershell(row))
    action = text(at_path(plain, "authorization", "action")) or operation(text(plain.get("operationName")))
    return log_entry.signals(_category(plain, _properties(plain)), action)


def items(row: Row, ref: str) -> Iterator[Item]:
    """What an entry says, and that the log was read: of health only as far as it has properties."""
    plain = mapping(from_powershell(row))
    told = _properties(plain)
    category = _category(plain, told)
    target = _resource(plain)
    entry = log_entry.Entry(
        at=first(vm_of_health(target), plain.get("eventTimestamp"), plain.get("submissionTimestamp")),
        resource=target,
        operation=text(at_path(plain, "authorization", "action")) or operation(text(plain.get("operationName"))),
        status=_status(plain),
        category=category,
        substatus=text(plain.get("subStatus")),
        correlation=text(plain.get("correlationId")),
        properties=told,
    )
    if told or any(text(plain.get(key)) for key in DETAILS):
        yield from log_entry.items(entry, ref)
    else:
        yield from _without_details(entry, ref)


def _without_details(entry: log_entry.Entry, ref: str) -> Iterator[Item]:
    where = scope(entry.resource)
    if where is not None:
        yield Covers(signal=Signal.ACTIVITY, scope=where)
        yield Covers(signal=Signal.HEALTH, scope=where, partial=NO_DETAILS)
    feed = log_entry.feed(entry.category, entry.operation)
    if feed is Signal.ACTIVITY:
        yield from log_entry.said(entry, ref)
    elif feed is Signal.HEALTH:
        vm = vm_of_health(entry.resource)
        # Of another resource's health nothing is wanted; of one that is not named nobody can say whose it is.
        if vm is not None or "/providers/" not in entry.resource.lower():
            raise Malformed(UNTOLD, vm)


def _properties(row: Mapping[str, object]) -> Mapping[str, object]:
    """Both PowerShells put a dictionary's entries under `Content`."""
    written = mapping(row.get("properties"))
    return log_entry.inner(written.get("content") or {key: value for key, value in written.items() if key != "content"})


def _category(row: Mapping[str, object], told: Mapping[str, object]) -> str:
    """The category in Azure's own word, whatever language it was told in."""
    written = text(row.get("category"))
    if log_entry.folded(written) in log_entry.FEEDS:
        return written
    if text(at_path(row, "authorization", "action")):
        return "Administrative"
    if not INCIDENT.isdisjoint(told):
        return "ServiceHealth"
    return "ResourceHealth" if not told or not HEALTH.isdisjoint(told) else written


def _resource(row: Mapping[str, object]) -> str:
    subscription, group = text(row.get("subscriptionId")), text(row.get("resourceGroupName"))
    within = f"/subscriptions/{subscription}" + (f"/resourceGroups/{group}" if group else "") if subscription else ""
    event = text(row.get("id"))
    named = event[: max(event.lower().find("/events/"), 0)]
    # Not all that is asked for comes under the name under which it is told.
    return resource(
        row.get("resourceId"), row.get("resourceUri"), at_path(row, "authorization", "scope"), named, within
    )


def _status(row: Mapping[str, object]) -> str:
    """The status, or what the code beside it says where the word is in another language; older releases have pairs."""
    written = text(row.get("status"))
    if written.lower() in PHASES or not CODE.search(text(row.get("subStatus"))):
        return written
    return "Failed"
