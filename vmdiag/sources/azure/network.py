"""What the VMs' traffic passes through, wherever it lies, as Resource Graph knows it; must not know who changed it.

Source: "REST API: Network Interfaces - Get" and "Virtual Networks - Get", whose members Resource Graph shows.
"""

from collections.abc import Callable, Iterable, Iterator

from vmdiag.arm.request import Request
from vmdiag.identity import VmId
from vmdiag.model import Signal, VirtualMachine, Window
from vmdiag.sources import kql
from vmdiag.sources.azure import resource_graph
from vmdiag.sources.azure.feed_request import Ask
from vmdiag.sources.decoding.fields import text
from vmdiag.sources.formats import resources
from vmdiag.sources.items import Item, Known, Link, Row

PERMISSIONS = (
    *resource_graph.PERMISSIONS,
    "Microsoft.Network/networkInterfaces/read",
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Network/publicIPAddresses/read",
)
SIGNALS: tuple[Signal, ...] = ()
# Of the neighbours of a few VMs so many rows are enough to choose some from.
MOST_NEIGHBOURS = 200


def ask(
    who: kql.Who, subscriptions: Iterable[str], met: Callable[[VmId, str], None], then: Callable[[], Iterable[Ask]]
) -> Ask:
    """The interfaces of the VMs and what lies behind them; `met` is told of their public addresses."""

    def items(row: Row, ref: str) -> Iterator[Item]:
        vm, address = VmId.parse(text(row.get("vm"))), text(row.get("address"))
        if vm is not None and address:
            met(vm, address)
        subnet = text(row.get("subnet")).lower()
        if subnet and text(row.get("vnet")):
            # Without its network, which the sign-in may not see or of which only the first 400 subnets were listed,
            # nothing is known of the subnet, and an empty way is no free one.
            ways = {text(row.get(way)).lower() for way in ("vnet", "rules", "routes", "gateway")}
            yield Link(resource=subnet, through=frozenset(ways - {""}))
        yield from resources.items(row, ref)

    request = resource_graph.request("the VMs' networks", kql.passages(who), subscriptions)
    return Ask(request=request, concerns=(), signals=SIGNALS, items=items, then=then, holds="data")


def neighbours(who: kql.Who, subscriptions: Iterable[str], met: Callable[[VmId, VmId], None]) -> Ask:
    """Other VMs in the same subnets; `met` is told of each pair, the VM that was asked for first."""

    def items(row: Row, ref: str) -> Iterator[Item]:
        del ref
        asked, other = VmId.parse(text(row.get("asked"))), VmId.parse(text(row.get("vm")))
        subnet = text(row.get("subnet")).lower()
        if asked is not None and other is not None and subnet:
            met(asked, other)
            # That it is near shows in the network that both are in.
            yield Known(VirtualMachine(id=other, network=frozenset({subnet})))

    request = resource_graph.request("the VMs' neighbours", kql.neighbours(who, MOST_NEIGHBOURS), subscriptions)
    return Ask(request=request, concerns=(), signals=(), items=items, holds="data")


def trial(subscription: str, vm: VmId | None, span: Window) -> Request | None:
    """One interface."""
    del vm, span
    return resource_graph.request("the VMs' networks", f"{kql.passages(kql.Who())}\n| take 1", (subscription,))
