"""A server that takes connections and never says a word, not even for TLS."""

import socket
import threading
from contextlib import suppress
from typing import Self


class SilentServer:
    """Listens while it is entered; `connections` counts who came."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept_clients, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # To close it alone would leave the other thread waiting.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        for each in (self._listener, *self._sockets):
            each.close()

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"https://localhost:{self._listener.getsockname()[1]}"

    @property
    def connections(self) -> int:
        """How many were taken."""
        return len(self._sockets)

    def _accept_clients(self) -> None:
        with suppress(OSError):
            while True:
                self._sockets.append(self._listener.accept()[0])
