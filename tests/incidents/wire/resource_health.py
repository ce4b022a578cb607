"""Resource Health's REST answers, a VM's history and service events, and Event Grid's HealthResources events."""

import random
from datetime import datetime
from urllib.parse import quote_plus

from tests.incidents.catalogue import ANNOTATIONS
from tests.incidents.model import GroundTruth, HealthAnnotation, HealthChange, Machine, ServiceIssue, WireFile
from tests.incidents.wire.plain import (
    Json,
    JsonObject,
    encode_json,
    format_time,
    get_resource_name,
    get_resource_type,
    get_subscription_id,
    make_guid,
)

_SUMMARY = {
    "Available": "There aren't any known Azure platform problems affecting this virtual machine",
    "Unavailable": "We're sorry, your virtual machine isn't available",
    "Degraded": "Your virtual machine is degraded",
    "Unknown": "We are currently unable to determine the health of this virtual machine",
}


def write_availability_history(rng: random.Random, truth: GroundTruth) -> list[WireFile]:
    """`GET {vm}/providers/Microsoft.ResourceHealth/availabilityStatuses`, a file a VM, newest first.

    An item without a state is an event that touched the VM; it bears words, sometimes also the annotation's
    name.
    """
    files = []
    for machine in truth.machines:
        states = [(each.at, build_state(each)) for each in truth.health if each.vm == machine.vm]
        events = [(each.at, build_event(rng, each)) for each in truth.annotations if each.vm == machine.vm]
        items = sorted([*states, *events], key=lambda item: item[0], reverse=True)
        value: list[Json] = []
        for at, properties in items:
            label = encode_label(at) if value else "current"
            value.append(build_status(machine, label, properties))
        content = encode_json({"value": value})
        path = f"health-{get_resource_name(machine.vm)}.json"
        files.append(WireFile(path=path, form="availability-statuses", content=content))
    rng.shuffle(files)
    return files


def build_status(machine: Machine, label: str, properties: JsonObject) -> JsonObject:
    """An item of the history, or the current one."""
    return {
        "id": f"{machine.vm}/providers/Microsoft.ResourceHealth/availabilityStatuses/{label}",
        "name": label,
        "type": "Microsoft.ResourceHealth/AvailabilityStatuses",
        "location": machine.location,
        "properties": properties,
    }


def encode_label(at: datetime) -> str:
    """The name of an item of the history: its time, encoded as in a form."""
    return quote_plus(at.strftime("%Y-%m-%d %H:%M:%SZ"))


def build_state(changed: HealthChange) -> JsonObject:
    """`occuredTime` with one r is how this API spells it."""
    properties: JsonObject = {
        "availabilityState": changed.after,
        "title": changed.after,
        "summary": changed.title or _SUMMARY[changed.after],
        "reasonChronicity": "Persistent",
        "detailedStatus": "",
        "occuredTime": format_time(changed.at, 0),
        "reportedTime": format_time(changed.at, 7),
    }
    if changed.after != "Available":
        customer = changed.cause == "UserInitiated"
        properties["reasonType"] = "Customer Initiated" if customer else "Unplanned"
        properties["context"] = "Customer Initiated" if customer else "Platform Initiated"
        properties["category"] = "Not Applicable" if customer else "Unplanned"
    return properties


def build_event(rng: random.Random, note: HealthAnnotation) -> JsonObject:
    """No documented member names it here; but a migration's success and failure share their words."""
    words = ANNOTATIONS[note.name]
    by_words = note.name in ("LiveMigrationSucceeded", "LiveMigrationCompleted") and rng.random() < 0.5
    named: JsonObject = {} if by_words else {"annotationName": note.name}
    return {
        **named,
        "availabilityState": None,
        "title": words.title,
        "summary": words.summary,
        "context": words.context,
        "category": words.category,
        "occuredTime": format_time(note.at, 0),
    }


def write_service_events(issues: list[ServiceIssue]) -> list[WireFile]:
    """`GET /subscriptions/{id}/providers/Microsoft.ResourceHealth/events`."""
    value: Json = [build_issue(issue) for issue in issues]
    return [WireFile(path="service-events.json", form="service-events", content=encode_json({"value": value}))]


def build_issue(issue: ServiceIssue) -> JsonObject:
    """A service event as the events API lists it."""
    status = "Resolved" if issue.mitigated else "Active"
    root = f"/subscriptions/{issue.subscription}/providers/Microsoft.ResourceHealth"
    properties: JsonObject = {
        "eventType": "ServiceIssue",
        "eventSource": "ServiceHealth",
        "status": status,
        "title": f"{issue.service} - {issue.region}",
        "summary": f"Customers using {issue.service} in {issue.region} may see errors.",
        "level": "Critical",
        "eventLevel": "Error",
        "impactStartTime": format_time(issue.at, 0),
        "impactMitigationTime": format_time(issue.mitigated, 0) if issue.mitigated else None,
        "impact": [
            {"impactedService": issue.service, "impactedRegions": [{"impactedRegion": issue.region, "status": status}]}
        ],
    }
    return {
        "id": f"{root}/events/{issue.tracking}",
        "name": issue.tracking,
        "type": "/providers/Microsoft.ResourceHealth/events",
        "properties": properties,
    }


_TOPIC = "Microsoft.ResourceNotifications.HealthResources"


def write_health_events(rng: random.Random, truth: GroundTruth) -> list[WireFile]:
    """What a system topic delivered, collected into an array."""
    cloud = rng.random() < 0.5
    events = []
    for note in truth.annotations:
        properties: JsonObject = {"annotationName": note.name, **ANNOTATIONS[note.name].members}
        if rng.random() >= 0.5:
            del properties["impactType"]
        events.append(_build_pushed_event(rng, note, "resourceAnnotations", properties, cloud=cloud))
    for changed in truth.health:
        properties = {"previousAvailabilityState": changed.before, "availabilityState": changed.after}
        events.append(_build_pushed_event(rng, changed, "availabilityStatuses", properties, cloud=cloud))
    rng.shuffle(events)
    form = "cloud-events" if cloud else "event-grid"
    return [WireFile(path="health-events.json", form=form, content=encode_json(list(events)))]


def _build_pushed_event(
    rng: random.Random, what: HealthAnnotation | HealthChange, kind: str, properties: JsonObject, *, cloud: bool
) -> JsonObject:
    """Both schemas bear the same `data`."""
    at, vm = what.at, what.vm
    name = {"resourceAnnotations": "ResourceAnnotated", "availabilityStatuses": "AvailabilityStatusChanged"}[kind]
    identifier, subscription, time = make_guid(rng), f"/subscriptions/{get_subscription_id(vm)}", format_time(at)
    target: JsonObject = {"targetResourceId": vm, "targetResourceType": get_resource_type(vm), "occurredTime": time}
    info: JsonObject = {
        "id": f"{vm}/providers/Microsoft.ResourceHealth/{kind}/{identifier}",
        "name": identifier,
        "type": f"Microsoft.ResourceHealth/{kind}",
        "properties": {**target, **properties},
    }
    data: JsonObject = {
        "resourceInfo": info,
        "operationalInfo": {"resourceEventTime": time},
        "apiVersion": "2023-12-01",
    }
    event: JsonObject = {"id": identifier, "subject": vm, "data": data}
    if cloud:
        return {**event, "source": subscription, "type": f"{_TOPIC}.{name}", "specversion": "1.0", "time": time}
    versions: JsonObject = {"dataVersion": "1", "metadataVersion": "1"}
    return {**event, **versions, "topic": subscription, "eventType": f"{_TOPIC}.{name}", "eventTime": time}
