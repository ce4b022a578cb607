"""A VM as it describes itself, whoever asked: inventory, power state, agent; must not know which answer it stood in.

Sources: "REST API: Virtual Machines - Get" and "- Instance View", "Azure Resource Graph: query language" (`extended`).
REST puts everything under `properties`, the CLI lifts it to the top, Resource Graph has a small view under `extended`.
"""

from collections.abc import Iterator, Mapping

from vmdiag.identity import VmId
from vmdiag.model import Record, Signal, VirtualMachine
from vmdiag.sources.decoding.fields import LONGEST, brief, facts, mapping, objects, text
from vmdiag.sources.decoding.fields import at as at_path
from vmdiag.sources.decoding.timestamps import parse
from vmdiag.sources.items import Computer, Heard, Item, Known, Row, Snapshot, Tagged

TYPES = frozenset({"microsoft.compute/virtualmachines", "microsoft.compute/virtualmachinescalesets/virtualmachines"})
POWER = "powerstate/"
MOST_TAGS = 100
SPOKEN = "vm "  # `az vm list -d` says "VM running"


def is_graph_row(row: Row) -> bool:
    """Whether the VM is a row of Resource Graph; REST and CLI name no subscription beside the id."""
    return "subscriptionId" in row or "extended" in mapping(row.get("properties"))


def body(row: Row) -> Mapping[str, object]:
    """The members of a resource, wherever they are."""
    return mapping(row.get("properties")) or row


def tags_of(row: Row) -> dict[str, str]:
    """The tags of a resource; Azure allows 50, and what has many more was made to fill memory."""
    named = {name: brief(value) for name, value in mapping(row.get("tags")).items() if len(name) <= LONGEST}
    return dict(list(named.items())[:MOST_TAGS])


def described(vm: VmId, row: Row, ref: str) -> Iterator[Item]:
    """What the row knows of the VM, and the states it is in."""
    members = body(row)
    # Cloud Custodian puts the view it asked for beside the properties.
    view = mapping(members.get("instanceView")) or mapping(row.get("instanceView")) or members
    power = _power(row, members, view)
    interfaces = objects(at_path(members, "networkProfile", "networkInterfaces"))
    yield Known(
        VirtualMachine(
            id=vm,
            location=brief(row.get("location")).replace(" ", "").lower() or None,
            os=_system(members),
            size=brief(at_path(members, "hardwareProfile", "vmSize")) or None,
            power_state=power or None,
            network=frozenset(named for each in interfaces if (named := text(each.get("id")).lower())),
        )
    )
    tags = tags_of(row)
    if tags:
        yield Tagged(vm, tags)
    called = brief(at_path(members, "osProfile", "computerName")) or brief(view.get("computerName"))
    if called:
        yield Computer(vm, called)
    if power:
        yield Snapshot(vm=vm, signal=Signal.POWER, name=f"PowerState/{power}", ref=ref)
    yield from _agent(vm, mapping(view.get("vmAgent")), ref)


def statuses(view: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The statuses of a view with their codes; `ProvisioningState/...` and other families come in any order."""
    return ((code, each) for each in objects(view.get("statuses")) if (code := brief(each.get("code"))))


def _power(row: Row, members: Mapping[str, object], view: Mapping[str, object]) -> str:
    """`running`, `stopped`, `deallocated`, ...; empty while a VM is created, and where no view was asked for."""
    codes = [code for code, _ in statuses(view)]
    codes.append(brief(at_path(members, "extended", "instanceView", "powerState", "code")))
    spoken = brief(row.get("powerState")).lower()
    if spoken.startswith(SPOKEN):
        codes.append(POWER + spoken.removeprefix(SPOKEN))
    return next((code.lower().split("/")[1] for code in codes if code.lower().startswith(POWER)), "")


def _system(members: Mapping[str, object]) -> str | None:
    """`linux` or `windows`, from the disk, else from how the guest was set up."""
    said = text(at_path(members, "storageProfile", "osDisk", "osType")).lower()
    if said:
        return said[:20]
    profile = mapping(members.get("osProfile"))
    return next((name for name in ("linux", "windows") if profile.get(f"{name}Configuration")), None)


def _agent(vm: VmId, agent: Mapping[str, object], ref: str) -> Iterator[Item]:
    """The agent's own word, at its own time where it has one; an agent that is missing says nothing."""
    for code, status in statuses(agent):
        shown = brief(status.get("displayStatus"))
        known = facts(version=agent.get("vmAgentVersion"), message=status.get("message"))
        at = parse(status.get("time"))
        if at is None:
            yield Snapshot(vm=vm, signal=Signal.AGENT, name=code, status=shown, facts=known, ref=ref)
        else:
            record = Record(at=at, signal=Signal.AGENT, name=code, status=shown, facts=known, ref=ref)
            yield Heard(vm, record)
        return
