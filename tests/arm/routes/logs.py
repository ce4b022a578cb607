"""Log Analytics: queries to the workspaces of heartbeats and of tests; must not know why a VM fell silent."""

import itertools
import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NoReturn

from tests.arm.call import Answer, ApiCall, Refusal
from tests.arm.kql import Kind, KqlError, Row, Table, evaluate, parse, to_text
from tests.arm.kql.syntax import Among, Binary, Expression, Literal, Name, Query, Where
from tests.arm.kusto_tables import KustoTables, QueryError
from tests.arm.routing import Route
from tests.arm.times import parse_duration, parse_time
from tests.arm.world import World
from tests.incidents.wire import log_analytics
from tests.incidents.wire.plain import Json, JsonObject

QUERY_ACTION = "Microsoft.OperationalInsights/workspaces/query/read"
RETENTION = timedelta(days=30)
INGESTION_DELAY = timedelta(seconds=60)
"""So long a heartbeat is on its way; Azure says 20 seconds to 3 minutes."""
COLUMNS = {
    "TimeGenerated": Kind.DATETIME,
    **dict.fromkeys(("Computer", "Category", "OSType", "Version", "SubscriptionId"), Kind.STRING),
    **dict.fromkeys(("ResourceGroup", "Resource", "ResourceId", "VMUUID", "Type", "_ResourceId"), Kind.STRING),
}
TESTS = "NWConnectionMonitorTestResult"
TEST_COLUMNS = {
    "TimeGenerated": Kind.DATETIME,
    **dict.fromkeys(("TestGroupName", "TestConfigurationName", "Protocol", "TestResult", "Type"), Kind.STRING),
    **dict.fromkeys((f"Source{each}" for each in ("Type", "ResourceId", "Name", "Address", "IP")), Kind.STRING),
    **dict.fromkeys((f"Destination{each}" for each in ("Type", "ResourceId", "Address", "IP")), Kind.STRING),
    **dict.fromkeys(("DestinationPort", "ChecksTotal", "ChecksFailed", "ChecksFailedPercentThreshold"), Kind.INT),
}
"""As "Azure Monitor Logs reference: NWConnectionMonitorTestResult" has them (2024-02-18), without those of times."""


def query_workspace(world: World, call: ApiCall) -> Answer:
    """The table that the query gives, in the API's form; what lies beyond the cap is cut, and said."""
    workspace = call.path_names["workspace"].lower()
    if workspace not in (world.workspace.lower(), world.test_workspace.lower() if world.tests else ""):
        _refuse_request(call, 404, "WorkspaceNotFoundError", "The workspace could not be found")
    if not all(world.allows_action(QUERY_ACTION, f"/subscriptions/{each}") for each in world.subscriptions):
        message = "The provided credentials have insufficient access to perform the requested operation"
        _refuse_request(call, 403, "InsufficientAccessError", message)
    body = call.decode_body()
    span = _parse_span(call, body.get("timespan"))
    if world.tables is not None:
        return _query_tables(world, world.tables, call, str(body.get("query") or ""))
    try:
        tree = parse(str(body.get("query") or ""))
        tables = {"Heartbeat": Table(COLUMNS, _list_heartbeats(world, tree, span))}
        if workspace == world.test_workspace.lower():
            tables = {TESTS: Table(TEST_COLUMNS, _list_tests(world, span))}
        found = evaluate(tree, tables.get)
    except KqlError as error:
        _refuse_query(call, error)
    rows = list(itertools.islice(found.rows, world.row_cap + 1))
    answer: JsonObject = {"tables": [_format_table(found, rows[: world.row_cap])]}
    if len(rows) > world.row_cap:
        answer["error"] = _build_partial_error(world.row_cap)
    return Answer(body=answer)


def _query_tables(world: World, tables: KustoTables, call: ApiCall, query: str) -> Answer:
    """The same of tables that are there as such: dynamic values are texts in the answer."""
    try:
        found = tables.run_query(query)
    except QueryError as error:
        _refuse_query(call, KqlError(str(error)))
    dynamic = [kind == "dynamic" for kind in found.columns.values()]
    rows: list[Json] = [
        [json.dumps(cell) if is_text and cell is not None else cell for cell, is_text in zip(row, dynamic, strict=True)]
        for row in found.rows[: world.row_cap]
    ]
    columns: list[Json] = [{"name": name, "type": kind} for name, kind in found.columns.items()]
    answer: JsonObject = {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}
    if len(found.rows) > world.row_cap:
        answer["error"] = _build_partial_error(world.row_cap)
    return Answer(body=answer)


def _list_heartbeats(world: World, tree: Query, span: tuple[datetime, datetime]) -> Iterator[Row]:
    """The rows that the query can want: no more of millions than those of its times and VMs."""
    (start, end), ids = span, {vm.id.lower() for vm in world}
    for condition in _list_conditions(tree):
        match condition:
            case Binary(">=", Name("TimeGenerated"), Literal(datetime() as bound)):
                start = max(start, bound)
            case Binary("<=", Name("TimeGenerated"), Literal(datetime() as bound)):
                end = min(end, bound)
            case Among(Name("_ResourceId"), choices):
                ids &= {choice.lower() for choice in choices}
            case _:
                pass
    for vm in world:
        if vm.id.lower() not in ids:
            continue
        constant = {
            **log_analytics.build_heartbeat(vm.id, end),
            "OSType": "Linux" if vm.machine.linux else "Windows",
            "Version": "1.33.1",
            "SubscriptionId": vm.subscription,
            "ResourceGroup": vm.group,
            "Resource": vm.name,
            "VMUUID": vm.machine.guid,
            "Type": "Heartbeat",
        }
        times = (
            vm.heartbeats.generate_heartbeats(start, end, vm.list_state_changes(world.now()))
            if world.allows_action(QUERY_ACTION, vm.group_id)
            else []
        )
        yield from ({**constant, "TimeGenerated": at} for at in times)


def _list_tests(world: World, span: tuple[datetime, datetime]) -> Iterator[Row]:
    """The tests of the last five hours; a row stays the same whenever it is asked for."""
    empty: Row = {name: "" if kind is Kind.STRING else None for name, kind in TEST_COLUMNS.items()}
    for each in world.tests:
        chance = random.Random(f"tests/{each.source}/{each.vm}")  # noqa: S311 - a story, no secret
        since = world.started_at - timedelta(hours=5)
        for row in log_analytics.build_test_rows(chance, [each], since, span[1]):
            at = parse_time(str(row["TimeGenerated"]))
            if at is not None and at >= span[0]:
                yield {**empty, **row, "TimeGenerated": at}


def _list_conditions(tree: Query) -> Iterator[Expression]:
    """All that must hold of a row before anything else is done with it."""
    first = itertools.takewhile(lambda each: isinstance(each, Where), tree.operators)
    waiting: list[Expression] = [each.condition for each in first if isinstance(each, Where)]
    while waiting:
        match waiting.pop():
            case Binary("and", left, right):
                waiting += [left, right]
            case condition:
                yield condition


def _parse_span(call: ApiCall, timespan: Json) -> tuple[datetime, datetime]:
    """`from/to`, or a duration back from now; never more than what is kept and has arrived."""
    newest, oldest = call.now - INGESTION_DELAY, call.now - RETENTION
    if timespan is None:
        return oldest, newest
    start, end = _parse_ends(str(timespan), call.now)
    if start is None or end is None:
        _refuse_request(call, 400, "BadArgumentError", f"The timespan '{timespan}' is invalid")
    return max(start, oldest), min(end, newest)


def _parse_ends(timespan: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    first, slash, last = timespan.partition("/")
    if not slash:
        back = parse_duration(first)
        return (None if back is None else now - back), now
    start, end = parse_time(first), parse_time(last)
    if start and end is None and (length := parse_duration(last)):
        end = start + length
    if end and start is None and (length := parse_duration(first)):
        start = end - length
    return start, end


def _format_table(found: Table, rows: list[Row]) -> JsonObject:
    return {
        "name": "PrimaryResult",
        "columns": [{"name": name, "type": str(kind)} for name, kind in found.columns.items()],
        "rows": [[_format_cell(row[name]) for name in found.columns] for row in rows],
    }


def _format_cell(value: Any) -> Json:
    """Dynamic values come as JSON text."""
    cell: Json = to_text(value) if isinstance(value, datetime | dict | list) else value
    return cell


def _build_partial_error(cap: int) -> JsonObject:
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


def _refuse_query(call: ApiCall, error: KqlError) -> NoReturn:
    is_syntax = error.code == "ParserFailure"
    # The words of an unknown table are those of reports of it, such as microsoft/finops-toolkit issue 1776.
    inner: JsonObject = {
        "code": "SyntaxError" if is_syntax else "SemanticError",
        "message": f"A {'syntax' if is_syntax else 'semantic'} error occurred.",
        "innererror": {"code": "SYN0002" if is_syntax else "SEM0100", "message": f"'where' operator: {error}"},
    }
    _refuse_request(call, 400, "BadArgumentError", "The request had some invalid properties", inner)


def _refuse_request(call: ApiCall, status: int, code: str, message: str, inner: JsonObject | None = None) -> NoReturn:
    error: JsonObject = {"message": message, "code": code, "correlationId": call.correlation_id}
    if inner:
        error["innererror"] = inner
    raise Refusal(Answer(status=status, body={"error": error}))


ROUTES = (Route("/v1/workspaces/{workspace}/query", query_workspace, method="POST", audience="logs"),)
