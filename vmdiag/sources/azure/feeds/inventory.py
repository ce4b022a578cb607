"""Which VMs there are, from Resource Graph, or from the lists of VMs where that does not answer; must not choose.

Sources: "REST API: Virtual Machines - List" and "- List All" (`statusOnly` gives the states and nothing else),
"Subscriptions - List". Resource Graph leaves out in silence what a sign-in may not see.
"""

from collections.abc import Callable, Iterable, Iterator

from vmdiag.arm.request import Request
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources import kql
from vmdiag.sources.azure.feed_request import GRAPH_PERMISSIONS, FeedRequest, build_graph_request
from vmdiag.sources.decoding.fields import to_text
from vmdiag.sources.formats import resources, virtual_machine
from vmdiag.sources.items import Item, Row

PERMISSIONS = (
    *GRAPH_PERMISSIONS,
    "Microsoft.Compute/virtualMachines/read",
    "Microsoft.Resources/subscriptions/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
)
SIGNALS = (Signal.POWER,)

RowCallback = Callable[[Row], None]


def build_feed_request(who: kql.Who, subscriptions: Iterable[str], add_row: RowCallback) -> FeedRequest:
    """The VMs as Resource Graph shows them; `add_row` sees every row."""
    request = build_graph_request("VMs", kql.machines(who), subscriptions)
    return FeedRequest(
        request=request,
        scope_ids=(),
        signals=(),
        read_items=_call_for_rows(resources.decode_row, add_row),
        list_member="data",
    )


def build_subscription_search(add_subscription: Callable[[str, str], None]) -> FeedRequest:
    """The subscriptions that a sign-in can see, each told to `add_subscription`: its id in lower case, and its name."""

    def read_items(row: Row, ref: str) -> Iterator[Item]:
        del ref
        add_subscription(to_text(row.get("subscriptionId")).lower(), to_text(row.get("displayName")))
        return iter(())

    return FeedRequest(request=build_subscription_request(), scope_ids=(), signals=(), read_items=read_items)


def build_subscription_request() -> Request:
    """The subscriptions with their names and states."""
    permission = "Microsoft.Resources/subscriptions/read"
    return Request(description="subscriptions", service="subscriptions", path="/subscriptions", permission=permission)


def build_list_requests(subscription: str, groups: Iterable[str], add_row: RowCallback) -> Iterator[FeedRequest]:
    """The VMs of a subscription or of some of its groups, and the power states of the subscription."""
    roots = [f"/subscriptions/{subscription}/resourceGroups/{group}" for group in groups]
    for root in roots or [f"/subscriptions/{subscription}"]:
        yield _build_list_request(root, {}, _call_for_rows(virtual_machine.decode_row, add_row))
    yield _build_list_request(f"/subscriptions/{subscription}", {"statusOnly": "true"}, _read_power_states)


def build_access_check(subscription: str, vm: VmId | None = None, span: Window | None = None) -> Request:
    """One VM of Resource Graph's."""
    del vm, span
    return build_graph_request("VMs", f"{kql.machines(kql.Who())}\n| take 1", (subscription,))


def build_list_check(subscription: str) -> Request:
    """The list of VMs, which stands in for Resource Graph."""
    return _build_request(f"/subscriptions/{subscription}", {})


def _build_list_request(
    root: str, params: dict[str, str], read_items: Callable[[Row, str], Iterator[Item]]
) -> FeedRequest:
    return FeedRequest(request=_build_request(root, params), scope_ids=(), signals=(), read_items=read_items)


def _build_request(root: str, params: dict[str, str]) -> Request:
    return Request(
        description=f"VMs of {root.rpartition('/')[2]}",
        service="compute",
        path=f"{root}/providers/Microsoft.Compute/virtualMachines",
        permission="Microsoft.Compute/virtualMachines/read",
        params=params,
    )


def _call_for_rows(
    read_row: Callable[[Row, str], Iterator[Item]], add_row: RowCallback
) -> Callable[[Row, str], Iterator[Item]]:
    def read_items(row: Row, ref: str) -> Iterator[Item]:
        add_row(row)
        yield from read_row(row, ref)

    return read_items


def _read_power_states(row: Row, ref: str) -> Iterator[Item]:
    """The power states alone: the other list has the inventory, and perhaps only of some groups."""
    return (item for item in virtual_machine.decode_row(row, ref) if getattr(item, "signal", None) is Signal.POWER)
