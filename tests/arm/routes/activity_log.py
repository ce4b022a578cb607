"""The activity log: its closed filter grammar, projections and pages; must not know what is logged.

The grammar is that of the REST reference, and beyond it only what Azure CLI is known to send.
"""

import random
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NoReturn

from tests.arm.call import Answer, Call, refuse_in_capitals
from tests.arm.journal import Logged
from tests.arm.routes.paging import page_of
from tests.arm.routing import SUBSCRIPTION, Route, check_right
from tests.arm.times import time_of
from tests.arm.versions import ACTIVITY_LOG
from tests.arm.world import World
from tests.incidents.wire import activity_log
from tests.incidents.wire.log_entry import LogEntry
from tests.incidents.wire.plain import JsonObject, group_of, subscription_of

READ = "Microsoft.Insights/eventtypes/values/read"
RETENTION = timedelta(days=90)
SELECTABLE = frozenset(
    (
        *("authorization", "claims", "correlationId", "description", "eventDataId", "eventName", "eventTimestamp"),
        *("httpRequest", "level", "operationId", "operationName", "properties", "resourceGroupName"),
        *("resourceProviderName", "resourceId", "status", "submissionTimestamp", "subStatus", "subscriptionId"),
    )
)
"""The names that the reference lists for `$select`; `category` and `caller` are not among them."""
_CLAUSE = re.compile(r"(?P<name>\w+) (?P<sign>ge|le|eq) (?:'(?P<quoted>(?:[^']|'')*)'|(?P<bare>\S+))", re.IGNORECASE)
_NARROWED: Mapping[str, Callable[[LogEntry], str]] = {
    "resourcegroupname": lambda entry: group_of(entry.resource),
    "resourceuri": lambda entry: entry.resource,
    "resourceid": lambda entry: entry.resource,
    "resourceprovider": lambda entry: entry.provider,
    "correlationid": lambda entry: entry.correlation,
}
"""One of them may narrow the log; Azure CLI writes `resourceId` where the reference says `resourceUri`."""
_BY_THE_CLI: Mapping[str, Callable[[LogEntry], str]] = {
    "caller": lambda entry: entry.caller or "",
    "status": lambda entry: entry.status,
}


def events(world: World, call: Call) -> Answer:
    """The events that the filter asks for, newest first."""
    wanted = _wanted(call)
    inside = call.names["subscription"].lower()
    for name, _, group in _clauses(call.query.get("$filter", "")):
        if name == "resourcegroupname":
            check_right(world, READ, f"/subscriptions/{inside}/resourceGroups/{group}")
    logged = [
        each
        for each in world.journal.shown(call.now)
        if subscription_of(each.entry.resource).lower() == inside and wanted(each.entry)
    ]
    names = _selected(call.query.get("$select"))
    return page_of(call, logged, lambda each: each.entry.data_id, lambda each: _event(world, each, names))


def _event(world: World, logged: Logged, names: frozenset[str]) -> JsonObject:
    entry = logged.entry
    # An event reads the same whenever it is read, however freely Azure chose its letter case.
    event = activity_log.event(random.Random(entry.data_id), entry)  # noqa: S311 - a story, no secret
    event["tenantId"] = world.principal.tenant
    if entry.caller is not None:
        event["claims"] = {"aud": "https://management.core.localhost/", "ipaddr": "198.51.100.7", "name": "Ops"}
        event["httpRequest"] = {
            "clientRequestId": logged.client_request_id,
            "clientIpAddress": "198.51.100.7",
            "method": "POST",
        }
    return {name: value for name, value in event.items() if name in names} if names else event


def _selected(select: str | None) -> frozenset[str]:
    if not select:
        return frozenset()
    names = frozenset(name.strip() for name in select.split(","))
    if not names <= SELECTABLE:
        refuse_in_capitals(400, "BadRequest", f"$select holds unknown names: {', '.join(sorted(names - SELECTABLE))}")
    return names


def _wanted(call: Call) -> Callable[[LogEntry], bool]:
    """What the filter asks for; its first clause is the start, a second may be the end, a third narrows."""
    clauses = _clauses(call.query.get("$filter", ""))
    start, end = _span(clauses, call.now)
    conditions = [_condition(name, sign, value) for name, sign, value in clauses if name != "eventtimestamp"]
    if sum(name in _NARROWED for name, _, _ in clauses) > 1:
        _refuse()
    return lambda entry: start <= entry.at <= end and all(holds(entry) for holds in conditions)


def _clauses(text: str) -> list[tuple[str, str, str]]:
    found = []
    for part in re.split(r" and ", text.strip(), flags=re.IGNORECASE):
        match = _CLAUSE.fullmatch(part.strip())
        if match is None:
            _refuse()
        value = match["bare"] if match["quoted"] is None else match["quoted"].replace("''", "'")
        found.append((match["name"].lower(), match["sign"].lower(), value))
    return found


def _span(clauses: list[tuple[str, str, str]], now: datetime) -> tuple[datetime, datetime]:
    starts = [value for name, sign, value in clauses if name == "eventtimestamp" and sign == "ge"]
    ends = [value for name, sign, value in clauses if name == "eventtimestamp" and sign == "le"]
    if len(starts) != 1 or len(ends) > 1 or any(name == "eventtimestamp" and sign == "eq" for name, sign, _ in clauses):
        _refuse()
    start, end = _time(starts[0]), _time(ends[0]) if ends else now
    if start < now - RETENTION:
        refuse_in_capitals(400, "BadRequest", "The start time cannot be more than 90 days in the past.")
    if end < start:
        refuse_in_capitals(400, "BadRequest", "The start time must be before the end time.")
    return start, end


def _time(text: str) -> datetime:
    return time_of(text) or _refuse()


def _condition(name: str, sign: str, value: str) -> Callable[[LogEntry], bool]:
    reads = _NARROWED.get(name) or _BY_THE_CLI.get(name)
    if name == "eventchannels" and sign == "eq":
        # The API of 2014 demanded it, and clients still send it; every event here has both channels.
        return lambda _: True
    if reads is None or sign != "eq":
        _refuse()
    wanted = value.lower()
    return lambda entry: reads(entry).lower() == wanted


def _refuse() -> NoReturn:
    refuse_in_capitals(400, "BadRequest", "$filter searching parameters invalid.")


ROUTES = (
    Route(
        path=f"{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values",
        does=events,
        action=READ,
        versions=ACTIVITY_LOG,
    ),
)
