"""Answers of 200 that are not whole and say so, or show it, one function each; must not know which requests are struck.

Sources: "Log Analytics API: Response format" (`PartialError`), "Azure Resource Graph: Work with large data sets".
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from aiohttp import web

from tests.arm.exchange import Exchange
from tests.arm.fault_behaviours import FaultKind
from tests.incidents.wire.plain import Json, JsonObject, format_time

TOO_LARGE = "The results of this query exceed the set limit of 64000000 bytes, so not all records were returned"


async def _send_partial_error(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """Tables that lack the last `lose` elements of each list in them but one, and the error that says why."""

    def shorten_cell(cell: Json) -> Json:
        if not isinstance(cell, str) or not cell.startswith("["):
            return cell
        elements = json.loads(cell)
        return json.dumps(elements[: max(1, len(elements) - settings["lose"])])

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

    return await _send_changed(exchange, shorten_tables)


async def _send_error_beside(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """All that there is, and an error beside it."""
    del settings
    error: JsonObject = {"code": "PartialError", "message": "There were some errors."}
    return await _send_changed(exchange, lambda body: {**body, "error": error})


async def _send_short_page(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The first `keep` rows and no word of a next page; the totals stay, or `resultTruncated` tells it (`says`)."""

    def shorten_page(body: JsonObject) -> JsonObject:
        name = "data" if "data" in body else "value"
        rows = _as_list(body.get(name))
        kept: JsonObject = {**body, name: rows[: settings["keep"]]}
        if settings.get("says", "total") == "truncated":
            return {**kept, "resultTruncated": "true", "totalRecords": len(rows[: settings["keep"]])}
        return {**kept, "count": len(rows[: settings["keep"]]), "totalRecords": max(len(rows), settings["keep"] + 1)}

    return await _send_changed(exchange, shorten_page)


async def _send_without_list(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """No list where one belongs: `form` is null, bare, missing, text, or (of Resource Graph's) null data."""
    bodies: dict[str, Json] = {
        "null": {"value": None},
        "bare": [{"value": []}],
        "missing": {"status": "OK"},
        "text": {"value": "see the portal"},
        "null data": {"data": None},
    }
    answer = exchange.compute_answer()
    return await exchange.send_answer(replace(answer, body=bodies[settings["form"]]))


async def _unmeasured(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """Metrics without a value from `since` to `until` minutes ago; those that match `names`."""
    now, names = exchange.service.now, re.compile(settings.get("names", "."))
    first, last = (format_time(now - timedelta(minutes=settings[word]), 0) for word in ("since", "until"))

    def thinned(body: JsonObject) -> JsonObject:
        return {**body, "value": [_emptied(each, names, first, last) for each in _as_objects(body.get("value"))]}

    return await _send_changed(exchange, thinned)


def _emptied(metric: JsonObject, names: re.Pattern[str], first: str, last: str) -> JsonObject:
    if not names.search(json.dumps(metric["name"])):
        return metric
    series: list[Json] = []
    for each in _as_objects(metric.get("timeseries")):
        points: list[Json] = []
        for point in _as_objects(each.get("data")):
            at = point["timeStamp"]
            points.append({"timeStamp": at} if first <= str(at) <= last else point)
        series.append({**each, "data": points})
    return {**metric, "timeseries": series}


async def _shorter_span(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """Metrics of the span from `since` to `until` minutes ago alone, as the answer says of itself."""
    first, last = (
        format_time(exchange.service.now - timedelta(minutes=settings[word]), 0) for word in ("since", "until")
    )

    def shortened(body: JsonObject) -> JsonObject:
        metrics: list[Json] = []
        for metric in _as_objects(body.get("value")):
            series: list[Json] = [
                {**each, "data": [one for one in _as_objects(each["data"]) if first <= str(one["timeStamp"]) <= last]}
                for each in _as_objects(metric.get("timeseries"))
            ]
            metrics.append({**metric, "timeseries": series})
        return {**body, "value": metrics, "timespan": f"{first}/{last}"}

    return await _send_changed(exchange, shortened)


async def _send_changed(exchange: Exchange, change: Any) -> web.StreamResponse:
    answer = exchange.compute_answer()
    is_good = isinstance(answer.body, dict) and answer.status == 200
    return await exchange.send_answer(replace(answer, body=change(answer.body) if is_good else answer.body))


def _as_list(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list) else []


def _as_objects(value: Json) -> list[JsonObject]:
    return [each for each in _as_list(value) if isinstance(each, dict)]


def _as_lists(value: Json) -> list[list[Json]]:
    return [list(each) for each in _as_list(value) if isinstance(each, list)]


PARTIAL_KINDS: Mapping[str, FaultKind] = {
    "partial_error": FaultKind(_send_partial_error, frozenset({"lose"})),
    "error_beside": FaultKind(_send_error_beside),
    "short_page": FaultKind(_send_short_page, frozenset({"keep"}), frozenset({"says"})),
    "unmeasured": FaultKind(_unmeasured, frozenset({"since", "until"}), frozenset({"names"})),
    "shorter_span": FaultKind(_shorter_span, frozenset({"since", "until"})),
    "unlisted": FaultKind(_send_without_list, frozenset({"form"})),
}
