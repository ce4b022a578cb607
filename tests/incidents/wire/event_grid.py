"""Event Grid's HealthResources events, in its own schema and as CloudEvents."""

import random

from tests.incidents.catalogue import ANNOTATIONS
from tests.incidents.model import GroundTruth, HealthAnnotation, HealthChange, WireFile
from tests.incidents.wire.plain import JsonObject, encode_json, format_time, get_subscription_id, make_guid

_TOPIC = "Microsoft.ResourceNotifications.HealthResources"


def write_health_events(rng: random.Random, truth: GroundTruth) -> list[WireFile]:
    """What a system topic delivered, collected into an array."""
    cloud = rng.random() < 0.5
    events = []
    for note in truth.annotations:
        words = ANNOTATIONS[note.name]
        properties: JsonObject = {
            "annotationName": note.name,
            "reason": words.title,
            "summary": words.summary,
            "context": words.context,
            "category": words.category,
        }
        if rng.random() < 0.5:
            properties["impactType"] = words.impact
        events.append(_build_event(rng, note, "resourceAnnotations", properties, cloud=cloud))
    for changed in truth.health:
        properties = {"previousAvailabilityState": changed.before, "availabilityState": changed.after}
        events.append(_build_event(rng, changed, "availabilityStatuses", properties, cloud=cloud))
    rng.shuffle(events)
    form = "cloud-events" if cloud else "event-grid"
    return [WireFile(path="health-events.json", form=form, content=encode_json(list(events)))]


def _build_event(
    rng: random.Random, what: HealthAnnotation | HealthChange, kind: str, properties: JsonObject, *, cloud: bool
) -> JsonObject:
    """Both schemas bear the same `data`."""
    at, vm = what.at, what.vm
    name = {"resourceAnnotations": "ResourceAnnotated", "availabilityStatuses": "AvailabilityStatusChanged"}[kind]
    identifier, subscription = make_guid(rng), f"/subscriptions/{get_subscription_id(vm)}"
    target: JsonObject = {
        "targetResourceId": vm,
        "targetResourceType": "Microsoft.Compute/virtualMachines",
        "occurredTime": format_time(at, 7),
    }
    data: JsonObject = {
        "resourceInfo": {
            "id": f"{vm}/providers/Microsoft.ResourceHealth/{kind}/{identifier}",
            "name": identifier,
            "type": f"Microsoft.ResourceHealth/{kind}",
            "properties": {**target, **properties},
        },
        "operationalInfo": {"resourceEventTime": format_time(at, 7)},
        "apiVersion": "2023-12-01",
    }
    if cloud:
        return {
            "id": identifier,
            "source": subscription,
            "subject": vm,
            "data": data,
            "type": f"{_TOPIC}.{name}",
            "specversion": "1.0",
            "time": format_time(at, 7),
        }
    return {
        "id": identifier,
        "topic": subscription,
        "subject": vm,
        "data": data,
        "eventType": f"{_TOPIC}.{name}",
        "dataVersion": "1",
        "metadataVersion": "1",
        "eventTime": format_time(at, 7),
    }
