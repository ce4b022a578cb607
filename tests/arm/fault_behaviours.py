"""The ways in which an answer goes wrong, one function each; its parameters are the fault's settings."""

import base64
import codecs
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import urlencode

from aiohttp import web

from tests.arm.call import Answer
from tests.arm.exchange import EncodedAnswer, Exchange
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
NOTHING: Mapping[str, str] = MappingProxyType({})
Behaviour = Callable[..., Awaitable[web.StreamResponse]]
FAULT_PARAMETER = "fault"
"""Query parameter by which a link of a fault is known again; routes do not look at it."""
CLAIMS = '{"access_token": {"nbf": {"essential": true, "value": "1700000000"}}}'


async def _send_status(  # noqa: PLR0913 - each changes what is said
    exchange: Exchange,
    *,
    status: int,
    code: str = "",
    message: str = "",
    body: str = "wrapped",
    retry_after: float | None = None,
    headers: Mapping[str, str] = NOTHING,
) -> web.StreamResponse:
    """`retry_after` in seconds; `body` is wrapped, capitals, empty or html."""
    code = code or _ERROR_CODES.get(status, "Error")
    message = message or f"It was said that {code} should be answered."
    bodies: dict[str, Json] = {
        "wrapped": {"error": {"code": code, "message": message}},
        "capitals": {"Code": code, "Message": message},
        "empty": None,
    }
    sent = {**({} if retry_after is None else {"Retry-After": str(retry_after)}), **headers}
    if body == "html":
        return await exchange.write_encoded(EncodedAnswer(status, {**sent, "Content-Type": "text/html"}, _SIGN_IN_PAGE))
    return await exchange.send_instead(Answer(status=status, body=bodies[body], headers=sent))


async def _send_graph_refusal(exchange: Exchange, *, code: str, message: str) -> web.StreamResponse:
    """Resource Graph's way to refuse: the reason, `code` and `message`, stands in the details alone."""
    support = "Please provide below info when asking for support: timestamp = 2026-11-20T08:00:00Z, correlationId = 1."
    details: list[Json] = [{"code": code, "message": message}]
    body: JsonObject = {"error": {"code": "BadRequest", "message": support, "details": details}}
    return await exchange.send_instead(Answer(status=400, body=body))


async def _reset_connection(exchange: Exchange) -> web.StreamResponse:
    """The connection is reset before any answer, and nothing is done."""
    return exchange.reset_connection()


async def _drop_after_accept(exchange: Exchange) -> web.StreamResponse:
    """What was asked for is done, and the connection reset before anybody hears of it."""
    exchange.compute_answer()
    return exchange.reset_connection()


async def _garble_after_accept(exchange: Exchange) -> web.StreamResponse:
    """What was asked for is done, and the answer to it breaks the encryption."""
    exchange.compute_answer()
    return exchange.break_encryption()


async def _reset_mid_body(exchange: Exchange) -> web.StreamResponse:
    """Headers for the whole body, half of it, and a reset."""
    whole = exchange.encode_truth()
    await exchange.write_encoded(whole, only=len(whole.content) // 2)
    return exchange.reset_connection()


async def _send_slowly(exchange: Exchange, *, seconds: float) -> web.StreamResponse:
    """The body takes so many `seconds`."""
    return await exchange.write_encoded(exchange.encode_truth(), seconds=seconds)


async def _send_endlessly(exchange: Exchange, *, part: str, every: float = 0.2) -> web.StreamResponse:
    """One byte of `part`, `header` or `body`, `every` so many seconds, without an end."""
    return await exchange.write_endlessly(exchange.encode_truth(), part, every)


async def _send_byte_order_mark(exchange: Exchange) -> web.StreamResponse:
    """The true answer behind a byte order mark, as some gateways put it there."""
    whole = exchange.encode_truth()
    return await exchange.write_encoded(replace(whole, content=codecs.BOM_UTF8 + whole.content))


async def _respell_origin(exchange: Exchange, *, as_: str) -> web.StreamResponse:
    """The true answer, whose links and headers name this server `as_` somebody else might spell it."""
    answer = exchange.compute_answer()
    own = exchange.service.origin
    body = json.loads(json.dumps(answer.body).replace(own, as_))
    headers = {name: value.replace(own, as_) for name, value in answer.headers.items()}
    return await exchange.send_answer(replace(answer, body=body, headers=headers))


async def _send_nothing(exchange: Exchange) -> web.StreamResponse:
    """No answer ever."""
    return await exchange.wait_for_disconnect()


async def _truncate_json(exchange: Exchange) -> web.StreamResponse:
    """JSON that ends in the middle, of the length that the headers say."""
    whole = exchange.encode_truth()
    return await exchange.write_encoded(replace(whole, content=whole.content[: len(whole.content) // 2]))


async def _change_date(exchange: Exchange, *, date: str) -> web.StreamResponse:
    """The true answer, by another clock: `date` as HTTP writes it."""
    whole = exchange.encode_truth()
    return await exchange.write_encoded(replace(whole, headers={**whole.headers, "Date": date}))


async def _send_html(exchange: Exchange) -> web.StreamResponse:
    """200 and a page for people, as a captive portal gives it."""
    return await exchange.write_encoded(EncodedAnswer(200, {"Content-Type": "text/html; charset=utf-8"}, _SIGN_IN_PAGE))


async def _send_huge_body(exchange: Exchange, *, megabytes: int) -> web.StreamResponse:
    """So many `megabytes` of blanks inside valid JSON."""
    whole = exchange.encode_truth()
    blanks = b" " * (megabytes << 20)
    return await exchange.write_encoded(replace(whole, content=whole.content[:-1] + blanks + whole.content[-1:]))


async def _send_empty_page(exchange: Exchange) -> web.StreamResponse:
    """No item, and a link to the real first page."""
    return await send_changed(exchange, lambda _: {"value": [], "nextLink": _build_marked_link(exchange, "passed")})


async def _link_to_itself(exchange: Exchange) -> web.StreamResponse:
    """A page that links to itself."""
    return await send_changed(exchange, lambda body: {**body, "nextLink": exchange.url})


async def _link_endlessly(exchange: Exchange) -> web.StreamResponse:
    """Every page has a link to yet another."""
    number = int(exchange.incoming.query.get(FAULT_PARAMETER, 0)) + 1
    return await send_changed(exchange, lambda body: {**body, "nextLink": _build_marked_link(exchange, str(number))})


async def _link_elsewhere(exchange: Exchange, *, url: str) -> web.StreamResponse:
    """The link leads to another origin, `url`."""
    return await send_changed(exchange, lambda body: {**body, "nextLink": url})


async def _spoil_records(exchange: Exchange, *, every: int = 2, spare: str = r"$^") -> web.StreamResponse:
    """`every` second record or so is none; those whose JSON holds the pattern `spare` stay."""

    def spoil_body(body: JsonObject) -> JsonObject:
        name = next((each for each in ("value", "data") if isinstance(body.get(each), list)), "value")
        items = body.get(name)
        kept: list[Json] = list(items) if isinstance(items, list) else []
        chosen = [place for place in range(0, len(kept), every) if not re.search(spare, json.dumps(kept[place]))]
        for number, place in enumerate(chosen):
            kept[place] = _SPOILS[number % len(_SPOILS)](kept[place])
        return {**body, name: kept}

    return await send_changed(exchange, spoil_body)


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


async def _send_redirect(exchange: Exchange, *, url: str) -> web.StreamResponse:
    """302 to `url`."""
    return await exchange.send_instead(Answer(status=302, headers={"Location": url}))


async def _expire_token(exchange: Exchange) -> web.StreamResponse:
    """The token that was sent has expired just now."""
    exchange.service.revoke_token(exchange.incoming.authorization)
    return await exchange.send_answer(exchange.compute_answer())


async def _send_claims_challenge(exchange: Exchange, *, size: int = 0) -> web.StreamResponse:
    """Only a token that was asked for with claims will do, as after a revocation; they have `size` bytes more."""
    issued = exchange.service.entra.find_token(exchange.incoming.authorization)
    # What a client says that it can do is in the claims from the beginning; the challenge asks for more.
    if issued is not None and "nbf" in issued.claims:
        return await exchange.send_answer(exchange.compute_answer())
    challenge = f'Bearer realm="", authorization_uri="{exchange.service.origin}/common/oauth2/authorize", '
    more = {"more": "x" * size} if size else {}
    claims = base64.b64encode(json.dumps({**json.loads(CLAIMS), **more}).encode()).decode()
    headers = {"WWW-Authenticate": f'{challenge}error="insufficient_claims", claims="{claims}"'}
    message = "Continuous access evaluation resulted in challenge with result: InteractionRequired"
    body: JsonObject = {"error": {"code": "TokenIssuedBeforeRevocationTimestamp", "message": message}}
    return await exchange.send_instead(Answer(status=401, body=body, headers=headers))


async def _echo_authorization(exchange: Exchange) -> web.StreamResponse:
    """An error that tells the token to whoever reads it."""
    message = f"Could not process the request with Authorization: {exchange.incoming.authorization}"
    return await exchange.send_instead(Answer(status=400, body={"error": {"code": "BadRequest", "message": message}}))


async def send_changed(exchange: Exchange, change: Callable[[JsonObject], JsonObject]) -> web.StreamResponse:
    """The true answer with another body, if it has one at all."""
    answer = exchange.compute_answer()
    body = change(answer.body) if isinstance(answer.body, dict) and answer.status == 200 else answer.body
    return await exchange.send_answer(replace(answer, body=body))


def _build_marked_link(exchange: Exchange, mark: str) -> str:
    query = urlencode({**exchange.incoming.query, FAULT_PARAMETER: mark}, safe="$")
    return f"{exchange.service.origin}{exchange.incoming.path}?{query}"


BEHAVIOURS: Mapping[str, Behaviour] = {
    "status": _send_status,
    "reset": _reset_connection,
    "drop_after_accept": _drop_after_accept,
    "garbled_after_accept": _garble_after_accept,
    "reset_mid_body": _reset_mid_body,
    "slow": _send_slowly,
    "trickle": _send_endlessly,
    "byte_order_mark": _send_byte_order_mark,
    "respelt": _respell_origin,
    "hang": _send_nothing,
    "truncated": _truncate_json,
    "dated": _change_date,
    "html": _send_html,
    "huge": _send_huge_body,
    "empty_page": _send_empty_page,
    "page_loop": _link_to_itself,
    "endless_pages": _link_endlessly,
    "foreign_next": _link_elsewhere,
    "malformed": _spoil_records,
    "redirect": _send_redirect,
    "expire_token": _expire_token,
    "claims_challenge": _send_claims_challenge,
    "graph_refusal": _send_graph_refusal,
    "echo_authorization": _echo_authorization,
}
