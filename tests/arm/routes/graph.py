"""Resource Graph's query operation: its body, its pages, its refusals; must not know what lies in the tables."""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NoReturn

from tests.arm.call import Answer, Call, Refused, refuse
from tests.arm.kql import Database, Kind, KqlError, Row, Table, evaluate, parse
from tests.arm.kql.syntax import Expand, Join, Query, Union
from tests.arm.kql.values import text
from tests.arm.routes import graph_tables
from tests.arm.routing import Route
from tests.arm.versions import GRAPH
from tests.arm.world import World
from tests.incidents.wire.plain import Json, JsonObject, stamp

PATH = "/providers/Microsoft.ResourceGraph/resources"
PAGE = 100
LARGEST_PAGE = 1000
MOST_EXPANDED = 400
MOST_OF_A_KIND = 3
"""So many joins, and so many `mv-expand`, a query may have."""
_OPTIONS = {"$top", "$skip", "$skipToken", "resultFormat", "allowPartialScopes", "authorizationScopeFilter"}
_TYPES = {Kind.LONG: "integer", Kind.REAL: "number", Kind.BOOL: "boolean", Kind.DYNAMIC: "object"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    query: str
    subscriptions: frozenset[str]
    top: int
    skip: int
    as_table: bool


def resources(world: World, call: Call) -> Answer:
    """A page of what the query gives."""
    if not world.graph:
        message = "No registered resource provider found for 'Microsoft.ResourceGraph' in this cloud."
        refuse(404, "NoRegisteredProviderFound", message)
    asked = _asked(call)
    try:
        tree = parse(asked.query)
        _check_size(tree)
        _check_limits(tree)
        found = evaluate(tree, _database(world, call, asked.subscriptions))
    except KqlError as error:
        _refuse_query(call, error)
    rows = list(found.rows)
    page = rows[asked.skip : asked.skip + asked.top]
    is_cut = asked.skip + asked.top < len(rows)
    goes_on = is_cut and "id" in found.columns
    body: JsonObject = {
        "totalRecords": len(rows),
        "count": len(page),
        "data": _as_table(found, page) if asked.as_table else [_shown(row) for row in page],
        "facets": [],
        "resultTruncated": "true" if is_cut and not goes_on else "false",
    }
    if goes_on:
        body["$skipToken"] = _token(asked)
    size = len(json.dumps(body))
    if size > world.graph_bytes:
        # As in reports of it, such as microsoft/ARI issue 199.
        message = (
            f"Response payload size is {size}, and has exceeded the limit of {world.graph_bytes}. Please consider"
            " querying less data at a time and make paginated call if needed."
        )
        _refuse(call, "ResponsePayloadTooLarge", message)
    return Answer(body=body)


def _database(world: World, call: Call, subscriptions: frozenset[str]) -> Database:
    tables = {name: partial(graph_tables.table, name, world, call.now, subscriptions) for name in graph_tables.NAMES}
    if not world.maintenance_table:
        del tables["maintenanceresources"]
    return Database(tables=tables, now=call.now, folds=True)


def _asked(call: Call) -> _Asked:
    body = call.json()
    query, options = body.get("query"), body.get("options") or {}
    subscriptions = body.get("subscriptions") or []
    if not isinstance(query, str) or not query.strip():
        _refuse(call, "InvalidQuery", "The query must not be empty.")
    if not isinstance(options, dict) or not set(options) <= _OPTIONS:
        _refuse(call, "InvalidOptions", f"Unknown options: {options}")
    if not isinstance(subscriptions, list) or not all(isinstance(each, str) for each in subscriptions):
        _refuse(call, "InvalidSubscriptions", "subscriptions must be a list of identifiers.")
    form = options.get("resultFormat", "objectArray")
    if form not in ("objectArray", "table"):
        _refuse(call, "InvalidOptions", f"Unknown resultFormat: {form}")
    inside = frozenset(str(each).lower() for each in subscriptions)
    top, skip = _number(call, options, "$top", PAGE), _number(call, options, "$skip", 0)
    if not 1 <= top <= LARGEST_PAGE:
        _refuse(call, "InvalidOptions", f"$top must lie between 1 and {LARGEST_PAGE}, and is {top}.")
    if "$skipToken" in options:
        top, skip = _opened(call, query, options["$skipToken"])
    return _Asked(query=query, subscriptions=inside, top=top, skip=skip, as_table=form == "table")


def _number(call: Call, options: JsonObject, name: str, otherwise: int) -> int:
    found = options.get(name, otherwise)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        _refuse(call, "InvalidOptions", f"{name} must be a number.")
    return found


def _token(asked: _Asked) -> str:
    """Where the next page begins, and of which query."""
    inner = json.dumps({"query": asked.query, "top": asked.top, "skip": asked.skip + asked.top})
    return base64.b64encode(inner.encode()).decode()


def _opened(call: Call, query: str, token: Json) -> tuple[int, int]:
    try:
        inner = json.loads(base64.b64decode(str(token)))
        if inner["query"] == query:
            return int(inner["top"]), int(inner["skip"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        pass
    return _refuse(call, "InvalidSkipToken", "The $skipToken does not belong to this query.")


def _check_size(query: Query) -> None:
    for kind, word in ((Join, "join"), (Expand, "mv-expand")):
        if sum(isinstance(each, kind) for each in _all_operators(query)) > MOST_OF_A_KIND:
            message = f"More than {MOST_OF_A_KIND} {word} operators"
            raise KqlError(message, code="DisallowedMaxNumberOfOperators", token=word)


def _check_limits(query: Query) -> None:
    for each in _all_operators(query):
        if isinstance(each, Expand) and not 1 <= each.limit <= MOST_EXPANDED:
            message = f"RowLimit must lie between 1 and {MOST_EXPANDED}"
            raise KqlError(message, code="InvalidQuery")


def _all_operators(query: Query) -> Iterator[Any]:
    for each in query.operators:
        yield each
        inner = (each.right,) if isinstance(each, Join) else each.others if isinstance(each, Union) else ()
        for other in inner:
            yield from _all_operators(other)


def _as_table(found: Table, rows: list[Row]) -> JsonObject:
    return {
        "columns": [{"name": name, "type": _TYPES.get(kind, "string")} for name, kind in found.columns.items()],
        "rows": [[_cell(row[name]) for name in found.columns] for row in rows],
    }


def _shown(row: Row) -> JsonObject:
    return {name: _cell(value) for name, value in row.items()}


def _cell(value: Any) -> Json:
    cell: Json = text(value) if isinstance(value, datetime | timedelta) else value
    return cell


def _refuse_query(call: Call, error: KqlError) -> NoReturn:
    """As recorded: a general detail first, and then what is wrong where."""
    told: JsonObject = {"code": error.code, "message": str(error), "line": error.line, "token": error.token}
    message = (
        "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error"
        " before retrying."
    )
    _refuse_with(call, [{"code": "InvalidQuery", "message": message}, told])


def _refuse(call: Call, code: str, message: str) -> NoReturn:
    _refuse_with(call, [{"code": code, "message": message}])


def _refuse_with(call: Call, details: list[Json]) -> NoReturn:
    message = (
        f"Please provide below info when asking for support: timestamp = {stamp(call.now)},"
        f" correlationId = {call.correlation}."
    )
    body: JsonObject = {"error": {"code": "BadRequest", "message": message, "details": details}}
    raise Refused(Answer(status=400, body=body))


ROUTES = (Route(path=PATH, does=resources, method="POST", versions=GRAPH),)
