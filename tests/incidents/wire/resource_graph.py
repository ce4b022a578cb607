"""Resource Graph answers: health now, health and resource changes of 14 days, and the resources."""

import random
from datetime import timedelta

from tests.incidents.catalogue import ANNOTATIONS
from tests.incidents.model import GroundTruth, HealthAnnotation, HealthChange, Machine, Operation, WireFile
from tests.incidents.wire.plain import (
    Json,
    JsonObject,
    build_table,
    encode_json,
    format_time,
    get_group_name,
    get_resource_name,
    get_resource_type,
    get_subscription_id,
    make_guid,
)
from tests.incidents.wire.virtual_machine import build_profiles

_STATUSES = "Microsoft.ResourceHealth/availabilityStatuses"
_NOTES = "Microsoft.ResourceHealth/resourceAnnotations"
_CHANGES = "Microsoft.Resources/changes"


def write_health_changes(rng: random.Random, truth: GroundTruth, *, states: bool = True) -> list[WireFile]:
    """`healthresourcechanges`: a row for each change of the current annotation and of the current status."""
    rows = [row for machine in truth.machines for row in build_annotation_changes(rng, machine.vm, truth)]
    if states:
        rows += [build_status_change(rng, changed) for changed in truth.health]
    return [_encode_answer(rng, "healthresourcechanges", rows)]


def write_current_health(rng: random.Random, truth: GroundTruth) -> list[WireFile]:
    """`healthresources`: the current rows of every VM."""
    rows = [row for machine in truth.machines for row in build_current_rows(machine.vm, truth)]
    return [_encode_answer(rng, "healthresources", rows)]


def build_current_rows(vm: str, truth: GroundTruth) -> list[JsonObject]:
    """One current row of each type; a later annotation overwrote the earlier."""
    notes = [each for each in truth.annotations if each.vm == vm]
    states = [each for each in truth.health if each.vm == vm]
    rows = [_build_row(vm, _NOTES, _build_annotation_properties(note)) for note in notes[-1:]]
    return rows + [_build_row(vm, _STATUSES, _build_status_properties(state)) for state in states[-1:]]


def write_resource_changes(rng: random.Random, operations: list[Operation]) -> list[WireFile]:
    """`resourcechanges`: who changed which property of a resource."""
    rows = [build_resource_change(rng, each) for each in operations if has_change_row(each)]
    return [_encode_answer(rng, "resourcechanges", rows)]


def has_change_row(operation: Operation) -> bool:
    """Whether it leaves a row: only what succeeded changes anything."""
    return operation.outcome == "Succeeded" and operation.category == "Administrative"


def build_resource_change(rng: random.Random, operation: Operation) -> JsonObject:
    """The row that an operation leaves, once it is done."""
    parent = operation.target.split("/securityRules/")[0]
    properties: JsonObject = {
        "targetResourceId": parent,
        "targetResourceType": get_resource_type(parent).lower(),
        "changeType": "Update",
        "changeAttributes": {
            "timestamp": format_time(operation.at + operation.duration, 7),
            "changedBy": "ops@contoso.example",
            "changedByType": "User",
            "clientType": "Azure Portal",
            "operation": operation.name.lower(),
            "previousResourceSnapshotId": make_guid(rng),
            "newResourceSnapshotId": make_guid(rng),
            "changesCount": 1,
        },
        "changes": {
            "properties.securityRules[0].properties.access": {
                "propertyChangeType": "Update",
                "previousValue": "Allow",
                "newValue": "Deny",
                "changeCategory": "User",
            }
        },
    }
    return _build_row(parent, _CHANGES, properties, make_guid(rng))


def write_resources(rng: random.Random, machines: list[Machine]) -> list[WireFile]:
    """`resources`: VMs with power state, and their network interfaces with subnet and security group."""
    rows = [row for machine in machines for row in (build_machine_row(machine), build_nic_row(machine))]
    return [_encode_answer(rng, "resources", rows)]


def build_annotation_changes(rng: random.Random, vm: str, truth: GroundTruth) -> list[JsonObject]:
    """Two annotations of the same name in a row change only the time, so that row carries no name."""
    rows: list[JsonObject] = []
    former: HealthAnnotation | None = None
    for each in (note for note in truth.annotations if note.vm == vm):
        now = _build_annotation_properties(each)
        then = _build_annotation_properties(former) if former else {}
        changes: JsonObject = {
            f"properties.{key}": {"newValue": value, "previousValue": then.get(key), "propertyChangeType": "Update"}
            for key, value in now.items()
            if value != then.get(key) and key not in ("targetResourceId", "targetResourceType")
        }
        rows.append(_build_health_change(rng, vm, _NOTES, changes, each))
        former = each
    return rows


def build_status_change(rng: random.Random, changed: HealthChange) -> JsonObject:
    """The row that a transition of the availability state leaves."""
    changes: JsonObject = {
        "properties.availabilityState": {"newValue": changed.after, "previousValue": changed.before},
        "properties.previousAvailabilityState": {"newValue": changed.before, "previousValue": changed.after},
        "properties.occurredTime": {"newValue": format_time(changed.at, 7), "previousValue": None},
    }
    return _build_health_change(rng, changed.vm, _STATUSES, changes, changed)


def _build_health_change(
    rng: random.Random, vm: str, kind: str, changes: JsonObject, what: HealthAnnotation | HealthChange
) -> JsonObject:
    """Change rows appear within five minutes; `occurredTime` tells when it happened."""
    target = f"{vm}/providers/{kind}/current"
    properties: JsonObject = {
        "targetResourceId": target if rng.random() < 0.5 else target.lower(),
        "targetResourceType": kind.lower(),
        "changeType": "Update",
        "changeAttributes": {
            "timestamp": format_time(what.at + timedelta(seconds=rng.uniform(5, 120)), 7),
            "changesCount": len(changes),
            "newResourceSnapshotId": make_guid(rng),
        },
        "changes": changes,
    }
    return _build_row(target, _CHANGES, properties, make_guid(rng))


def _build_annotation_properties(note: HealthAnnotation) -> JsonObject:
    return {**_build_target(note), "annotationName": note.name, **ANNOTATIONS[note.name].members}


def _build_status_properties(changed: HealthChange) -> JsonObject:
    states: JsonObject = {"previousAvailabilityState": changed.before, "availabilityState": changed.after}
    return {**_build_target(changed), **states}


def _build_target(what: HealthAnnotation | HealthChange) -> JsonObject:
    kind, time = get_resource_type(what.vm), format_time(what.at)
    return {"targetResourceType": kind, "targetResourceId": what.vm, "occurredTime": time}


def _build_row(target: str, kind: str, properties: JsonObject, name: str = "current") -> JsonObject:
    return {
        "id": f"{target}/providers/{kind}/{name}",
        "name": name,
        "type": kind.lower(),
        "resourceGroup": get_group_name(target).lower(),
        "subscriptionId": get_subscription_id(target),
        "properties": properties,
    }


def build_machine_row(machine: Machine) -> JsonObject:
    """The VM, with its power state in `extended`."""
    power: JsonObject = {"code": f"PowerState/{machine.power}", "displayStatus": f"VM {machine.power}", "level": "Info"}
    properties: JsonObject = {
        **build_profiles(machine),
        "storageProfile": {"osDisk": {"osType": "Linux" if machine.linux else "Windows"}},
        "extended": {"instanceView": {"powerState": power}},
    }
    return build_resource_row(machine.vm, machine.location, properties)


def build_nic_row(machine: Machine) -> JsonObject:
    """The VM's network interface."""
    address: JsonObject = {"subnet": {"id": machine.subnet}, "privateIPAddress": machine.address}
    if machine.balancer:
        address["loadBalancerBackendAddressPools"] = [{"id": f"{machine.balancer}/backendAddressPools/web"}]
    if machine.gateway:
        address["applicationGatewayBackendAddressPools"] = [{"id": f"{machine.gateway}/backendAddressPools/web"}]
    properties: JsonObject = {
        "virtualMachine": {"id": machine.vm},
        "networkSecurityGroup": {"id": machine.security_group},
        "ipConfigurations": [{"name": "ipconfig1", "properties": address}],
        "enableAcceleratedNetworking": True,
    }
    return build_resource_row(machine.nic, machine.location, properties)


def build_resource_row(identifier: str, location: str, properties: JsonObject) -> JsonObject:
    """A row of `resources`: types and groups in lower case."""
    return {
        "id": identifier,
        "name": get_resource_name(identifier),
        "type": get_resource_type(identifier).lower(),
        "location": location,
        "resourceGroup": get_group_name(identifier).lower(),
        "subscriptionId": get_subscription_id(identifier),
        "tags": {},
        "properties": properties,
    }


def _encode_answer(rng: random.Random, table: str, rows: list[JsonObject]) -> WireFile:
    """The two forms of `data`: objects, or columns and rows."""
    rows = rng.sample(rows, k=len(rows))
    form = "objects" if rng.random() < 0.7 else "table"
    data: Json = list(rows) if form == "objects" else build_table(rows, dict.fromkeys(("properties", "tags"), "object"))
    count = len(rows)
    answer: JsonObject = {"totalRecords": count, "count": count, "data": data, "facets": [], "resultTruncated": "false"}
    return WireFile(path=f"{table}.json", form=f"{table}-{form}", content=encode_json(answer))
