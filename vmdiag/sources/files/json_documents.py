"""Walks one JSON document of any size and gives out its records one by one.

A record in which something is wrong costs only itself: its end is found by its brackets, or else the next record by
how the others begin.
"""

import re
from collections.abc import Generator, Iterator
from itertools import count
from typing import TYPE_CHECKING

import msgspec

from vmdiag.completeness import MalformedRow, is_sign
from vmdiag.sources.decoding.envelopes import (
    ELEMENTS,
    INSIDE,
    LISTS,
    NAMING,
    Part,
    check_record,
    find_inner_part,
    make_row,
    read_column_names,
)
from vmdiag.sources.files.broken_json import PREFIX_LIMIT, decode_readable_part
from vmdiag.sources.files.memory_rows import (
    RowResult,
    ScreenedRecords,
    decode_json,
    decode_strictly,
    read_document_rows,
    read_single_record,
    report_completeness,
)
from vmdiag.sources.files.text_cursor import CUT_SHORT, NOT_JSON, BrokenText, TextCursor
from vmdiag.values import Struct, field

if TYPE_CHECKING:
    from vmdiag.sources.files.row_screen import RowScreen

KEY = re.compile(rb'"((?:[^"\\\x00-\x1f]++|\\.)*+)"\s*:')
SCALAR = re.compile(rb'("(?:[^"\\\x00-\x1f]++|\\.)*+"|[^\s,:"{}\[\]]++)')
FOLLOWED_SCALAR = re.compile(SCALAR.pattern + rb"\s*[,\]]")
NEXT_RECORD_KEY = re.compile(rb'\s*,\s*\{(\s*"[^"\\\x00-\x1f]*")')
NEXT_DOCUMENT = rb"\n%s(?=[{\[])"
BARE_LINE = rb"\n(?=\{)|"
NEXT_RECORD = rb'\}\s*,\s*(?=\{\s*")'
# How far the end of an ordinary record is looked for before its brackets are followed one by one.
FAST_PATH_REACH = 1 << 16
# Among what a document says of its completeness: that it holds lists of records at all.
ENVELOPE_SIGN = "\0envelope"
# Rows of a table that stand before its columns must wait for them; nobody but a hand-written file does that.
WAITING_LIMIT = 10_000


class _TableState(Struct):
    columns: tuple[str, ...] | None = None
    waiting: list[tuple[int, object]] = field(default_factory=list)


class _RecordLost(Exception):  # noqa: N818 - it never leaves this module
    """A record was broken and the next that can be found is in another document."""


class DocumentWalker:
    """Reads the documents of one text, one a call; `list_numbers` are for lists whose length matters.

    Records that the `screen` knows to say nothing are left out.
    """

    def __init__(self, text: TextCursor, screen: "RowScreen | None" = None) -> None:
        self.list_numbers = count(1)
        self._text = text
        self._screen = screen

    def walk_document(self) -> Iterator[RowResult]:
        """The records of the document at the cursor, which then stands behind it, or at what comes next."""
        text = self._text
        line, following = text.line, NEXT_DOCUMENT % (text.indent or b"")
        text.mark = text.pos
        try:
            if text.peek_byte() == b"[":
                text.mark = None
                yield from self._walk_records(Part.DOCUMENT, _TableState())
            else:
                yield from self._walk_top_object(line)
        except BrokenText as broken:
            if text.mark is not None:
                text.pos = text.mark
            yield RowResult(line if text.mark is not None else text.line, self._make_broken_record(broken.reason))
            # On to the next document, or to what looks like a record of its list; in JSON lines the next line is the
            # next record, whatever is inside this one.
            text.mark = None
            end = text.find_line_end()
            if end < 0 or not re.compile(following).match(text.data, end):
                following = following + b"|" + NEXT_RECORD
            if (found := text.seek_match(re.compile(following))) is not None:
                text.pos = found.end()
        except _RecordLost:
            pass
        finally:
            text.mark = None

    def _make_broken_record(self, reason: str) -> MalformedRow:
        """The record at the cursor, which cannot be read."""
        start = self._text.data[self._text.pos : self._text.pos + PREFIX_LIMIT]
        return MalformedRow(reason, part=decode_readable_part(start))

    def _walk_top_object(self, line: int) -> Iterator[RowResult]:
        """The object at the mark: an envelope, or one record."""
        text = self._text
        signs: dict[str, object] = {}
        rows = 0
        for cut in self._walk_object(Part.DOCUMENT, signs):
            rows += cut.row is not None
            yield cut
        if signs.pop(ENVELOPE_SIGN, False):
            yield from report_completeness(line, signs, rows)
        elif text.mark is not None:
            length, text.pos = text.pos - text.mark, text.mark
            yield from read_single_record(line, decode_json(text.take_bytes(length)))

    def _walk_object(self, part: Part, signs: dict[str, object] | None = None) -> Generator[RowResult, None, bool]:
        """Walk through an object; whether it was an envelope. `signs` takes what it says of its completeness."""
        text, table, found, named = self._text, _TableState(), False, False
        for _ in text.iter_items(b"}"):
            key = text.match(KEY)
            text.pos = key.end()
            name = key[1].decode("utf-8", "replace")
            named = named or name in NAMING
            if signs is not None and is_sign(name):
                value = self._take_value(SCALAR)
                signs[name] = None if isinstance(value, MalformedRow) else value
                continue
            found |= yield from self._walk_member(find_inner_part(part, name, named=named), table)
        if signs is not None and found:
            signs[ENVELOPE_SIGN] = True
        for line, row in table.waiting:
            yield RowResult(line, make_row(table.columns or (), row))
        return found

    def _walk_member(self, inner: Part | None, table: _TableState) -> Generator[RowResult, None, bool]:
        """The value of a key, walked through where it may hold records and else passed over; whether it held any."""
        text = self._text
        first, line = text.peek_byte(), text.line
        if first == b"[" and inner is Part.COLUMNS:
            table.columns = read_column_names(self._take_value(SCALAR))
            return False
        if first == b"[" and inner is not None and inner in ELEMENTS:
            text.mark = None
            for each in text.iter_items(b"]"):
                if each != b"{":
                    raise BrokenText(NOT_JSON if each else CUT_SHORT)
                yield from self._walk_object(ELEMENTS[inner])
            return True
        if first == b"[" and inner in LISTS:
            text.mark = None
            yield from self._walk_records(inner, table)
            return True
        if first == b"{" and inner is Part.DOCUMENT:
            text.mark = text.pos
            yield from self._walk_top_object(line)
            return True
        if first == b"{" and inner is not None and inner in INSIDE:
            return (yield from self._walk_object(inner))
        if first in (b"{", b"["):
            length = text.measure_value()  # it may read on, and that moves the cursor
            text.pos += length
        else:
            text.pos = text.match(SCALAR).end()
        return False

    def _take_value(self, scalar: re.Pattern[bytes]) -> object:
        """The value at the cursor, which then stands behind it."""
        text = self._text
        is_scalar = text.peek_byte() not in (b"{", b"[")
        length = text.match(scalar).end(1) - text.pos if is_scalar else text.measure_value()
        return decode_json(text.take_bytes(length))

    def _walk_records(self, part: Part, table: _TableState) -> Iterator[RowResult]:
        """Walk through a list of records, of documents, or of the rows of a table."""
        listing, line, is_empty = next(self.list_numbers), self._text.line, True
        for line, value in self._walk_elements():
            is_empty = False
            # Lists of documents come from tools that collect messages or pages.
            if part is Part.DOCUMENT and isinstance(value, dict) and not INSIDE[part].keys().isdisjoint(value):
                yield from read_document_rows(line, value)
            elif part is not Part.CELLS:
                row = value if isinstance(value, ScreenedRecords) else check_record(value)
                yield RowResult(line, row if value != {} else None, listing)
            elif table.columns is not None:
                yield RowResult(line, make_row(table.columns, value))
            elif len(table.waiting) < WAITING_LIMIT:
                table.waiting.append((line, value))
            else:
                yield RowResult(line, MalformedRow("a row of a table whose columns are not known"))
        if is_empty:
            yield RowResult(line, None)

    def _walk_elements(self) -> Iterator[tuple[int, object]]:
        """The elements of a list, each with its line; a broken one as `MalformedRow`."""
        text, record_pattern = self._text, b""
        for first in text.iter_items(b"]"):
            line = text.line
            if first == b"{" and record_pattern and self._screen is not None:
                rows = self._screen.read_elements(text, record_pattern)
                if rows is not None:
                    yield from ((row.line, row.row) for row in rows)
                    continue
            if first == b"{" and record_pattern and (value := self._read_by_pattern(record_pattern)) is not None:
                yield line, value
                continue
            try:
                value = self._take_value(FOLLOWED_SCALAR)
                # How a record of this list ends and the next begins, seen behind the first: where every record has its
                # own lines no two can be taken for one; else the first key tells records from the objects inside them.
                found = NEXT_RECORD_KEY.match(text.data, text.pos)
                end = 0 if found is None else found.start(1) if b"\n" in found[0] else found.end()
                record_pattern = b"}" + text.data[text.pos : end] if found else b""
            except BrokenText as broken:
                lost = self._make_broken_record(broken.reason)
                goes_on = self._skip_to_next_record()
                yield line, lost if goes_on or not first else MalformedRow(CUT_SHORT, part=lost.part)
                if not goes_on:
                    raise _RecordLost from broken
                continue
            yield line, value

    def _read_by_pattern(self, record_pattern: bytes) -> object | None:
        """The record at the cursor if it ends where the mould says: three times as fast as following its brackets.

        It cannot be wrong: a stretch that is valid JSON as a whole *is* the record.
        """
        text = self._text
        end = text.data.find(record_pattern, text.pos, text.pos + FAST_PATH_REACH) + 1
        if not end:
            return None
        try:
            value: object = decode_strictly(text.data[text.pos : end])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        text.pos = end
        return value

    def _skip_to_next_record(self) -> bool:
        """Move from a broken record to the next of its list; false when a new document, or nothing, comes first."""
        text = self._text
        indent = text.indent
        element = rb"\n" + indent + rb"(?=\{)" if indent else NEXT_RECORD if indent is None else BARE_LINE + NEXT_RECORD
        text.pos += 1
        found = text.seek_match(re.compile(b"(" + element + b")|" + NEXT_DOCUMENT % b""))
        if found is not None:
            text.pos = found.end()
        return found is not None and found[1] is not None
