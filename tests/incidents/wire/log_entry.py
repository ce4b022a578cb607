"""A record of the activity log before it has a wire form: what API, exports and tables agree on."""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.incidents.catalogue import ANNOTATIONS, OPERATIONS
from tests.incidents.model import GroundTruth, HealthAnnotation, HealthChange, Operation, ServiceIssue
from tests.incidents.wire.plain import Json, JsonObject, encode_json, get_resource_type, make_guid

SHORT_STATUSES = {"Started": "Start", "Accepted": "Accept", "Succeeded": "Success", "Failed": "Failure"}
"""The words of exports and tables for those of the API."""
HEALTH_PROVIDER = "Microsoft.Resourcehealth/healthevent/action"
"""Sic: this stands in `resourceProviderName` of health events, in place of a provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """The fields of an activity-log event, with plain values."""

    at: datetime
    submitted: datetime
    category: str
    operation: str
    localized: str
    status: str
    resource: str
    correlation: str
    data_id: str
    properties: JsonObject
    sub_status: str = ""
    event_name: str = ""
    provider: str = ""
    type: str = ""
    level: str = "Informational"
    caller: str | None = None
    operation_id: str = ""


def build_log_entries(rng: random.Random, truth: GroundTruth) -> list[LogEntry]:
    """The activity log of the truth, oldest first."""
    entries = [entry for operation in truth.operations for entry in _log_operation(rng, operation)]
    entries += [entry for annotated in truth.annotations for entry in _log_annotation(rng, annotated)]
    entries += [_log_health_change(rng, changed) for changed in truth.health if _is_logged(changed, truth)]
    entries += [entry for issue in truth.issues for entry in _log_service_issue(rng, issue)]
    return sorted((entry for entry in entries if entry.at <= truth.until), key=lambda entry: (entry.at, entry.data_id))


def _is_logged(changed: HealthChange, truth: GroundTruth) -> bool:
    """Unknown, and flaps under 35 s, do not reach the log ("Understand a system reboot")."""
    if "Unknown" in (changed.before, changed.after):
        return False
    return not any(
        other.vm == changed.vm and timedelta() < abs(other.at - changed.at) < timedelta(seconds=35)
        for other in truth.health
    )


def _log_operation(rng: random.Random, operation: Operation) -> list[LogEntry]:
    """Started, perhaps Accepted, and the end, of one correlation id. An `EndRequest` may be no end."""
    # `poweroff` and `powerOff` both occur.
    begin = LogEntry(
        at=operation.at,
        submitted=operation.at + timedelta(seconds=rng.uniform(10, 60)),
        category=operation.category,
        operation=operation.name.replace("powerOff", "poweroff" if rng.random() < 0.3 else "powerOff"),
        localized=OPERATIONS.get(operation.name, operation.name),
        status="Started",
        event_name="BeginRequest",
        resource=operation.target,
        provider=operation.name.split("/")[0],
        type=get_resource_type(operation.target),
        caller="ops@contoso.example",
        correlation=make_guid(rng),
        operation_id=make_guid(rng),
        data_id=make_guid(rng),
        properties={},
    )
    if operation.category == "Policy":
        return [replace(begin, status="Succeeded", event_name="EndRequest", properties={"isComplianceCheck": "False"})]
    middle = replace(begin, event_name="EndRequest", data_id=make_guid(rng), properties={"statusCode": "Accepted"})
    entries = [begin]
    if rng.random() < 0.7:
        entries.append(
            replace(middle, at=operation.at + operation.duration * 0.1, status="Accepted", sub_status="Accepted")
        )
    if operation.outcome == "Running":
        return entries
    end = replace(middle, at=operation.at + operation.duration, status=operation.outcome, data_id=make_guid(rng))
    if operation.outcome == "Failed":
        failure: Json = {"error": {"code": "Conflict", "message": "Another operation is in progress."}}
        said: JsonObject = {"statusCode": "Conflict", "statusMessage": encode_json(failure).decode()}
        return [*entries, replace(end, level="Error", sub_status="Conflict", properties=said)]
    return [*entries, replace(end, sub_status=rng.choice(("", "OK")), properties={"statusCode": "OK"})]


def _build_health_entry(rng: random.Random, at: datetime, vm: str, verb: str, properties: JsonObject) -> LogEntry:
    """A ResourceHealth record: no caller, the odd provider name, submitted minutes later."""
    return LogEntry(
        at=at,
        submitted=at + timedelta(seconds=rng.uniform(90, 240)),
        category="ResourceHealth",
        operation=f"Microsoft.Resourcehealth/healthevent/{verb}/action",
        localized=f"Health Event {verb}",
        status="Active" if verb == "Activated" else verb,
        resource=vm,
        provider=HEALTH_PROVIDER,
        type=rng.choice(("Microsoft.Compute/virtualMachines", "MICROSOFT.COMPUTE/VIRTUALMACHINES")),
        level=rng.choice(("Informational", "Warning", "Critical")),
        correlation=make_guid(rng),
        data_id=make_guid(rng),
        properties=properties,
    )


def _tell_health(  # noqa: PLR0913 - an event says so much
    rng: random.Random,
    verb: str,
    *,
    words: tuple[str, str | None],
    states: tuple[str | None, str | None],
    cause: str,
    category: str = "Unplanned",
) -> JsonObject:
    """The two dialects: the current keys, and the older ones of Microsoft's published sample."""
    (title, details), (now, before) = words, states
    told: JsonObject = {
        "title": title,
        "details": details,
        "currentHealthStatus": now,
        "previousHealthStatus": before,
        "type": "Downtime",
        "cause": cause,
    }
    if rng.random() < 0.75:
        return told
    return {
        "stage": "Active" if verb == "Activated" else verb,
        "title": title,
        "details": details,
        "healthStatus": now,
        "healthEventType": "Downtime",
        "healthEventCause": cause,
        "healthEventCategory": category,
    }


def _log_annotation(rng: random.Random, annotated: HealthAnnotation) -> list[LogEntry]:
    """The name stands in `details`, beneath the sentence; or the sentence alone tells."""
    words = ANNOTATIONS[annotated.name]
    verb = rng.choice(("Updated", "Updated", "InProgress", "Activated"))
    unchanged = rng.choice(("Unknown", "Available", None))
    if annotated.phrase_only:
        title, details = rng.choice(((words.title, None), (words.summary, ""), (words.title, words.summary)))
    else:
        title, details = rng.choice((words.title, words.summary)), annotated.name
    category = "Planned" if words.category == "Planned" else "Unplanned"
    properties = _tell_health(
        rng, verb, words=(title, details), states=(unchanged, unchanged), cause=words.cause, category=category
    )
    entry = _build_health_entry(rng, annotated.at + annotated.log_late, annotated.vm, verb, properties)
    if rng.random() < 0.15:
        # Azure repeats an event with another verb and another id within the minute.
        again = timedelta(seconds=rng.uniform(1, 40))
        return [entry, replace(entry, at=entry.at + again, data_id=make_guid(rng), status="InProgress")]
    return [entry]


def _log_health_change(rng: random.Random, changed: HealthChange) -> LogEntry:
    """A transition of the availability state; platform events seldom come as Activated."""
    verb = "Resolved" if changed.after == "Available" else rng.choice(("Activated", "Updated", "InProgress"))
    title = changed.title or f"Virtual Machine health status changed to {changed.after.lower()}"
    states = (changed.after, changed.before)
    told = _tell_health(rng, verb, words=(title, rng.choice((None, ""))), states=states, cause=changed.cause)
    return _build_health_entry(rng, changed.at, changed.vm, verb, told)


def _log_service_issue(rng: random.Random, issue: ServiceIssue) -> list[LogEntry]:
    """A service incident as the subscription is told: Active, and Resolved when it was mitigated."""
    title = f"{issue.service} - {issue.region}"
    told = f"Starting at {issue.at:%H:%M} UTC, customers using {issue.service} in {issue.region} may see errors."
    regions: Json = [{"ImpactedRegions": [{"RegionName": issue.region}], "ServiceName": issue.service}]
    properties: JsonObject = {
        "title": title,
        "service": issue.service,
        "region": issue.region,
        "communication": told,
        "incidentType": "Incident",
        "trackingId": issue.tracking,
        "impactStartTime": issue.at.strftime("%Y-%m-%dT%H:%M:%S.0000000Z"),
        "impactedServices": encode_json(regions).decode(),
        "defaultLanguageTitle": title,
        "defaultLanguageContent": told,
        "stage": "Active",
        "communicationId": make_guid(rng),
        "version": "0.1.1",
    }
    told_at = issue.at + timedelta(minutes=rng.uniform(5, 15))
    active = LogEntry(
        at=told_at,
        submitted=told_at + timedelta(seconds=20),
        category="ServiceHealth",
        operation="Microsoft.ServiceHealth/incident/action",
        localized="Microsoft.ServiceHealth/incident/action",
        status="Active",
        resource=f"/subscriptions/{issue.subscription}",
        level="Warning",
        correlation=make_guid(rng),
        operation_id=make_guid(rng),
        data_id=make_guid(rng),
        properties=properties,
    )
    if issue.mitigated is None:
        return [active]
    ended = {**properties, "stage": "Resolved", "impactMitigationTime": f"{issue.mitigated:%Y-%m-%dT%H:%M:%S}.0000000Z"}
    at = max(issue.mitigated, told_at) + timedelta(minutes=5)
    return [active, replace(active, at=at, status="Resolved", data_id=make_guid(rng), properties=ended)]
