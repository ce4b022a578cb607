"""A VM with its instance view: inventory, power state, agent.

Source: "REST API: Virtual Machines - Get". Extensions of the retired agent name the workspace that it writes to.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from vmdiag.arm.request import Request
from vmdiag.completeness import Row
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources.azure.feed_request import FeedRequest
from vmdiag.sources.decoding.fields import get_path, iter_objects, to_text
from vmdiag.sources.formats import virtual_machine
from vmdiag.sources.items import Item

PERMISSIONS = ("Microsoft.Compute/virtualMachines/read", "Microsoft.Compute/virtualMachines/instanceView/read")
SIGNALS = (Signal.POWER, Signal.AGENT)


def build_feed_requests(vms: Iterable[VmId], add_workspace: Callable[[VmId, str], None]) -> Iterator[FeedRequest]:
    """One for each VM; `add_workspace` is told of the workspaces that its extensions name."""
    for vm in vms:
        yield FeedRequest(
            request=build_request(vm),
            scope_ids=(vm.key,),
            signals=SIGNALS,
            read_items=partial(_read_items, vm, add_workspace),
            list_member="",
        )


def build_access_check(_subscription: str, vm: VmId | None, _span: Window) -> Request | None:
    """One VM."""
    return None if vm is None else build_request(vm)


def build_request(vm: VmId, service: str = "compute") -> Request:
    """The VM with its instance view; `service` names the api-version in which it is asked."""
    return Request(
        description=f"VM {vm.name}",
        service=service,
        path=str(vm),
        permission=PERMISSIONS[0],
        params={"$expand": "instanceView"},
    )


def _read_items(vm: VmId, add_workspace: Callable[[VmId, str], None], row: Row, ref: str) -> Iterator[Item]:
    for extension in iter_objects(row.get("resources")):
        if workspace := to_text(get_path(extension, "properties", "settings", "workspaceId")):
            add_workspace(vm, workspace)
    yield from virtual_machine.decode_row(row, ref)
