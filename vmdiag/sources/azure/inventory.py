"""Which VMs there are, from Resource Graph, or from the lists of VMs where that does not answer; must not choose.

Sources: "REST API: Virtual Machines - List" and "- List All" (`statusOnly` gives the states and nothing else),
"Subscriptions - List". Resource Graph leaves out in silence what a sign-in may not see.
"""

from collections.abc import Callable, Iterable, Iterator

from vmdiag.arm.request import Request
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources import kql
from vmdiag.sources.azure import resource_graph
from vmdiag.sources.azure.feed_request import Ask
from vmdiag.sources.decoding.fields import text
from vmdiag.sources.formats import resources, virtual_machine
from vmdiag.sources.items import Item, Row

PERMISSIONS = (
    *resource_graph.PERMISSIONS,
    "Microsoft.Compute/virtualMachines/read",
    "Microsoft.Resources/subscriptions/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
)
SIGNALS = (Signal.POWER,)

Met = Callable[[Row], None]


def ask(who: kql.Who, subscriptions: Iterable[str], met: Met) -> Ask:
    """The VMs as Resource Graph shows them; `met` sees every row."""
    request = resource_graph.request("VMs", kql.machines(who), subscriptions)
    return Ask(request=request, concerns=(), signals=(), items=_seen(resources.items, met), holds="data")


def subscriptions(met: Callable[[str, str], None]) -> Ask:
    """The subscriptions that a sign-in can see, each told to `met`: its id in lower case, and its name."""

    def items(row: Row, ref: str) -> Iterator[Item]:
        del ref
        met(text(row.get("subscriptionId")).lower(), text(row.get("displayName")))
        return iter(())

    return Ask(request=trial_subscriptions(), concerns=(), signals=(), items=items)


def trial_subscriptions() -> Request:
    """The subscriptions with their names and states."""
    permission = "Microsoft.Resources/subscriptions/read"
    return Request(what="subscriptions", service="subscriptions", path="/subscriptions", permission=permission)


def lists(subscription: str, groups: Iterable[str], met: Met) -> Iterator[Ask]:
    """The VMs of a subscription or of some of its groups, and the power states of the subscription."""
    roots = [f"/subscriptions/{subscription}/resourceGroups/{group}" for group in groups]
    for root in roots or [f"/subscriptions/{subscription}"]:
        yield _listed(root, {}, _seen(virtual_machine.items, met))
    yield _listed(f"/subscriptions/{subscription}", {"statusOnly": "true"}, _states)


def trial(subscription: str, vm: VmId | None = None, span: Window | None = None) -> Request:
    """One VM of Resource Graph's."""
    del vm, span
    return resource_graph.request("VMs", f"{kql.machines(kql.Who())}\n| take 1", (subscription,))


def trial_list(subscription: str) -> Request:
    """The list of VMs, which stands in for Resource Graph."""
    return _request(f"/subscriptions/{subscription}", {})


def _listed(root: str, params: dict[str, str], items: Callable[[Row, str], Iterator[Item]]) -> Ask:
    return Ask(request=_request(root, params), concerns=(), signals=(), items=items)


def _request(root: str, params: dict[str, str]) -> Request:
    return Request(
        what=f"VMs of {root.rpartition('/')[2]}",
        service="compute",
        path=f"{root}/providers/Microsoft.Compute/virtualMachines",
        permission="Microsoft.Compute/virtualMachines/read",
        params=params,
    )


def _seen(reads: Callable[[Row, str], Iterator[Item]], met: Met) -> Callable[[Row, str], Iterator[Item]]:
    def items(row: Row, ref: str) -> Iterator[Item]:
        met(row)
        yield from reads(row, ref)

    return items


def _states(row: Row, ref: str) -> Iterator[Item]:
    """The power states alone: the other list has the inventory, and perhaps only of some groups."""
    return (item for item in virtual_machine.items(row, ref) if getattr(item, "signal", None) is Signal.POWER)
