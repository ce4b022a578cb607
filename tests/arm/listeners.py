"""Whoever else a client may meet on its way: a server that never says a word, and a proxy that tunnels."""

import base64
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

_BLOCK_SIZE = 1 << 16


class SilentServer:
    """Takes connections while it is entered and never says a word, not even for TLS."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        port = self._listener.getsockname()[1]
        self.address, self.url = f"127.0.0.1:{port}", f"https://localhost:{port}"

    def __enter__(self) -> Self:
        self._start_thread(self._accept_clients)
        return self

    def __exit__(self, *_: object) -> None:
        # Each thread that ends may have left one more socket, or begun one more thread.
        for thread in self._threads:
            _shut_down(self._listener, *self._sockets)
            thread.join(5)
        for each in (self._listener, *self._sockets):
            each.close()

    @property
    def connections(self) -> int:
        """How many were taken."""
        return len(self._sockets)

    def _accept_clients(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                self._sockets.append(client)
                self._start_thread(self._serve_client, client)

    def _serve_client(self, client: socket.socket) -> None:
        """Leave it waiting."""

    def _start_thread(self, act: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=act, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()


class Proxy(SilentServer):
    """Leads all that is asked for to `port` on this machine; `login` is NAME:PASSWORD, where it wants one."""

    def __init__(self, port: int, login: str = "") -> None:
        super().__init__()
        self._port = port
        self._login = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
        self.requested_hosts: list[str] = []
        """For which host and port, each."""

    def _serve_client(self, client: socket.socket) -> None:
        with suppress(OSError):
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += client.recv(1)
            first, *headers = request.decode().split("\r\n")
            self.requested_hosts.append(first.split()[1])
            if self._login and f"Proxy-Authorization: {self._login}" not in headers:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                _shut_down(client)
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            self._sockets.append(server)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._start_thread(_copy_bytes, client, server)
            _copy_bytes(server, client)


def _shut_down(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _copy_bytes(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(_BLOCK_SIZE):
            target.sendall(block)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
