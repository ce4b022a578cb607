"""Event Grid's HealthResources events, in its own schema and as CloudEvents."""

import random

from tests.incidents.catalogue import ANNOTATIONS
from tests.incidents.model import GroundTruth, HealthAnnotation, HealthChange, WireFile
from tests.incidents.wire.plain import (
    JsonObject,
    encode_json,
    format_time,
    get_resource_type,
    get_subscription_id,
    make_guid,
)

_TOPIC = "Microsoft.ResourceNotifications.HealthResources"


def write_health_events(rng: random.Random, truth: GroundTruth) -> list[WireFile]:
    """What a system topic delivered, collected into an array."""
    cloud = rng.random() < 0.5
    events = []
    for note in truth.annotations:
        properties: JsonObject = {"annotationName": note.name, **ANNOTATIONS[note.name].members}
        if rng.random() >= 0.5:
            del properties["impactType"]
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
