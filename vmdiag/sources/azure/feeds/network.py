"""What the VMs' traffic passes through, wherever it lies, as Resource Graph knows it.

Source: "REST API: Network Interfaces - Get" and "Virtual Networks - Get", whose members Resource Graph shows.
"""

from collections.abc import Callable, Iterable, Iterator

from vmdiag.arm.request import Request
from vmdiag.completeness import Row
from vmdiag.identity import VmId
from vmdiag.model import VirtualMachine, Window
from vmdiag.sources import kql
from vmdiag.sources.azure.feed_request import GRAPH_PERMISSIONS, FeedRequest, build_graph_request
from vmdiag.sources.decoding.fields import to_text
from vmdiag.sources.formats import resources
from vmdiag.sources.items import Item, NetworkLink, VmInventory
from vmdiag.sources.protocol import VmFilter
from vmdiag.values import replace

PERMISSIONS = (
    *GRAPH_PERMISSIONS,
    "Microsoft.Network/networkInterfaces/read",
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Network/publicIPAddresses/read",
)
# Of the neighbours of a few VMs so many rows are enough to choose some from.
NEIGHBOUR_LIMIT = 200


def build_feed_request(
    who: VmFilter,
    subscriptions: Iterable[str],
    add_address: Callable[[VmId, str], object],
    build_followups: Callable[[], Iterable[FeedRequest]],
) -> FeedRequest:
    """The interfaces of the VMs and what lies behind them; `add_address` is told of their public addresses."""

    def read_items(row: Row, ref: str) -> Iterator[Item]:
        vm, address = VmId.parse(to_text(row.get("vm"))), to_text(row.get("address"))
        if vm is not None and address:
            add_address(vm, address)
        subnet = to_text(row.get("subnet")).lower()
        if subnet and to_text(row.get("vnet")):
            # Without its network, which the sign-in may not see or of which only the first 400 subnets were listed,
            # nothing is known of the subnet, and an empty way is no free one.
            next_hops = {to_text(row.get(way)).lower() for way in ("vnet", "rules", "routes", "gateway")}
            yield NetworkLink(resource=subnet, through=frozenset(next_hops - {""}))
        yield from resources.decode_row(row, ref)

    request = build_graph_request("the VMs' networks", kql.passages(who), subscriptions)
    return FeedRequest(request=request, read_items=read_items, build_followups=build_followups, list_member="data")


def build_source_search(ids: Iterable[str], scope_ids: tuple[str, ...]) -> FeedRequest:
    """The networks of VMs that look at others, in whatever subscription, on behalf of those."""
    found = build_feed_request(VmFilter(ids=tuple(ids)), (), lambda _, address: address, tuple)
    return replace(found, scope_ids=scope_ids)


def build_neighbour_search(
    who: VmFilter, subscriptions: Iterable[str], add_neighbour: Callable[[VmId, VmId], None]
) -> FeedRequest:
    """Other VMs in the same subnets; `add_neighbour` is told of each pair, the VM that was asked for first."""

    def read_items(row: Row, _: str) -> Iterator[Item]:
        asked, other = VmId.parse(to_text(row.get("asked"))), VmId.parse(to_text(row.get("vm")))
        subnet = to_text(row.get("subnet")).lower()
        if asked is not None and other is not None and subnet:
            add_neighbour(asked, other)
            # That it is near shows in the network that both are in.
            yield VmInventory(VirtualMachine(id=other, network=frozenset({subnet})))

    request = build_graph_request("the VMs' neighbours", kql.neighbours(who, NEIGHBOUR_LIMIT), subscriptions)
    return FeedRequest(request=request, read_items=read_items, list_member="data")


def build_access_check(subscription: str, _vm: VmId | None, _span: Window) -> Request | None:
    """One interface."""
    return build_graph_request("the VMs' networks", f"{kql.passages(VmFilter())}\n| take 1", (subscription,))
