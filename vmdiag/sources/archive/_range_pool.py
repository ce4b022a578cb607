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
from vmdiag.sources.files.row_screen import BLOCK_SIZE, RowScreen, make_screen, read_single_lines
from vmdiag.sources.files.rows import read_json_rows
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
            for start in range(0, file.size or 0, RANGE_SIZE):
                if file.path in self._abandoned:
                    break
                yield FileRange(file.path, start, RANGE_SIZE)

    def _submit_ahead(self) -> None:
        while len(self._pending) < self._ahead and (part := next(self._plan, None)) is not None:
            try:
                self._pending.append((part, self._pool.submit(read_range, self._forms, part)))
            except BrokenProcessPool:
                return


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
            with Path(part.path).open("rb", buffering=0) as file:
                # The line before ends with the byte before the range, or within it.
                file.seek(max(part.start - 1, 0))
                is_aligned = part.start == 0
                while chunk := file.read(BLOCK_SIZE):
                    self._report_progress(len(chunk))
                    cut = 0 if is_aligned else chunk.find(b"\n") + 1
                    if is_aligned or cut:
                        is_aligned = True
                        yield chunk[cut:]
        except OSError as error:
            self.damage = f"reading stopped: {error.strerror or error}"


def read_range(forms: tuple[str, ...], part: FileRange) -> RangeRows | None:
    """The rows of a range; `None` where a line of it does not stand for itself."""
    lines, rows = 0, list[RowResult]()
    screen = _find_screen(part.path, forms)
    try:
        for block in _iter_blocks(part):
            found = screen.screen_lines(lines, block) or read_single_lines(lines, block)
            if found is None or len(rows) > ROWS_LIMIT:
                return None
            rows += found
            lines += block.count(b"\n")
    except OSError:
        return None
    return RangeRows(rows, lines)


def _iter_blocks(part: FileRange) -> Iterator[bytes]:
    """The range in whole lines; what is no text of lines as one line that nobody can read."""
    with Path(part.path).open("rb", buffering=0) as file:
        at, end, held = max(part.start - 1, 0), part.start + part.size, b""
        file.seek(at)
        is_aligned = part.start == 0
        while (chunk := file.read(BLOCK_SIZE)) and len(held) <= RECORD_LIMIT:
            held += chunk
            if at == 0 and is_aligned and not _is_text_of_lines(held):
                break
            if not is_aligned and (cut := held.find(b"\n") + 1):
                at, held, is_aligned = at + cut, held[cut:], True
            if not is_aligned or not held:
                continue
            if at >= end:
                return
            is_end = end <= at + len(held)
            stop = (held.find(b"\n", end - 1 - at) if is_end else held.rfind(b"\n")) + 1
            if stop:
                yield held[:stop]
                at, held = at + stop, held[stop:]
            if stop and is_end:
                return
        if chunk:
            yield UNREADABLE
        elif is_aligned and held and at < end:
            yield held + b"\n"


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
