"""The activity log: its closed filter grammar, projections and pages; must not know what is logged.

The grammar is that of the REST reference, as far as vmdiag uses it; Azure CLI, a peer of benchmarks, writes its times
without quotes.
"""

import random
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NoReturn

from tests.arm.call import Answer, ApiCall, refuse_in_capitals
from tests.arm.journal import LogRecord
from tests.arm.routes.paging import build_page
from tests.arm.routing import SUBSCRIPTION, Route, check_right
from tests.arm.times import parse_time
from tests.arm.versions import ACTIVITY_LOG
from tests.arm.world import World
from tests.incidents.wire import activity_log
from tests.incidents.wire.log_entry import LogEntry
from tests.incidents.wire.plain import JsonObject, get_group_name

READ_ACTION = "Microsoft.Insights/eventtypes/values/read"
RETENTION = timedelta(days=90)
SELECTABLE_FIELDS = frozenset(
    (
        *("authorization", "claims", "correlationId", "description", "eventDataId", "eventName", "eventTimestamp"),
        *("httpRequest", "level", "operationId", "operationName", "properties", "resourceGroupName"),
        *("resourceProviderName", "resourceId", "status", "submissionTimestamp", "subStatus", "subscriptionId"),
    )
)
"""The names that the reference lists for `$select`; `category` and `caller` are not among them."""
_CLAUSE = re.compile(r"(?P<name>\w+) (?P<sign>ge|le|eq) (?:'(?P<quoted>(?:[^']|'')*)'|(?P<bare>\S+))", re.IGNORECASE)
_FILTER_FIELDS: Mapping[str, Callable[[LogEntry], str]] = {
    "resourcegroupname": lambda entry: get_group_name(entry.resource),
    "resourceuri": lambda entry: entry.resource,
    "resourceprovider": lambda entry: entry.provider,
}
"""One of them may narrow the log."""


def list_events(world: World, call: ApiCall) -> Answer:
    """The events that the filter asks for, newest first."""
    wanted = _build_filter(call)
    inside = call.path_names["subscription"].lower()
    for name, _, group in _parse_clauses(call.query.get("$filter", "")):
        if name == "resourcegroupname":
            check_right(world, READ_ACTION, f"/subscriptions/{inside}/resourceGroups/{group}")
    logged = [each for each in world.activity_log.list_visible(call.now, inside) if wanted(each.entry)]
    names = _parse_select(call.query.get("$select"))
    return build_page(call, logged, lambda each: each.entry.data_id, lambda each: _describe_event(world, each, names))


def _describe_event(world: World, logged: LogRecord, names: frozenset[str]) -> JsonObject:
    entry = logged.entry
    # An event reads the same whenever it is read, however freely Azure chose its letter case.
    event = activity_log.build_event(random.Random(entry.data_id), entry)  # noqa: S311 - a story, no secret
    event["tenantId"] = world.principal.tenant
    if entry.caller is not None:
        event["claims"] = {"aud": "https://management.core.localhost/", "ipaddr": "198.51.100.7", "name": "Ops"}
        event["httpRequest"] = {
            "clientRequestId": logged.client_request_id,
            "clientIpAddress": "198.51.100.7",
            "method": "POST",
        }
    return {name: value for name, value in event.items() if name in names} if names else event


def _parse_select(select: str | None) -> frozenset[str]:
    if not select:
        return frozenset()
    names = frozenset(name.strip() for name in select.split(","))
    if not names <= SELECTABLE_FIELDS:
        refuse_in_capitals(
            400, "BadRequest", f"$select holds unknown names: {', '.join(sorted(names - SELECTABLE_FIELDS))}"
        )
    return names


def _build_filter(call: ApiCall) -> Callable[[LogEntry], bool]:
    """What the filter asks for; its first clause is the start, a second may be the end, a third narrows."""
    clauses = _parse_clauses(call.query.get("$filter", ""))
    start, end = _parse_span(clauses, call.now)
    conditions = [_build_condition(name, sign, value) for name, sign, value in clauses if name != "eventtimestamp"]
    if len(conditions) > 1:
        _refuse_filter()
    return lambda entry: start <= entry.at <= end and all(holds(entry) for holds in conditions)


def _parse_clauses(text: str) -> list[tuple[str, str, str]]:
    found = []
    for part in re.split(r" and ", text.strip(), flags=re.IGNORECASE):
        match = _CLAUSE.fullmatch(part.strip())
        if match is None:
            _refuse_filter()
        value = match["bare"] if match["quoted"] is None else match["quoted"].replace("''", "'")
        found.append((match["name"].lower(), match["sign"].lower(), value))
    return found


def _parse_span(clauses: list[tuple[str, str, str]], now: datetime) -> tuple[datetime, datetime]:
    starts = [value for name, sign, value in clauses if name == "eventtimestamp" and sign == "ge"]
    ends = [value for name, sign, value in clauses if name == "eventtimestamp" and sign == "le"]
    if len(starts) != 1 or len(ends) > 1 or any(name == "eventtimestamp" and sign == "eq" for name, sign, _ in clauses):
        _refuse_filter()
    start, end = _require_time(starts[0]), _require_time(ends[0]) if ends else now
    if start < now - RETENTION:
        refuse_in_capitals(400, "BadRequest", "The start time cannot be more than 90 days in the past.")
    if end < start:
        refuse_in_capitals(400, "BadRequest", "The start time must be before the end time.")
    return start, end


def _require_time(text: str) -> datetime:
    return parse_time(text) or _refuse_filter()


def _build_condition(name: str, sign: str, value: str) -> Callable[[LogEntry], bool]:
    reads = _FILTER_FIELDS.get(name)
    if reads is None or sign != "eq":
        _refuse_filter()
    wanted = value.lower()
    return lambda entry: reads(entry).lower() == wanted


def _refuse_filter() -> NoReturn:
    refuse_in_capitals(400, "BadRequest", "$filter searching parameters invalid.")


ROUTES = (
    Route(
        f"{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values",
        list_events,
        READ_ACTION,
        ACTIVITY_LOG,
    ),
)
