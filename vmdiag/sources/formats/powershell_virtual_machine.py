"""VMs as `Get-AzVM [-Status] | ConvertTo-Json` writes them; must not know what a state means.

Source: Az.Compute's `PSVirtualMachine`, `PSVirtualMachineListStatus` and `PSVirtualMachineInstanceView`. The last,
which is what `-Name -Status` gives, says the VM's group and name and not its id.
"""

from collections.abc import Iterator, Mapping

from vmdiag.identity import VmId
from vmdiag.model import Signal
from vmdiag.sources.decoding.envelopes import convert_powershell
from vmdiag.sources.decoding.fields import find_resource_id, iter_objects, parse_vm_id, to_mapping, to_text
from vmdiag.sources.formats import virtual_machine
from vmdiag.sources.items import Item, MalformedRow, Row, make_name_placeholder

SIGNALS = (Signal.POWER, Signal.AGENT)
VM_TYPE = "microsoft.compute/virtualmachines"
PROFILES = frozenset({"HardwareProfile", "StorageProfile", "NetworkProfile"})
# `OperatingSystemTypes` as the number that ConvertTo-Json makes of it, in the order in which it is declared.
OS_BY_NUMBER = {"0": "Windows", "1": "Linux"}


def recognises_row(row: Row) -> bool:
    """A VM with its id and parts, or a view that names its VM and has a power state or an agent."""
    if to_text(row.get("Type")).lower() not in ("", VM_TYPE) or "Name" not in row:
        return False
    return ("Id" in row and not PROFILES.isdisjoint(row)) or _is_instance_view(row)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What is known of the VM and its states."""
    plain = dict(to_mapping(convert_powershell(row)))
    disk = to_mapping(to_mapping(plain.get("storageProfile")).get("osDisk"))
    if to_text(disk.get("osType")) in OS_BY_NUMBER:
        profile = {
            **to_mapping(plain.get("storageProfile")),
            "osDisk": {**disk, "osType": OS_BY_NUMBER[to_text(disk["osType"])]},
        }
        plain["storageProfile"] = profile
    vm = _find_vm(plain)
    if vm is not None:
        yield from virtual_machine.decode_vm(vm, plain, ref)


def _is_instance_view(row: Row) -> bool:
    if "VMAgent" in row and "Statuses" in row:
        return True
    codes = (to_text(each.get("Code")).lower() for each in iter_objects(row.get("Statuses")))
    return "ResourceGroupName" in row and any(code.startswith(virtual_machine.POWER_PREFIX) for code in codes)


def _find_vm(row: Mapping[str, object]) -> VmId | None:
    if to_text(row.get("id")):
        return parse_vm_id(find_resource_id(row.get("id")))
    name = to_text(row.get("name"))
    if not name:
        message = "an instance view does not say whose it is"
        raise MalformedRow(message)
    return make_name_placeholder(name, to_text(row.get("resourceGroupName")))
