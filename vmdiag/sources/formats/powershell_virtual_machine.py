"""VMs as `Get-AzVM [-Status] | ConvertTo-Json` writes them; must not know what a state means.

Source: Az.Compute's `PSVirtualMachine`, `PSVirtualMachineListStatus` and `PSVirtualMachineInstanceView`. The last,
which is what `-Name -Status` gives, says the VM's group and name and not its id.
"""

from collections.abc import Iterator, Mapping

from vmdiag.identity import VmId
from vmdiag.model import Signal
from vmdiag.sources.decoding import virtual_machine
from vmdiag.sources.decoding.client_spelling import from_powershell
from vmdiag.sources.decoding.fields import mapping, objects, text
from vmdiag.sources.decoding.resource_ids import resource, vm_itself
from vmdiag.sources.items import Item, Malformed, Row
from vmdiag.sources.unplaced_vms import vm_by_name

SIGNALS = (Signal.POWER, Signal.AGENT)
TYPE = "microsoft.compute/virtualmachines"
PROFILES = frozenset({"HardwareProfile", "StorageProfile", "NetworkProfile"})
# `OperatingSystemTypes` as the number that ConvertTo-Json makes of it, in the order in which it is declared.
SYSTEMS = {"0": "Windows", "1": "Linux"}


def recognises(row: Row) -> bool:
    """A VM with its id and parts, or a view that names its VM and has a power state or an agent."""
    if text(row.get("Type")).lower() not in ("", TYPE) or "Name" not in row:
        return False
    return ("Id" in row and not PROFILES.isdisjoint(row)) or _is_view(row)


def items(row: Row, ref: str) -> Iterator[Item]:
    """What is known of the VM and its states."""
    plain = dict(mapping(from_powershell(row)))
    disk = mapping(mapping(plain.get("storageProfile")).get("osDisk"))
    if text(disk.get("osType")) in SYSTEMS:
        profile = {**mapping(plain.get("storageProfile")), "osDisk": {**disk, "osType": SYSTEMS[text(disk["osType"])]}}
        plain["storageProfile"] = profile
    vm = _vm_of(plain)
    if vm is not None:
        yield from virtual_machine.described(vm, plain, ref)


def _is_view(row: Row) -> bool:
    if "VMAgent" in row and "Statuses" in row:
        return True
    codes = (text(each.get("Code")).lower() for each in objects(row.get("Statuses")))
    return "ResourceGroupName" in row and any(code.startswith(virtual_machine.POWER) for code in codes)


def _vm_of(row: Mapping[str, object]) -> VmId | None:
    if text(row.get("id")):
        return vm_itself(resource(row.get("id")))
    name = text(row.get("name"))
    if not name:
        message = "an instance view does not say whose it is"
        raise Malformed(message)
    return vm_by_name(name, text(row.get("resourceGroupName")))
