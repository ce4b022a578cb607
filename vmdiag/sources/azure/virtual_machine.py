"""A VM with its instance view: inventory, power state, agent; must not judge a state.

Source: "REST API: Virtual Machines - Get". Extensions of the retired agent name the workspace that it writes to.
"""

from collections.abc import Callable, Iterable, Iterator

from vmdiag.arm.request import Request
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources.azure.feed_request import Ask
from vmdiag.sources.decoding.fields import at, objects, text
from vmdiag.sources.formats import virtual_machine
from vmdiag.sources.items import Item, Row

PERMISSIONS = ("Microsoft.Compute/virtualMachines/read", "Microsoft.Compute/virtualMachines/instanceView/read")
SIGNALS = (Signal.POWER, Signal.AGENT)


def asks(vms: Iterable[VmId], met: Callable[[VmId, str], None]) -> Iterator[Ask]:
    """One for each VM; `met` is told of the workspaces that its extensions name."""
    for vm in vms:
        yield Ask(request=request(vm), concerns=(vm.key,), signals=SIGNALS, items=_reads(vm, met), holds="")


def trial(subscription: str, vm: VmId | None, span: Window) -> Request | None:
    """One VM."""
    del subscription, span
    return None if vm is None else request(vm)


def request(vm: VmId, service: str = "compute") -> Request:
    """The VM with its instance view; `service` names the api-version in which it is asked."""
    return Request(
        what=f"VM {vm.name}",
        service=service,
        path=str(vm),
        permission=PERMISSIONS[0],
        params={"$expand": "instanceView"},
    )


def _reads(vm: VmId, met: Callable[[VmId, str], None]) -> Callable[[Row, str], Iterator[Item]]:
    def items(row: Row, ref: str) -> Iterator[Item]:
        for extension in objects(row.get("resources")):
            workspace = text(at(extension, "properties", "settings", "workspaceId"))
            if workspace:
                met(vm, workspace)
        yield from virtual_machine.items(row, ref)

    return items
