"""Cuts a text into rows before they are parsed, so that a broken one costs only itself; must not know any format.

What the text is made of is told by its beginning, and again at every line:

- a header of two or more columns: a table (CSV), to the end;
- `[`: a document, walked through with its lists never in memory as a whole;
- `{` and the line is complete JSON: a row, or an envelope of rows (JSON lines, the usual case and the fast one);
- `{` and it is not, because it goes on in the next line, is larger than a chunk, or is broken: a document. One that
  is broken ends where the next line begins like it did, so a broken line of JSON lines costs one line;
- a line of base64 that is complete JSON: a message of a storage queue;
- anything else: a line that is not JSON, skipped.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator

from vmdiag.sources.files.csv_rows import detect_delimiter, read_table
from vmdiag.sources.files.json_documents import NEXT_RECORD, DocumentWalker
from vmdiag.sources.files.memory_rows import RowResult, decode_json, read_document_rows
from vmdiag.sources.files.text_cursor import TextCursor
from vmdiag.sources.items import MalformedRow

# Where to go on behind a piece that is not JSON: the next line, or the next record of a list that was damaged.
NEXT_START = re.compile(rb"\n|" + NEXT_RECORD)
# What is left over behind a document that was broken, or between documents joined by hand.
STRAY_BYTES = frozenset({b",", b"]", b"}"})
# `{"`, or `{` at a line's end, in base64.
QUEUE_MESSAGE = re.compile(rb"e(?:y[IJ]|w[0ogk])[A-Za-z0-9+/]{16,}={0,2}")
SHOWN_LENGTH = 40
# What a piece of a record has, and the headings and warnings that tools print between documents have not.
PUNCTUATION = frozenset(b'{}[]"')


def read_rows(chunks: Iterator[bytes]) -> Iterator[RowResult]:
    """The rows of a file's text, whatever it is; nothing at all when it is empty."""
    text = TextCursor(chunks)
    if not text.peek_byte():
        return iter(())
    separator = detect_delimiter(text)
    return read_table(text, separator) if separator else _read_json(text)


def _read_json(text: TextCursor) -> Iterator[RowResult]:
    walker = DocumentWalker(text)
    while first := text.peek_byte():
        if first == b"{" and (end := text.find_line_end()) >= 0:
            line = _read_json_line(text, walker, end)
            yield from walker.walk_document() if line is None else line
        elif first in (b"{", b"["):
            yield from walker.walk_document()
        elif first in STRAY_BYTES:
            text.pos += 1
        elif (message := _read_queue_message(text)) is not None:
            yield from message
        else:
            yield _skip_junk(text)


def _read_json_line(text: TextCursor, walker: DocumentWalker, end: int) -> list[RowResult] | None:
    """The rows of a line that is complete JSON; `None` when it is not."""
    value = decode_json(text.data[text.pos : end])
    if isinstance(value, MalformedRow):
        return None
    number = text.line
    text.pos = end
    listing = walker.assign_list_number() if isinstance(value, dict) and isinstance(value.get("value"), list) else 0
    return list(read_document_rows(number, value, listing))


def _read_queue_message(text: TextCursor) -> list[RowResult] | None:
    """The rows of a line that is a storage queue's message, JSON in base64; `None` when it is none."""
    end = text.find_line_end()
    raw = text.data[text.pos : end].strip() if end >= 0 else b""
    if QUEUE_MESSAGE.fullmatch(raw) is None:
        return None
    try:
        value = decode_json(b64decode(raw, validate=True))
    except binascii.Error:
        return None
    if isinstance(value, MalformedRow):
        return None
    number = text.line
    text.pos = end
    return list(read_document_rows(number, value))


def _skip_junk(text: TextCursor) -> RowResult:
    """A line that is not JSON; `null` is what some operations answer when they have nothing."""
    line, sample = text.line, text.data[text.pos : text.pos + SHOWN_LENGTH].split(b"\n")[0].strip()
    if (found := text.seek_match(NEXT_START)) is not None:
        text.pos = found.end()
    if sample == b"null":
        return RowResult(line, None)
    reason = f"neither JSON nor a table: {sample.decode('utf-8', 'replace')!r}"
    return RowResult(line, MalformedRow(reason, is_record=not PUNCTUATION.isdisjoint(sample)))
