"""The ways in which an answer goes wrong, one function each; must not know which requests are struck."""

import base64
import codecs
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from tests.arm.call import Answer
from tests.arm.exchange import EncodedAnswer, Exchange, encode_answer
from tests.incidents.wire.plain import Json, JsonObject

_ERROR_CODES = {
    400: "BadRequest",
    401: "AuthenticationFailed",
    403: "AuthorizationFailed",
    404: "ResourceNotFound",
    409: "Conflict",
    429: "TooManyRequests",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}
_SIGN_IN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>"
)
FAULT_PARAMETER = "fault"
"""Query parameter by which a link of a fault is known again; routes do not look at it."""
CLAIMS = '{"access_token": {"nbf": {"essential": true, "value": "1700000000"}}}'


async def _send_status(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """`status`, `retry_after` in seconds, `headers`; `body` is wrapped, capitals, empty or html; `code`, `message`."""
    status = settings["status"]
    code = settings.get("code", _ERROR_CODES.get(status, "Error"))
    message = settings.get("message", f"It was said that {code} should be answered.")
    bodies: dict[str, Json] = {
        "wrapped": {"error": {"code": code, "message": message}},
        "capitals": {"Code": code, "Message": message},
        "empty": None,
    }
    form = settings.get("body", "wrapped")
    headers = {"Retry-After": str(settings["retry_after"])} if "retry_after" in settings else {}
    headers |= settings.get("headers", {})
    if form == "html":
        return await exchange.write_encoded(
            EncodedAnswer(status, {**headers, "Content-Type": "text/html"}, _SIGN_IN_PAGE)
        )
    return await exchange.send_instead(Answer(status=status, body=bodies[form], headers=headers))


async def _send_graph_refusal(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """Resource Graph's way to refuse: the reason, `code` and `message`, stands in the details alone."""
    message = "Please provide below info when asking for support: timestamp = 2026-11-20T08:00:00Z, correlationId = 1."
    details: list[Json] = [{"code": settings["code"], "message": settings["message"]}]
    body: JsonObject = {"error": {"code": "BadRequest", "message": message, "details": details}}
    return await exchange.send_instead(Answer(status=400, body=body))


async def _reset_connection(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The connection is reset before any answer, and nothing is done."""
    return exchange.reset_connection()


async def _drop_after_accept(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """What was asked for is done, and the connection reset before anybody hears of it."""
    exchange.compute_answer()
    return exchange.reset_connection()


async def _garble_after_accept(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """What was asked for is done, and the answer to it breaks the encryption."""
    exchange.compute_answer()
    return exchange.break_encryption()


async def _reset_mid_body(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """Headers for the whole body, half of it, and a reset."""
    whole = encode_answer(exchange.compute_answer(), compresses=False)
    await exchange.write_encoded(whole, only=len(whole.content) // 2)
    return exchange.reset_connection()


async def _send_slowly(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The body takes so many `seconds`."""
    return await exchange.write_encoded(
        encode_answer(exchange.compute_answer(), compresses=False), seconds=settings["seconds"]
    )


async def _send_endlessly(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """One byte of `part`, `header` or `body`, `every` so many seconds, without an end."""
    whole = encode_answer(exchange.compute_answer(), compresses=False)
    return await exchange.write_endlessly(whole, settings["part"], settings.get("every", 0.2))


async def _send_byte_order_mark(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The true answer behind a byte order mark, as some gateways put it there."""
    whole = encode_answer(exchange.compute_answer(), compresses=False)
    return await exchange.write_encoded(replace(whole, content=codecs.BOM_UTF8 + whole.content))


async def _respell_origin(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The true answer, whose links and headers name this server `as_` somebody else might spell it."""
    answer = exchange.compute_answer()
    own, other = exchange.service.origin, settings["as_"]
    body = json.loads(json.dumps(answer.body).replace(own, other))
    headers = {name: value.replace(own, other) for name, value in answer.headers.items()}
    return await exchange.send_answer(replace(answer, body=body, headers=headers))


async def _send_nothing(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """No answer ever."""
    return await exchange.wait_for_disconnect()


async def _truncate_json(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """JSON that ends in the middle, of the length that the headers say."""
    whole = encode_answer(exchange.compute_answer(), compresses=False)
    return await exchange.write_encoded(replace(whole, content=whole.content[: len(whole.content) // 2]))


async def _change_date(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The true answer, by another clock: `date` as HTTP writes it."""
    whole = encode_answer(exchange.compute_answer(), compresses=False)
    return await exchange.write_encoded(replace(whole, headers={**whole.headers, "Date": settings["date"]}))


async def _send_html(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """200 and a page for people, as a captive portal gives it."""
    return await exchange.write_encoded(EncodedAnswer(200, {"Content-Type": "text/html; charset=utf-8"}, _SIGN_IN_PAGE))


async def _send_huge_body(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """So many `megabytes` of blanks inside valid JSON."""
    whole = encode_answer(exchange.compute_answer(), compresses=False)
    blanks = b" " * (int(settings["megabytes"]) << 20)
    return await exchange.write_encoded(replace(whole, content=whole.content[:-1] + blanks + whole.content[-1:]))


async def _send_empty_page(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """No item, and a link to the real first page."""
    return await _send_changed(exchange, lambda _: {"value": [], "nextLink": _build_marked_link(exchange, "passed")})


async def _link_to_itself(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """A page that links to itself."""
    return await _send_changed(exchange, lambda body: {**body, "nextLink": exchange.url})


async def _link_endlessly(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """Every page has a link to yet another."""
    number = int(exchange.incoming.query.get(FAULT_PARAMETER, 0)) + 1
    return await _send_changed(exchange, lambda body: {**body, "nextLink": _build_marked_link(exchange, str(number))})


async def _link_elsewhere(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The link leads to another origin, `url`."""
    return await _send_changed(exchange, lambda body: {**body, "nextLink": settings["url"]})


async def _spoil_records(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """`every` second record or so is none; those whose JSON holds the pattern `spare` stay."""
    every, spare = settings.get("every", 2), re.compile(settings.get("spare", r"$^"))

    def spoil_body(body: JsonObject) -> JsonObject:
        name = next((each for each in ("value", "data") if isinstance(body.get(each), list)), "value")
        items = body.get(name)
        kept: list[Json] = list(items) if isinstance(items, list) else []
        chosen = [place for place in range(0, len(kept), every) if not spare.search(json.dumps(kept[place]))]
        for number, place in enumerate(chosen):
            kept[place] = _SPOILS[number % len(_SPOILS)](kept[place])
        return {**body, name: kept}

    return await _send_changed(exchange, spoil_body)


def _replace_member(name: str, value: Json) -> Callable[[Json], Json]:
    return lambda item: {**item, name: value} if isinstance(item, dict) else value


_SPOILS: tuple[Callable[[Json], Json], ...] = (
    lambda _: "a string where an object belongs",
    _replace_member("eventTimestamp", "the day before yesterday"),
    _replace_member("operationName", 7),
    lambda _: None,
    _replace_member("id", "x" * (1 << 20)),
    _replace_member("properties", ["no", "object"]),
)


async def _send_redirect(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """302 to `url`."""
    return await exchange.send_instead(Answer(status=302, headers={"Location": settings["url"]}))


async def _expire_token(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The token that was sent has expired just now."""
    exchange.service.revoke_token(exchange.incoming.authorization)
    return await exchange.send_answer(exchange.compute_answer())


async def _send_claims_challenge(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """Only a token that was asked for with claims will do, as after a revocation; they have `size` bytes more."""
    issued = exchange.service.entra.find_token(exchange.incoming.authorization)
    # What a client says that it can do is in the claims from the beginning; the challenge asks for more.
    if issued is not None and "nbf" in issued.claims:
        return await exchange.send_answer(exchange.compute_answer())
    challenge = f'Bearer realm="", authorization_uri="{exchange.service.origin}/common/oauth2/authorize", '
    more = {"more": "x" * settings["size"]} if "size" in settings else {}
    claims = base64.b64encode(json.dumps({**json.loads(CLAIMS), **more}).encode()).decode()
    headers = {"WWW-Authenticate": f'{challenge}error="insufficient_claims", claims="{claims}"'}
    message = "Continuous access evaluation resulted in challenge with result: InteractionRequired"
    body: JsonObject = {"error": {"code": "TokenIssuedBeforeRevocationTimestamp", "message": message}}
    return await exchange.send_instead(Answer(status=401, body=body, headers=headers))


async def _echo_authorization(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """An error that tells the token to whoever reads it."""
    message = f"Could not process the request with Authorization: {exchange.incoming.authorization}"
    return await exchange.send_instead(Answer(status=400, body={"error": {"code": "BadRequest", "message": message}}))


async def _send_changed(exchange: Exchange, change: Callable[[JsonObject], JsonObject]) -> web.StreamResponse:
    """The true answer with another body, if it has one at all."""
    answer = exchange.compute_answer()
    body = change(answer.body) if isinstance(answer.body, dict) and answer.status == 200 else answer.body
    return await exchange.send_answer(replace(answer, body=body))


def _build_marked_link(exchange: Exchange, mark: str) -> str:
    query = urlencode({**exchange.incoming.query, FAULT_PARAMETER: mark}, safe="$")
    return f"{exchange.service.origin}{exchange.incoming.path}?{query}"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """What is done, and the settings that it must have and may have."""

    send: Callable[[Mapping[str, Any], Exchange], Awaitable[web.StreamResponse]]
    required_settings: frozenset[str] = frozenset()
    optional_settings: frozenset[str] = frozenset()


BEHAVIOUR_KINDS: Mapping[str, FaultKind] = {
    "status": FaultKind(
        _send_status, frozenset({"status"}), frozenset({"retry_after", "headers", "body", "code", "message"})
    ),
    "reset": FaultKind(_reset_connection),
    "drop_after_accept": FaultKind(_drop_after_accept),
    "garbled_after_accept": FaultKind(_garble_after_accept),
    "reset_mid_body": FaultKind(_reset_mid_body),
    "slow": FaultKind(_send_slowly, frozenset({"seconds"})),
    "trickle": FaultKind(_send_endlessly, frozenset({"part"}), frozenset({"every"})),
    "byte_order_mark": FaultKind(_send_byte_order_mark),
    "respelt": FaultKind(_respell_origin, frozenset({"as_"})),
    "hang": FaultKind(_send_nothing),
    "truncated": FaultKind(_truncate_json),
    "dated": FaultKind(_change_date, frozenset({"date"})),
    "html": FaultKind(_send_html),
    "huge": FaultKind(_send_huge_body, frozenset({"megabytes"})),
    "empty_page": FaultKind(_send_empty_page),
    "page_loop": FaultKind(_link_to_itself),
    "endless_pages": FaultKind(_link_endlessly),
    "foreign_next": FaultKind(_link_elsewhere, frozenset({"url"})),
    "malformed": FaultKind(_spoil_records, frozenset(), frozenset({"every", "spare"})),
    "redirect": FaultKind(_send_redirect, frozenset({"url"})),
    "expire_token": FaultKind(_expire_token),
    "claims_challenge": FaultKind(_send_claims_challenge, frozenset(), frozenset({"size"})),
    "graph_refusal": FaultKind(_send_graph_refusal, frozenset({"code", "message"})),
    "echo_authorization": FaultKind(_echo_authorization),
}
