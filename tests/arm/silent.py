"""A server that takes connections and never says a word, not even for TLS."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Silent:
    """Listens while it is entered; `connections` counts who came."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._held: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # To close it alone would leave the other thread waiting.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for each in (self._listener, *self._held):
            each.close()

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"https://localhost:{self._listener.getsockname()[1]}"

    @property
    def connections(self) -> int:
        """How many were taken."""
        return len(self._held)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._held.append(self._listener.accept()[0])
