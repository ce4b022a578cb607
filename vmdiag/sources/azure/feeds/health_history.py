"""Resource Health's history of a VM, its current status with it.

Source: "REST API: Availability Statuses - List". The portal shows 30 days of it; how far the API reaches is not stated.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from vmdiag.arm.request import Request
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources.azure.feed_request import FeedRequest
from vmdiag.sources.formats import resource_health
from vmdiag.sources.items import FeedCoverage

PERMISSIONS = ("Microsoft.ResourceHealth/availabilityStatuses/read",)
SIGNALS = (Signal.HEALTH,)
RETENTION = timedelta(days=30)


def build_feed_requests(vms: Iterable[VmId], span: Window, now: datetime) -> Iterator[FeedRequest]:
    """One for each VM."""
    for vm in vms:
        yield FeedRequest(
            request=_build_request(vm),
            scope_ids=(vm.key,),
            signals=SIGNALS,
            read_items=resource_health.decode_row,
            items_when_answered=(FeedCoverage(signal=Signal.HEALTH, scope=vm.key),),
            available_since=max(span.start, now - RETENTION),
        )


def build_access_check(_subscription: str, vm: VmId | None, _span: Window) -> Request | None:
    """The history of one VM."""
    return None if vm is None else _build_request(vm)


def _build_request(vm: VmId) -> Request:
    return Request(
        description=f"health history of {vm.name}",
        service="health",
        path=f"{vm}/providers/Microsoft.ResourceHealth/availabilityStatuses",
        permission=PERMISSIONS[0],
    )
