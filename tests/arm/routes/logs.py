"""Log Analytics: queries to the workspace of heartbeats; must not know why a VM fell silent."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NoReturn

from tests.arm.call import Answer, Call, Refused
from tests.arm.kql import Database, Kind, KqlError, Row, Table, evaluate, narrowing, parse
from tests.arm.kql.syntax import Query
from tests.arm.kql.values import text
from tests.arm.routing import Route
from tests.arm.times import duration_of, time_of
from tests.arm.world import World
from tests.incidents.wire import log_analytics
from tests.incidents.wire.plain import Json, JsonObject

QUERY = "Microsoft.OperationalInsights/workspaces/query/read"
RETENTION = timedelta(days=30)
INGESTION = timedelta(seconds=60)
"""So long a heartbeat is on its way; Azure says 20 seconds to 3 minutes."""
COLUMNS = {
    "TimeGenerated": Kind.DATETIME,
    **dict.fromkeys(("Computer", "Category", "OSType", "Version", "SubscriptionId"), Kind.STRING),
    **dict.fromkeys(("ResourceGroup", "Resource", "ResourceId", "VMUUID", "Type", "_ResourceId"), Kind.STRING),
}


def query(world: World, call: Call) -> Answer:
    """The table that the query gives, in the API's form; what lies beyond the cap is cut, and said."""
    if call.names["workspace"].lower() != world.workspace.lower():
        _refuse(call, 404, "WorkspaceNotFoundError", "The workspace could not be found")
    if not all(world.allows(QUERY, f"/subscriptions/{each}") for each in world.subscriptions):
        message = "The provided credentials have insufficient access to perform the requested operation"
        _refuse(call, 403, "InsufficientAccessError", message)
    body = call.json()
    span = _span(call, body.get("timespan"))
    try:
        tree = parse(str(body.get("query") or ""))
        tables = {"Heartbeat": lambda: Table(COLUMNS, _beats(world, tree, span))}
        found = evaluate(tree, Database(tables=tables, now=call.now))
    except KqlError as error:
        _refuse_query(call, error)
    rows = list(itertools.islice(found.rows, world.row_cap + 1))
    answer: JsonObject = {"tables": [_table(found, rows[: world.row_cap])]}
    if len(rows) > world.row_cap:
        answer["error"] = _partial(world.row_cap)
    return Answer(body=answer)


def _beats(world: World, tree: Query, span: tuple[datetime, datetime]) -> Iterator[Row]:
    """The rows that the query can want: no more of millions than those of its times and VMs."""
    first, last = narrowing.times(tree, "TimeGenerated", world.now())
    ids = narrowing.words(tree, "_ResourceId")
    start, end = max(span[0], first or span[0]), min(span[1], last or span[1])
    for vm in world:
        if ids is not None and vm.id.lower() not in ids:
            continue
        constant = {
            **log_analytics.beat(vm.id, end),
            "OSType": "Linux" if vm.machine.linux else "Windows",
            "Version": "1.33.1",
            "SubscriptionId": vm.subscription,
            "ResourceGroup": vm.group,
            "Resource": vm.name,
            "VMUUID": vm.machine.guid,
            "Type": "Heartbeat",
        }
        times = vm.pulse.between(start, end, vm.turns_at(world.now())) if world.allows(QUERY, vm.root) else []
        yield from ({**constant, "TimeGenerated": at} for at in times)


def _span(call: Call, timespan: Json) -> tuple[datetime, datetime]:
    """`from/to`, or a duration back from now; never more than what is kept and has arrived."""
    newest, oldest = call.now - INGESTION, call.now - RETENTION
    if timespan is None:
        return oldest, newest
    start, end = _ends(str(timespan), call.now)
    if start is None or end is None:
        _refuse(call, 400, "BadArgumentError", f"The timespan '{timespan}' is invalid")
    return max(start, oldest), min(end, newest)


def _ends(timespan: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    first, slash, last = timespan.partition("/")
    if not slash:
        back = duration_of(first)
        return (None if back is None else now - back), now
    start, end = time_of(first), time_of(last)
    if start and end is None and (length := duration_of(last)):
        end = start + length
    if end and start is None and (length := duration_of(first)):
        start = end - length
    return start, end


def _table(found: Table, rows: list[Row]) -> JsonObject:
    return {
        "name": "PrimaryResult",
        "columns": [{"name": name, "type": str(kind)} for name, kind in found.columns.items()],
        "rows": [[_cell(row[name]) for name in found.columns] for row in rows],
    }


def _cell(value: Any) -> Json:
    """Dynamic values come as JSON text."""
    cell: Json = text(value) if isinstance(value, datetime | timedelta | dict | list) else value
    return cell


def _partial(cap: int) -> JsonObject:
    message = f"The results of this query exceed the set limit of {cap} records, so not all records were returned"
    inner: JsonObject = {
        "code": "-2133196797",
        "message": f"{message} (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003).",
        "severity": 2,
        "severityName": "Error",
    }
    detail: JsonObject = {
        "code": "EngineError",
        "message": "Something went wrong processing your query on the server.",
        "innererror": inner,
    }
    return {
        "code": "PartialError",
        "message": "There were some errors when processing your query.",
        "details": [detail],
    }


def _refuse_query(call: Call, error: KqlError) -> NoReturn:
    is_syntax = error.code == "ParserFailure"
    inner: JsonObject = {
        "code": "SyntaxError" if is_syntax else "SemanticError",
        "message": f"A {'syntax' if is_syntax else 'semantic'} error has been identified in the query: {error}",
    }
    _refuse(call, 400, "BadArgumentError", "The request had some invalid properties", inner)


def _refuse(call: Call, status: int, code: str, message: str, inner: JsonObject | None = None) -> NoReturn:
    error: JsonObject = {"message": message, "code": code, "correlationId": call.correlation}
    if inner:
        error["innererror"] = inner
    raise Refused(Answer(status=status, body={"error": error}))


ROUTES = (Route(path="/v1/workspaces/{workspace}/query", does=query, method="POST", audience="logs"),)
