"""The lines of a range of a file, read as the whole file would be; only what may matter is given back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from vmdiag.sources.files.memory_rows import RowResult, ScreenedRecords
from vmdiag.sources.files.row_screen import BLOCK_SIZE, ScreenedLines, Text, make_screen
from vmdiag.sources.files.rows import read_whole_line
from vmdiag.sources.files.streams import CHUNK_SIZE
from vmdiag.sources.files.text_cursor import RECORD_LIMIT

# So many rows of a range that matter are quicker read where they are needed than handed over.
ROWS_LIMIT = 4_000
# Most lines end within so many bytes.
SHORT_PIECE = 1 << 14
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


class RangeReader:
    """Reads one range after another, each file's in order."""

    def __init__(self, forms: tuple[str, ...]) -> None:
        self._forms = forms
        self._path = ""
        self._screen = make_screen(forms)

    def read_range(self, part: FileRange) -> RangeRows | None:
        """The rows of a range; `None` where a line of it does not stand for itself."""
        if part.path != self._path:
            self._path, self._screen = part.path, make_screen(self._forms)
        lines, rows, screen = 0, list[RowResult](), self._screen
        try:
            for data, stop in _iter_blocks(part):
                at = 0
                while at < stop:
                    found = screen.screen_lines(lines, data, at, stop) or _read_first_line(lines, data, at)
                    if found is None or len(rows) > ROWS_LIMIT:
                        return None
                    _extend_rows(rows, found.rows)
                    lines += found.lines
                    at = found.end
        except (OSError, MemoryError):
            return None  # who asked reads it, and tells what is wrong
        return RangeRows([*rows, *screen.take_newest()], lines)


def _extend_rows(rows: list[RowResult], more: list[RowResult]) -> None:
    """Add rows; where of both only the same form's records were left out, as one: there are thousands of blocks."""
    if rows and len(more) == 1:
        (line, last, _), (_, new, _) = rows[-1], more[0]
        if isinstance(last, ScreenedRecords) and isinstance(new, ScreenedRecords) and last.form == new.form:
            both = replace(last, count=last.count + new.count, scopes=(*last.scopes, *new.scopes))
            rows[-1] = RowResult(line, both)
            return
    rows += more


def _read_first_line(line: int, data: Text, start: int) -> ScreenedLines | None:
    end = data.find(b"\n", start) + 1
    rows = read_whole_line(line, bytes(data[start:end]))
    return None if rows is None else ScreenedLines(rows, 1, end)


def _iter_blocks(part: FileRange) -> Iterator[tuple[bytearray, int]]:
    """The lines that begin at or after the range's start and before its end: a buffer that is filled anew, to where.

    What is no text of lines is one line that nobody can read.
    """
    with Path(part.path).open("rb", buffering=0) as file:
        at, end, held = _seek_first_line(file, part.start), part.start + part.size, 0
        buffer = bytearray(min(BLOCK_SIZE, part.size) + 1)
        while at < end:
            if held + 1 == len(buffer):
                buffer = buffer + bytes(held)
            filled = held + file.readinto(memoryview(buffer)[held:-1])
            if filled > RECORD_LIMIT or (at == held == 0 and not _is_text_of_lines(buffer[:filled])):
                yield bytearray(UNREADABLE), len(UNREADABLE)
                return
            if filled == held:
                if held:
                    # As if the last line had an end.
                    buffer[held : held + 1] = b"\n"
                    yield buffer, held + 1
                return
            last = end - 1 - at
            stop = buffer.find(b"\n", last, filled) + 1 if last < filled else 0
            stop = stop or buffer.rfind(b"\n", 0, filled) + 1
            if stop:
                yield buffer, stop
                buffer[: filled - stop] = buffer[stop:filled]
            at, held = at + stop, filled - stop


def _seek_first_line(file: FileIO, start: int) -> int:
    """Go to the first line that begins at or after a place; where that is, or the file's end."""
    # The line before ends with the byte before that place, or later.
    at = file.seek(max(start - 1, 0))
    while start and (piece := file.read(SHORT_PIECE)):
        found = piece.find(b"\n") + 1
        at += found or len(piece)
        if found:
            break
    return file.seek(at)


def iter_chunks(part: FileRange) -> Iterator[bytes]:
    """The rest of a file from the first line on that begins at or after the range's start."""
    with Path(part.path).open("rb", buffering=0) as file:
        _seek_first_line(file, part.start)
        while chunk := file.read(CHUNK_SIZE):
            yield chunk


def _is_text_of_lines(head: bytes | bytearray) -> bool:
    """Whether a file begins as lines of JSON in UTF-8 do, neither packed nor in another encoding."""
    return head.startswith(b"{") and b"\0" not in head and (b"\n" in head or b"\r" not in head)
