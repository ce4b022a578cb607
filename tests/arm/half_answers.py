"""Answers of 200 that are not whole and say so, or show it, one function each.

Sources: "Log Analytics API: Response format" (`PartialError`), "Azure Resource Graph: Work with large data sets".
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from aiohttp import web

from tests.arm.exchange import Exchange
from tests.arm.fault_behaviours import Behaviour, send_changed
from tests.incidents.wire.plain import Json, JsonObject, format_time

TOO_LARGE = "The results of this query exceed the set limit of 64000000 bytes, so not all records were returned"


async def _send_partial_error(exchange: Exchange, *, lose: int) -> web.StreamResponse:
    """Tables that lack the last `lose` elements of each list in them but one, and the error that says why."""

    def shorten_cell(cell: Json) -> Json:
        if not isinstance(cell, str) or not cell.startswith("["):
            return cell
        elements = json.loads(cell)
        return json.dumps(elements[: max(1, len(elements) - lose)])

    def shorten_tables(body: JsonObject) -> JsonObject:
        tables: list[Json] = []
        for table in _as_objects(body.get("tables")):
            rows = table["rows"]
            kept: list[Json] = [[shorten_cell(cell) for cell in row] for row in _as_lists(rows)]
            tables.append({**table, "rows": kept})
        inner: JsonObject = {"code": "-2133196797", "message": f"{TOO_LARGE} (E_QUERY_RESULT_SET_TOO_LARGE)."}
        detail: JsonObject = {"code": "EngineError", "message": "Something went wrong.", "innererror": inner}
        error: JsonObject = {"code": "PartialError", "message": "There were some errors.", "details": [detail]}
        return {**body, "tables": tables, "error": error}

    return await send_changed(exchange, shorten_tables)


async def _send_error_beside(exchange: Exchange) -> web.StreamResponse:
    """All that there is, and an error beside it."""
    error: JsonObject = {"code": "PartialError", "message": "There were some errors."}
    return await send_changed(exchange, lambda body: {**body, "error": error})


async def _send_short_page(exchange: Exchange, *, keep: int, says: str = "total") -> web.StreamResponse:
    """The first `keep` rows and no word of a next page; the totals stay, or `resultTruncated` tells it (`says`)."""

    def shorten_page(body: JsonObject) -> JsonObject:
        name = "data" if "data" in body else "value"
        rows = _as_list(body.get(name))
        page: JsonObject = {**body, name: rows[:keep]}
        if says == "truncated":
            return {**page, "resultTruncated": "true", "totalRecords": len(rows[:keep])}
        return {**page, "count": len(rows[:keep]), "totalRecords": max(len(rows), keep + 1)}

    return await send_changed(exchange, shorten_page)


async def _send_without_list(exchange: Exchange, *, form: str) -> web.StreamResponse:
    """No list where one belongs: `form` is null, bare, missing, text, or (of Resource Graph's) null data."""
    bodies: dict[str, Json] = {
        "null": {"value": None},
        "bare": [{"value": []}],
        "missing": {"status": "OK"},
        "text": {"value": "see the portal"},
        "null data": {"data": None},
    }
    answer = exchange.compute_answer()
    return await exchange.send_answer(replace(answer, body=bodies[form]))


async def _send_unmeasured(exchange: Exchange, *, since: int, until: int, names: str = ".") -> web.StreamResponse:
    """Metrics without a value from `since` to `until` minutes ago; those that match `names`."""
    first, last = _list_bounds(exchange, since, until)

    def empty_point(metric: JsonObject, point: JsonObject) -> list[Json]:
        at = point["timeStamp"]
        is_struck = re.search(names, json.dumps(metric["name"])) and first <= str(at) <= last
        return [{"timeStamp": at} if is_struck else point]

    return await send_changed(exchange, partial(_change_points, empty_point))


async def _send_shorter_span(exchange: Exchange, *, since: int, until: int) -> web.StreamResponse:
    """Metrics of the span from `since` to `until` minutes ago alone, as the answer says of itself."""
    first, last = _list_bounds(exchange, since, until)

    def keep_point(_: JsonObject, point: JsonObject) -> list[Json]:
        return [point] if first <= str(point["timeStamp"]) <= last else []

    def shorten_span(body: JsonObject) -> JsonObject:
        return {**_change_points(keep_point, body), "timespan": f"{first}/{last}"}

    return await send_changed(exchange, shorten_span)


def _list_bounds(exchange: Exchange, *minutes_ago: int) -> list[str]:
    return [format_time(exchange.service.now - timedelta(minutes=each), 0) for each in minutes_ago]


def _change_points(change: Callable[[JsonObject, JsonObject], list[Json]], body: JsonObject) -> JsonObject:
    """The metrics of an answer, each point replaced by what `change` makes of it and its metric."""
    metrics: list[Json] = []
    for metric in _as_objects(body.get("value")):
        series: list[Json] = [
            {**each, "data": [new for point in _as_objects(each.get("data")) for new in change(metric, point)]}
            for each in _as_objects(metric.get("timeseries"))
        ]
        metrics.append({**metric, "timeseries": series})
    return {**body, "value": metrics}


async def _spoil_frames(exchange: Exchange, *, how: str) -> web.StreamResponse:
    """A cluster's frames: without the last one (`endless`), or with an error among half of the rows (`broken`)."""
    answer = exchange.compute_answer()
    frames = _as_objects(answer.body)
    if how == "endless":
        frames = frames[:-1]
    else:
        message = "Query execution lacks memory resources to complete (80DA0007)"
        broken: JsonObject = {"error": {"code": "LimitsExceeded", "@message": message, "@permanent": False}}
        frames = [
            {**each, "Rows": [*rows[: len(rows) // 2], {"OneApiErrors": [broken]}]}
            if each.get("TableKind") == "PrimaryResult" and (rows := _as_list(each.get("Rows"))) is not None
            else each
            for each in frames
        ]
    return await exchange.send_answer(replace(answer, body=list(frames)))


def _as_list(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else []


def _as_objects(value: Json) -> list[JsonObject]:
    return [each for each in _as_list(value) if isinstance(each, dict)]


def _as_lists(value: Json) -> list[list[Json]]:
    return [list(each) for each in _as_list(value) if isinstance(each, list)]


HALF_ANSWERS: Mapping[str, Behaviour] = {
    "partial_error": _send_partial_error,
    "error_beside": _send_error_beside,
    "short_page": _send_short_page,
    "unmeasured": _send_unmeasured,
    "shorter_span": _send_shorter_span,
    "unlisted": _send_without_list,
    "spoilt_frames": _spoil_frames,
}
