"""One request under way: its true answer, and the ways to send one; must not know routes or faults."""

import asyncio
import gzip
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from aiohttp import web

from tests.arm.call import Answer
from tests.arm.service import ArmApi, IncomingRequest

_PIECE_COUNT = 20
"""In about so many a slow body comes."""
_COMPRESSION_MINIMUM = 256
"""Bytes that are not worth packing."""


@dataclass(frozen=True, slots=True)
class EncodedAnswer:
    """An answer as it goes over the wire."""

    status: int
    headers: dict[str, str]
    content: bytes


class Exchange:
    """What a fault may play with; `note` is told status and size as soon as they are known."""

    def __init__(
        self, request: web.BaseRequest, incoming: IncomingRequest, service: ArmApi, note: Callable[[int, int], None]
    ) -> None:
        self._request = request
        self._record_answer = note
        self.incoming = incoming
        self.service = service

    @property
    def url(self) -> str:
        """Of this request, absolute."""
        return f"{self.service.origin}{self._request.path_qs}"

    def compute_answer(self) -> Answer:
        """The true answer; what the request does is done by then."""
        return self.service.answer_request(self.incoming)

    def encode_truth(self) -> EncodedAnswer:
        """The true answer as it goes over the wire, unpacked."""
        return encode_answer(self.compute_answer())

    async def send_answer(self, answer: Answer) -> web.StreamResponse:
        """The answer, whole, packed if the client takes that."""
        accepts_gzip = "gzip" in self.incoming.headers.get("accept-encoding", "")
        return await self.write_encoded(encode_answer(answer, compresses=accepts_gzip))

    async def send_instead(self, answer: Answer) -> web.StreamResponse:
        """An answer that is not the service's, with the headers that all of them have."""
        return await self.send_answer(self.service.add_common_headers(self.incoming, answer))

    async def write_encoded(
        self, what: EncodedAnswer, *, only: int | None = None, seconds: float = 0.0
    ) -> web.StreamResponse:
        """Headers for all of it, and the content: all, or `only` so many bytes; spread over so many seconds."""
        content = what.content[:only]
        self._record_answer(what.status, len(content))
        response = web.StreamResponse(status=what.status, headers=what.headers)
        response.content_length = len(what.content)
        size = max(1, len(content) // _PIECE_COUNT if seconds else len(content))
        pieces = [content[start : start + size] for start in range(0, len(content), size)]
        # A client that has gone can be told nothing.
        with suppress(ConnectionError):
            await response.prepare(self._request)
            for piece in pieces:
                await asyncio.sleep(seconds / len(pieces))
                await response.write(piece)
        return response

    async def write_endlessly(self, what: EncodedAnswer, part: str, every: float) -> web.StreamResponse:
        """A byte every so many seconds, of a `header` that does not end, or of the `body`; for ever, if it lasts."""
        transport = self._request.transport
        headers = {**what.headers, "Content-Length": str(1 << 20)}
        lines = [f"HTTP/1.1 {what.status} OK", *(f"{name}: {value}" for name, value in headers.items())]
        if transport is not None:
            transport.write("\r\n".join((*lines, *(("X-Slow: ",) if part == "header" else ("", "")))).encode())
        content = iter(what.content if part == "body" else b"")
        while transport is not None and not transport.is_closing():
            transport.write(bytes((next(content, ord(" ")),)))
            await asyncio.sleep(every)
        return web.Response()

    def reset_connection(self) -> web.StreamResponse:
        """Close the connection with a TCP reset."""
        transport = self._request.transport
        if transport is not None:
            # Linger 0 makes the kernel send RST in place of FIN.
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        return web.Response()

    def break_encryption(self) -> web.StreamResponse:
        """Write past the encryption, so that the client's TLS breaks over the answer, and close."""
        transport = self._request.transport
        if transport is not None:
            os.write(transport.get_extra_info("socket").fileno(), b"this is no TLS record")
            transport.abort()
        return web.Response()

    async def wait_for_disconnect(self) -> web.StreamResponse:
        """Wait until the client has had enough."""
        while (transport := self._request.transport) is not None and not transport.is_closing():  # noqa: ASYNC110 - nobody is told when a transport closes
            await asyncio.sleep(0.05)
        return web.Response()


def encode_answer(answer: Answer, *, compresses: bool = False) -> EncodedAnswer:
    """Status, headers and content of an answer, in gzip if it is worth that."""
    if answer.body is None:
        return EncodedAnswer(answer.status, dict(answer.headers), b"")
    content = msgspec.json.encode(answer.body)
    headers = {**answer.headers, "Content-Type": "application/json; charset=utf-8"}
    if not compresses or len(content) < _COMPRESSION_MINIMUM:
        return EncodedAnswer(answer.status, headers, content)
    packed = gzip.compress(content, compresslevel=1)
    return EncodedAnswer(answer.status, {**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}, packed)
