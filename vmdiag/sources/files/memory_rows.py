"""A JSON text that is in memory as a whole, as rows and what it says that it lacks; must not know what a row says."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from vmdiag.completeness import Missing, holds_its_total, lacks_its_list, missing_part
from vmdiag.sources.decoding.envelopes import record, unpacked
from vmdiag.sources.files.text_cursor import NOT_JSON
from vmdiag.sources.items import Malformed, Row

decode = msgspec.json.Decoder().decode
# What stands behind the rows of an answer that says how many records there are, and holds them all.
ALL = Missing(reason="")


class Cut(NamedTuple):
    """A row, or why there is none, and the line it begins in; `None` for a list without rows.

    A `Missing` stands behind the rows of a document that says that it is not whole. `listing` numbers the plain lists
    that rows come from, so that their length can be told; 0 for any other place.
    """

    line: int
    row: Row | Malformed | Missing | None
    listing: int = 0


def decoded(raw: bytes) -> object:
    """The value of a complete JSON text, or a `Malformed` that says what is wrong with it."""
    try:
        return decode(raw)
    except UnicodeDecodeError:
        # Half a character where some tool cut a text: no reason to lose the record.
        repaired = raw.decode("utf-8", "replace").encode()
        return Malformed(NOT_JSON) if repaired == raw else decoded(repaired)
    except RecursionError:
        return Malformed("nested too deeply")
    except msgspec.DecodeError as error:
        return Malformed(f"{NOT_JSON}: {error}")


def document_rows(line: int, value: object, listing: int = 0) -> Iterator[Cut]:
    """The rows of a document that is in memory as a whole, and what it says that it lacks."""
    rows = 0
    for row in unpacked(value):
        rows += 1
        if row is value:
            yield from alone(line, value)
            return
        yield Cut(line, row, listing)
    if isinstance(value, dict):
        yield from said_of_itself(line, value, rows)
    if not rows:
        yield Cut(line, None)


def said_of_itself(line: int, signs: Mapping[str, object], rows: int) -> Iterator[Cut]:
    """What an answer with so many rows says of its completeness, if it says anything."""
    lack = missing_part(signs, rows)
    if lack is not None:
        yield Cut(line, lack)
    elif holds_its_total(signs, rows):
        yield Cut(line, ALL)


def alone(line: int, value: object) -> Iterator[Cut]:
    """A document that is no envelope: one record, or an answer without its list."""
    if isinstance(value, dict) and (lack := lacks_its_list(value)) is not None:
        yield Cut(line, lack)
    else:
        yield Cut(line, record(value) if value else None)
