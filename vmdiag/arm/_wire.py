"""One exchange with a server, within bounds of time and size; must not know what is asked, nor try again."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy

import requests
from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, HeadersPolicy, RequestIdPolicy, UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from requests.adapters import HTTPAdapter

from vmdiag import __version__
from vmdiag.errors import BadAnswer, Unreachable

# Seconds to connect, between two pieces of an answer, and for the whole of one.
CONNECT, PIECE, WHOLE = 10.0, 30.0, 120.0
# A month of six metrics by the minute is 14 MB; nothing that is read has more in one page.
LARGEST = 64 << 20
BLOCK = 1 << 18

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


def transport(connections: int) -> RequestsTransport:
    """Connections that are kept and shared; no retries, no cookies, no redirects below the session's own rules."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", HTTPAdapter(pool_connections=4, pool_maxsize=connections))
    return RequestsTransport(session=session, connection_data_block_size=BLOCK)


def client(origin: str, shared: RequestsTransport, credential: TokenCredential | None, scope: str) -> Client:
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


def exchanged(door: Client, what: str, url: str, body: Mapping[str, object] | None, left: float) -> Answer:
    """Ask, with a body as a query, and read the answer in at most `left` seconds; `what` is read, for people.

    Raises azure-core's errors, and ours for an answer that is too large or too slow.
    """
    ends = time.monotonic() + min(WHOLE, left)
    asked = HttpRequest("GET", url) if body is None else HttpRequest("POST", url, json=dict(body))
    answer = door.send_request(asked, stream=True, connection_timeout=min(CONNECT, left), read_timeout=min(PIECE, left))
    read = bytearray()
    try:
        for piece in answer.iter_bytes():
            read += piece
            if len(read) > LARGEST:
                message = f"{what}: an answer of more than {LARGEST >> 20} MiB"
                raise BadAnswer(message, "Ask for less: a shorter --since, or fewer VMs.")
            if time.monotonic() > ends:
                message = f"{what}: the answer trickles in too slowly"
                raise Unreachable(message, "Check the network and the proxy.")
    finally:
        answer.close()
    token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
    return Answer(status=answer.status_code, headers=answer.headers, body=bytes(read), token=token)
