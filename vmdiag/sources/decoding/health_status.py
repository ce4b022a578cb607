"""The dialects in which Azure tells a VM's health or a service incident, as one.

Sources: "Azure Activity Log event schema: Resource Health category" (flat, nested and older keys) and "Service health
category", "Resource health virtual machine Health Annotations", "Azure Resource Graph sample queries for
HealthResources" (annotation and availability rows), "Resource Health REST API: Events". All say the same few things
under different keys. A resolved incident keeps the time at which it began; the facts say when it ended.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from vmdiag.completeness import MalformedRow
from vmdiag.identity import VmId
from vmdiag.model import Record, Signal
from vmdiag.sources.decoding.fields import collect_facts, find_text, to_mapping, to_short_text
from vmdiag.sources.decoding.timestamps import format_iso, parse_time
from vmdiag.sources.items import ServiceIncident, VmRecord
from vmdiag.values import Struct

STATES_AND_NOTHING = frozenset({"available", "unavailable", "degraded", "unknown", ""})
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
CAMEL_CASE = re.compile(r"[A-Z].*[A-Z]")
# One word of English in these fields ("Unavailable") is shorter, and the names of annotations in lower case are longer.
IDENTIFIER_LENGTH = 16
UNREADABLE_EVENT = "a health event without properties that can be read: what it says of the VM is not known"
REQUEST_NAMES = frozenset({"beginrequest", "endrequest"})  # what `eventName` says of an operation, not of health


def decode_health(vm: VmId, at: datetime, said: Mapping[str, object], ref: str) -> Iterator[VmRecord]:
    """Up to two records: the availability state, and the annotation or the words that came with it.

    Among the words may be `eventName`, which Microsoft maps to the annotation's name, and `stage`, the event's status.
    """
    said = to_mapping(said.get("eventProperties")) or said
    title, details = find_text(said, "title", "reason"), find_text(said, "details", "detailedStatus")
    summary = find_text(said, "summary")
    cause = find_text(said, "cause", "healthEventCause", "context", "reasonType")
    state = to_short_text(find_text(said, "currentHealthStatus", "healthStatus", "availabilityState"))
    if state:
        previous = find_text(said, "previousHealthStatus", "previousAvailabilityState")
        known = collect_facts(previous=previous, cause=cause, title=title, details=details)
        yield VmRecord(vm, Record(at=at, signal=Signal.HEALTH, name="availability", status=state, facts=known, ref=ref))

    named = find_text(said, "annotationName").partition("//")[0].strip()
    name = to_short_text(named or _find_annotation_name(details, title, find_text(said, "eventName")))
    # The state is in the other record already.
    if name or {title.lower(), details.lower(), summary.lower()} - STATES_AND_NOTHING:
        known = collect_facts(
            title=title,
            details="" if name and details.startswith(name) else details,
            summary=summary,
            cause=cause,
            category=find_text(said, "category", "healthEventCategory"),
            impact=said.get("impactType"),
            stage=said.get("stage"),
        )
        yield VmRecord(vm, Record(at=at, signal=Signal.HEALTH, name=name, facts=known, ref=ref))


def decode_health_event(vm: VmId, at: datetime, said: Mapping[str, object], ref: str) -> Iterator[VmRecord]:
    """The same of an event that must say something: it may be the one that tells of a loss.

    Raises `MalformedRow` behind a note that there was one, where its properties are missing or are no JSON.
    """
    found = None
    for found in decode_health(vm, at, said, ref):
        yield found
    if found is None:
        known = collect_facts(title=UNREADABLE_EVENT, stage=said.get("stage"))
        yield VmRecord(vm, Record(at=at, signal=Signal.HEALTH, name="", facts=known, ref=ref))
        raise MalformedRow(UNREADABLE_EVENT, vm)


def _find_annotation_name(*candidates: str) -> str:
    """The first that looks like an identifier rather than a word or a sentence.

    A public query of Microsoft's cuts annotation names at `//` before it compares them, so they may carry a suffix.
    """
    for candidate in candidates:
        name = candidate.partition("//")[0].strip()
        if not IDENTIFIER.fullmatch(name) or name.lower() in REQUEST_NAMES:
            continue
        if "_" in name or len(name) >= IDENTIFIER_LENGTH or (CAMEL_CASE.search(name) and not name.isupper()):
            return name
    return ""


class IncidentFields(Struct, frozen=True, kw_only=True):
    """The words of an incident, still as written."""

    kind: str
    status: str
    title: object
    services: Iterable[str]
    regions: Iterable[str]
    tracking: object
    started: object
    ended: object


def make_service_incident(
    scope: str | None, reported_at: datetime | None, incident: IncidentFields, ref: str
) -> ServiceIncident:
    """The incident of a subscription, at the time when it began to be felt, else when it was told."""
    if scope is None:
        message = "the incident names no subscription"
        raise MalformedRow(message)
    started = parse_time(incident.started)
    at = started or reported_at
    if at is None:
        message = "the incident has no time"
        raise MalformedRow(message)
    known = collect_facts(
        title=incident.title,
        service=_join_unique(incident.services),
        regions=_join_unique(incident.regions),
        tracking=incident.tracking,
        started=format_iso(started),
        ended=format_iso(parse_time(incident.ended)),
        told=format_iso(reported_at),
    )
    name, status = to_short_text(incident.kind) or "Incident", to_short_text(incident.status)
    record = Record(at=at, signal=Signal.SERVICE, name=name, status=status, facts=known, ref=ref)
    return ServiceIncident(scope.rpartition("/")[2], record)


def _join_unique(names: Iterable[str]) -> str:
    """The names once each, in the order told; no service and no region has a comma in its name."""
    return ",".join(dict.fromkeys(name for name in names if name))
