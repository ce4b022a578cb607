"""Another server, under the same authority: whoever sends it a token has given it away."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.arm.hosting import Host


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that went astray; the names of its headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]


class Stranger:
    """Answers every request with an empty list, and remembers it."""

    def __init__(self) -> None:
        self._host = Host(self._handle)
        self._visits: list[Visit] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._host.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._host.stop()

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"https://localhost:{self._host.port}"

    @property
    def visits(self) -> list[Visit]:
        """All of them."""
        with self._lock:
            return list(self._visits)

    @property
    def tokens(self) -> list[str]:
        """The credentials that were sent here; there should be none."""
        return [visit.headers["authorization"] for visit in self.visits if "authorization" in visit.headers]

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._lock:
            self._visits.append(Visit(request.method, request.path_qs, headers))
        return web.json_response({"value": []})
