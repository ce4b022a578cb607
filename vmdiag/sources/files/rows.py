"""Cuts a text into rows before they are parsed, so that a broken one costs only itself.

What the text is made of is told by its beginning, and again at every line. Lines with a kernel's stamps are a serial
console's log (`serial_log`). A header of two or more columns is a table
(CSV) to the end; `[` a document, walked through with its lists never in memory as a whole; `{` in a line of complete
JSON a row or an envelope of rows (JSON lines, the usual case and the fast one), else a document, which ends, where it
is broken, where the next line begins like it did; a line of base64 that is complete JSON a message of a storage queue.
"""

import binascii
import csv
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vmdiag.completeness import MalformedRow, Row
from vmdiag.sources.decoding.envelopes import make_row
from vmdiag.sources.files.json_documents import NEXT_RECORD, DocumentWalker
from vmdiag.sources.files.memory_rows import RowResult, decode_json, read_document_rows
from vmdiag.sources.files.serial_log import STAMP, read_serial_log
from vmdiag.sources.files.text_cursor import CUT_SHORT, RECORD_LIMIT, BrokenText, TextCursor

if TYPE_CHECKING:
    from vmdiag.sources.files.row_screen import RowScreen

# Excel writes semicolons where a comma is the decimal sign, and tabs as "Unicode text".
DELIMITERS = ",;\t"
LONGEST_NAME = 200
# How pandas reads back the column without a name that its `to_csv` writes first: the number of the row.
INDEX_COLUMN = "Unnamed: 0"
# So much of a text shows whether its lines bear a kernel's stamps.
HEAD_LENGTH = 65_536
NEWLINE = re.compile(rb"\n")


def detect_delimiter(text: TextCursor) -> str | None:
    """What separates the columns when the cursor stands at a table's header; `None` when it does not."""
    end = text.find_line_end()
    line = text.data[text.pos : max(end, text.pos)].decode("utf-8", "replace").strip()
    # A brace is a piece of JSON, and so is what follows a first line that was cut.
    if not line or set("{}") & set(line) or line.startswith("[") or text.data[end + 1 : end + 2] == b"{":
        return None
    found = max(DELIMITERS, key=line.count)
    try:
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=found), [])]
    except csv.Error:  # a cell beyond the limit, or a return alone in the middle of the line
        return None
    if len(cells) > 2 and not cells[0]:  # noqa: PLR2004 - an index and at least two columns
        cells[0] = INDEX_COLUMN
    is_header = len(set(cells)) == len(cells) > 1 and all(0 < len(cell) < LONGEST_NAME for cell in cells)
    return found if is_header else None


def read_table(text: TextCursor, delimiter: str) -> Iterator[RowResult]:
    """Every row as texts by column."""
    csv.field_size_limit(RECORD_LIMIT)
    lines = _TextLines(text)
    reader = csv.reader(lines, delimiter=delimiter)
    header = next(reader)
    header[0] = header[0] or INDEX_COLUMN
    empty = True
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            break
        except (csv.Error, BrokenText) as error:
            yield RowResult(line, MalformedRow(f"not a row of a table: {error}"))
            continue
        if lines.ends_within_quotes():
            yield RowResult(line, MalformedRow(CUT_SHORT))
        elif row:
            empty = False
            yield RowResult(line, make_row(header, row))
    if empty:
        yield RowResult(line, None)


class _TextLines:
    """The lines of a text, ends included; one too long raises `BrokenText` and is left out.

    No generator: an iterator must survive what it raises.
    """

    def __init__(self, text: TextCursor) -> None:
        self._text = text
        self._quotes = 0
        self._has_end = True

    def ends_within_quotes(self) -> bool:
        """Whether the row that was just read ends with the file, inside a quoted cell: the reader does not mind."""
        is_open = not self._has_end and self._quotes % 2 == 1
        self._quotes = 0
        return is_open

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        text = self._text
        try:
            while (end := text.data.find(b"\n", text.pos)) < 0 and text.read_more():
                pass
        except BrokenText:
            text.seek_match(NEWLINE)
            raise
        raw = text.take_bytes((end + 1 if end >= 0 else len(text.data)) - text.pos)
        self._quotes += raw.count(b'"')
        self._has_end = end >= 0
        if not raw:
            raise StopIteration
        return raw.decode("utf-8", "replace")


# Where to go on behind a piece that is not JSON: the next line, or the next record of a list that was damaged.
NEXT_START = re.compile(rb"\n|" + NEXT_RECORD)
# What is left over behind a document that was broken, or between documents joined by hand.
STRAY_BYTES = frozenset({b",", b"]", b"}"})
# `{"`, or `{` at a line's end, in base64.
QUEUE_MESSAGE = re.compile(rb"e(?:y[IJ]|w[0ogk])[A-Za-z0-9+/]{16,}={0,2}")
SHOWN_LENGTH = 40
# What a piece of a record has, and the headings and warnings that tools print between documents have not.
PUNCTUATION = frozenset(b'{}[]"')


def read_rows(chunks: Iterator[bytes], screen: "RowScreen | None" = None) -> Iterator[RowResult]:
    """The rows of a file's text, whatever it is; nothing at all when it is empty.

    Records that the `screen` knows to say nothing are left out.
    """
    text = TextCursor(chunks)
    if text.peek_byte() and len(STAMP.findall(text.data[text.pos : text.pos + HEAD_LENGTH])) > 1:
        return read_serial_log(text)
    delimiter = detect_delimiter(text) if text.peek_byte() else None
    return read_table(text, delimiter) if delimiter else read_json_rows(text, screen)


def read_json_rows(text: TextCursor, screen: "RowScreen | None") -> Iterator[RowResult]:
    """The rows of JSON, from where the cursor stands on."""
    walker = DocumentWalker(text, screen)
    while first := text.peek_byte():
        if first in STRAY_BYTES:
            text.pos += 1
            continue
        if first == b"{" and screen is not None and (rows := screen.read_lines(text)) is not None:
            yield from rows
            continue
        end = text.find_line_end() if first != b"[" else -1
        document = _decode_line(text.data[text.pos : end]) if end >= 0 else None
        if document is not None:
            line, text.pos = text.line, end
            is_list = first == b"{" and isinstance(document.get("value"), list)
            yield from read_document_rows(line, document, next(walker.list_numbers) if is_list else 0)
        elif first in (b"{", b"["):
            yield from walker.walk_document()
        else:
            line, sample = text.line, text.data[text.pos : text.pos + SHOWN_LENGTH].split(b"\n")[0].strip()
            reason = f"neither JSON nor a table: {sample.decode('utf-8', 'replace')!r}"
            junk = MalformedRow(reason, is_record=not PUNCTUATION.isdisjoint(sample))
            if (found := text.seek_match(NEXT_START)) is not None:
                text.pos = found.end()
            # `null` is what some operations answer when they have nothing.
            yield RowResult(line, None if sample == b"null" else junk)
    if screen is not None:
        yield from screen.take_newest()


def read_whole_line(number: int, written: bytes) -> list[RowResult] | None:
    """The rows of a line; `None` where it is no document, or a page of a list."""
    if not (text := written.strip()):
        return []
    document = _decode_line(text)
    if document is None or isinstance(document.get("value"), list):
        return None
    return list(read_document_rows(number, document))


def _decode_line(raw: bytes) -> Row | None:
    """The document that a line is: complete JSON, as it is or as a storage queue's message in base64."""
    if raw[:1] != b"{":
        raw = raw.strip()
        if QUEUE_MESSAGE.fullmatch(raw) is None:
            return None
        try:
            raw = b64decode(raw, validate=True)
        except binascii.Error:
            return None
    value = decode_json(raw)
    return value if isinstance(value, dict) else None
