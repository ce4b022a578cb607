"""A VM as `az vm show`, `az vm list` or REST give it, with or without its instance view; must not judge a state.

Sources: "REST API: Virtual Machines - Get", `az vm get-instance-view`. A bare instance view does not say whose it is.
"""

from collections.abc import Iterator

from vmdiag.identity import VmId
from vmdiag.model import Signal
from vmdiag.sources.decoding import virtual_machine
from vmdiag.sources.decoding.fields import iter_objects, to_text
from vmdiag.sources.decoding.resource_ids import find_resource_id, parse_vm_id
from vmdiag.sources.items import Item, MalformedRow, Row

SIGNALS = (Signal.POWER, Signal.AGENT)

PROFILE_KEYS = frozenset({"hardwareProfile", "instanceView", "networkProfile", "osProfile", "storageProfile"})


def recognises_row(row: Row) -> bool:
    """A row of a VM's type, or one built like a VM or like its view."""
    kind = to_text(row.get("type")).lower()
    if kind:
        return kind in virtual_machine.VM_TYPES and not virtual_machine.is_graph_row(row)
    if virtual_machine.is_graph_row(row):
        return False
    return not PROFILE_KEYS.isdisjoint(virtual_machine.find_properties(row)) or _is_bare_view(row)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What is known of the VM and its states; nothing for an extension or another thing with a view."""
    bare = _is_bare_view(row) and not to_text(row.get("id"))
    vm = _find_view_owner(row) if bare else parse_vm_id(find_resource_id(row.get("id")))
    if vm is not None:
        yield from virtual_machine.decode_vm(vm, row, ref)


def _is_bare_view(row: Row) -> bool:
    """Whether a row is a VM's instance view and nothing else; an extension's has statuses, but no agent or power."""
    if "statuses" not in row:
        return False
    return "vmAgent" in row or any(
        code.lower().startswith(virtual_machine.POWER_PREFIX) for code, _ in virtual_machine.iter_statuses(row)
    )


def _find_view_owner(row: Row) -> VmId:
    """The VM that the ids inside a bare view belong to."""
    inside = [
        row.get("resourceId"),
        *(each.get("id") for key in ("resources", "extensions") for each in iter_objects(row.get(key))),
    ]
    for identifier in inside:
        found = VmId.parse(to_text(identifier))
        if found is not None:
            return found
    message = "an instance view does not say whose it is: save the VM with its view (az vm get-instance-view)"
    raise MalformedRow(message)
