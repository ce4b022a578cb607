"""Large files read by several processes, in ranges that are given back in order.

A process reads the lines of a range as the whole file would be read, and gives back only what may matter. From a line
on that does not stand for itself (a document over many lines, a broken one) the file is read by the caller alone.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from itertools import chain
from multiprocessing import connection
from pathlib import Path
from typing import NamedTuple, Self

from vmdiag.sources.files.input_files import InputFile
from vmdiag.sources.files.memory_rows import RowResult
from vmdiag.sources.files.row_screen import BLOCK_SIZE, RowScreen, make_screen
from vmdiag.sources.files.rows import read_json_rows, read_whole_lines
from vmdiag.sources.files.text_cursor import RECORD_LIMIT, TextCursor

RANGE_SIZE = 8 << 20
# So many rows of a range that matter are quicker read where they are needed than handed over.
ROWS_LIMIT = 4_000
# Ranges under way for each process: enough that none waits, and few enough that memory stays flat.
AHEAD = 2
# What no reader of lines takes for a record.
UNREADABLE = b"\0\n"


class FileRange(NamedTuple):
    """The lines of a file that begin at or after `start`, and before `start + size`."""

    path: str
    start: int
    size: int


class RangeRows(NamedTuple):
    """The rows of a range, numbered from 0 for its first line, and how many lines it has."""

    rows: Sequence[RowResult]
    lines: int


RangeResult = tuple[FileRange, RangeRows | None]


class RangePool:
    """Reads the ranges of files ahead, in the order of the files."""

    def __init__(self, files: Sequence[InputFile], forms: tuple[str, ...], processes: int) -> None:
        self._abandoned: set[str] = set()
        self._plan = self._plan_ranges(files)
        self._forms = forms
        self._ahead = processes * AHEAD
        self._pending: deque[tuple[FileRange, Future[RangeRows | None]]] = deque()
        # Where no thread runs yet a fork is safe, and quick.
        method = "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"
        self._pool = ProcessPoolExecutor(processes, multiprocessing.get_context(method), _end_with_parent)
        self._submit_ahead()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def open_file(self, file: InputFile, report_progress: Callable[[int], None]) -> "RangedFile | None":
        """The next file in order; `None` where it cannot be read in ranges at all."""
        ranges = self._iter_ranges(file.path)
        first = next(ranges, None)
        if first is None or first[1] is None:
            return None
        return RangedFile(chain([first], ranges), make_screen(self._forms), report_progress)

    def _iter_ranges(self, path: str) -> Iterator[RangeResult]:
        """The ranges of the next file, the last with `None` where it is to be read alone from there on."""
        while self._pending and self._pending[0][0].path == path:
            part, reading = self._pending.popleft()
            try:
                found = reading.result()
            except BrokenProcessPool:
                found = None
            if found is None:
                self._abandoned.add(path)
                while self._pending and self._pending[0][0].path == path:
                    self._pending.popleft()[1].cancel()
            self._submit_ahead()
            yield part, found

    def _plan_ranges(self, files: Sequence[InputFile]) -> Iterator[FileRange]:
        for file in files:
            size = file.size or 0
            for start in range(0, size, RANGE_SIZE):
                if file.path in self._abandoned:
                    break
                yield FileRange(file.path, start, min(RANGE_SIZE, size - start))

    def _submit_ahead(self) -> None:
        while len(self._pending) < self._ahead and (part := next(self._plan, None)) is not None:
            try:
                reading = self._pool.submit(read_range, self._forms, part)
            except BrokenProcessPool:
                # It stays in its place: what nobody reads ahead is read by the caller, and never left out.
                reading = Future()
                reading.set_result(None)
            self._pending.append((part, reading))


class RangedFile:
    """The rows of a file; `damage` says, after the last, why the file ends where it should not."""

    def __init__(
        self,
        ranges: Iterator[RangeResult],
        screen: RowScreen,
        report_progress: Callable[[int], None],
    ) -> None:
        self.damage: str | None = None
        self._ranges = ranges
        self._screen = screen
        self._report_progress = report_progress

    def __iter__(self) -> Iterator[RowResult]:
        line = 1
        for part, found in self._ranges:
            if found is None:
                yield from read_json_rows(TextCursor(self._read_from(part), line), self._screen)
            else:
                self._report_progress(part.size)
                yield from (row._replace(line=row.line + line) for row in found.rows)
                line += found.lines

    def _read_from(self, part: FileRange) -> Iterator[bytes]:
        """The rest of a file, from the first line of a range on."""
        try:
            for _, chunk in _iter_chunks(part):
                self._report_progress(len(chunk))
                yield chunk
        except OSError as error:
            self.damage = f"reading stopped: {error.strerror or error}"


def read_range(forms: tuple[str, ...], part: FileRange) -> RangeRows | None:
    """The rows of a range; `None` where a line of it does not stand for itself."""
    lines, rows = 0, list[RowResult]()
    screen = _find_screen(part.path, forms)
    try:
        for block in _iter_blocks(part):
            found = screen.screen_lines(lines, block) or read_whole_lines(lines, block)
            if found is None or len(rows) > ROWS_LIMIT:
                return None
            rows += found
            lines += block.count(b"\n")
    except (OSError, MemoryError):
        return None  # who asked reads it, and tells what is wrong
    return RangeRows(rows, lines)


def _iter_blocks(part: FileRange) -> Iterator[bytes]:
    """The range in whole lines; what is no text of lines as one line that nobody can read."""
    at, end, held = 0, part.start + part.size, b""
    for place, chunk in _iter_chunks(part):
        at = at if held else place
        if at >= end:
            return
        held += chunk
        if (at == 0 and not _is_text_of_lines(held)) or len(held) > RECORD_LIMIT:
            yield UNREADABLE
            return
        is_end = end <= at + len(held)
        stop = (held.find(b"\n", end - 1 - at) if is_end else held.rfind(b"\n")) + 1
        if stop:
            yield held[:stop]
            at, held = at + stop, held[stop:]
        if stop and is_end:
            return
    if held and at < end:
        yield held + b"\n"


def _iter_chunks(part: FileRange) -> Iterator[tuple[int, bytes]]:
    """The file from the first line on that begins at or after the range's start, in pieces, each with its place."""
    with Path(part.path).open("rb", buffering=0) as file:
        # The line before ends with the byte before the range, or within it.
        at, is_aligned = max(part.start - 1, 0), part.start == 0
        file.seek(at)
        while chunk := file.read(BLOCK_SIZE):
            cut = 0 if is_aligned else chunk.find(b"\n") + 1
            is_aligned = is_aligned or cut > 0
            if is_aligned and cut < len(chunk):
                yield at + cut, chunk[cut:]
            at += len(chunk)


def _is_text_of_lines(head: bytes) -> bool:
    """Whether a file begins as lines of JSON in UTF-8 do, neither packed nor in another encoding."""
    return head.startswith(b"{") and b"\0" not in head and (b"\n" in head or b"\r" not in head)


def _end_with_parent() -> None:
    """A reading process ends when the one that asked does, and leaves it to that one to be interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def wait_for_parent() -> None:
        if parent is not None:
            connection.wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=wait_for_parent, daemon=True).start()


@lru_cache(maxsize=1)  # the ranges of one file come in turn
def _find_screen(path: str, forms: tuple[str, ...]) -> RowScreen:
    del path
    return make_screen(forms)
