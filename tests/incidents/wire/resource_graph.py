"""Resource Graph answers: health now, health and resource changes of 14 days, and the resources."""

import random
from datetime import timedelta

from tests.incidents.catalogue import ANNOTATIONS
from tests.incidents.model import Annotated, HealthChanged, Machine, Operation, Truth, WireFile
from tests.incidents.wire.plain import Json, JsonObject, dump, group_of, guid, name_of, stamp, subscription_of, type_of

_STATUSES = "Microsoft.ResourceHealth/availabilityStatuses"
_NOTES = "Microsoft.ResourceHealth/resourceAnnotations"


def health_changes(rng: random.Random, truth: Truth, *, states: bool = True) -> list[WireFile]:
    """`healthresourcechanges`: a row for each change of the current annotation and of the current status."""
    rows = [row for machine in truth.machines for row in annotation_changes(rng, machine.vm, truth)]
    if states:
        rows += [status_change(rng, changed) for changed in truth.health]
    return [_answer(rng, "healthresourcechanges", rows)]


def health_now(rng: random.Random, truth: Truth) -> list[WireFile]:
    """`healthresources`: the current rows of every VM."""
    rows = [row for machine in truth.machines for row in current_rows(machine.vm, truth)]
    return [_answer(rng, "healthresources", rows)]


def current_rows(vm: str, truth: Truth) -> list[JsonObject]:
    """One current row of each type; a later annotation overwrote the earlier."""
    notes = [each for each in truth.annotations if each.vm == vm]
    states = [each for each in truth.health if each.vm == vm]
    rows = [_row(vm, _NOTES, _note_properties(note)) for note in notes[-1:]]
    return rows + [_row(vm, _STATUSES, _status_properties(state)) for state in states[-1:]]


def resource_changes(rng: random.Random, operations: list[Operation]) -> list[WireFile]:
    """`resourcechanges`: who changed which property of a resource."""
    rows = [resource_change(rng, each) for each in operations if changes_something(each)]
    return [_answer(rng, "resourcechanges", rows)]


def changes_something(operation: Operation) -> bool:
    """Whether it leaves a row: only what succeeded changes anything."""
    return operation.outcome == "Succeeded" and operation.category == "Administrative"


def resource_change(rng: random.Random, operation: Operation) -> JsonObject:
    """The row that an operation leaves, once it is done."""
    parent = operation.target.split("/securityRules/")[0]
    properties: JsonObject = {
        "targetResourceId": parent,
        "targetResourceType": type_of(parent).lower(),
        "changeType": "Update",
        "changeAttributes": {
            "timestamp": stamp(operation.at + operation.takes, 7),
            "changedBy": "ops@contoso.example",
            "changedByType": "User",
            "clientType": "Azure Portal",
            "operation": operation.name.lower(),
            "previousResourceSnapshotId": guid(rng),
            "newResourceSnapshotId": guid(rng),
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
    return _change_row(rng, parent, properties)


def resources(rng: random.Random, machines: list[Machine]) -> list[WireFile]:
    """`resources`: VMs with power state, and their network interfaces with subnet and security group."""
    rows = [row for machine in machines for row in (machine_row(machine), nic_row(machine))]
    return [_answer(rng, "resources", rows)]


def annotation_changes(rng: random.Random, vm: str, truth: Truth) -> list[JsonObject]:
    """Two annotations of the same name in a row change only the time, so that row carries no name."""
    rows: list[JsonObject] = []
    former: Annotated | None = None
    for each in (note for note in truth.annotations if note.vm == vm):
        now = _note_properties(each)
        then = _note_properties(former) if former else {}
        changes: JsonObject = {
            f"properties.{key}": {"newValue": value, "previousValue": then.get(key), "propertyChangeType": "Update"}
            for key, value in now.items()
            if value != then.get(key) and key not in ("targetResourceId", "targetResourceType")
        }
        rows.append(_health_change(rng, vm, _NOTES, changes, each))
        former = each
    return rows


def status_change(rng: random.Random, changed: HealthChanged) -> JsonObject:
    """The row that a transition of the availability state leaves."""
    changes: JsonObject = {
        "properties.availabilityState": {"newValue": changed.after, "previousValue": changed.before},
        "properties.previousAvailabilityState": {"newValue": changed.before, "previousValue": changed.after},
        "properties.occurredTime": {"newValue": stamp(changed.at, 7), "previousValue": None},
    }
    return _health_change(rng, changed.vm, _STATUSES, changes, changed)


def _health_change(
    rng: random.Random, vm: str, kind: str, changes: JsonObject, what: Annotated | HealthChanged
) -> JsonObject:
    """Change rows appear within five minutes; `occurredTime` tells when it happened."""
    target = f"{vm}/providers/{kind}/current"
    properties: JsonObject = {
        "targetResourceId": target if rng.random() < 0.5 else target.lower(),
        "targetResourceType": kind.lower(),
        "changeType": "Update",
        "changeAttributes": {
            "timestamp": stamp(what.at + timedelta(seconds=rng.uniform(5, 120)), 7),
            "changesCount": len(changes),
            "newResourceSnapshotId": guid(rng),
        },
        "changes": changes,
    }
    return _change_row(rng, target, properties)


def _change_row(rng: random.Random, target: str, properties: JsonObject) -> JsonObject:
    identifier = guid(rng)
    return {
        "id": f"{target}/providers/Microsoft.Resources/changes/{identifier}",
        "name": identifier,
        "type": "microsoft.resources/changes",
        "resourceGroup": group_of(target).lower(),
        "subscriptionId": subscription_of(target),
        "properties": properties,
    }


def _note_properties(note: Annotated) -> JsonObject:
    words = ANNOTATIONS[note.name]
    return {
        "targetResourceType": "Microsoft.Compute/virtualMachines",
        "targetResourceId": note.vm,
        "annotationName": note.name,
        "occurredTime": stamp(note.at, 7),
        "reason": words.title,
        "summary": words.summary,
        "context": words.context,
        "category": words.category,
        "impactType": words.impact,
    }


def _status_properties(changed: HealthChanged) -> JsonObject:
    return {
        "targetResourceType": "Microsoft.Compute/virtualMachines",
        "targetResourceId": changed.vm,
        "occurredTime": stamp(changed.at, 7),
        "previousAvailabilityState": changed.before,
        "availabilityState": changed.after,
    }


def _row(vm: str, kind: str, properties: JsonObject) -> JsonObject:
    return {
        "id": f"{vm}/providers/{kind}/current",
        "name": "current",
        "type": kind.lower(),
        "resourceGroup": group_of(vm).lower(),
        "subscriptionId": subscription_of(vm),
        "properties": properties,
    }


def machine_row(machine: Machine) -> JsonObject:
    """The VM, with its power state in `extended`."""
    power: JsonObject = {"code": f"PowerState/{machine.power}", "displayStatus": f"VM {machine.power}", "level": "Info"}
    properties: JsonObject = {
        "vmId": machine.guid,
        "hardwareProfile": {"vmSize": machine.size},
        "storageProfile": {"osDisk": {"osType": "Linux" if machine.linux else "Windows"}},
        "networkProfile": {"networkInterfaces": [{"id": machine.nic}]},
        "provisioningState": "Succeeded",
        "extended": {"instanceView": {"powerState": power}},
    }
    if machine.spot:
        properties["priority"] = "Spot"
    return resource_row(machine.vm, machine.location, properties)


def nic_row(machine: Machine) -> JsonObject:
    """The VM's network interface."""
    properties: JsonObject = {
        "virtualMachine": {"id": machine.vm},
        "networkSecurityGroup": {"id": machine.group_of_rules},
        "ipConfigurations": [
            {"name": "ipconfig1", "properties": {"subnet": {"id": machine.subnet}, "privateIPAddress": "10.0.0.4"}}
        ],
        "enableAcceleratedNetworking": True,
    }
    return resource_row(machine.nic, machine.location, properties)


def resource_row(identifier: str, location: str, properties: JsonObject) -> JsonObject:
    """A row of `resources`: types and groups in lower case."""
    return {
        "id": identifier,
        "name": name_of(identifier),
        "type": type_of(identifier).lower(),
        "location": location,
        "resourceGroup": group_of(identifier).lower(),
        "subscriptionId": subscription_of(identifier),
        "tags": {},
        "properties": properties,
    }


def _answer(rng: random.Random, table: str, rows: list[JsonObject]) -> WireFile:
    """The two forms of `data`: objects, or columns and rows."""
    rows = rng.sample(rows, k=len(rows))
    if rng.random() < 0.7:
        form, data = "objects", _objects(rows)
    else:
        form, data = "table", _columns(rows)
    answer: JsonObject = {
        "totalRecords": len(rows),
        "count": len(rows),
        "data": data,
        "facets": [],
        "resultTruncated": "false",
    }
    return WireFile(path=f"{table}.json", form=f"{table}-{form}", content=dump(answer))


def _objects(rows: list[JsonObject]) -> Json:
    return list(rows)


def _columns(rows: list[JsonObject]) -> Json:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns: Json = [{"name": name, "type": "object" if name in ("properties", "tags") else "string"} for name in names]
    return {"columns": columns, "rows": [[row.get(name) for name in names] for row in rows]}
