"""Service incidents of a subscription's regions.

Source: "REST API: Events - List By Subscription Id". A year is kept. `queryStartTime` looks at the last update, so an
incident that began earlier and goes on is among them.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from vmdiag.arm.request import Request
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources.azure.feed_request import FeedRequest
from vmdiag.sources.formats import service_events
from vmdiag.sources.items import FeedCoverage

PERMISSIONS = ("Microsoft.ResourceHealth/events/read",)
SIGNALS = (Signal.SERVICE,)
RETENTION = timedelta(days=365)


def build_feed_requests(subscriptions: Iterable[str], span: Window, now: datetime) -> Iterator[FeedRequest]:
    """One for each subscription, given by its id in lower case."""
    for scope in subscriptions:
        yield FeedRequest(
            request=build_request(scope.rpartition("/")[2], span),
            scope_ids=(scope,),
            signals=SIGNALS,
            read_items=service_events.decode_row,
            items_when_answered=(FeedCoverage(signal=Signal.SERVICE, scope=scope),),
            available_since=max(span.start, now - RETENTION),
        )


def build_access_check(subscription: str, _vm: VmId | None, span: Window) -> Request | None:
    """The incidents of a day."""
    return build_request(subscription, span)


def build_request(subscription: str, span: Window) -> Request:
    """The events of a subscription that were updated within a span."""
    day = span.start - timedelta(days=1)
    return Request(
        description=f"service events of {subscription}",
        service="events",
        path=f"/subscriptions/{subscription}/providers/Microsoft.ResourceHealth/events",
        permission=PERMISSIONS[0],
        # The reference shows the date as Americans write it.
        params={"queryStartTime": f"{day.month}/{day.day}/{day.year}"},
    )
