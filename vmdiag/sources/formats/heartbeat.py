"""Rows of the Log Analytics table `Heartbeat`: the agent's sign of life, one a minute.

Source: "Azure Monitor Logs reference: Heartbeat". A query that projects the id away leaves the computer's name, or the
parts of the id. Queries that are pushed down gather the beats of a VM and day in one row, for a row a beat would repeat
an id a thousand times a day.
"""

from collections.abc import Iterator

from vmdiag.completeness import MalformedRow, Row
from vmdiag.identity import VmId, make_computer_placeholder
from vmdiag.model import Signal, VirtualMachine
from vmdiag.sources.decoding.fields import (
    find_resource_id,
    find_text,
    fold_column_names,
    fold_columns,
    parse_vm_id,
    to_list,
    to_short_text,
)
from vmdiag.sources.decoding.timestamps import parse_time, require_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import Item, MetricPoints, VmInventory

SIGNALS = (Signal.HEARTBEAT,)
NAME = "Heartbeat"
# Columns that, beside a computer and a time, no other table of a workspace has.
OWN_COLUMNS = frozenset({"computerenvironment", "isgatewayinstalled", "oscategory", "scagentchannel"})
AGENT_CATEGORIES = frozenset({"azure monitor agent", "direct agent", "scom agent", "scom management server"})
SYSTEMS = frozenset({"linux", "windows"})
PROVIDER = "/providers/Microsoft.Compute/virtualMachines/"
VM_TYPES = frozenset({"", "virtualmachines", "microsoft.compute/virtualmachines"})


def is_heartbeat(row: Row) -> bool:
    """Whether a row says its table in `Type`; where that was left out, its agent or a column of its own tells."""
    names = fold_column_names(row)
    if "type" in names:
        return find_text(row, names["type"]).lower() == "heartbeat"
    category = find_text(row, names.get("category", "")).lower()
    return category in AGENT_CATEGORIES or not names.keys().isdisjoint(OWN_COLUMNS)


SIGNATURES = (
    Signature(all_of={"computer", "timegenerated"}, is_folded=True, condition=is_heartbeat),
    Signature(all_of={"_resourceid", "beats"}, is_folded=True),
)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """One beat or a day's, and the operating system; nothing for a computer that is no VM of Azure."""
    del ref  # beats are too many to cite each
    cells = fold_columns(row)
    system = find_text(cells, "ostype").lower()
    if "beats" in cells:
        # The beats of a VM; where there are none, only that there is such a VM.
        vm = find_row_vm(cells)
        if vm is None:
            return
        yield VmInventory(VirtualMachine(id=vm, os=system if system in SYSTEMS else None))
        beats = [parse_time(each) for each in to_list(cells.get("beats"))]
        times = tuple(sorted({at for at in beats if at is not None}))
        if times:
            yield MetricPoints(vm=vm, name=NAME, signal=Signal.HEARTBEAT, times=times, values=(1.0,) * len(times))
        if None in beats:
            message = "heartbeats without times that can be read"
            raise MalformedRow(message, vm)
        return
    has_id = bool(find_text(cells, "_resourceid", "resourceid"))
    if not has_id and find_text(cells, "computerenvironment").lower() == "non-azure":
        return
    parts = [""] if has_id else [find_text(cells, key) for key in ("subscriptionid", "resourcegroup", "resource")]
    if all(parts) and find_text(cells, "resourcetype").lower() in VM_TYPES:
        subscription, group, name = parts
        vm = VmId.parse(f"/subscriptions/{subscription}/resourceGroups/{group}{PROVIDER}{name}")
    else:
        vm = find_row_vm(cells)
    if vm is None:
        return
    at = require_time(vm, cells.get("timegenerated"))
    if system in SYSTEMS:
        yield VmInventory(VirtualMachine(id=vm, os=system))
    yield MetricPoints(vm=vm, name=NAME, signal=Signal.HEARTBEAT, times=(at,), values=(1.0,))


def find_row_vm(cells: Row) -> VmId | None:
    """The VM of the id, or the one whose computer is called so; `None` for another resource."""
    computer = to_short_text(cells.get("computer"))
    if computer and not find_text(cells, "_resourceid", "resourceid"):
        return make_computer_placeholder(computer)
    return parse_vm_id(find_resource_id(cells.get("_resourceid"), cells.get("resourceid")))
