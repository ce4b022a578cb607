"""Resource Health's history of a VM, its current status with it; must not judge a state.

Source: "REST API: Availability Statuses - List". The portal shows 30 days of it; how far the API reaches is not stated.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from vmdiag.arm.request import Request
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources.azure.feed_request import Ask, without_covers
from vmdiag.sources.formats import resource_health
from vmdiag.sources.items import Covers

PERMISSIONS = ("Microsoft.ResourceHealth/availabilityStatuses/read",)
SIGNALS = (Signal.HEALTH,)
REACH = timedelta(days=30)


def asks(vms: Iterable[VmId], span: Window, now: datetime) -> Iterator[Ask]:
    """One for each VM."""
    for vm in vms:
        yield Ask(
            request=_request(vm),
            concerns=(vm.key,),
            signals=SIGNALS,
            items=without_covers(resource_health.items),
            heard=(Covers(signal=Signal.HEALTH, scope=vm.key),),
            since=max(span.start, now - REACH),
        )


def trial(subscription: str, vm: VmId | None, span: Window) -> Request | None:
    """The history of one VM."""
    del subscription, span
    return None if vm is None else _request(vm)


def _request(vm: VmId) -> Request:
    return Request(
        what=f"health history of {vm.name}",
        service="health",
        path=f"{vm}/providers/Microsoft.ResourceHealth/availabilityStatuses",
        permission=PERMISSIONS[0],
    )
