"""The records of a range of a file, read as the whole file would be; only what may matter is given back.

A file is cut where a line ends, or between the objects of a list that is printed over many lines. Where an object ends
is known when all before it was parsed: a range is one of objects if the ranges before it are.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from io import FileIO
from typing import NamedTuple

import msgspec

from vmdiag.sources.decoding.envelopes import INSIDE, Part, check_record
from vmdiag.sources.files.containers import find_container
from vmdiag.sources.files.input_files import PLAIN_JSON
from vmdiag.sources.files.memory_rows import RowResult, ScreenedRecords, decode_json
from vmdiag.sources.files.record_blocks import count_line_ends, split_list
from vmdiag.sources.files.row_screen import (
    BLOCK_SIZE,
    MISSES_LIMIT,
    RowScreen,
    ScreenedLines,
    make_screen,
)
from vmdiag.sources.files.rows import read_rows, read_whole_line
from vmdiag.sources.files.streams import CHUNK_SIZE, TextStream
from vmdiag.sources.files.text_cursor import RECORD_LIMIT
from vmdiag.values import replace

# So many rows of a range that matter are quicker read where they are needed than handed over.
ROWS_LIMIT = 4_000
# Most records end within so many bytes.
SHORT_PIECE = 1 << 14
# Where nothing was left out of so much, the text is of another form, whose records may be large.
SAMPLE_SIZE = 4 << 20
# As Azure CLI and PowerShell print a list.
LIST_HEAD = re.compile(rb"\[(\r?\n[ \t]+)\{\r?\n")
# How a range counts the first list of its file, as who walks through the file does.
FIRST_LIST = 1


class FileRange(NamedTuple):
    """The records of a file that begin at or after `start`, and before `start + size`."""

    path: str
    start: int
    size: int


class RangeRows(NamedTuple):
    """The rows of a range, numbered from 0 for its first line, and how many lines it has."""

    rows: Sequence[RowResult]
    lines: int


class FileCut(NamedTuple):
    """Where a file can be cut: so far behind the beginning of each `mark`; its first record begins at `first`."""

    mark: bytes
    offset: int
    first: int = 0
    is_list: bool = False


LINES = FileCut(b"\n", 1)


class RangeReader:
    """Reads one range after another, each file's in order."""

    def __init__(self, forms: tuple[str, ...], size: int, *, reads_packed: bool = False) -> None:
        # Kept from one range to the next: of thousands of small files each would pay for its own.
        self._buffer = bytearray(min(BLOCK_SIZE, size) + 1)
        self._reads_packed = reads_packed
        self._path = ""
        self._cut: FileCut | None = None
        self._screen = self._newest = make_screen(forms)

    def read_ranges(self, parts: Sequence[FileRange]) -> list[RangeRows | None]:
        """The rows of each range; behind those of the last when the newest of all records was made that were left out.

        To read one record's time to the digit takes as long as all else of a small file.
        """
        found = list(map(self.read_range, parts))
        at = max((at for at, rows in enumerate(found) if rows is not None), default=-1)
        newest = list(self._newest.take_newest())
        if newest and (last := found[at]) is not None:
            found[at] = last._replace(rows=[*last.rows, *newest])
        return found

    def read_range(self, part: FileRange) -> RangeRows | None:
        """The rows of a range; `None` where a part of it does not stand for itself."""
        lines, rows = 0, list[RowResult]()
        try:
            with FileIO(part.path) as file:
                if part.path != self._path:
                    self._path, self._screen = part.path, self._screen.make_next()
                    self._cut = find_cut(file.read(SHORT_PIECE))
                if self._cut is None:
                    return self._read_packed(file, part) if self._reads_packed else None
                read_block = _read_objects if self._cut.is_list else _read_lines
                for data, stop, is_end in _iter_blocks(file, part, self._cut, self._buffer):
                    found = read_block(self._screen, lines, data, stop, is_end=is_end)
                    if found is None or len(rows) > ROWS_LIMIT:
                        return None
                    _extend_rows(rows, found.rows)
                    lines += found.lines
        except (OSError, MemoryError):
            return None  # who asked reads it, and tells what is wrong
        if self._screen.newest > self._newest.newest:
            self._newest = self._screen
        if self._cut.is_list:
            rows = [row._replace(listing=FIRST_LIST) for row in rows]
        return RangeRows(rows, lines)

    def _read_packed(self, file: FileIO, part: FileRange) -> RangeRows | None:
        """The rows of a range that is a whole file in gzip or zstd of one text, of which most says nothing."""
        if file.seek(0, os.SEEK_END) != part.size:
            return None
        file.seek(0)
        stream = TextStream(file, lambda _: None, original=file)
        if not stream.is_packed or find_container(stream.head) or not PLAIN_JSON.fullmatch(stream.head):
            return None
        rows, is_known = list[RowResult](), False
        for row in read_rows(iter(stream), self._screen):
            is_known = is_known or isinstance(row.row, ScreenedRecords)
            is_other = not is_known and stream.growth.unpacked_bytes > SAMPLE_SIZE
            if is_other or len(rows) > (ROWS_LIMIT if is_known else MISSES_LIMIT):
                return None
            _extend_rows(rows, [row._replace(line=row.line - 1)])
        return None if stream.damage else RangeRows(rows, 0)


def find_cut(head: bytes) -> FileCut | None:
    """How a file that begins so can be cut; `None` for what is packed, in another encoding or of another form."""
    if b"\0" in head:
        return None
    if found := LIST_HEAD.match(head):
        between = found[1]
        return FileCut(between + b"}," + between + b"{", len(between) + 2, len(b"["), is_list=True)
    return LINES if head.startswith(b"{") and (b"\n" in head or b"\r" not in head) else None


def iter_chunks(part: FileRange) -> Iterator[bytes]:
    """The rest of a file from the first record on that begins at or after the range's start; a list's as a list."""
    with FileIO(part.path) as file:
        cut = find_cut(file.read(SHORT_PIECE)) or LINES
        _seek_first_cut(file, part.start, cut)
        if cut.is_list:
            yield b"["
        while chunk := file.read(CHUNK_SIZE):
            yield chunk


def _extend_rows(rows: list[RowResult], more: Sequence[RowResult]) -> None:
    """Add rows; where of both only the same list's records were left out, as one: there are thousands of blocks."""
    if rows and len(more) == 1:
        (line, last, listing), (_, new, newer_listing) = rows[-1], more[0]
        if isinstance(last, ScreenedRecords) and isinstance(new, ScreenedRecords):
            is_same = last.form == new.form and listing == newer_listing
            if is_same and last.newest is None and new.newest is None:
                both = replace(last, count=last.count + new.count, scopes=(*last.scopes, *new.scopes))
                rows[-1] = RowResult(line, both, listing)
                return
    rows += more


def _read_lines(screen: RowScreen, line: int, data: bytearray, stop: int, *, is_end: bool) -> RangeRows | None:
    if is_end:
        # As if the last line had an end.
        data[stop : stop + 1] = b"\n"
        stop += 1
    at, lines, rows = 0, 0, list[RowResult]()
    while at < stop:
        found = screen.screen_lines(line + lines, data, at, stop)
        if found is None:
            end = data.find(b"\n", at) + 1
            whole = read_whole_line(line + lines, bytes(data[at:end]))
            if whole is None:
                return None
            found = ScreenedLines(whole, 1, end)
        rows += found.rows
        lines += found.lines
        at = found.end
    return RangeRows(rows, lines)


def _read_objects(screen: RowScreen, line: int, data: bytearray, stop: int, *, is_end: bool) -> RangeRows | None:
    """The rows of a list's objects, a comma behind each or, at the end, the list's own end."""
    lines = count_line_ends(data, 0, stop)
    if is_end:
        stop = len(data[:stop].rstrip(b" \t\r\n"))
    if not data.startswith(b"]" if is_end else b",", stop - 1):
        return None
    with memoryview(data)[: stop - 1] as text:
        rows = screen.screen_list(line, text)
        if rows is None:
            rows = _read_each_object(screen, line, b"".join((b"[", text, b"]")))
    return None if rows is None else RangeRows(rows, lines)


def _read_each_object(screen: RowScreen, line: int, text: bytes) -> list[RowResult] | None:
    try:
        parts: Iterable[bytes] = map(bytes, split_list(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    rows, at = list[RowResult](), 0
    for part in parts:
        start = text.index(part, at)
        line += text.count(b"\n", at, start)
        found = screen.screen_list(line, memoryview(part))
        if found is None:
            value = decode_json(part)
            if isinstance(value, dict) and not INSIDE[Part.DOCUMENT].keys().isdisjoint(value):
                return None
            found = [RowResult(line, check_record(value) if value != {} else None)]
        rows += found
        line += part.count(b"\n")
        at = start + len(part)
    # Of a list of another form no more is tried.
    is_other = len(rows) > MISSES_LIMIT and not any(isinstance(row.row, ScreenedRecords) for row in rows)
    return None if is_other else rows


def _iter_blocks(
    file: FileIO, part: FileRange, cut: FileCut, buffer: bytearray
) -> Iterator[tuple[bytearray, int, bool]]:
    """The records that begin in the range: a buffer that is filled anew, to where, and whether the file ends there."""
    at, end, held = _seek_first_cut(file, part.start, cut), part.start + part.size, 0
    mark, offset = cut.mark, cut.offset
    while at < end:
        if held + 1 == len(buffer):
            if held > RECORD_LIMIT:
                raise MemoryError
            buffer = buffer + bytes(held)
        filled = held + file.readinto(memoryview(buffer)[held:-1])
        if filled == held:
            if held:
                yield buffer, held, True
            return
        last = end - offset - at
        found = buffer.find(mark, max(last, 0), filled) if last < filled else -1
        found = found if found >= 0 else buffer.rfind(mark, 0, filled)
        stop = found + offset if found >= 0 else 0
        if stop:
            yield buffer, stop, False
            buffer[: filled - stop] = buffer[stop:filled]
        at, held = at + stop, filled - stop


def _seek_first_cut(file: FileIO, start: int, cut: FileCut) -> int:
    """Go to the first record that begins at or after a place; where that is, or the file's end."""
    if start <= cut.first:
        return file.seek(cut.first)
    at, held = file.seek(max(start - cut.offset, cut.first)), b""
    while piece := file.read(SHORT_PIECE):
        held += piece
        found = held.find(cut.mark)
        if found >= 0:
            return file.seek(at + found + cut.offset)
        dropped = max(len(held) - len(cut.mark) + 1, 0)
        at, held = at + dropped, held[dropped:]
    return file.seek(at + len(held))
