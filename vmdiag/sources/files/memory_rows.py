"""A JSON text that is in memory as a whole, as rows and what it says that it lacks; must not know what a row says."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from vmdiag.completeness import Missing, find_missing_part, holds_its_total, lacks_its_list
from vmdiag.sources.decoding.envelopes import check_record, unpack_document
from vmdiag.sources.files.text_cursor import NOT_JSON
from vmdiag.sources.items import MalformedRow, Row

decode_strictly = msgspec.json.Decoder().decode
# What stands behind the rows of an answer that says how many records there are, and holds them all.
ALL_RECORDS = Missing(reason="")


class RowResult(NamedTuple):
    """A row, or why there is none, and the line it begins in; `None` for a list without rows.

    A `Missing` stands behind the rows of a document that says that it is not whole. `listing` numbers the plain lists
    that rows come from, so that their length can be told; 0 for any other place.
    """

    line: int
    row: Row | MalformedRow | Missing | None
    listing: int = 0


def decode_json(raw: bytes) -> object:
    """The value of a complete JSON text, or a `MalformedRow` that says what is wrong with it."""
    try:
        return decode_strictly(raw)
    except UnicodeDecodeError:
        # Half a character where some tool cut a text: no reason to lose the record.
        repaired = raw.decode("utf-8", "replace").encode()
        return MalformedRow(NOT_JSON) if repaired == raw else decode_json(repaired)
    except RecursionError:
        return MalformedRow("nested too deeply")
    except msgspec.DecodeError as error:
        return MalformedRow(f"{NOT_JSON}: {error}")


def read_document_rows(line: int, value: object, listing: int = 0) -> Iterator[RowResult]:
    """The rows of a document that is in memory as a whole, and what it says that it lacks."""
    rows = 0
    for row in unpack_document(value):
        rows += 1
        if row is value:
            yield from read_single_record(line, value)
            return
        yield RowResult(line, row, listing)
    if isinstance(value, dict):
        yield from report_completeness(line, value, rows)
    if not rows:
        yield RowResult(line, None)


def report_completeness(line: int, signs: Mapping[str, object], rows: int) -> Iterator[RowResult]:
    """What an answer with so many rows says of its completeness, if it says anything."""
    lack = find_missing_part(signs, rows)
    if lack is not None:
        yield RowResult(line, lack)
    elif holds_its_total(signs, rows):
        yield RowResult(line, ALL_RECORDS)


def read_single_record(line: int, value: object) -> Iterator[RowResult]:
    """A document that is no envelope: one record, or an answer without its list."""
    if isinstance(value, dict) and (lack := lacks_its_list(value)) is not None:
        yield RowResult(line, lack)
    else:
        yield RowResult(line, check_record(value) if value else None)
