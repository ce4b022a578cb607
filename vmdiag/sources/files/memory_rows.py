"""A JSON text that is in memory as a whole, as rows, and what documents, lists and pages lack."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from vmdiag.completeness import (
    MalformedRow,
    Missing,
    Row,
    find_missing_part,
    find_reached_limit,
    holds_its_total,
    lacks_its_list,
)
from vmdiag.sources.decoding.envelopes import check_record, unpack_document
from vmdiag.sources.files.text_cursor import NOT_JSON
from vmdiag.sources.items import FeedCoverage
from vmdiag.values import Struct, field

decode_strictly = msgspec.json.Decoder().decode
# What stands behind the rows of an answer that says how many records there are, and holds them all.
ALL_RECORDS = Missing(reason="")


class ScreenedRecords(Struct, frozen=True):
    """So many records of a form were left out; `scopes` are those that they show to be read, as far as not yet told.

    What is read of a scope `list_coverage` says. `newest` is the time of the newest of them, where that is told.
    """

    form: str
    list_coverage: Callable[[str], tuple[FeedCoverage, ...]]
    count: int = 0
    scopes: tuple[str, ...] = ()
    newest: datetime | None = None


class RowResult(NamedTuple):
    """A row, or why there is none, and the line it begins in; `None` for a list without rows.

    A `Missing` stands behind the rows of a document that says that it is not whole. `listing` numbers the plain lists
    that rows come from, so that their length can be told; 0 for any other place.
    """

    line: int
    row: Row | MalformedRow | Missing | ScreenedRecords | None
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


class ListCounter(Struct):
    """Counts while the file is read; once it is finished, `missing` is what it lacks, each with its format."""

    missing: list[tuple[str, Missing]] = field(default_factory=list)
    _list: tuple[str, int] = ("", 0)
    _list_rows: int = 0
    _page_rows: int = 0
    _next_page: tuple[str, Missing] | None = None

    def count_row(self, form: str, listing: int, count: int = 1) -> None:
        """A row of a list, or so many; rows that stand alone in the file count as one list."""
        if (form, listing) != self._list:
            self._finish_list()
            self._list = form, listing
        self._list_rows += count
        if self._next_page is not None and self._next_page[0] in ("", form):
            self._next_page = None  # here is the page that the former one named

    def add_missing(self, lack: Missing) -> None:
        """A document ends that says that it is not whole, or that it holds all there is."""
        form = self._list[0] if lack.rows else ""
        self._page_rows += lack.rows
        if lack == ALL_RECORDS:
            self._list_rows = 0  # so many there are, whatever a tool's limit
        elif not lack.is_continued:
            self.missing.append((form, lack))
        elif lack.link or not 0 < lack.total <= self._page_rows:
            self._next_page = form, lack

    def finish_file(self) -> None:
        """The file ends."""
        self._finish_list()
        if self._next_page is not None:
            self.missing.append(self._next_page)
            self._next_page = None

    def _finish_list(self) -> None:
        """A list of exactly its tool's limit was probably cut."""
        if (lack := find_reached_limit(self._list[0], self._list_rows)) is not None:
            self.missing.append((self._list[0], lack))
        self._list_rows = 0
