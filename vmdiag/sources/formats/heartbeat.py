"""Rows of the Log Analytics table `Heartbeat`: the agent's sign of life, one a minute; must not judge a silence.

Source: "Azure Monitor Logs reference: Heartbeat". A query that projects the id away leaves the computer's name, or the
parts of the id.
"""

from collections.abc import Iterator, Mapping

from vmdiag.identity import VmId
from vmdiag.model import Signal, VirtualMachine
from vmdiag.sources.decoding.fields import brief, columns, table, text
from vmdiag.sources.decoding.resource_ids import resource, vm_itself
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.items import Item, Known, Row, Sampled
from vmdiag.sources.unplaced_vms import vm_by_computer

SIGNALS = (Signal.HEARTBEAT,)

# Columns that, beside a computer and a time, no other table of a workspace has.
OWN = frozenset({"computerenvironment", "isgatewayinstalled", "oscategory", "scagentchannel"})
AGENTS = frozenset({"azure monitor agent", "direct agent", "scom agent", "scom management server"})
SYSTEMS = frozenset({"linux", "windows"})
PROVIDER = "/providers/Microsoft.Compute/virtualMachines/"
VM_TYPES = frozenset({"", "virtualmachines", "microsoft.compute/virtualmachines"})


def recognises(row: Row) -> bool:
    """A row says its table in `Type`; where that was left out, its agent or a column of its own tells."""
    names = columns(row)
    if "computer" not in names or "timegenerated" not in names:
        return False
    if "type" in names:
        return text(row[names["type"]]).lower() == "heartbeat"
    category = text(row[names["category"]]).lower() if "category" in names else ""
    return category in AGENTS or not OWN.isdisjoint(names)


def items(row: Row, ref: str) -> Iterator[Item]:
    """One beat, and the operating system; nothing for a computer that is no VM of Azure."""
    del ref  # beats are too many to cite each
    cells = table(row)
    written = (cells.get("_resourceid"), cells.get("resourceid"))
    if not any(map(text, written)) and text(cells.get("computerenvironment")).lower() == "non-azure":
        return
    vm = _vm(cells, *written)
    if vm is None:
        return
    at = first(vm, cells.get("timegenerated"))
    system = text(cells.get("ostype")).lower()
    if system in SYSTEMS:
        yield Known(VirtualMachine(id=vm, os=system))
    yield Sampled(vm=vm, name="Heartbeat", signal=Signal.HEARTBEAT, times=(at,), values=(1.0,))


def _vm(cells: Mapping[str, object], *written: object) -> VmId | None:
    """The VM of the id, of the id's parts, or the one whose computer is called so; `None` for another machine."""
    if any(map(text, written)):
        return vm_itself(resource(*written))
    parts = [text(cells.get(part)) for part in ("subscriptionid", "resourcegroup", "resource")]
    if all(parts) and text(cells.get("resourcetype")).lower() in VM_TYPES:
        subscription, group, name = parts
        return VmId.parse(f"/subscriptions/{subscription}/resourceGroups/{group}{PROVIDER}{name}")
    computer = brief(cells.get("computer"))
    return vm_by_computer(computer) if computer else vm_itself(resource(*written))
