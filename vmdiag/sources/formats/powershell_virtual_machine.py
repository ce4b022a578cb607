"""VMs as `Get-AzVM [-Status] | ConvertTo-Json` writes them.

Source: Az.Compute's `PSVirtualMachine`, `PSVirtualMachineListStatus` and `PSVirtualMachineInstanceView`. The last,
which is what `-Name -Status` gives, says the VM's group and name and not its id.
"""

import re
from collections.abc import Iterator

from vmdiag.completeness import MalformedRow, Row
from vmdiag.identity import make_name_placeholder
from vmdiag.model import Signal
from vmdiag.sources.decoding.envelopes import convert_powershell
from vmdiag.sources.decoding.fields import find_resource_id, find_text, iter_objects, parse_vm_id, to_mapping
from vmdiag.sources.formats import Signature, virtual_machine
from vmdiag.sources.items import Item

SIGNALS = (Signal.POWER, Signal.AGENT)
VM_TYPE = re.compile(r"(?i)(?:microsoft\.compute/virtualmachines)?")
PROFILES = {"HardwareProfile", "StorageProfile", "NetworkProfile"}
# `OperatingSystemTypes` as the number that ConvertTo-Json makes of it, in the order in which it is declared.
OS_BY_NUMBER = {"0": "Windows", "1": "Linux"}


def has_power_state(row: Row) -> bool:
    """Whether one of the statuses of a view is a power state."""
    codes = (find_text(each, "Code").lower() for each in iter_objects(row.get("Statuses")))
    return any(code.startswith(virtual_machine.POWER_PREFIX) for code in codes)


SIGNATURES = (
    Signature(all_of={"Name", "Id"}, one_of=PROFILES, kind=VM_TYPE, kind_keys=("Type",)),
    # A view names its VM, and has an agent or a power state.
    Signature(all_of={"Name", "VMAgent", "Statuses"}, kind=VM_TYPE, kind_keys=("Type",)),
    Signature(
        all_of={"Name", "ResourceGroupName", "Statuses"}, kind=VM_TYPE, kind_keys=("Type",), condition=has_power_state
    ),
)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What is known of the VM and its states."""
    plain = dict(to_mapping(convert_powershell(row)))
    profile = to_mapping(plain.get("storageProfile"))
    disk = to_mapping(profile.get("osDisk"))
    system = OS_BY_NUMBER.get(find_text(disk, "osType"))
    if system is not None:
        plain["storageProfile"] = {**profile, "osDisk": {**disk, "osType": system}}
    name = find_text(plain, "name")
    if find_text(plain, "id"):
        vm = parse_vm_id(find_resource_id(plain["id"]))
    elif name:
        vm = make_name_placeholder(name, find_text(plain, "resourceGroupName"))
    else:
        message = "an instance view does not say whose it is"
        raise MalformedRow(message)
    if vm is not None:
        yield from virtual_machine.decode_vm(vm, plain, ref)
