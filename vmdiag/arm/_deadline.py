"""Work that waits for others, given up when its time is over, wherever it waits.

A library's timeout holds for one read, so a server that sends a byte now and then is waited for without end; and the
resolution of a name, another program's answer and a lock have none that is ours. So the work is done in a thread of its
own. When its time is over nobody waits for it any more, and its connection is shut, which ends the thread, too.
"""

import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from http.client import HTTPConnection
from typing import Generic, TypeVar

from azure.core.exceptions import AzureError

from vmdiag.errors import VmdiagError

Result = TypeVar("Result")
# How often a waiting thread looks up, to see whether it should stop.
POLL_INTERVAL = 0.1

_thread_state = threading.local()


class _TimedCall(Generic[Result]):
    """Something under way in its thread."""

    def __init__(self, act: Callable[[], Result]) -> None:
        self._act = act
        self._lock = threading.Lock()
        self._connection: HTTPConnection | None = None
        self._is_abandoned = False
        self.future: Future[Result] = Future()

    def run(self) -> None:
        _thread_state.work = self
        try:
            self.future.set_result(self._act())
        except (AzureError, OSError, ValueError, VmdiagError) as error:
            self.future.set_exception(error)
        finally:
            # A defect, too, is for the thread that waits: it must not wait for ever.
            if not self.future.done():
                self.future.set_exception(sys.exception())
            # The connection waits in its pool for the next call, and must not keep this one's answer or error alive.
            with self._lock:
                if getattr(self._connection, "owner", None) is self:
                    self._connection.owner = None
                self._connection = None

    def attach_connection(self, connection: HTTPConnection) -> None:
        """From now on it is this connection that is waited for; raises `OSError` where nobody waits any more."""
        with self._lock:
            if self._is_abandoned:
                message = "the time for it was over"
                raise TimeoutError(message)
            connection.owner = self  # type: ignore[attr-defined]
            self._connection = connection

    def abandon_call(self) -> None:
        """Shut the connection, unless others use it by now. To close it would not do: who reads it reads on.

        While TLS is being agreed upon Python keeps the socket to itself; there the library's timeout is for the whole.
        """
        with self._lock:
            self._is_abandoned = True
            if self._connection is None or getattr(self._connection, "owner", None) is not self:
                return
            sock = self._connection.sock
            # TLS inside of TLS, to a proxy that is itself reached by TLS, is no socket but has one.
            inner = sock if isinstance(sock, socket.socket) else getattr(sock, "socket", None)
            if isinstance(inner, socket.socket):
                with suppress(OSError):
                    # Not the method of TLS' own class, which forgets its state beneath the thread that uses it.
                    socket.socket.shutdown(inner, socket.SHUT_RDWR)


def run_with_deadline(act: Callable[[], Result], seconds: float, stop: threading.Event | None = None) -> Result:
    """Do it within so many seconds; raises `TimeoutError` after them, `InterruptedError` once `stop` is set."""
    ends = time.monotonic() + seconds
    work = _TimedCall(act)
    threading.Thread(target=work.run, daemon=True).start()
    while not wait([work.future], max(0.0, min(POLL_INTERVAL, ends - time.monotonic()))).done:
        is_stopped = stop is not None and stop.is_set()
        if is_stopped or time.monotonic() >= ends:
            work.abandon_call()
            raise InterruptedError if is_stopped else TimeoutError
    return work.future.result()


def has_deadline() -> bool:
    """Whether this thread does work whose time is limited."""
    return hasattr(_thread_state, "work")


def attach_connection(connection: HTTPConnection) -> None:
    """Let the work of this thread be ended by shutting this connection."""
    if has_deadline():
        _thread_state.work.attach_connection(connection)
