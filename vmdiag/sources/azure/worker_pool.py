"""Work that waits for a network, done by a few threads at once; must not know what the work is.

The threads are daemons: a run that is interrupted ends at once and does not wait for an answer that may never come.
"""

import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from vmdiag.errors import VmdiagError

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
# How often the main thread looks up from waiting, to see whether it should stop.
LOOK_UP = 0.1


@dataclass(frozen=True, slots=True)
class Piece(Generic[Key, Value]):
    """Something that a job yielded."""

    key: Key
    value: Value


@dataclass(frozen=True, slots=True)
class Done(Generic[Key]):
    """A job's end, and the error that ended it, if one did."""

    key: Key
    error: BaseException | None = None


class Crew(Generic[Key, Value]):
    """Runs jobs, each an iterator, and hands on what they yield, in the order of its coming."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._threads = 0
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Key, Callable[[], Iterable[Value]]]] = deque()
        # A page may be 20 MB: no more of them than one a thread wait while earlier ones are read.
        self._done: queue.Queue[Piece[Key, Value] | Done[Key]] = queue.Queue(4)
        self._open = 0

    @property
    def size(self) -> int:
        """How many threads are at work."""
        return self._threads

    def add(self, key: Key, job: Callable[[], Iterable[Value]]) -> None:
        """One more job; it may begin at once."""
        with self._lock:
            self._waiting.append((key, job))
            self._open += 1
            is_short = self._threads < self._size
            self._threads += is_short
        if is_short:
            threading.Thread(target=self._work, daemon=True).start()

    def results(self, stopped: Callable[[], bool]) -> Iterator[Piece[Key, Value] | Done[Key]]:
        """What the jobs yield and how they end, until all have ended or `stopped` says so."""
        while self._open and not stopped():
            try:
                result = self._done.get(timeout=LOOK_UP)
            except queue.Empty:
                continue
            self._open -= isinstance(result, Done)
            yield result

    def _work(self) -> None:
        """Until nothing waits: a run that looks again every minute must not gather idle threads."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                key, job = self._waiting.popleft()
            error: BaseException | None = None
            try:
                for value in job():
                    self._done.put(Piece(key, value))
            except VmdiagError as caught:
                error = caught
            finally:
                # A defect, too, is for the thread that waits: it must not wait for ever.
                self._done.put(Done(key, error or sys.exception()))
