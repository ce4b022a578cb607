"""A VM with its instance view: as ARM answers, and as the CLI flattens it."""

import random

from tests.incidents.model import Machine, WireFile
from tests.incidents.wire.plain import (
    Json,
    JsonObject,
    encode_json,
    get_group_name,
    get_resource_name,
    get_resource_type,
)


def write_vm_files(rng: random.Random, machines: list[Machine]) -> list[WireFile]:
    """`GET {vm}?$expand=instanceView`, or `az vm get-instance-view`, a file a VM."""
    files = []
    for machine in machines:
        cli = rng.random() < 0.5
        content = encode_json(_build_flat_vm(machine) if cli else build_nested_vm(machine))
        files.append(
            WireFile(
                path=f"vm-{get_resource_name(machine.vm)}.json", form="vm-cli" if cli else "vm-rest", content=content
            )
        )
    return files


def _build_properties(machine: Machine) -> JsonObject:
    disk: JsonObject = {
        "osType": "Linux" if machine.linux else "Windows",
        "name": f"{get_resource_name(machine.vm)}_disk1",
        "createOption": "FromImage",
        "managedDisk": {"storageAccountType": "Premium_LRS"},
    }
    return {
        **build_profiles(machine),
        "storageProfile": {"osDisk": disk, "dataDisks": []},
        "osProfile": {"computerName": get_resource_name(machine.vm)},
        "instanceView": _build_instance_view(machine),
    }


def build_profiles(machine: Machine) -> JsonObject:
    """What ARM and Resource Graph tell alike."""
    profiles: JsonObject = {
        "vmId": machine.guid,
        "hardwareProfile": {"vmSize": machine.size},
        "networkProfile": {"networkInterfaces": [{"id": machine.nic}]},
        "provisioningState": "Succeeded",
    }
    return {**profiles, "priority": "Spot"} if machine.spot else profiles


def _build_instance_view(machine: Machine) -> JsonObject:
    """An agent that is Not Ready on a running VM is common in health."""
    statuses: Json = [
        {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"},
        {"code": f"PowerState/{machine.power}", "level": "Info", "displayStatus": f"VM {machine.power}"},
    ]
    if machine.power != "running":
        return {"statuses": statuses}
    agent: JsonObject = {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready"}
    if not machine.agent_ready:
        message = "VM status blob is found but not yet populated."
        agent = {"code": "ProvisioningState/Unavailable", "level": "Warning", "displayStatus": "Not Ready"}
        agent["message"] = message
    version = "2.9.1.1" if machine.agent_ready else "Unknown"
    return {"statuses": statuses, "vmAgent": {"vmAgentVersion": version, "statuses": [agent]}}


def _build_head(machine: Machine) -> JsonObject:
    name, kind = get_resource_name(machine.vm), get_resource_type(machine.vm)
    return {"id": machine.vm, "name": name, "type": kind, "location": machine.location, "tags": {}}


def build_nested_vm(machine: Machine) -> JsonObject:
    """The VM as ARM answers with `$expand=instanceView`."""
    return {**_build_head(machine), "properties": _build_properties(machine)}


def _build_flat_vm(machine: Machine) -> JsonObject:
    """The CLI lifts `properties` to the top and adds the resource group."""
    return {**_build_head(machine), "resourceGroup": get_group_name(machine.vm), **_build_properties(machine)}
