"""Another server, under the same authority: whoever sends it a token has given it away."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from aiohttp import web

from tests.arm.hosting import TlsServer


@dataclass(frozen=True, slots=True)
class StrayRequest:
    """A request that went astray; the names of its headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]


class ForeignServer:
    """Answers every request with an empty list, and remembers it."""

    def __init__(self) -> None:
        self._server = TlsServer(self._handle_request)
        self._requests: list[StrayRequest] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"https://localhost:{self._server.port}"

    @property
    def requests(self) -> list[StrayRequest]:
        """All of them."""
        with self._lock:
            return list(self._requests)

    @property
    def tokens(self) -> list[str]:
        """The credentials that were sent here; there should be none."""
        return [visit.headers["authorization"] for visit in self.requests if "authorization" in visit.headers]

    async def _handle_request(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._lock:
            self._requests.append(StrayRequest(request.method, request.path_qs, headers))
        return web.json_response({"value": []})
