"""Service incidents of a subscription's regions; must not know which VMs they hit.

Source: "REST API: Events - List By Subscription Id". A year is kept. `queryStartTime` looks at the last update, so an
incident that began earlier and goes on is among them.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from vmdiag.arm.request import Request
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources.azure.feed_request import Ask, without_covers
from vmdiag.sources.formats import service_events
from vmdiag.sources.items import Covers

PERMISSIONS = ("Microsoft.ResourceHealth/events/read",)
SIGNALS = (Signal.SERVICE,)
REACH = timedelta(days=365)


def asks(subscriptions: Iterable[str], span: Window, now: datetime) -> Iterator[Ask]:
    """One for each subscription, given by its id in lower case."""
    for scope in subscriptions:
        yield Ask(
            request=request(scope.rpartition("/")[2], span),
            concerns=(scope,),
            signals=SIGNALS,
            items=without_covers(service_events.items),
            heard=(Covers(signal=Signal.SERVICE, scope=scope),),
            since=max(span.start, now - REACH),
        )


def trial(subscription: str, vm: VmId | None, span: Window) -> Request | None:
    """The incidents of a day."""
    del vm
    return request(subscription, span)


def request(subscription: str, span: Window) -> Request:
    """The events of a subscription that were updated within a span."""
    day = span.start - timedelta(days=1)
    return Request(
        what=f"service events of {subscription}",
        service="events",
        path=f"/subscriptions/{subscription}/providers/Microsoft.ResourceHealth/events",
        permission=PERMISSIONS[0],
        # The reference shows the date as Americans write it.
        params={"queryStartTime": f"{day.month}/{day.day}/{day.year}"},
    )
