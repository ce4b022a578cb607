"""A proxy that tunnels: every host and port it is asked for is one server of the tests; must not know what is said."""

import base64
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_BLOCK = 1 << 16


class Proxy:
    """Leads all that is asked for to `port` on this machine; `login` is NAME:PASSWORD, where it wants one."""

    def __init__(self, port: int, login: str = "") -> None:
        self._port = port
        self._login = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._held: list[socket.socket] = []
        self.asked: list[str] = []
        """For which host and port, each."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._listener, *self._held):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                self._held.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += client.recv(1)
            first, *headers = request.decode().split("\r\n")
            self.asked.append(first.split()[1])
            if self._login and f"Proxy-Authorization: {self._login}" not in headers:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                client.close()
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            self._held.append(server)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            threading.Thread(target=_carry, args=(client, server), daemon=True).start()
            _carry(server, client)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(_BLOCK):
            target.sendall(block)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
