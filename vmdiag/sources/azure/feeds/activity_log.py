"""The activity log, a reading a resource group, so that changes of the network around a VM are seen.

Source: "REST API: Activity Logs - List". The filter's grammar is closed: a group can be named, no category, no
operation. A start more than 90 days back fails the whole call. `$select` leaves out `claims`, `caller` and the request.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from vmdiag.arm.request import Request
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources.azure.feed_request import FeedRequest, clip_to_retention
from vmdiag.sources.decoding.log_entry import LOG_INCOMPLETE
from vmdiag.sources.formats import activity_log
from vmdiag.sources.items import FeedCoverage

PERMISSIONS = ("Microsoft.Insights/eventtypes/values/read",)
SIGNALS = (Signal.ACTIVITY,)
# An hour within the 90 days, because the clock of the server decides.
RETENTION = timedelta(days=89, hours=23)
SELECTED_FIELDS = (
    "correlationId,eventDataId,eventName,eventTimestamp,level,operationName,properties,resourceGroupName,resourceId,"
    "resourceProviderName,status,subStatus,subscriptionId"
)


def build_feed_requests(groups: Iterable[str], span: Window, now: datetime) -> Iterator[FeedRequest]:
    """One for each group, given by its id in lower case; none for a span that the log has forgotten."""
    known = clip_to_retention(span, now, RETENTION)
    if known is None:
        return
    for group in groups:
        heard = FeedCoverage(signal=Signal.ACTIVITY, scope=group)
        heard_in_part = FeedCoverage(signal=Signal.HEALTH, scope=group, partial=LOG_INCOMPLETE)
        yield FeedRequest(
            request=build_request(group, known),
            scope_ids=(group,),
            signals=SIGNALS,
            read_items=activity_log.decode_row,
            items_when_answered=(heard, heard_in_part),
            available_since=known.start,
            incomplete_signals=activity_log.SIGNALS,
            get_row_signals=activity_log.identify_signals,
        )


def build_access_check(subscription: str, _vm: VmId | None, span: Window) -> Request | None:
    """The last minutes of the subscription's log."""
    last = Window(max(span.start, span.end - timedelta(minutes=5)), span.end)
    return build_request(f"/subscriptions/{subscription}", last)


def build_request(scope: str, span: Window, *, vm: VmId | None = None, provider: str = "") -> Request:
    """The log of a subscription or group, given by its id, or of a VM alone, then with who asked in which request.

    `provider` narrows a subscription's log to what that resource provider was asked for.
    """
    _, _, subscription, *rest = scope.split("/")
    group = rest[1] if rest else ""
    first, last = f"{span.start:%Y-%m-%dT%H:%M:%SZ}", f"{span.end:%Y-%m-%dT%H:%M:%SZ}"
    within = f"eventTimestamp ge '{first}' and eventTimestamp le '{last}'"
    names = {"resourceUri": str(vm or ""), "resourceProvider": provider, "resourceGroupName": group}
    # Azure allows no quote in a name; a doubled one cannot end the literal whatever stands in an id.
    clauses = (f" and {name} eq '{text.replace(chr(39), chr(39) * 2)}'" for name, text in names.items() if text)
    return Request(
        description=f"activity log of {vm.name if vm else group or subscription}",
        service="activity-log",
        path=f"/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values",
        permission=PERMISSIONS[0],
        params={
            "$filter": f"{within}{next(clauses, '')}",
            "$select": SELECTED_FIELDS if vm is None else f"{SELECTED_FIELDS},httpRequest",
        },
    )
