"""The activity log, a reading a resource group, so that changes of the network around a VM are seen.

Of a subscription with many groups it is read whole, in as many requests as it has pages, and by the group where the
sign-in may not do that.

Source: "REST API: Activity Logs - List". The filter's grammar is closed: a group can be named, no category, no
operation. A start more than 90 days back fails the whole call. `$select` leaves out `claims`, `caller` and the request.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

from vmdiag.arm.request import Request
from vmdiag.completeness import Row
from vmdiag.errors import BadAnswer, NotAllowed
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources.azure.feed_request import FeedRequest, ItemReader, clip_to_retention
from vmdiag.sources.decoding.fields import find_text, parse_scope, parse_subscription
from vmdiag.sources.decoding.log_entry import LOG_INCOMPLETE
from vmdiag.sources.formats import activity_log
from vmdiag.sources.items import FeedCoverage, Item
from vmdiag.values import replace

PERMISSIONS = ("Microsoft.Insights/eventtypes/values/read",)
SIGNALS = (Signal.ACTIVITY,)
# An hour within the 90 days, because the clock of the server decides.
RETENTION = timedelta(days=89, hours=23)
# From so many groups on the pages of the whole log are fewer than theirs (our judgement: no page states a page's size).
GROUPS_LIMIT = 16
# A subscription's log of a day is short: asked for at once it costs less than group by group.
FEW_HOURS, FEW_HOURS_GROUPS_LIMIT = timedelta(hours=36), 3
GROUP_PART = "/resourcegroups/"
SELECTED_FIELDS = (
    "correlationId,eventDataId,eventName,eventTimestamp,level,operationName,properties,resourceGroupName,resourceId,"
    "resourceProviderName,status,subStatus,subscriptionId"
)


def build_feed_requests(
    groups: Iterable[str], span: Window, now: datetime, *, is_part: bool = False
) -> Iterator[FeedRequest]:
    """One for each group, given by its id in lower case, or for the subscription of many of them.

    None for a span that the log has forgotten. `is_part` says that there are other readings, of what lies before it.
    """
    known = clip_to_retention(span, now, RETENTION)
    if known is None:
        return
    limit = FEW_HOURS_GROUPS_LIMIT if known.end - known.start <= FEW_HOURS else GROUPS_LIMIT
    for subscription, found in groupby(sorted(groups), parse_subscription):
        inside = tuple(found)
        each = [replace(_build_feed_request(group, (group,), known), is_part=is_part) for group in inside]
        if subscription is None or len(inside) <= limit:
            yield from each
        else:
            whole = replace(_build_feed_request(subscription, inside, known), is_part=is_part)
            refusals = (BadAnswer, NotAllowed)
            yield replace(whole, read_items=_read_groups(inside), fallbacks=tuple(each), fallback_errors=refusals)


def _build_feed_request(scope: str, groups: tuple[str, ...], span: Window) -> FeedRequest:
    """The log of a group or a subscription on behalf of groups."""
    heard = [FeedCoverage(signal=Signal.ACTIVITY, scope=group) for group in groups]
    heard_in_part = [FeedCoverage(signal=Signal.HEALTH, scope=group, partial=LOG_INCOMPLETE) for group in groups]
    return FeedRequest(
        request=build_request(scope, span),
        scope_ids=groups,
        signals=SIGNALS,
        read_items=activity_log.decode_row,
        items_when_answered=(*heard, *heard_in_part),
        available_since=span.start,
        incomplete_signals=activity_log.SIGNALS,
        get_row_signals=activity_log.identify_signals,
    )


def _read_groups(groups: tuple[str, ...]) -> ItemReader:
    """How the rows of some groups are read; those of others are none of ours."""
    wanted = frozenset(groups)

    def read_row(row: Row, ref: str) -> Iterator[Item]:
        where = parse_scope(find_text(row, "resourceId"))
        is_foreign = where is not None and GROUP_PART in where and where not in wanted
        return iter(()) if is_foreign else activity_log.decode_row(row, ref)

    return read_row


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
