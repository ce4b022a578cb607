"""Changes of the VMs' health as Resource Graph keeps them for 14 days, annotations by name.

Source: "Azure Resource Graph sample queries for HealthResources". One question for all VMs. Rows that the sign-in may
not see are left out in silence, so a VM counts as covered only where Resource Graph shows the VM itself.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from vmdiag.arm.request import Request
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources import kql
from vmdiag.sources.azure.feed_request import GRAPH_PERMISSIONS, FeedRequest, build_graph_request
from vmdiag.sources.formats import resource_graph_health_changes
from vmdiag.sources.protocol import VmFilter

PERMISSIONS = GRAPH_PERMISSIONS
RETENTION = timedelta(days=14)


def build_feed_request(who: VmFilter, subscriptions: Iterable[str], span: Window, now: datetime) -> FeedRequest:
    """All of them at once."""
    since = max(span.start, now - RETENTION)
    return FeedRequest(
        request=build_graph_request("health changes", kql.health_changes(who, Window(since, span.end)), subscriptions),
        signals=(Signal.HEALTH,),
        read_items=resource_graph_health_changes.decode_row,
        available_since=since,
        list_member="data",
    )


def build_access_check(subscription: str, _vm: VmId | None, span: Window) -> Request | None:
    """One row, of any VM."""
    query = f"{kql.health_changes(VmFilter(), span)}\n| take 1"
    return build_graph_request("health changes", query, (subscription,))
