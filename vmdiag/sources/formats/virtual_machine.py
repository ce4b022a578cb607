"""A VM as `az vm show`, `az vm list` or REST give it, with or without its instance view; must not judge a state.

Sources: "REST API: Virtual Machines - Get", `az vm get-instance-view`. A bare instance view does not say whose it is.
"""

from collections.abc import Iterator

from vmdiag.identity import VmId
from vmdiag.model import Signal
from vmdiag.sources.decoding import virtual_machine
from vmdiag.sources.decoding.fields import objects, text
from vmdiag.sources.decoding.resource_ids import resource, vm_itself
from vmdiag.sources.items import Item, Malformed, Row

SIGNALS = (Signal.POWER, Signal.AGENT)

PROFILES = frozenset({"hardwareProfile", "instanceView", "networkProfile", "osProfile", "storageProfile"})


def recognises(row: Row) -> bool:
    """A row of a VM's type, or one built like a VM or like its view."""
    kind = text(row.get("type")).lower()
    if kind:
        return kind in virtual_machine.TYPES and not virtual_machine.is_graph_row(row)
    if virtual_machine.is_graph_row(row):
        return False
    return not PROFILES.isdisjoint(virtual_machine.body(row)) or _is_bare_view(row)


def items(row: Row, ref: str) -> Iterator[Item]:
    """What is known of the VM and its states; nothing for an extension or another thing with a view."""
    bare = _is_bare_view(row) and not text(row.get("id"))
    vm = _owner(row) if bare else vm_itself(resource(row.get("id")))
    if vm is not None:
        yield from virtual_machine.described(vm, row, ref)


def _is_bare_view(row: Row) -> bool:
    """Whether a row is a VM's instance view and nothing else; an extension's has statuses, but no agent or power."""
    if "statuses" not in row:
        return False
    return "vmAgent" in row or any(
        code.lower().startswith(virtual_machine.POWER) for code, _ in virtual_machine.statuses(row)
    )


def _owner(row: Row) -> VmId:
    """The VM that the ids inside a bare view belong to."""
    inside = [
        row.get("resourceId"),
        *(each.get("id") for key in ("resources", "extensions") for each in objects(row.get(key))),
    ]
    for identifier in inside:
        found = VmId.parse(text(identifier))
        if found is not None:
            return found
    message = "an instance view does not say whose it is: save the VM with its view (az vm get-instance-view)"
    raise Malformed(message)
