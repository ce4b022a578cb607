"""One reading of one feed as a value: what to ask, whom it concerns, how its rows are read."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol

from vmdiag.arm.request import Endpoint, Request
from vmdiag.completeness import Row
from vmdiag.errors import BadAnswer, SourceError
from vmdiag.identity import VmId
from vmdiag.model import Signal, Window
from vmdiag.sources.decoding.envelopes import unpack_document
from vmdiag.sources.items import Item
from vmdiag.values import Struct

ItemReader = Callable[[Any, str], Iterator[Item]]

GRAPH_PERMISSIONS = ("Microsoft.ResourceGraph/resources/read",)
GRAPH_PAGE_SIZE = 1_000
LOGS_PERMISSION = "Microsoft.OperationalInsights/workspaces/query/read"
# A window that ended longer ago than this is history: a state of now is no part of it.
PRESENT_TOLERANCE = timedelta(minutes=5)


class FeedRequest(Struct, frozen=True, kw_only=True, eq=False):
    """A request on behalf of VMs.

    `unpack_rows` are what an answer holds, `read_items` what each says. `scope_ids` are the ids, in lower case, of the
    VMs, groups or subscriptions whose `signals` are not heard where it fails; `items_when_answered` is true once all of
    it was read; `available_since` is the earliest instant that the feed still knows. `fallbacks` is asked where the
    whole ends with one of `fallback_errors` (Azure does not understand it), `build_followups` once it was answered.
    `list_member` is the member under which an answer must have its list, empty where it is one resource.
    `incomplete_signals` are the signals of which something is missing where an answer is not whole, by default
    `signals`; `get_row_signals` those of a single row. `span` is what is not heard where it fails, by default all.
    `is_part` says that it is one of several readings of the same, each of a span: none makes up for another's lack.
    Where `optional_table` is not there, or nothing at all is, nothing was ever written to it: a whole answer.
    """

    request: Request
    read_items: ItemReader
    scope_ids: tuple[str, ...] = ()
    signals: tuple[Signal, ...] = ()
    items_when_answered: tuple[Item, ...] = ()
    available_since: datetime | None = None
    fallbacks: tuple["FeedRequest", ...] = ()
    fallback_errors: tuple[type[SourceError], ...] = (BadAnswer,)
    build_followups: Callable[[], Iterable["FeedRequest"]] = tuple
    unpack_rows: Callable[[object], Iterable[object]] = unpack_document
    list_member: str = "value"
    incomplete_signals: tuple[Signal, ...] = ()
    get_row_signals: Callable[[Row], tuple[Signal, ...]] | None = None
    span: Window | None = None
    is_part: bool = False
    optional_table: str = ""


class Feed(Protocol):
    """A module of this folder: one feed of Azure's."""

    PERMISSIONS: tuple[str, ...]  # what a role must allow, in Azure's words

    def build_access_check(self, subscription: str, vm: VmId | None, span: Window) -> Request | None:
        """A cheap real read that shows whether the feed may be read; `None` where that takes a VM and there is none."""
        ...


def build_graph_request(what: str, query: str, subscriptions: Iterable[str]) -> Request:
    """A Resource Graph query over some subscriptions, or without any over all that the sign-in can see."""
    body: dict[str, object] = {"query": query, "options": {"$top": GRAPH_PAGE_SIZE, "resultFormat": "objectArray"}}
    named = sorted(subscriptions)
    if named:
        body["subscriptions"] = named
    return Request(
        description=f"Resource Graph: {what}",
        service="graph",
        path="/providers/Microsoft.ResourceGraph/resources",
        permission=GRAPH_PERMISSIONS[0],
        body=body,
    )


def build_logs_request(what: str, workspace: str, query: str) -> Request:
    """A query of a workspace of Log Analytics."""
    return Request(
        description=f"{what} in workspace {workspace}",
        service="logs",
        path=f"/v1/workspaces/{workspace}/query",
        permission=LOGS_PERMISSION,
        body={"query": query},
        endpoint=Endpoint.LOGS,
    )


def get_group_id(vm: VmId) -> str:
    """The id of a VM's resource group, in lower case."""
    return f"/subscriptions/{vm.subscription}/resourcegroups/{vm.resource_group}".lower()


def get_subscription_id(vm: VmId) -> str:
    """The id of a VM's subscription, in lower case."""
    return f"/subscriptions/{vm.subscription}".lower()


def clip_to_retention(span: Window, now: datetime, retention: timedelta) -> Window | None:
    """What a feed that forgets after a while still knows of a span; `None` where it has forgotten all of it."""
    since = max(span.start, now - retention)
    return Window(since, span.end) if since < span.end else None
