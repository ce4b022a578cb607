"""Event Grid's HealthResources events, in its own schema and as CloudEvents."""

import random

from tests.incidents.catalogue import ANNOTATIONS
from tests.incidents.model import Annotated, HealthChanged, Truth, WireFile
from tests.incidents.wire.plain import JsonObject, dump, guid, stamp, subscription_of

_TOPIC = "Microsoft.ResourceNotifications.HealthResources"


def health_events(rng: random.Random, truth: Truth) -> list[WireFile]:
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
        events.append(_event(rng, note, "resourceAnnotations", properties, cloud=cloud))
    for changed in truth.health:
        properties = {"previousAvailabilityState": changed.before, "availabilityState": changed.after}
        events.append(_event(rng, changed, "availabilityStatuses", properties, cloud=cloud))
    rng.shuffle(events)
    form = "cloud-events" if cloud else "event-grid"
    return [WireFile(path="health-events.json", form=form, content=dump(list(events)))]


def _event(
    rng: random.Random, what: Annotated | HealthChanged, kind: str, properties: JsonObject, *, cloud: bool
) -> JsonObject:
    """Both schemas bear the same `data`."""
    at, vm = what.at, what.vm
    name = {"resourceAnnotations": "ResourceAnnotated", "availabilityStatuses": "AvailabilityStatusChanged"}[kind]
    identifier, subscription = guid(rng), f"/subscriptions/{subscription_of(vm)}"
    target: JsonObject = {
        "targetResourceId": vm,
        "targetResourceType": "Microsoft.Compute/virtualMachines",
        "occurredTime": stamp(at, 7),
    }
    data: JsonObject = {
        "resourceInfo": {
            "id": f"{vm}/providers/Microsoft.ResourceHealth/{kind}/{identifier}",
            "name": identifier,
            "type": f"Microsoft.ResourceHealth/{kind}",
            "properties": {**target, **properties},
        },
        "operationalInfo": {"resourceEventTime": stamp(at, 7)},
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
            "time": stamp(at, 7),
        }
    return {
        "id": identifier,
        "topic": subscription,
        "subject": vm,
        "data": data,
        "eventType": f"{_TOPIC}.{name}",
        "dataVersion": "1",
        "metadataVersion": "1",
        "eventTime": stamp(at, 7),
    }
