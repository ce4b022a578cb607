"""A VM with its instance view: as ARM answers, and as the CLI flattens it."""

import random

from tests.incidents.model import Machine, WireFile
from tests.incidents.wire.plain import Json, JsonObject, dump, group_of, name_of


def vm_files(rng: random.Random, machines: list[Machine]) -> list[WireFile]:
    """`GET {vm}?$expand=instanceView`, or `az vm get-instance-view`, a file a VM."""
    files = []
    for machine in machines:
        cli = rng.random() < 0.5
        content = dump(_flat(machine) if cli else nested(machine))
        files.append(
            WireFile(path=f"vm-{name_of(machine.vm)}.json", form="vm-cli" if cli else "vm-rest", content=content)
        )
    return files


def _properties(machine: Machine) -> JsonObject:
    disk: JsonObject = {
        "osType": "Linux" if machine.linux else "Windows",
        "name": f"{name_of(machine.vm)}_disk1",
        "createOption": "FromImage",
        "managedDisk": {"storageAccountType": "Premium_LRS"},
    }
    properties: JsonObject = {
        "vmId": machine.guid,
        "hardwareProfile": {"vmSize": machine.size},
        "storageProfile": {"osDisk": disk, "dataDisks": []},
        "osProfile": {"computerName": name_of(machine.vm)},
        "networkProfile": {"networkInterfaces": [{"id": machine.nic}]},
        "provisioningState": "Succeeded",
        "instanceView": _instance_view(machine),
    }
    if machine.spot:
        properties["priority"] = "Spot"
    return properties


def _instance_view(machine: Machine) -> JsonObject:
    """An agent that is Not Ready on a running VM is common in health."""
    statuses: Json = [
        {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"},
        {"code": f"PowerState/{machine.power}", "level": "Info", "displayStatus": f"VM {machine.power}"},
    ]
    view: JsonObject = {"statuses": statuses}
    if machine.power == "running":
        view["vmAgent"] = _agent(ready=machine.agent_ready)
    return view


def _agent(*, ready: bool) -> JsonObject:
    if ready:
        return {
            "vmAgentVersion": "2.9.1.1",
            "statuses": [{"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready"}],
        }
    return {
        "vmAgentVersion": "Unknown",
        "statuses": [
            {
                "code": "ProvisioningState/Unavailable",
                "level": "Warning",
                "displayStatus": "Not Ready",
                "message": "VM status blob is found but not yet populated.",
            }
        ],
    }


def _head(machine: Machine) -> JsonObject:
    return {
        "id": machine.vm,
        "name": name_of(machine.vm),
        "type": "Microsoft.Compute/virtualMachines",
        "location": machine.location,
        "tags": {},
    }


def nested(machine: Machine) -> JsonObject:
    """The VM as ARM answers with `$expand=instanceView`."""
    return {**_head(machine), "properties": _properties(machine)}


def _flat(machine: Machine) -> JsonObject:
    """The CLI lifts `properties` to the top and adds the resource group."""
    return {**_head(machine), "resourceGroup": group_of(machine.vm), **_properties(machine)}
