"""Files read in ranges, by several processes where that is worth their start, and given back in order.

The lines of a range are read as the whole file would be, and only what may matter is given back. From a line on that
does not stand for itself (a document over many lines, a broken one) the file is read by the caller alone.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache, partial
from itertools import chain
from multiprocessing import connection
from typing import Self

from vmdiag.sources.archive._range_reader import FileRange, RangeReader, RangeRows, iter_chunks
from vmdiag.sources.files.input_files import InputFile
from vmdiag.sources.files.memory_rows import RowResult, ScreenedRecords
from vmdiag.sources.files.row_screen import make_screen
from vmdiag.sources.files.rows import read_json_rows
from vmdiag.sources.files.text_cursor import TextCursor

RANGE_SIZE = 8 << 20
# Ranges under way for each process: enough that none waits, and few enough that memory stays flat; at first so many
# that none waits for who takes them.
AHEAD = 2
AHEAD_AT_FIRST = 4
# A reading process's own; the process that asks puts nothing here, so that a fork finds nothing.
readers: list[RangeReader] = []


RangeResult = tuple[FileRange, RangeRows | None]
# A range that was handed out, and how to get what it and those that were handed out with it hold, at which place it.
Reading = tuple[FileRange, Callable[[], Sequence[RangeRows | None]], int]


class RangePool:
    """Reads the ranges of files ahead, in the order of the files; with one process each when it is its turn.

    To the list of `files` more may be added until the first is opened.
    """

    def __init__(
        self, files: Sequence[InputFile], forms: tuple[str, ...], processes: int, size: int = RANGE_SIZE
    ) -> None:
        self._size = size
        self._abandoned: set[str] = set()
        self._plan = self._plan_ranges(files)
        self._forms = forms
        self._reader = RangeReader(forms, size)
        self._processes = processes
        self._pending: deque[list[Reading]] = deque()
        self._pool: ProcessPoolExecutor | None = None
        if processes > 1:
            # Where no thread runs yet a fork is safe, and quick.
            method = "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"
            self._pool = ProcessPoolExecutor(processes, multiprocessing.get_context(method), _start_reading, (forms,))
        self._submit_ahead(AHEAD_AT_FIRST if processes > 1 else AHEAD)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def open_file(self, file: InputFile, report_progress: Callable[[int], None]) -> "RangedFile | None":
        """The next file in order; `None` where it cannot be read in ranges at all."""
        ranges = self._iter_ranges(file.path)
        part, found = next(ranges, (None, None))
        if part is None or found is None:
            return None
        silent_rows = [row.row for row in found.rows if isinstance(row.row, ScreenedRecords)]
        # Of several lists each is as long as it is: whether one was cut is told row by row.
        lists = {row.listing for row in found.rows if isinstance(row.row, ScreenedRecords) and row.row.count}
        if part.size != file.size or len(silent_rows) != len(found.rows) or len(lists) > 1:
            silent_rows.clear()
        return RangedFile(chain([(part, found)], ranges), self._forms, report_progress, silent_rows)

    def _iter_ranges(self, path: str) -> Iterator[RangeResult]:
        """The ranges of the next file, the last with `None` where it is to be read alone from there on."""
        while self._pending and self._pending[0][0][0].path == path:
            part, get_rows, at = self._take_reading()
            try:
                found = get_rows()[at]
            except BrokenProcessPool:
                found = None
            if found is None:
                self._abandoned.add(path)
                while self._pending and self._pending[0][0][0].path == path:
                    self._take_reading()
            self._submit_ahead()
            yield part, found

    def _take_reading(self) -> Reading:
        reading = self._pending[0].pop(0)
        if not self._pending[0]:
            self._pending.popleft()
        return reading

    def _plan_ranges(self, files: Sequence[InputFile]) -> Iterator[list[FileRange]]:
        """Lists of ranges, each of about so many bytes in all; an empty one where no more are known yet."""
        batch, total, place = list[FileRange](), 0, 0
        while True:
            if place == len(files):
                yield batch
                batch, total = [], 0
                continue
            file = files[place]
            place += 1
            end = file.size or 0
            for start in range(0, end, self._size):
                if file.path in self._abandoned:
                    break
                batch.append(FileRange(file.path, start, min(self._size, end - start)))
                total += batch[-1].size
                if total >= self._size:
                    yield batch
                    batch, total = [], 0

    def _submit_ahead(self, ahead: int = AHEAD) -> None:
        while len(self._pending) < ahead * self._processes and (parts := next(self._plan)):
            get_rows: Callable[[], Sequence[RangeRows | None]]
            if self._pool is None:
                get_rows = lru_cache(1)(partial(self._reader.read_ranges, parts))
            else:
                try:
                    get_rows = self._pool.submit(read_ranges, parts).result
                except BrokenProcessPool:
                    # They stay in their places: what nobody reads ahead is read by the caller, and never left out.
                    get_rows = partial(list[None], [None] * len(parts))
            self._pending.append([(part, get_rows, at) for at, part in enumerate(parts)])


class RangedFile:
    """The rows of a file; `damage` says, after the last, why the file ends where it should not.

    Where all of a small file was left out, `silent_rows` are all its rows.
    """

    def __init__(
        self,
        ranges: Iterator[RangeResult],
        forms: tuple[str, ...],
        report_progress: Callable[[int], None],
        silent_rows: Sequence[ScreenedRecords],
    ) -> None:
        self.damage: str | None = None
        self.silent_rows = silent_rows
        self._ranges = ranges
        self._forms = forms
        self._report_progress = report_progress

    def __iter__(self) -> Iterator[RowResult]:
        line = 1
        for part, found in self._ranges:
            if found is None:
                yield from read_json_rows(TextCursor(self._read_from(part), line), make_screen(self._forms))
            else:
                self._report_progress(part.size)
                yield from (row._replace(line=row.line + line) for row in found.rows)
                line += found.lines

    def _read_from(self, part: FileRange) -> Iterator[bytes]:
        """The rest of a file, from the first line of a range on."""
        try:
            for chunk in iter_chunks(part):
                self._report_progress(len(chunk))
                yield chunk
        except OSError as error:
            self.damage = f"reading stopped: {error.strerror or error}"


def read_ranges(parts: Sequence[FileRange]) -> list[RangeRows | None]:
    """The rows of each range, read in a reading process."""
    return readers[0].read_ranges(parts)


def _start_reading(forms: tuple[str, ...]) -> None:
    """A reading process ends when the one that asked does, and leaves it to that one to be interrupted."""
    readers.append(RangeReader(forms, RANGE_SIZE, reads_packed=True))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def wait_for_parent() -> None:
        if parent is not None:
            connection.wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=wait_for_parent, daemon=True).start()
