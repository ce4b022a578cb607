"""Azure Resource Manager on this machine: a world, served over TLS, with faults and a record of all that was asked."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from aiohttp import web

from tests.arm.exchange import Exchange
from tests.arm.faults import Fault, Faults
from tests.arm.hosting import Host
from tests.arm.service import Incoming, Service
from tests.arm.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request, and what became of it."""

    method: str
    path: str
    query: Mapping[str, str]
    status: int = 0
    """0 while there is no answer, or where there was none."""
    authorized: bool = False
    """Whether it bore a token that holds."""
    client_request_id: str = ""
    sent: int = 0
    """Bytes of the answer's body, as they went over the wire."""
    body: bytes = b""
    """Of the request."""
    authorization: str = field(default="", repr=False)
    """The header, empty where there is none."""


class Arm:
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
        self._faults = Faults()
        self._seen: list[Seen] = []
        self._host = Host(self._handle, port)
        self._service: Service | None = None

    def __enter__(self) -> Self:
        self._host.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._host.stop()

    @property
    def url(self) -> str:
        """Where it is served, without a slash at the end."""
        return f"https://localhost:{self._host.port}"

    @property
    def port(self) -> int:
        """On which it is served."""
        return self._host.port

    @property
    def ca(self) -> Path:
        """The bundle with the authority that signed its certificate."""
        return self._host.ca

    @property
    def environment(self) -> dict[str, str]:
        """What a client finds in its environment: where to sign in, as whom, and whom to trust."""
        who = self.world.principal
        return {
            "AZURE_AUTHORITY_HOST": self.url,
            "AZURE_TENANT_ID": who.tenant,
            "AZURE_CLIENT_ID": who.client,
            "AZURE_CLIENT_SECRET": who.secret,
            "REQUESTS_CA_BUNDLE": str(self.ca),
        }

    @property
    def requests(self) -> list[Seen]:
        """All that was asked, in the order in which it came."""
        return list(self._seen)

    def posts(self, end: str) -> list[Seen]:
        """The POSTs whose path ends so."""
        return [seen for seen in self._seen if seen.method == "POST" and seen.path.endswith(end)]

    def fail(self, fault: Fault) -> None:
        """Put a fault in force; of several that match a request the first strikes."""
        self._faults.add(fault)

    def heal(self) -> None:
        """End all faults."""
        self._faults.clear()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        incoming = Incoming(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        service = self._ready_service()
        place = self._record(incoming, service)

        def note(status: int, sent: int) -> None:
            self._seen[place] = replace(self._seen[place], status=status, sent=sent)

        exchange = Exchange(request, incoming, service, note)
        if self._latency:
            await asyncio.sleep(self._latency)
        fault = self._faults.taking(incoming.method, incoming.target, incoming.body)
        return await (fault.act(exchange) if fault else exchange.send(exchange.answer()))

    def _ready_service(self) -> Service:
        """The service, made with the first request: it has to know the port."""
        if self._service is None:
            self._service = Service(self.world, self._host.port, page=self._page, throttle=self._throttle)
        return self._service

    def _record(self, incoming: Incoming, service: Service) -> int:
        self._seen.append(
            Seen(
                method=incoming.method,
                path=incoming.path,
                query=MappingProxyType(dict(incoming.query)),
                authorized=service.knows(incoming.authorization),
                client_request_id=incoming.headers.get("x-ms-client-request-id", ""),
                body=incoming.body,
                authorization=incoming.authorization,
            )
        )
        return len(self._seen) - 1
