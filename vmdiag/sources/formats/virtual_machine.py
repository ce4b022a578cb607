"""A VM as it describes itself, to `az vm show`, `az vm list` or REST: inventory, power state, agent.

Sources: "REST API: Virtual Machines - Get" and "- Instance View", `az vm get-instance-view`, "Azure Resource Graph:
query language" (`extended`). REST puts everything under `properties`, the CLI lifts it to the top, Resource Graph has a
small view under `extended`. A bare instance view does not say whose it is.
"""

import re
from collections.abc import Iterator, Mapping

from vmdiag.completeness import MalformedRow, Row
from vmdiag.identity import VmId
from vmdiag.model import Record, Signal, VirtualMachine
from vmdiag.sources.decoding.fields import (
    FACT_LENGTH,
    collect_facts,
    find_resource_id,
    find_text,
    get_path,
    iter_objects,
    parse_vm_id,
    to_mapping,
    to_short_text,
    to_text,
)
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import UNDATED, Item, VmInventory, VmRecord

SIGNALS = (Signal.POWER, Signal.AGENT, Signal.APPLICATION)
VM_TYPE = re.compile(r"microsoft\.compute/(?:virtualmachinescalesets/)?virtualmachines", re.IGNORECASE)
PROFILE_KEYS = {"hardwareProfile", "instanceView", "networkProfile", "osProfile", "storageProfile"}
POWER_PREFIX = "powerstate/"
TAG_LIMIT = 100
CLI_POWER_PREFIX = "vm "  # `az vm list -d` says "VM running"


def is_graph_row(row: Row) -> bool:
    """Whether the VM is a row of Resource Graph; REST and CLI name no subscription beside the id."""
    return "subscriptionId" in row or "extended" in to_mapping(row.get("properties"))


def is_vm_answer(row: Row) -> bool:
    """Whether the VM is none of Resource Graph's."""
    return not is_graph_row(row)


def is_built_like_vm(row: Row) -> bool:
    """Whether a row without a type is built like a VM or like its view, and not as Resource Graph does."""
    return not is_graph_row(row) and (not PROFILE_KEYS.isdisjoint(find_properties(row)) or _is_bare_view(row))


SIGNATURES = (
    Signature(kind=VM_TYPE, condition=is_vm_answer),
    Signature(one_of={"properties", "statuses", *PROFILE_KEYS}, kind=re.compile(""), condition=is_built_like_vm),
)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What is known of the VM and its states; nothing for an extension or another thing with a view."""
    if _is_bare_view(row) and not find_text(row, "id"):
        # A bare view belongs to the VM of the ids inside it.
        parts = [each for key in ("resources", "extensions") for each in iter_objects(row.get(key))]
        named = (find_text(row, "resourceId"), *(find_text(each, "id") for each in parts))
        vm = next(filter(None, map(VmId.parse, named)), None)
        if vm is None:
            message = "an instance view does not say whose it is: save the VM with its view (az vm get-instance-view)"
            raise MalformedRow(message)
    else:
        vm = parse_vm_id(find_resource_id(row.get("id")))
    if vm is not None:
        yield from decode_vm(vm, row, ref)


def find_properties(row: Row) -> Row:
    """The members of a resource, wherever they are."""
    return to_mapping(row.get("properties")) or row


def read_tags(row: Row) -> dict[str, str]:
    """The tags of a resource; Azure allows 50, and what has many more was made to fill memory."""
    tags = [(name, value) for name, value in to_mapping(row.get("tags")).items() if len(name) <= FACT_LENGTH]
    return {name: to_short_text(value) for name, value in tags[:TAG_LIMIT]}


def decode_vm(vm: VmId, row: Row, ref: str) -> Iterator[Item]:
    """What the row knows of the VM, and the states it is in."""
    members = find_properties(row)
    # Cloud Custodian puts the view it asked for beside the properties.
    view = to_mapping(members.get("instanceView")) or to_mapping(row.get("instanceView")) or members
    # `running`, `stopped`, `deallocated`, ...; none while a VM is created, and where no view was asked for.
    codes = [code for code, _ in iter_statuses(view)]
    codes.append(to_short_text(get_path(members, "extended", "instanceView", "powerState", "code")))
    spoken = to_short_text(row.get("powerState")).lower()
    if spoken.startswith(CLI_POWER_PREFIX):
        codes.append(POWER_PREFIX + spoken.removeprefix(CLI_POWER_PREFIX))
    power = next((code.lower().split("/")[1] for code in codes if code.lower().startswith(POWER_PREFIX)), "")
    # The system from the disk, else from how the guest was set up.
    system = to_text(get_path(members, "storageProfile", "osDisk", "osType")).lower()[:20]
    profile = to_mapping(members.get("osProfile"))
    interfaces = iter_objects(get_path(members, "networkProfile", "networkInterfaces"))
    machine = VirtualMachine(
        id=vm,
        location=to_short_text(row.get("location")).replace(" ", "").lower() or None,
        os=system or next((name for name in ("linux", "windows") if profile.get(f"{name}Configuration")), None),
        size=to_short_text(get_path(members, "hardwareProfile", "vmSize")) or None,
        power_state=power or None,
        network=frozenset(named for each in interfaces if (named := find_text(each, "id").lower())),
    )
    called = (find_text(profile, "computerName") or find_text(view, "computerName"))[:FACT_LENGTH]
    yield VmInventory(machine, read_tags(row), called)
    if power:
        state = Record(at=UNDATED, signal=Signal.POWER, name=f"PowerState/{power}", ref=ref)
        yield VmRecord(vm, state, is_dated=False)
    # The agent's own word, at its own time where it has one; an agent that is missing says nothing.
    agent = to_mapping(view.get("vmAgent"))
    code, status = next(iter_statuses(agent), ("", {}))
    if code:
        shown, at = to_short_text(status.get("displayStatus")), parse_time(status.get("time"))
        known = collect_facts(version=agent.get("vmAgentVersion"), message=status.get("message"))
        record = Record(at=at or UNDATED, signal=Signal.AGENT, name=code, status=shown, facts=known, ref=ref)
        yield VmRecord(vm, record, is_dated=at is not None)
    health = to_mapping(get_path(view, "vmHealth", "status"))
    if code := to_short_text(health.get("code")):
        at = parse_time(health.get("time"))
        record = Record(at=at or UNDATED, signal=Signal.APPLICATION, name=code, ref=ref)
        yield VmRecord(vm, record, is_dated=at is not None)


def iter_statuses(view: Row) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The statuses of a view with their codes; `ProvisioningState/...` and other families come in any order."""
    return ((code, each) for each in iter_objects(view.get("statuses")) if (code := to_short_text(each.get("code"))))


def _is_bare_view(row: Row) -> bool:
    """Whether a row is a VM's instance view and nothing else; an extension's has statuses, but no agent or power."""
    if "statuses" not in row:
        return False
    return "vmAgent" in row or any(code.lower().startswith(POWER_PREFIX) for code, _ in iter_statuses(row))
