"""A VM, its network and its disk as Azure describes them in JSON; must not know requests."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from tests.arm.initial_state import VmTraits
from tests.arm.vm import Vm
from tests.incidents.wire import resource_graph, virtual_machine
from tests.incidents.wire.plain import Json, JsonObject, format_time, get_resource_name

PUBLISHING_POLICY: JsonObject = {
    "scheduledEventsAdditionalPublishingTargets": {"eventGridAndResourceGraph": {"enable": True}}
}
"""Of a VM or a set that lets Resource Graph show its scheduled events; a VM of a set cannot carry its own."""
_FIELD_VERSIONS = {"managedBy": "2023-09-01", "scheduledEventsPolicy": "2024-03-01", "timeCreated": "2021-11-01"}
_UNIFORM_SET_PART = "/virtualmachinescalesets/"


def describe_vm(vm: Vm, now: datetime) -> JsonObject:
    """The VM with its instance view, as `GET {vm}?$expand=instanceView`."""
    described = virtual_machine.build_nested_vm(vm.build_machine(now))
    properties = _get_object(described, "properties")
    state = vm.find_compute_state(now).provisioning
    properties |= {"provisioningState": state, "timeCreated": format_time(vm.created_at)}
    if vm.traits.publishes and not (vm.traits.availability_set or vm.traits.scale_set):
        properties["scheduledEventsPolicy"] = PUBLISHING_POLICY
    view = _get_object(properties, "instanceView")
    view["statuses"] = _describe_statuses(vm, now)
    view |= {"computerName": vm.name, "hyperVGeneration": "V2", "osName": "ubuntu" if vm.machine.linux else "Windows"}
    _add_traits(properties, vm)
    described |= _describe_labels(vm.traits)
    if not is_uniform(vm):
        described["resources"] = [_describe_extension(vm)]
        return described
    described |= {"name": f"{vm.id.split('/')[-3]}_{vm.name}", "instanceId": vm.name}
    return described


def limit_to_version(version: str, found: JsonObject) -> JsonObject:
    """A VM or set as an api-version tells it: fields that came later are left out without a word."""
    later = {name for name, first in _FIELD_VERSIONS.items() if version < first}
    properties = {name: value for name, value in _get_object(found, "properties").items() if name not in later}
    return {name: value for name, value in found.items() if name not in later} | {"properties": properties}


def is_uniform(vm: Vm) -> bool:
    """Whether it is an instance of a uniform scale set."""
    return _UNIFORM_SET_PART in vm.id.lower()


def _describe_statuses(vm: Vm, now: datetime) -> Json:
    """The provisioning state with its time, the power state without, as recorded."""
    condition = vm.find_compute_state(now)
    state = condition.provisioning
    displayed = "Provisioning succeeded" if state == "Succeeded" else state
    return [
        {
            "code": f"ProvisioningState/{state.lower()}",
            "level": "Error" if state == "Failed" else "Info",
            "displayStatus": displayed,
            "time": format_time(condition.at).replace("Z", "+00:00"),
        },
        {"code": f"PowerState/{condition.power}", "level": "Info", "displayStatus": f"VM {condition.power}"},
    ]


def _add_traits(properties: JsonObject, vm: Vm) -> None:
    traits, compute = vm.traits, f"{vm.group_id}/providers/Microsoft.Compute"
    if traits.ephemeral:
        disk = _get_object(_get_object(properties, "storageProfile"), "osDisk")
        disk |= {"caching": "ReadOnly", "diffDiskSettings": {"option": "Local", "placement": "CacheDisk"}}
    for name, kind, of in (
        ("availabilitySet", "availabilitySets", traits.availability_set),
        ("proximityPlacementGroup", "proximityPlacementGroups", traits.proximity_group),
        ("virtualMachineScaleSet", "virtualMachineScaleSets", traits.scale_set),
    ):
        if of:
            properties[name] = {"id": f"{compute}/{kind}/{of}"}


def _describe_extension(vm: Vm) -> JsonObject:
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


def _describe_labels(traits: VmTraits) -> JsonObject:
    labels: JsonObject = {"tags": dict(traits.tags)}
    if traits.managed_by:
        labels["managedBy"] = traits.managed_by
    return labels | {"zones": [traits.zone]} if traits.zone else labels


def describe_graph_row(vm: Vm, now: datetime) -> JsonObject:
    """The VM's row of `resources`."""
    row = resource_graph.build_machine_row(vm.build_machine(now))
    properties = _get_object(row, "properties")
    properties["provisioningState"] = vm.find_compute_state(now).provisioning
    if vm.traits.shows_policy:
        properties["scheduledEventsPolicy"] = PUBLISHING_POLICY
    _add_traits(properties, vm)
    return row | _describe_labels(vm.traits)


def build_network_rows(vm: Vm) -> Iterator[JsonObject]:
    """Rows of the network interface and of all that it hangs on."""
    rules: JsonObject = {"securityRules": [], "networkInterfaces": [{"id": vm.machine.nic}]}
    described = {
        vm.machine.nic: _describe_nic(vm),
        vm.machine.security_group: rules,
        vm.machine.subnet.split("/subnets/")[0]: _describe_virtual_network(vm),
        **({_get_address_id(vm): _describe_address(vm)} if vm.traits.public_ip else {}),
    }
    for identifier, properties in described.items():
        succeeded: JsonObject = {"provisioningState": "Succeeded", **properties}
        yield resource_graph.build_resource_row(identifier, vm.machine.location, succeeded)


def _describe_nic(vm: Vm) -> JsonObject:
    properties = _get_object(resource_graph.build_nic_row(vm.machine), "properties")
    (configuration,) = cast("list[Any]", properties["ipConfigurations"])
    inner = configuration["properties"]
    inner |= {"primary": True, "privateIPAllocationMethod": "Dynamic"}
    if vm.traits.public_ip:
        inner["publicIPAddress"] = {"id": _get_address_id(vm)}
    return properties | {"primary": True, "macAddress": "00-0D-3A-00-00-04"}


def _describe_virtual_network(vm: Vm) -> JsonObject:
    subnet: JsonObject = {
        "id": vm.machine.subnet,
        "name": get_resource_name(vm.machine.subnet),
        "properties": {"addressPrefix": "10.0.0.0/24", "provisioningState": "Succeeded"},
    }
    return {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet], "virtualNetworkPeerings": []}


def _describe_address(vm: Vm) -> JsonObject:
    return {
        "ipAddress": vm.traits.public_ip,
        "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": "Static" if vm.traits.static_ip else "Dynamic",
        "ipConfiguration": {"id": f"{vm.machine.nic}/ipConfigurations/ipconfig1"},
    }


def _get_address_id(vm: Vm) -> str:
    return vm.machine.nic.replace("/networkInterfaces/", "/publicIPAddresses/").removesuffix("-nic") + "-ip"


def _get_object(described: JsonObject, name: str) -> JsonObject:
    return cast("JsonObject", described[name])
