"""The agents' heartbeats in Log Analytics, where a workspace is given or found.

Source: "Azure Monitor Logs API: Query", which answers at most 500,000 rows, and the data collection rules of the
Azure Monitor agent.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import chain
from operator import ge

from vmdiag.arm.request import Request
from vmdiag.completeness import MalformedRow, Row
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources import kql
from vmdiag.sources.azure.feed_request import LOGS_PERMISSION, FeedRequest, build_graph_request, build_logs_request
from vmdiag.sources.decoding.fields import find_resource_id, parse_vm_id, to_list, to_text
from vmdiag.sources.decoding.timestamps import parse_time, parse_times
from vmdiag.sources.items import Item, MetricPoints, PackedMetricPoints
from vmdiag.sources.protocol import VmFilter

PERMISSIONS = (
    LOGS_PERMISSION,
    "Microsoft.OperationalInsights/workspaces/query/Heartbeat/read",
    "Microsoft.Insights/dataCollectionRules/read",
    "Microsoft.Insights/dataCollectionRuleAssociations/read",
)
SIGNALS = (Signal.HEARTBEAT,)
NO_WORKSPACE_REASON = "no workspace was given (--workspace ID) and none was found"
# A beat a minute and VM: well below the most rows of an answer, and no more than a few answers at once may hold.
HEARTBEAT_LIMIT = 100_000
# In brief a day takes a thirtieth of that, and at worst as much: then an answer has some 20 MB.
BRIEF_LIMIT = 600_000
# Of an hour in which none is missing the first and the last are told; nobody beats more than ten times a second.
ENDS, SECONDS_IN_AN_HOUR, MOST_IN_AN_HOUR = 2, 3_600, 36_000


def build_feed_requests(
    workspace: str, vms: Sequence[VmId], span: Window, *, in_brief: bool = False
) -> Iterator[FeedRequest]:
    """Some VMs that write to a workspace together: every beat, or in brief what shows where any is missing."""
    limit = BRIEF_LIMIT if in_brief else HEARTBEAT_LIMIT
    batch_size = max(1, limit // max(1, (span.end - span.start) // timedelta(minutes=1)))
    for first in range(0, len(vms), batch_size):
        some = vms[first : first + batch_size]
        write_query = kql.heartbeats_by_hour if in_brief else kql.heartbeats
        query = write_query((vm.key for vm in some), span)
        yield FeedRequest(
            request=build_logs_request("heartbeats", workspace, query),
            scope_ids=tuple(vm.key for vm in some),
            signals=SIGNALS,
            read_items=_read_hours if in_brief else _read_items,
            list_member="tables",
            # Asked for and silent is another thing than not asked.
            items_when_answered=tuple(
                MetricPoints(vm=vm, name="Heartbeat", signal=Signal.HEARTBEAT, times=(), values=()) for vm in some
            ),
        )


def build_workspace_search(
    who: VmFilter,
    subscriptions: Iterable[str],
    add_workspace: Callable[[VmId, str], None],
    build_followups: Callable[[], Iterable[FeedRequest]],
) -> FeedRequest:
    """The workspaces of the VMs' data collection rules; `add_workspace` is told of each."""

    def read_items(row: Row, _: str) -> Iterator[Item]:
        vm, workspace = VmId.parse(to_text(row.get("vm"))), to_text(row.get("workspace"))
        if vm is not None and workspace:
            add_workspace(vm, workspace)
        return iter(())

    request = build_graph_request("the VMs' workspaces", kql.workspaces(who), subscriptions)
    return FeedRequest(request=request, read_items=read_items, build_followups=build_followups, list_member="data")


def build_access_check(subscription: str, _vm: VmId | None, _span: Window) -> Request | None:
    """One data collection rule's workspace; a workspace itself is tried where one is given."""
    return build_graph_request("the VMs' workspaces", f"{kql.workspaces(VmFilter())}\n| take 1", (subscription,))


def _read_items(row: Row, _: str) -> Iterator[Item]:
    """A day's beats of a VM."""
    vm = parse_vm_id(find_resource_id(row.get("_ResourceId")))
    if vm is None:
        return
    beats = to_list(row.get("beats"))
    found = parse_times(beats)
    yield _build_beats(vm, [at.timestamp() for at in found if at is not None])
    if not beats or None in found:
        message = "heartbeats without times that can be read"
        raise MalformedRow(message, vm)


def _read_hours(row: Row, _: str) -> Iterator[Item]:
    """A day's beats of a VM by the hour: how many came, and each of them or the first and the last."""
    vm = parse_vm_id(find_resource_id(row.get("_ResourceId")))
    if vm is None:
        return
    hours = [_spread_beats(hour) for hour in to_list(row.get("hours"))]
    yield _build_beats(vm, chain.from_iterable(hours))
    if not all(hours) or not hours:
        message = "hours of heartbeats that cannot be read"
        raise MalformedRow(message, vm)


def _build_beats(vm: VmId, seconds: Iterable[float]) -> PackedMetricPoints:
    times = array("d", seconds)
    if any(map(ge, times, times[1:])):
        times = array("d", sorted(set(times)))
    ones = array("d", (1.0,)) * len(times)
    return PackedMetricPoints(vm=vm, name="Heartbeat", signal=Signal.HEARTBEAT, times=times, values=ones)


def _spread_beats(hour: object) -> list[float]:
    """The beats of an hour; those between the first and the last evenly; none where the hour cannot be read."""
    match hour:
        case [int(told), [*written]]:
            found = [at.timestamp() for each in written if (at := parse_time(each)) is not None]
            first, last = min(found, default=0.0), max(found, default=0.0)
            if told == len(found) == len(written):
                return found
            if len(found) == len(written) == ENDS < told <= MOST_IN_AN_HOUR and last - first < SECONDS_IN_AN_HOUR:
                step = (last - first) / (told - 1)
                return [first + count * step for count in range(told - 1)] + [last]
        case _:
            pass
    return []


def build_request(workspace: str, vms: Sequence[VmId], span: Window) -> Request:
    """The heartbeats of some VMs, or of all, in a workspace."""
    return build_logs_request("heartbeats", workspace, kql.heartbeats((vm.key for vm in vms), span))
