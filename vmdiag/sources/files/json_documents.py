"""Walks one JSON document of any size and gives out its records one by one; must not know what a record says.

A record in which something is wrong costs only itself: its end is found by its brackets, or else the next record by
how the others begin.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import msgspec

from vmdiag.completeness import is_sign
from vmdiag.sources.decoding.envelopes import ELEMENTS, INSIDE, LISTS, NAMED, Part, cells, leads, names, record
from vmdiag.sources.files.broken_json import MOST, readable_part
from vmdiag.sources.files.memory_rows import Cut, alone, decode, decoded, document_rows, said_of_itself
from vmdiag.sources.files.text_cursor import CUT_SHORT, NOT_JSON, Broken, Text
from vmdiag.sources.items import Malformed

KEY = re.compile(rb'"((?:[^"\\\x00-\x1f]++|\\.)*+)"\s*:')
SCALAR = re.compile(rb'"(?:[^"\\\x00-\x1f]++|\\.)*+"|[^\s,:"{}\[\]]++')
FOLLOWED = re.compile(rb"(" + SCALAR.pattern + rb")\s*[,\]]")
NEXT = re.compile(rb'\s*,\s*\{(\s*"[^"\\\x00-\x1f]*")')
NEXT_DOCUMENT = rb"\n%s(?=[{\[])"
BARE = rb"\n(?=\{)|"
NEXT_RECORD = rb'\}\s*,\s*(?=\{\s*")'
# How far the end of an ordinary record is looked for before its brackets are followed one by one.
USUAL = 1 << 16
# Among what a document says of its completeness: that it holds lists of records at all.
ENVELOPE = "\0envelope"
# Rows of a table that stand before its columns must wait for them; nobody but a hand-written file does that.
MOST_WAITING = 10_000


@dataclass(slots=True)
class _Table:
    columns: tuple[str, ...] | None = None
    waiting: list[tuple[int, object]] = field(default_factory=list)


class _Lost(Exception):  # noqa: N818 - it never leaves this module
    """A record was broken and the next that can be found is in another document."""


class Walker:
    """Reads the documents of one text, one a call."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._listings = 0

    def listing(self) -> int:
        """A number for a list whose length matters."""
        self._listings += 1
        return self._listings

    def document(self) -> Iterator[Cut]:
        """The records of the document at the cursor, which then stands behind it, or at what comes next."""
        text = self._text
        line, following = text.line, NEXT_DOCUMENT % (text.indent or b"")
        text.mark = text.pos
        try:
            if text.peek() == b"[":
                text.mark = None
                yield from self._records(Part.DOCUMENT)
            else:
                yield from self._whole(line)
        except Broken as broken:
            if text.mark is not None:
                text.pos = text.mark
            yield Cut(line if text.mark is not None else text.line, self._lost(broken.reason))
            self._recover(following)
        except _Lost:
            pass
        finally:
            text.mark = None

    def _lost(self, reason: str) -> Malformed:
        """The record at the cursor, which cannot be read."""
        start = self._text.data[self._text.pos : self._text.pos + MOST]
        return Malformed(reason, part=readable_part(start))

    def _recover(self, following: bytes) -> None:
        """Move from a broken document to the next one, or to what looks like a record of its list."""
        text = self._text
        text.mark = None
        end = text.line_end()
        if end < 0 or not re.compile(following).match(text.data, end):
            following = following + b"|" + NEXT_RECORD
        # In JSON lines the next line is the next record, whatever is inside this one.
        if (found := text.seek(re.compile(following))) is not None:
            text.pos = found.end()

    def _whole(self, line: int) -> Iterator[Cut]:
        """The object at the mark: an envelope, or one record."""
        text = self._text
        signs: dict[str, object] = {}
        rows = 0
        walk = self._object(Part.DOCUMENT, signs)
        while (cut := next(walk, None)) is not None:
            rows += cut.row is not None
            yield cut
        if signs.pop(ENVELOPE, False):
            yield from said_of_itself(line, signs, rows)
        elif text.mark is not None:
            length, text.pos = text.pos - text.mark, text.mark
            yield from alone(line, decoded(text.take(length)))

    def _object(self, part: Part, signs: dict[str, object] | None = None) -> Generator[Cut, None, bool]:
        """Walk through an object; whether it was an envelope. `signs` takes what it says of its completeness."""
        text, table, found, named = self._text, _Table(), False, False
        text.pos += 1
        while (first := text.peek()) != b"}":
            if first == b",":
                text.pos += 1
                continue
            key = text.match(KEY)
            text.pos = key.end()
            name = key[1].decode("utf-8", "replace")
            named = named or name in NAMED
            if signs is not None and is_sign(name):
                signs[name] = self._sign()
                continue
            found |= yield from self._member(leads(part, name, named=named), table)
        text.pos += 1
        if signs is not None and found:
            signs[ENVELOPE] = True
        for line, row in table.waiting:
            yield Cut(line, cells(table.columns or (), row))
        return found

    def _member(self, inner: Part | None, table: _Table) -> Generator[Cut, None, bool]:
        """The value of a key, walked through where it may hold records and else passed over; whether it held any."""
        text = self._text
        first, line = text.peek(), text.line
        if first == b"[" and inner is Part.COLUMNS:
            table.columns = names(decoded(text.take(text.extent())))
            return False
        if first == b"[" and inner in LISTS:
            text.mark = None
            yield from self._list(inner, table)
            return True
        if first == b"{" and inner is Part.DOCUMENT:
            text.mark = text.pos
            yield from self._whole(line)
            return True
        if first == b"{" and inner is not None and inner in INSIDE:
            return (yield from self._object(inner))
        if first in (b"{", b"["):
            length = text.extent()  # it may read on, and that moves the cursor
            text.pos += length
        else:
            text.pos = text.match(SCALAR).end()
        return False

    def _sign(self) -> object:
        """A value at the cursor that is read as a whole."""
        text = self._text
        if text.peek() in (b"{", b"["):
            value = decoded(text.take(text.extent()))
        else:
            value = decoded(text.match(SCALAR)[0])
            text.pos = text.match(SCALAR).end()
        return None if isinstance(value, Malformed) else value

    def _list(self, part: Part, table: _Table) -> Iterator[Cut]:
        if part in ELEMENTS:
            yield from self._objects(ELEMENTS[part])
        elif part is Part.CELLS:
            yield from self._cells(table)
        else:
            yield from self._records(part)

    def _records(self, part: Part) -> Iterator[Cut]:
        listing, line, empty = self.listing(), self._text.line, True
        for line, value in self._elements():
            empty = False
            # Lists of documents come from tools that collect messages or pages.
            if part is Part.DOCUMENT and isinstance(value, dict) and not INSIDE[Part.DOCUMENT].keys().isdisjoint(value):
                yield from document_rows(line, value)
            else:
                yield Cut(line, record(value) if value != {} else None, listing)
        if empty:
            yield Cut(line, None)

    def _cells(self, table: _Table) -> Iterator[Cut]:
        line, empty = self._text.line, True
        for line, value in self._elements():
            empty = False
            if table.columns is not None:
                yield Cut(line, cells(table.columns, value))
            elif len(table.waiting) < MOST_WAITING:
                table.waiting.append((line, value))
            else:
                yield Cut(line, Malformed("a row of a table whose columns are not known"))
        if empty:
            yield Cut(line, None)

    def _objects(self, part: Part) -> Iterator[Cut]:
        """Walk through the objects of a list."""
        text = self._text
        text.pos += 1
        while (first := text.peek()) != b"]":
            if first == b",":
                text.pos += 1
            elif first == b"{":
                yield from self._object(part)
            else:
                raise Broken(NOT_JSON if first else CUT_SHORT)
        text.pos += 1

    def _elements(self) -> Iterator[tuple[int, object]]:
        """The elements of a list, each with its line; a broken one as `Malformed`."""
        text, mould = self._text, b""
        text.pos += 1
        while (first := text.peek()) != b"]":
            if first == b",":
                text.pos += 1  # one too many, as in Microsoft's own samples, loses nothing
                continue
            line = text.line
            if first == b"{" and mould and (value := self._cast(mould)) is not None:
                yield line, value
                continue
            try:
                value = self._element(first)
                mould = self._mould()
            except Broken as broken:
                lost = self._lost(broken.reason)
                found = self._resume()
                yield line, lost if found or not first else Malformed(CUT_SHORT, part=lost.part)
                if not found:
                    raise _Lost from broken
                continue
            yield line, value
        text.pos += 1

    def _element(self, first: bytes) -> object:
        text = self._text
        if first in (b"{", b"["):
            return decoded(text.take(text.extent()))
        scalar = text.match(FOLLOWED)
        return decoded(text.take(scalar.end(1) - text.pos))

    def _mould(self) -> bytes:
        """How a record of this list ends and the next begins, seen behind the first; empty when it cannot be told."""
        text = self._text
        found = NEXT.match(text.data, text.pos)
        if found is None:
            return b""
        # Where every record has its own lines no two can be taken for one; else the first key tells records from
        # the objects inside them.
        end = found.start(1) if b"\n" in found[0] else found.end()
        return b"}" + text.data[text.pos : end]

    def _cast(self, mould: bytes) -> object | None:
        """The record at the cursor if it ends where the mould says: three times as fast as following its brackets.

        It cannot be wrong: a stretch that is valid JSON as a whole *is* the record.
        """
        text = self._text
        end = text.data.find(mould, text.pos, text.pos + USUAL) + 1
        if not end:
            return None
        try:
            value: object = decode(text.data[text.pos : end])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        text.pos = end
        return value

    def _resume(self) -> bool:
        """Move from a broken record to the next of its list; false when a new document, or nothing, comes first."""
        text = self._text
        indent = text.indent
        element = rb"\n" + indent + rb"(?=\{)" if indent else NEXT_RECORD if indent is None else BARE + NEXT_RECORD
        text.pos += 1
        found = text.seek(re.compile(b"(" + element + b")|" + NEXT_DOCUMENT % b""))
        if found is not None:
            text.pos = found.end()
        return found is not None and found[1] is not None
