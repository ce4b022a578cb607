"""Which VMs there are, from Resource Graph, or from the lists of VMs where that does not answer.

Sources: "REST API: Virtual Machines - List" and "- List All" (`statusOnly` gives the states and nothing else),
"Subscriptions - List". Resource Graph leaves out in silence what a sign-in may not see.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType

from vmdiag.arm.request import Request
from vmdiag.completeness import Row
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources import kql
from vmdiag.sources.azure.feed_request import GRAPH_PERMISSIONS, FeedRequest, ItemReader, build_graph_request
from vmdiag.sources.azure.feeds import announced_events
from vmdiag.sources.azure.scoped_vms import InventoryVm
from vmdiag.sources.decoding.fields import get_path, parse_vm_id, to_mapping, to_text
from vmdiag.sources.formats import resources, virtual_machine
from vmdiag.sources.items import Item
from vmdiag.sources.protocol import VmFilter

PERMISSIONS = (
    *GRAPH_PERMISSIONS,
    "Microsoft.Compute/virtualMachines/read",
    "Microsoft.Resources/subscriptions/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
)


def build_feed_request(who: VmFilter, subscriptions: Iterable[str], vms: dict[VmId, InventoryVm]) -> FeedRequest:
    """The VMs as Resource Graph shows them, each added to `vms`; of those that publish them the scheduled events."""
    publishing: list[object] = []

    def read_items(row: Row, ref: str) -> Iterator[Item]:
        if announced_events.has_publishing_policy(to_mapping(row.get("properties"))):
            publishing.append(row.get("id"))
        return _read_items(resources.decode_row, vms, row, ref)

    def build_followups() -> Iterator[FeedRequest]:
        if publishing:
            yield announced_events.build_history_request(subscriptions)

    request = build_graph_request("VMs", kql.machines(who), subscriptions)
    return FeedRequest(request=request, read_items=read_items, build_followups=build_followups, list_member="data")


def build_subscription_search(add_subscription: Callable[[str, str], None]) -> FeedRequest:
    """The subscriptions that a sign-in can see, each told to `add_subscription`: its id in lower case, and its name."""

    def read_items(row: Row, _: str) -> Iterator[Item]:
        add_subscription(to_text(row.get("subscriptionId")).lower(), to_text(row.get("displayName")))
        return iter(())

    return FeedRequest(request=build_subscription_request(), read_items=read_items)


def build_subscription_request() -> Request:
    """The subscriptions with their names and states."""
    permission = "Microsoft.Resources/subscriptions/read"
    return Request(description="subscriptions", service="subscriptions", path="/subscriptions", permission=permission)


def build_list_requests(subscription: str, groups: list[str], vms: dict[VmId, InventoryVm]) -> Iterator[FeedRequest]:
    """The VMs of a subscription or of some of its groups, and the power states of the subscription."""
    roots = [f"/subscriptions/{subscription}/resourceGroups/{group}" for group in groups]
    for root in roots or [f"/subscriptions/{subscription}"]:
        read_items = partial(_read_items, virtual_machine.decode_row, vms)
        yield FeedRequest(request=build_list_request(root), read_items=read_items)
    states = build_list_request(f"/subscriptions/{subscription}", {"statusOnly": "true"})
    # The power states alone: the other list has the inventory, and perhaps only of some groups.
    yield FeedRequest(
        request=states,
        read_items=lambda row, ref: (
            item for item in virtual_machine.decode_row(row, ref) if getattr(item, "signal", None) is Signal.POWER
        ),
    )


def build_access_check(subscription: str, _vm: VmId | None, _span: Window | None) -> Request:
    """One VM of Resource Graph's."""
    return build_graph_request("VMs", f"{kql.machines(VmFilter())}\n| take 1", (subscription,))


def build_list_request(root: str, params: Mapping[str, str] = MappingProxyType({})) -> Request:
    """The list of a subscription's or a group's VMs, which stands in for Resource Graph."""
    return Request(
        description=f"VMs of {root.rpartition('/')[2]}",
        service="compute",
        path=f"{root}/providers/Microsoft.Compute/virtualMachines",
        permission="Microsoft.Compute/virtualMachines/read",
        params=params,
    )


def _read_items(decode_row: ItemReader, vms: dict[VmId, InventoryVm], row: Row, ref: str) -> Iterator[Item]:
    vm = parse_vm_id(to_text(row.get("id")))
    if vm is not None:
        tags = {name: to_text(value) for name, value in to_mapping(row.get("tags")).items()}
        power = to_text(get_path(row, "properties", "extended", "instanceView", "powerState", "code"))
        vms[vm] = InventoryVm(vm, tags, bool(power))
    yield from decode_row(row, ref)
