"""Azure Resource Manager on this machine: a world, served over TLS, with faults and a record of all that was asked."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Self

from aiohttp import web

from tests.arm.exchange import Exchange
from tests.arm.faults import ActiveFaults, Fault
from tests.arm.hosting import TlsServer
from tests.arm.service import ArmApi, IncomingRequest
from tests.arm.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """A request, and what became of it."""

    method: str
    path: str
    query: Mapping[str, str]
    status: int = 0
    """0 while there is no answer, or where there was none."""
    authorized: bool = False
    """Whether it bore a token that holds."""
    client_request_id: str = ""
    bytes_sent: int = 0
    """Bytes of the answer's body, as they went over the wire."""
    body: bytes = b""
    """Of the request."""
    authorization: str = field(default="", repr=False)
    """The header, empty where there is none."""
    came_at: float = 0.0
    answered_at: float = 0.0
    """By a clock that only runs on."""

    @property
    def target(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What was asked: path and query."""
        return self.path, tuple(sorted(self.query.items()))


class ArmServer:
    """Serves a world while it is entered: `with Arm(World.one()) as arm: ...`.

    `latency` is waited before every answer, `throttle=False` lets everybody ask as fast as they like, and a page of a
    list holds `page` items.
    """

    def __init__(
        self, world: World, *, latency: float = 0.0, throttle: bool = True, page: int = 200, port: int = 0
    ) -> None:
        self.world = world
        self._latency = latency
        self._throttle = throttle
        self._page = page
        self._faults = ActiveFaults()
        self._requests: list[RecordedRequest] = []
        self._server = TlsServer(self._handle_request, port)
        self._api: ArmApi | None = None

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        """Where it is served, without a slash at the end."""
        return f"https://localhost:{self._server.port}"

    @property
    def port(self) -> int:
        """On which it is served."""
        return self._server.port

    @property
    def ca_bundle(self) -> Path:
        """The bundle with the authority that signed its certificate."""
        return self._server.ca

    @property
    def environment(self) -> dict[str, str]:
        """What a client finds in its environment: where to sign in, as whom, and whom to trust."""
        who = self.world.principal
        return {
            "AZURE_AUTHORITY_HOST": self.url,
            "AZURE_TENANT_ID": who.tenant,
            "AZURE_CLIENT_ID": who.client,
            "AZURE_CLIENT_SECRET": who.secret,
            "REQUESTS_CA_BUNDLE": str(self.ca_bundle),
        }

    @property
    def requests(self) -> list[RecordedRequest]:
        """All that was asked, in the order in which it came."""
        return list(self._requests)

    def list_posts(self, end: str) -> list[RecordedRequest]:
        """The POSTs whose path ends so."""
        return [seen for seen in self._requests if seen.method == "POST" and seen.path.endswith(end)]

    def spend_reads(self, subscription: str, count: int) -> None:
        """Somebody else with the same principal has just read so many things of a subscription."""
        self._get_api().spend_reads(subscription, count)

    def add_fault(self, fault: Fault) -> None:
        """Put a fault in force; of several that match a request the first strikes."""
        self._faults.add(fault)

    def clear_faults(self) -> None:
        """End all faults."""
        self._faults.clear()

    async def _handle_request(self, request: web.BaseRequest) -> web.StreamResponse:
        incoming = IncomingRequest(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        service = self._get_api()
        place = self._record_request(incoming, service)

        def record_answer(status: int, sent: int) -> None:
            self._requests[place] = replace(
                self._requests[place], status=status, bytes_sent=sent, answered_at=time.monotonic()
            )

        exchange = Exchange(request, incoming, service, record_answer)
        if self._latency:
            await asyncio.sleep(self._latency)
        fault = self._faults.find_matching(incoming.method, incoming.target, incoming.body)
        return await (fault.answer_request(exchange) if fault else exchange.send_answer(exchange.compute_answer()))

    def _get_api(self) -> ArmApi:
        """The service, made with the first request: it has to know the port."""
        if self._api is None:
            self._api = ArmApi(self.world, self._server.port, page=self._page, throttle=self._throttle)
        return self._api

    def _record_request(self, incoming: IncomingRequest, service: ArmApi) -> int:
        self._requests.append(
            RecordedRequest(
                method=incoming.method,
                path=incoming.path,
                query=MappingProxyType(dict(incoming.query)),
                authorized=service.is_valid_token(incoming.authorization),
                client_request_id=incoming.headers.get("x-ms-client-request-id", ""),
                body=incoming.body,
                authorization=incoming.authorization,
                came_at=time.monotonic(),
            )
        )
        return len(self._requests) - 1
