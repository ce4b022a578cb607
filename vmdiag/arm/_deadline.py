"""Work that waits for others, given up when its time is over, wherever it waits; must not know what the work is.

A library's timeout holds for one read, so a server that sends a byte now and then is waited for without end; and the
resolution of a name, another program's answer and a lock have none that is ours. So the work is done in a thread of its
own. When its time is over nobody waits for it any more, and its connection is shut, which ends the thread, too.
"""

import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from azure.core.exceptions import AzureError

from vmdiag.errors import Interrupted, OutOfTime, VmdiagError

Result = TypeVar("Result")
# How often a waiting thread looks up, to see whether it should stop.
POLL_INTERVAL = 0.1

_thread_state = threading.local()


class Connection(Protocol):
    """What an exchange goes over; of `http.client`, or of a library that builds upon it."""

    sock: object


class _TimedCall(Generic[Result]):
    """Something under way in its thread."""

    def __init__(self, act: Callable[[], Result]) -> None:
        self._act = act
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._is_abandoned = False
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self.end_event = threading.Event()

    def run(self) -> None:
        _thread_state.work = self
        try:
            self._results.append(self._act())
        except (AzureError, OSError, ValueError, VmdiagError) as error:
            self._error = error
        finally:
            # A defect, too, is for the thread that waits: it must not wait for ever.
            self._error = self._error or sys.exception()
            self.end_event.set()

    def attach_connection(self, connection: Connection) -> None:
        """From now on it is this connection that is waited for; raises `OSError` where nobody waits any more."""
        with self._lock:
            if self._is_abandoned:
                message = "the time for it was over"
                raise TimeoutError(message)
            connection.owner = self  # type: ignore[attr-defined]
            self._connection = connection

    def abandon_call(self) -> None:
        """Shut the connection, unless others use it by now."""
        with self._lock:
            self._is_abandoned = True
            if self._connection is not None and getattr(self._connection, "owner", None) is self:
                _shut_down_socket(self._connection.sock)

    def result(self) -> Result:
        """What came of it; raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._results[0]


def run_with_deadline(act: Callable[[], Result], seconds: float, stop: threading.Event | None = None) -> Result:
    """Do it within so many seconds; raises `TimeoutError` after them, `InterruptedError` once `stop` is set."""
    ends = time.monotonic() + seconds
    work = _TimedCall(act)
    threading.Thread(target=work.run, daemon=True).start()
    while not work.end_event.wait(max(0.0, min(POLL_INTERVAL, ends - time.monotonic()))):
        if stop is not None and stop.is_set():
            work.abandon_call()
            raise InterruptedError
        if time.monotonic() >= ends:
            work.abandon_call()
            raise TimeoutError
    return work.result()


def has_deadline() -> bool:
    """Whether this thread does work whose time is limited."""
    return hasattr(_thread_state, "work")


def attach_connection(connection: Connection) -> None:
    """Let the work of this thread be ended by shutting this connection."""
    work: _TimedCall[object] | None = getattr(_thread_state, "work", None)
    if work is not None:
        work.attach_connection(connection)


def _shut_down_socket(sock: object) -> None:
    """End every reading and writing of a socket. To close it would not: who reads in another thread reads on.

    While TLS is being agreed upon Python keeps the socket to itself; there the library's timeout is one for the whole.
    """
    # TLS inside of TLS, to a proxy that is itself reached by TLS, is no socket but has one.
    inner = sock if isinstance(sock, socket.socket) else getattr(sock, "socket", None)
    if isinstance(inner, socket.socket):
        with suppress(OSError):
            # Not the method of TLS' own class, which forgets its state beneath the thread that uses it.
            socket.socket.shutdown(inner, socket.SHUT_RDWR)


def build_interrupted_error(what: str) -> Interrupted:
    """The error of work that a person ended."""
    return Interrupted(f"{what}: interrupted", "Run again.")


def build_timeout_error(what: str) -> OutOfTime:
    """The error of work for which the run has no time left."""
    return OutOfTime(f"{what}: the run's time was over", "Give a longer --timeout.")
