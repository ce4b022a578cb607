"""What Connection Monitor's tests of a VM found, in the workspaces that its monitors write to.

Sources: "Connection Monitor schemas", "Microsoft.Network networkWatchers/connectionMonitors" (`outputs` name the
workspaces, `endpoints` the VMs, `testGroups` which of these are tested), "Azure Monitor Logs API: Query". That Resource
Graph lists connection monitors among its `resources` is inferred from what it says of itself: all types that Resource
Manager lists. A test that names its destination by an address alone is read from files, where one knows whose the
address was; not here. Where a monitor's destination is a network, its workspace is looked into when --workspace or an
agent names it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from vmdiag.arm.error_translation import AnswerTooLarge
from vmdiag.arm.request import Request
from vmdiag.completeness import Row
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources import kql
from vmdiag.sources.azure.feed_request import LOGS_PERMISSION, FeedRequest, build_graph_request, build_logs_request
from vmdiag.sources.decoding.fields import find_text, iter_objects, parse_vm_id, to_list, to_text
from vmdiag.sources.formats import connection_monitor
from vmdiag.sources.items import Item

PERMISSIONS = (
    LOGS_PERMISSION,
    f"Microsoft.OperationalInsights/workspaces/query/{kql.TEST_TABLE}/read",
    "Microsoft.OperationalInsights/workspaces/read",
    "Microsoft.Network/networkWatchers/connectionMonitors/read",
)
SIGNALS = (Signal.MONITOR,)
WHAT = "the connection monitors"
WORKSPACE_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # it becomes a part of a path


def build_workspace_search(
    add_workspace: Callable[[VmId, str], None], build_followups: Callable[[], Iterable[FeedRequest]]
) -> FeedRequest:
    """The monitors of all subscriptions that can be seen: who looks at a VM is often another team's.

    `add_workspace` is told of each VM that one of them tests, and where its results go.
    """

    def read_items(row: Row, _: str) -> Iterator[Item]:
        workspace = to_text(row.get("workspace")).lower()
        groups = iter_objects(row.get("groups"))
        tested = {to_text(name) for group in groups for name in to_list(group.get("destinations"))} - {""}
        for each in iter_objects(row.get("endpoints")):
            vm = parse_vm_id(find_text(each, "resourceId"))
            if vm is not None and WORKSPACE_ID.fullmatch(workspace) and find_text(each, "name") in tested:
                add_workspace(vm, workspace)
        return iter(())

    request = build_graph_request(WHAT, kql.connection_monitors(), ())
    return FeedRequest(request=request, read_items=read_items, build_followups=build_followups, list_member="data")


def build_feed_request(
    workspace: str,
    vms: Sequence[VmId],
    span: Window,
    add_source: Callable[[VmId], object],
    build_followups: Callable[[], Iterable[FeedRequest]],
) -> FeedRequest:
    """The tests of some VMs in a workspace; `add_source` is told of each VM that they were made from.

    Where that is too much for one answer each half of the VMs is asked for apart.
    """

    def read_items(row: Row, ref: str) -> Iterator[Item]:
        source = parse_vm_id(find_text(row, "SourceResourceId"))
        if source is not None:
            add_source(source)
        yield from connection_monitor.decode_row(row, ref)

    half = len(vms) // 2
    halves = (vms[:half], vms[half:]) if half else ()
    return FeedRequest(
        request=build_logs_request("connection tests", workspace, kql.test_results((vm.key for vm in vms), span)),
        read_items=read_items,
        scope_ids=tuple(vm.key for vm in vms),
        signals=SIGNALS,
        list_member="tables",
        optional_table=kql.TEST_TABLE,
        fallbacks=tuple(build_feed_request(workspace, some, span, add_source, build_followups) for some in halves),
        fallback_errors=(AnswerTooLarge,),
        build_followups=build_followups,
        span=span,
    )


def build_access_check(subscription: str, _vm: VmId | None, _span: Window) -> Request | None:
    """One monitor's workspace; the tests themselves are read as heartbeats are."""
    return build_graph_request(WHAT, f"{kql.connection_monitors()}\n| take 1", (subscription,))
