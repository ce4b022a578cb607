"""Resource Graph's query operation: its body, its pages, its refusals; must not know what lies in the tables."""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NoReturn

from tests.arm.call import Answer, ApiCall, Refusal, refuse
from tests.arm.kql import Kind, KqlError, Row, Table, evaluate, parse, to_text
from tests.arm.kql.syntax import Expand, Join, Query
from tests.arm.kusto_tables import QueryError
from tests.arm.routes import graph_tables
from tests.arm.routing import Route
from tests.arm.versions import GRAPH
from tests.arm.world import World
from tests.incidents.wire.plain import Json, JsonObject, format_time

PATH = "/providers/Microsoft.ResourceGraph/resources"
DEFAULT_PAGE = 100
PAGE_LIMIT = 1000
EXPAND_LIMIT = 400
OPERATOR_LIMIT = 3
"""So many joins, and so many `mv-expand`, a query may have."""
_OPTIONS = {"$top", "$skip", "$skipToken", "resultFormat", "allowPartialScopes", "authorizationScopeFilter"}
_TYPES = {Kind.BOOL: "boolean", Kind.DYNAMIC: "object"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _GraphQuery:
    query: str
    subscriptions: frozenset[str]
    top: int
    skip: int
    as_table: bool


def query_resources(world: World, call: ApiCall) -> Answer:
    """A page of what the query gives."""
    if not world.graph:
        message = "No registered resource provider found for 'Microsoft.ResourceGraph' in this cloud."
        refuse(404, "NoRegisteredProviderFound", message)
    asked = _parse_body(call)
    try:
        found = _evaluate_query(world, call, asked)
    except KqlError as error:
        _refuse_query(call, error)
    rows = list(found.rows)
    page = rows[asked.skip : asked.skip + asked.top]
    is_cut = asked.skip + asked.top < len(rows)
    goes_on = is_cut and "id" in found.columns
    body: JsonObject = {
        "totalRecords": len(rows),
        "count": len(page),
        "data": _format_table(found, page) if asked.as_table else [_format_row(row) for row in page],
        "facets": [],
        "resultTruncated": "true" if is_cut and not goes_on else "false",
    }
    if goes_on:
        body["$skipToken"] = _encode_skip_token(asked)
    size = len(json.dumps(body))
    if size > world.graph_bytes:
        # As in reports of it, such as microsoft/ARI issue 199.
        message = (
            f"Response payload size is {size}, and has exceeded the limit of {world.graph_bytes}. Please consider"
            " querying less data at a time and make paginated call if needed."
        )
        _refuse_with_code(call, "ResponsePayloadTooLarge", message)
    return Answer(body=body)


def _evaluate_query(world: World, call: ApiCall, asked: _GraphQuery) -> Table:
    if world.tables is None:
        tree = parse(asked.query)
        _check_operators(tree)
        return evaluate(tree, partial(_find_table, world, call, asked.subscriptions))
    try:
        told = world.tables.run_query(asked.query)
    except QueryError as error:
        raise KqlError(str(error)) from error
    rows = (dict(zip(told.columns, row, strict=True)) for row in told.rows)
    kinds = {name: Kind.DYNAMIC if kind == "dynamic" else Kind.STRING for name, kind in told.columns.items()}
    inside = (row for row in rows if not asked.subscriptions or _lies_in(row, asked.subscriptions))
    return Table(kinds, inside)


def _lies_in(row: Row, subscriptions: frozenset[str]) -> bool:
    return str(row.get("id")).lower().split("/")[2] in subscriptions


def _find_table(world: World, call: ApiCall, subscriptions: frozenset[str], name: str) -> Table | None:
    """In whatever letter case it is named."""
    known = name.lower()
    if known not in graph_tables.NAMES or (known == "maintenanceresources" and not world.maintenance_table):
        return None
    return graph_tables.build_table(known, world, call.now, subscriptions)


def _parse_body(call: ApiCall) -> _GraphQuery:
    body = call.decode_body()
    query, options = body.get("query"), body.get("options") or {}
    subscriptions = body.get("subscriptions") or []
    if not isinstance(query, str) or not query.strip():
        _refuse_with_code(call, "InvalidQuery", "The query must not be empty.")
    if not isinstance(options, dict) or not set(options) <= _OPTIONS:
        _refuse_with_code(call, "InvalidOptions", f"Unknown options: {options}")
    if not isinstance(subscriptions, list) or not all(isinstance(each, str) for each in subscriptions):
        _refuse_with_code(call, "InvalidSubscriptions", "subscriptions must be a list of identifiers.")
    form = options.get("resultFormat", "objectArray")
    if form not in ("objectArray", "table"):
        _refuse_with_code(call, "InvalidOptions", f"Unknown resultFormat: {form}")
    inside = frozenset(str(each).lower() for each in subscriptions)
    top, skip = _parse_number(call, options, "$top", DEFAULT_PAGE), _parse_number(call, options, "$skip", 0)
    if not 1 <= top <= PAGE_LIMIT:
        _refuse_with_code(call, "InvalidOptions", f"$top must lie between 1 and {PAGE_LIMIT}, and is {top}.")
    if "$skipToken" in options:
        top, skip = _decode_skip_token(call, query, options["$skipToken"])
    return _GraphQuery(query=query, subscriptions=inside, top=top, skip=skip, as_table=form == "table")


def _parse_number(call: ApiCall, options: JsonObject, name: str, otherwise: int) -> int:
    found = options.get(name, otherwise)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        _refuse_with_code(call, "InvalidOptions", f"{name} must be a number.")
    return found


def _encode_skip_token(asked: _GraphQuery) -> str:
    """Where the next page begins, and of which query."""
    inner = json.dumps({"query": asked.query, "top": asked.top, "skip": asked.skip + asked.top})
    return base64.b64encode(inner.encode()).decode()


def _decode_skip_token(call: ApiCall, query: str, token: Json) -> tuple[int, int]:
    try:
        inner = json.loads(base64.b64decode(str(token)))
        if inner["query"] == query:
            return int(inner["top"]), int(inner["skip"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        pass
    return _refuse_with_code(call, "InvalidSkipToken", "The $skipToken does not belong to this query.")


def _check_operators(query: Query) -> None:
    operators = list(_list_operators(query))
    for kind, word in ((Join, "join"), (Expand, "mv-expand")):
        if sum(isinstance(each, kind) for each in operators) > OPERATOR_LIMIT:
            message = f"More than {OPERATOR_LIMIT} {word} operators"
            raise KqlError(message, code="DisallowedMaxNumberOfOperators", token=word)
    if any(isinstance(each, Expand) and not 1 <= each.limit <= EXPAND_LIMIT for each in operators):
        message = f"RowLimit must lie between 1 and {EXPAND_LIMIT}"
        raise KqlError(message, code="InvalidQuery")


def _list_operators(query: Query) -> Iterator[Any]:
    for each in query.operators:
        yield each
        if isinstance(each, Join):
            yield from _list_operators(each.right)


def _format_table(found: Table, rows: list[Row]) -> JsonObject:
    return {
        "columns": [{"name": name, "type": _TYPES.get(kind, "string")} for name, kind in found.columns.items()],
        "rows": [[_format_cell(row[name]) for name in found.columns] for row in rows],
    }


def _format_row(row: Row) -> JsonObject:
    return {name: _format_cell(value) for name, value in row.items()}


def _format_cell(value: Any) -> Json:
    cell: Json = to_text(value) if isinstance(value, datetime) else value
    return cell


def _refuse_query(call: ApiCall, error: KqlError) -> NoReturn:
    """As recorded: a general detail first, and then what is wrong where."""
    told: JsonObject = {"code": error.code, "message": str(error), "line": error.line, "token": error.token}
    message = (
        "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error"
        " before retrying."
    )
    _refuse_with_details(call, [{"code": "InvalidQuery", "message": message}, told])


def _refuse_with_code(call: ApiCall, code: str, message: str) -> NoReturn:
    _refuse_with_details(call, [{"code": code, "message": message}])


def _refuse_with_details(call: ApiCall, details: list[Json]) -> NoReturn:
    message = (
        f"Please provide below info when asking for support: timestamp = {format_time(call.now)},"
        f" correlationId = {call.correlation_id}."
    )
    body: JsonObject = {"error": {"code": "BadRequest", "message": message, "details": details}}
    raise Refusal(Answer(status=400, body=body))


ROUTES = (Route(PATH, query_resources, method="POST", versions=GRAPH),)
