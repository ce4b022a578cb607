"""The agents' heartbeats in Log Analytics, where a workspace is given or found; must not judge a silence.

Source: "Azure Monitor Logs API: Query", which answers at most 500,000 rows, and the data collection rules of the
Azure Monitor agent.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta

from vmdiag.arm.request import Host, Request
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources import kql
from vmdiag.sources.azure import resource_graph
from vmdiag.sources.azure.feed_request import Ask
from vmdiag.sources.decoding.fields import elements, text
from vmdiag.sources.decoding.resource_ids import resource, vm_itself
from vmdiag.sources.decoding.timestamps import parse
from vmdiag.sources.items import Item, Malformed, Row, Sampled

PERMISSIONS = (
    "Microsoft.OperationalInsights/workspaces/query/read",
    "Microsoft.OperationalInsights/workspaces/query/Heartbeat/read",
    "Microsoft.Insights/dataCollectionRules/read",
    "Microsoft.Insights/dataCollectionRuleAssociations/read",
)
SIGNALS = (Signal.HEARTBEAT,)
NO_WORKSPACE = "no workspace was given (--workspace ID) and none was found"
# A beat a minute and VM: well below the most rows of an answer.
MOST_BEATS = 200_000


def asks(workspace: str, vms: Sequence[VmId], span: Window) -> Iterator[Ask]:
    """Some VMs that write to a workspace together."""
    together = max(1, MOST_BEATS // max(1, (span.end - span.start) // timedelta(minutes=1)))
    for first in range(0, len(vms), together):
        some = vms[first : first + together]
        yield Ask(
            request=_request(workspace, some, span),
            concerns=tuple(vm.key for vm in some),
            signals=SIGNALS,
            items=_items,
            holds="tables",
            # Asked for and silent is another thing than not asked.
            heard=tuple(Sampled(vm=vm, name="Heartbeat", signal=Signal.HEARTBEAT, times=(), values=()) for vm in some),
        )


def search(
    who: kql.Who, subscriptions: Iterable[str], met: Callable[[VmId, str], None], then: Callable[[], Iterable[Ask]]
) -> Ask:
    """The workspaces of the VMs' data collection rules; `met` is told of each."""

    def items(row: Row, ref: str) -> Iterator[Item]:
        del ref
        vm, workspace = VmId.parse(text(row.get("vm"))), text(row.get("workspace"))
        if vm is not None and workspace:
            met(vm, workspace)
        return iter(())

    request = resource_graph.request("the VMs' workspaces", kql.workspaces(who), subscriptions)
    return Ask(request=request, concerns=(), signals=(), items=items, then=then, holds="data")


def trial_workspace(workspace: str, span: Window) -> Request:
    """A query of one workspace."""
    return _request(workspace, (), span)


def trial(subscription: str, vm: VmId | None, span: Window) -> Request | None:
    """One data collection rule's workspace; a workspace itself is tried where one is given."""
    del vm, span
    return resource_graph.request("the VMs' workspaces", f"{kql.workspaces(kql.Who())}\n| take 1", (subscription,))


def _items(row: Row, ref: str) -> Iterator[Item]:
    """A day's beats of a VM."""
    del ref
    vm = vm_itself(resource(row.get("_ResourceId")))
    if vm is None:
        return
    beats = elements(row.get("beats"))
    times = sorted({at for each in beats if (at := parse(each)) is not None})
    ones = (1.0,) * len(times)
    yield Sampled(vm=vm, name="Heartbeat", signal=Signal.HEARTBEAT, times=tuple(times), values=ones)
    if not beats or any(parse(each) is None for each in beats):
        message = "heartbeats without times that can be read"
        raise Malformed(message, vm)


def _request(workspace: str, vms: Sequence[VmId], span: Window) -> Request:
    return Request(
        what=f"heartbeats in workspace {workspace}",
        service="logs",
        path=f"/v1/workspaces/{workspace}/query",
        permission=PERMISSIONS[0],
        body={"query": kql.heartbeats((vm.key for vm in vms), span)},
        host=Host.LOGS,
    )
