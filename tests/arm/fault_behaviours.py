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
from tests.arm.exchange import Encoded, Exchange, encoded
from tests.incidents.wire.plain import Json, JsonObject

_CODES = {
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
_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>"
MARK = "fault"
"""Query parameter by which a link of a fault is known again; routes do not look at it."""
CLAIMS = '{"access_token": {"nbf": {"essential": true, "value": "1700000000"}}}'


async def _status(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """`status`, `retry_after` in seconds, `headers`; `body` is wrapped, capitals, empty or html; `code`, `message`."""
    status = settings["status"]
    code = settings.get("code", _CODES.get(status, "Error"))
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
        return await exchange.write(Encoded(status, {**headers, "Content-Type": "text/html"}, _PAGE))
    return await exchange.send_instead(Answer(status=status, body=bodies[form], headers=headers))


async def _graph_refusal(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """Resource Graph's way to refuse: the reason, `code` and `message`, stands in the details alone."""
    message = "Please provide below info when asking for support: timestamp = 2026-11-20T08:00:00Z, correlationId = 1."
    details: list[Json] = [{"code": settings["code"], "message": settings["message"]}]
    body: JsonObject = {"error": {"code": "BadRequest", "message": message, "details": details}}
    return await exchange.send_instead(Answer(status=400, body=body))


async def _reset(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The connection is reset before any answer, and nothing is done."""
    return exchange.reset()


async def _drop_after_accept(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """What was asked for is done, and the connection reset before anybody hears of it."""
    exchange.answer()
    return exchange.reset()


async def _garbled_after_accept(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """What was asked for is done, and the answer to it breaks the encryption."""
    exchange.answer()
    return exchange.garble()


async def _reset_mid_body(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """Headers for the whole body, half of it, and a reset."""
    whole = encoded(exchange.answer(), packs=False)
    await exchange.write(whole, only=len(whole.content) // 2)
    return exchange.reset()


async def _slow(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The body takes so many `seconds`."""
    return await exchange.write(encoded(exchange.answer(), packs=False), seconds=settings["seconds"])


async def _trickle(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """One byte of `part`, `header` or `body`, `every` so many seconds, without an end."""
    whole = encoded(exchange.answer(), packs=False)
    return await exchange.trickle(whole, settings["part"], settings.get("every", 0.2))


async def _byte_order_mark(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The true answer behind a byte order mark, as some gateways put it there."""
    whole = encoded(exchange.answer(), packs=False)
    return await exchange.write(replace(whole, content=codecs.BOM_UTF8 + whole.content))


async def _respelt(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The true answer, whose links and headers name this server `as_` somebody else might spell it."""
    answer = exchange.answer()
    own, other = exchange.service.origin, settings["as_"]
    body = json.loads(json.dumps(answer.body).replace(own, other))
    headers = {name: value.replace(own, other) for name, value in answer.headers.items()}
    return await exchange.send(replace(answer, body=body, headers=headers))


async def _hang(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """No answer ever."""
    return await exchange.hang()


async def _truncated(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """JSON that ends in the middle, of the length that the headers say."""
    whole = encoded(exchange.answer(), packs=False)
    return await exchange.write(replace(whole, content=whole.content[: len(whole.content) // 2]))


async def _dated(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The true answer, by another clock: `date` as HTTP writes it."""
    whole = encoded(exchange.answer(), packs=False)
    return await exchange.write(replace(whole, headers={**whole.headers, "Date": settings["date"]}))


async def _html(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """200 and a page for people, as a captive portal gives it."""
    return await exchange.write(Encoded(200, {"Content-Type": "text/html; charset=utf-8"}, _PAGE))


async def _huge(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """So many `megabytes` of blanks inside valid JSON."""
    whole = encoded(exchange.answer(), packs=False)
    blanks = b" " * (int(settings["megabytes"]) << 20)
    return await exchange.write(replace(whole, content=whole.content[:-1] + blanks + whole.content[-1:]))


async def _empty_page(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """No item, and a link to the real first page."""
    return await _with_body(exchange, lambda _: {"value": [], "nextLink": _marked(exchange, "passed")})


async def _page_loop(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """A page that links to itself."""
    return await _with_body(exchange, lambda body: {**body, "nextLink": exchange.url})


async def _endless_pages(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """Every page has a link to yet another."""
    number = int(exchange.incoming.query.get(MARK, 0)) + 1
    return await _with_body(exchange, lambda body: {**body, "nextLink": _marked(exchange, str(number))})


async def _foreign_next(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The link leads to another origin, `url`."""
    return await _with_body(exchange, lambda body: {**body, "nextLink": settings["url"]})


async def _malformed(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """`every` second record or so is none; those whose JSON holds the pattern `spare` stay."""
    every, spare = settings.get("every", 2), re.compile(settings.get("spare", r"$^"))

    def spoilt(body: JsonObject) -> JsonObject:
        name = next((each for each in ("value", "data") if isinstance(body.get(each), list)), "value")
        items = body.get(name)
        kept: list[Json] = list(items) if isinstance(items, list) else []
        chosen = [place for place in range(0, len(kept), every) if not spare.search(json.dumps(kept[place]))]
        for number, place in enumerate(chosen):
            kept[place] = _SPOILS[number % len(_SPOILS)](kept[place])
        return {**body, name: kept}

    return await _with_body(exchange, spoilt)


def _member(name: str, value: Json) -> Callable[[Json], Json]:
    return lambda item: {**item, name: value} if isinstance(item, dict) else value


_SPOILS: tuple[Callable[[Json], Json], ...] = (
    lambda _: "a string where an object belongs",
    _member("eventTimestamp", "the day before yesterday"),
    _member("operationName", 7),
    lambda _: None,
    _member("id", "x" * (1 << 20)),
    _member("properties", ["no", "object"]),
)


async def _redirect(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """302 to `url`."""
    return await exchange.send_instead(Answer(status=302, headers={"Location": settings["url"]}))


async def _expire_token(_: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """The token that was sent has expired just now."""
    exchange.service.revoke(exchange.incoming.authorization)
    return await exchange.send(exchange.answer())


async def _claims_challenge(settings: Mapping[str, Any], exchange: Exchange) -> web.StreamResponse:
    """Only a token that was asked for with claims will do, as after a revocation; they have `size` bytes more."""
    issued = exchange.service.entra.issued(exchange.incoming.authorization)
    # What a client says that it can do is in the claims from the beginning; the challenge asks for more.
    if issued is not None and "nbf" in issued.claims:
        return await exchange.send(exchange.answer())
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


async def _with_body(exchange: Exchange, change: Callable[[JsonObject], JsonObject]) -> web.StreamResponse:
    """The true answer with another body, if it has one at all."""
    answer = exchange.answer()
    body = change(answer.body) if isinstance(answer.body, dict) and answer.status == 200 else answer.body
    return await exchange.send(replace(answer, body=body))


def _marked(exchange: Exchange, mark: str) -> str:
    query = urlencode({**exchange.incoming.query, MARK: mark}, safe="$")
    return f"{exchange.service.origin}{exchange.incoming.path}?{query}"


@dataclass(frozen=True, slots=True)
class Kind:
    """What is done, and the settings that it must have and may have."""

    act: Callable[[Mapping[str, Any], Exchange], Awaitable[web.StreamResponse]]
    needs: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()


KINDS: Mapping[str, Kind] = {
    "status": Kind(_status, frozenset({"status"}), frozenset({"retry_after", "headers", "body", "code", "message"})),
    "reset": Kind(_reset),
    "drop_after_accept": Kind(_drop_after_accept),
    "garbled_after_accept": Kind(_garbled_after_accept),
    "reset_mid_body": Kind(_reset_mid_body),
    "slow": Kind(_slow, frozenset({"seconds"})),
    "trickle": Kind(_trickle, frozenset({"part"}), frozenset({"every"})),
    "byte_order_mark": Kind(_byte_order_mark),
    "respelt": Kind(_respelt, frozenset({"as_"})),
    "hang": Kind(_hang),
    "truncated": Kind(_truncated),
    "dated": Kind(_dated, frozenset({"date"})),
    "html": Kind(_html),
    "huge": Kind(_huge, frozenset({"megabytes"})),
    "empty_page": Kind(_empty_page),
    "page_loop": Kind(_page_loop),
    "endless_pages": Kind(_endless_pages),
    "foreign_next": Kind(_foreign_next, frozenset({"url"})),
    "malformed": Kind(_malformed, frozenset(), frozenset({"every", "spare"})),
    "redirect": Kind(_redirect, frozenset({"url"})),
    "expire_token": Kind(_expire_token),
    "claims_challenge": Kind(_claims_challenge, frozenset(), frozenset({"size"})),
    "graph_refusal": Kind(_graph_refusal, frozenset({"code", "message"})),
    "echo_authorization": Kind(_echo_authorization),
}
