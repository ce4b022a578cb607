"""Work that waits for a network, done by a few threads at once.

The threads are daemons: a run that is interrupted ends at once and does not wait for an answer that may never come.
"""

import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from operator import call
from typing import Generic, TypeVar

from vmdiag.errors import SourceError, VmdiagError
from vmdiag.values import Struct

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
# How often the main thread looks up from waiting, to see whether it should stop.
POLL_INTERVAL = 0.1
# Of glibc's malloc.h, and what is set: bytes, and heaps for all threads, which Python runs one at a time.
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
LARGE_BLOCK, HEAPS = 256 << 10, 2


class JobResult(Struct, Generic[Key, Value], frozen=True):
    """Something that a job yielded."""

    key: Key
    value: Value


class JobEnd(Struct, Generic[Key], frozen=True):
    """A job's end, and the error that ended it, if one did."""

    key: Key
    error: BaseException | None = None


def return_large_blocks() -> None:
    """Let glibc give back to the system at once what large answers took: its heaps, one a thread, would keep it.

    By itself it keeps ever larger blocks for the next use: a reading of 300 VMs held 100 MB of them. Other C libraries
    have no such setting. Source: mallopt(3), M_MMAP_THRESHOLD and M_ARENA_MAX.
    """
    import ctypes

    with suppress(AttributeError, OSError, TypeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(M_MMAP_THRESHOLD, LARGE_BLOCK)
        set_option(M_ARENA_MAX, HEAPS)


class WorkerPool(Generic[Key, Value]):
    """Runs jobs, each an iterator, and hands on what they yield, in the order of its coming."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.active_threads = 0
        self._lock = threading.Lock()
        self._pending_jobs: deque[tuple[Key, Callable[[], Iterable[Value]]]] = deque()
        # A page may be 20 MB: no more of them than one a thread wait while earlier ones are read.
        self._results: queue.Queue[JobResult[Key, Value] | JobEnd[Key]] = queue.Queue(4)
        self._open_jobs = 0

    def submit_job(self, key: Key, job: Callable[[], Iterable[Value]]) -> None:
        """One more job; it may begin at once."""
        with self._lock:
            self._pending_jobs.append((key, job))
            self._open_jobs += 1
            is_short = self.active_threads < self._size
            self.active_threads += is_short
        if is_short:
            threading.Thread(target=self._run_jobs, daemon=True).start()

    def iterate_results(self, should_stop: Callable[[], bool]) -> Iterator[JobResult[Key, Value] | JobEnd[Key]]:
        """What the jobs yield and how they end, until all have ended or `should_stop` says so."""
        while self._open_jobs and not should_stop():
            try:
                result = self._results.get(timeout=POLL_INTERVAL)
            except queue.Empty:
                continue
            self._open_jobs -= isinstance(result, JobEnd)
            yield result

    def _run_jobs(self) -> None:
        """Until nothing waits: a run that looks again every minute must not gather idle threads."""
        while True:
            with self._lock:
                if not self._pending_jobs:
                    self.active_threads -= 1
                    return
                key, job = self._pending_jobs.popleft()
            error: BaseException | None = None
            try:
                for value in job():
                    self._results.put(JobResult(key, value))
            except VmdiagError as caught:
                error = caught
            finally:
                # A defect, too, is for the thread that waits: it must not wait for ever.
                self._results.put(JobEnd(key, error or sys.exception()))


def run_jobs(
    size: int, jobs: Mapping[Key, Callable[[], Value]], should_stop: Callable[[], bool]
) -> Iterator[tuple[Key, Value | SourceError]]:
    """What became of each job, in the order of its coming, until `should_stop` says so."""
    workers: WorkerPool[Key, Value] = WorkerPool(size)
    for key, job in jobs.items():
        workers.submit_job(key, partial(map, call, (job,)))
    for result in workers.iterate_results(should_stop):
        if isinstance(result, JobResult):
            yield result.key, result.value
        elif isinstance(result.error, SourceError):
            yield result.key, result.error
        elif result.error is not None:
            raise result.error
