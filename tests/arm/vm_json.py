"""A VM, its network and its disk as Azure describes them in JSON; must not know requests."""

import random
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from tests.arm.initial_state import Traits
from tests.arm.vm import Vm
from tests.incidents.wire import resource_graph, virtual_machine
from tests.incidents.wire.plain import Json, JsonObject, guid, name_of, stamp, type_of

POLICY: JsonObject = {"scheduledEventsAdditionalPublishingTargets": {"eventGridAndResourceGraph": {"enable": True}}}
"""Of a VM or a set that lets Resource Graph show its scheduled events; a VM of a set cannot carry its own."""
_FIRST_TOLD = {"managedBy": "2023-09-01", "scheduledEventsPolicy": "2024-03-01", "timeCreated": "2021-11-01"}
_UNIFORM = "/virtualmachinescalesets/"


def machine(vm: Vm, now: datetime) -> JsonObject:
    """The VM with its instance view, as `GET {vm}?$expand=instanceView`."""
    described = virtual_machine.nested(vm.machine_at(now))
    properties = _inside(described, "properties")
    state = vm.condition(now).provisioning
    properties |= {"provisioningState": state, "timeCreated": stamp(vm.born)}
    if vm.traits.publishes and not (vm.traits.availability_set or vm.traits.scale_set):
        properties["scheduledEventsPolicy"] = POLICY
    view = _inside(properties, "instanceView")
    view["statuses"] = _statuses(vm, now)
    view |= {"computerName": vm.name, "hyperVGeneration": "V2", "osName": "ubuntu" if vm.machine.linux else "Windows"}
    _add_traits(properties, vm)
    described |= _labels(vm.traits)
    if not is_uniform(vm):
        described["resources"] = [_extension(vm)]
        return described
    described |= {"name": f"{vm.id.split('/')[-3]}_{vm.name}", "instanceId": vm.name}
    return described


def as_of(version: str, found: JsonObject) -> JsonObject:
    """A VM or set as an api-version tells it: fields that came later are left out without a word."""
    later = {name for name, first in _FIRST_TOLD.items() if version < first}
    properties = {name: value for name, value in _inside(found, "properties").items() if name not in later}
    return {name: value for name, value in found.items() if name not in later} | {"properties": properties}


def is_uniform(vm: Vm) -> bool:
    """Whether it is an instance of a uniform scale set."""
    return _UNIFORM in vm.id.lower()


def _statuses(vm: Vm, now: datetime) -> Json:
    """The provisioning state with its time, the power state without, as recorded."""
    condition = vm.condition(now)
    state = condition.provisioning
    displayed = "Provisioning succeeded" if state == "Succeeded" else state
    return [
        {
            "code": f"ProvisioningState/{state.lower()}",
            "level": "Error" if state == "Failed" else "Info",
            "displayStatus": displayed,
            "time": stamp(condition.at).replace("Z", "+00:00"),
        },
        {"code": f"PowerState/{condition.power}", "level": "Info", "displayStatus": f"VM {condition.power}"},
    ]


def _add_traits(properties: JsonObject, vm: Vm) -> None:
    traits, compute = vm.traits, f"{vm.root}/providers/Microsoft.Compute"
    if traits.ephemeral:
        disk = _inside(_inside(properties, "storageProfile"), "osDisk")
        disk |= {"caching": "ReadOnly", "diffDiskSettings": {"option": "Local", "placement": "CacheDisk"}}
    for name, kind, of in (
        ("availabilitySet", "availabilitySets", traits.availability_set),
        ("proximityPlacementGroup", "proximityPlacementGroups", traits.proximity_group),
        ("virtualMachineScaleSet", "virtualMachineScaleSets", traits.scale_set),
    ):
        if of:
            properties[name] = {"id": f"{compute}/{kind}/{of}"}


def _extension(vm: Vm) -> JsonObject:
    kind = "AzureMonitorLinuxAgent" if vm.machine.linux else "AzureMonitorWindowsAgent"
    return {
        "id": f"{vm.id}/extensions/{kind}",
        "name": kind,
        "type": "Microsoft.Compute/virtualMachines/extensions",
        "location": vm.machine.location,
        "properties": {
            "publisher": "Microsoft.Azure.Monitor",
            "type": kind,
            "typeHandlerVersion": "1.0",
            "provisioningState": "Succeeded",
        },
    }


def _labels(traits: Traits) -> JsonObject:
    labels: JsonObject = {"tags": dict(traits.tags)}
    if traits.managed_by:
        labels["managedBy"] = traits.managed_by
    return labels | {"zones": [traits.zone]} if traits.zone else labels


def machine_row(vm: Vm, now: datetime) -> JsonObject:
    """The VM's row of `resources`."""
    row = resource_graph.machine_row(vm.machine_at(now))
    properties = _inside(row, "properties")
    properties["provisioningState"] = vm.condition(now).provisioning
    _add_traits(properties, vm)
    return row | _labels(vm.traits)


def network(vm: Vm) -> Iterator[JsonObject]:
    """The network interface and all that it hangs on, as the network provider describes them."""
    rules: JsonObject = {"securityRules": [], "networkInterfaces": [{"id": vm.machine.nic}]}
    yield resource(vm.machine.nic, vm.machine.location, _nic(vm))
    yield resource(vm.machine.group_of_rules, vm.machine.location, rules)
    yield resource(vm.machine.subnet.split("/subnets/")[0], vm.machine.location, _virtual_network(vm))
    if vm.traits.public_ip:
        yield resource(_public_ip(vm), vm.machine.location, _address(vm))


def resource(identifier: str, location: str, properties: JsonObject) -> JsonObject:
    """Any resource of which there is nothing special to say."""
    etag = guid(random.Random(identifier))  # noqa: S311 - no secret
    return {
        "id": identifier,
        "name": name_of(identifier),
        "type": type_of(identifier),
        "location": location,
        "tags": {},
        "etag": f'W/"{etag}"',
        "properties": {"provisioningState": "Succeeded", **properties},
    }


def row_of(described: JsonObject) -> JsonObject:
    """The same as a row of Resource Graph."""
    properties = cast("JsonObject", described["properties"])
    return resource_graph.resource_row(str(described["id"]), str(described["location"]), properties)


def _nic(vm: Vm) -> JsonObject:
    properties = _inside(resource_graph.nic_row(vm.machine), "properties")
    (configuration,) = cast("list[Any]", properties["ipConfigurations"])
    inner = configuration["properties"]
    inner |= {"primary": True, "privateIPAllocationMethod": "Dynamic"}
    if vm.traits.public_ip:
        inner["publicIPAddress"] = {"id": _public_ip(vm)}
    return properties | {"primary": True, "macAddress": "00-0D-3A-00-00-04"}


def _virtual_network(vm: Vm) -> JsonObject:
    subnet: JsonObject = {
        "id": vm.machine.subnet,
        "name": name_of(vm.machine.subnet),
        "properties": {"addressPrefix": "10.0.0.0/24", "provisioningState": "Succeeded"},
    }
    return {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet], "virtualNetworkPeerings": []}


def _address(vm: Vm) -> JsonObject:
    return {
        "ipAddress": vm.traits.public_ip,
        "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": "Static" if vm.traits.static_ip else "Dynamic",
        "ipConfiguration": {"id": f"{vm.machine.nic}/ipConfigurations/ipconfig1"},
    }


def _public_ip(vm: Vm) -> str:
    return vm.machine.nic.replace("/networkInterfaces/", "/publicIPAddresses/").removesuffix("-nic") + "-ip"


def _inside(described: JsonObject, name: str) -> JsonObject:
    return cast("JsonObject", described[name])
