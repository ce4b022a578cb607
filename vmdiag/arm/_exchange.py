"""One exchange with a server, within bounds of time and size, and what its answer holds."""

import codecs
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, HeadersPolicy, RequestIdPolicy, UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from vmdiag import __version__
from vmdiag.arm import error_translation
from vmdiag.arm.request import Endpoint, PendingAnswer, Request, get_members
from vmdiag.errors import BadAnswer, SourceError

HTTP_OK, HTTP_ACCEPTED, HTTP_NO_CONTENT = 200, 202, 204  # of HTTP
# Seconds to connect, and between two pieces of an answer; how long the whole may take is limited by who asks.
CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 30.0
# A month of six metrics by the minute is 14 MB; nothing that is read has more in one page.
BODY_LIMIT = 64 << 20

# What these would print by themselves is told by us, in words and where it belongs.
for library in ("azure", "msal", "requests", "urllib3"):
    logging.getLogger(library).addHandler(logging.NullHandler())

Client = PipelineClient[HttpRequest, HttpResponse]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, whole; `token` is the one that was sent, to know whether it is still in use."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    token: str = field(default="", repr=False)


def create_client(origin: str, shared: RequestsTransport, credential: TokenCredential | None, scope: str) -> Client:
    """A pipeline that signs its requests, or with no credential one that does not."""
    policies: list[object] = [
        RequestIdPolicy(),
        HeadersPolicy({"Accept": "application/json"}),
        UserAgentPolicy(base_user_agent=f"vmdiag/{__version__}"),
    ]
    if credential is not None:
        # Answers the challenges of continuous access evaluation, too.
        policies.append(BearerTokenCredentialPolicy(credential, scope, enable_cae=True))
    return PipelineClient(origin, policies=policies, transport=shared)


def exchange_request(pipeline: Client, asked: Request, url: str, body: Mapping[str, object] | None) -> Answer:
    """Ask, with a body as a query; raises azure-core's errors, and ours for an answer that is too large."""
    if body is None:
        request = HttpRequest("POST" if asked.is_action else "GET", url)
    else:
        request = HttpRequest("POST", url, json=dict(body))
    patience = asked.patience or READ_TIMEOUT
    answer = pipeline.send_request(request, stream=True, connection_timeout=CONNECT_TIMEOUT, read_timeout=patience)
    read = bytearray()
    try:
        for piece in answer.iter_bytes():
            read += piece
            if len(read) > BODY_LIMIT:
                message = f"{asked.description}: an answer of more than {BODY_LIMIT >> 20} MiB"
                raise error_translation.AnswerTooLarge(message, "Ask for less: a shorter --since, or fewer VMs.")
    finally:
        answer.close()
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    # Some gateways put a byte order mark before the JSON, which RFC 8259 forbids and lets readers overlook.
    whole = bytes(read).removeprefix(codecs.BOM_UTF8)
    return Answer(status=answer.status_code, headers=answer.headers, body=whole, token=token)


def decode_answer(request: Request, answer: Answer | SourceError) -> tuple[object, SourceError | None]:
    """What an answer says, or the error that it is."""
    if isinstance(answer, SourceError):
        return None, answer
    is_pending = answer.status == HTTP_ACCEPTED and (request.is_action or request.is_operation)
    if is_pending or answer.status == HTTP_NO_CONTENT:
        return PendingAnswer(answer.headers) if is_pending else None, None  # 204: a workspace without any data
    if answer.status != HTTP_OK:
        return None, error_translation.build_refusal(request, answer.status, answer.headers, answer.body)
    try:
        if request.endpoint is Endpoint.METRICS and answer.body[:1] == b'"':
            # Now and then it answers with JSON inside of a JSON text, and Microsoft's own client unpacks that.
            answer = replace(answer, body=msgspec.json.decode(answer.body, type=str).encode())
        with suppress(msgspec.ValidationError):
            return msgspec.json.decode(answer.body, type=request.answer_type or Any), None
        # Something is odd in it, which costs only itself when it is read plainly.
        return msgspec.json.decode(answer.body), None
    except (msgspec.DecodeError, RecursionError, ValueError):
        _, said = error_translation.parse_error_body(answer.body)
        message = f"{request.description}: the answer is {said or 'not JSON, or was cut off'}"
        return None, BadAnswer(message, error_translation.NETWORK_HINT)


def build_next_query(body: Mapping[str, object], token: str) -> Mapping[str, object]:
    """The same query for the next page."""
    kept = {name: value for name, value in get_members(body.get("options")).items() if name != "$skip"}
    return {**body, "options": {**kept, "$skipToken": token}}


def count_rows(page: object) -> int:
    """How many rows of Resource Graph's a page holds."""
    rows = get_members(page).get("data")
    return len(rows) if isinstance(rows, list) else 0


def build_smaller_query(
    body: Mapping[str, object] | None, rows_read: int, error: error_translation.AnswerTooLarge
) -> Mapping[str, object]:
    """The same query for a smaller page, behind the rows that were read; raises the error where none is smaller.

    Without the token, which holds the size of the page that it was given with (as its decoded text shows).
    """
    options = get_members((body or {}).get("options"))
    kept = {name: value for name, value in options.items() if name != "$skipToken"}
    most = kept.get("$top")
    if not isinstance(most, int) or most <= 1:
        raise error
    return {**(body or {}), "options": {**kept, "$top": max(1, int(most * error.page_fraction)), "$skip": rows_read}}
