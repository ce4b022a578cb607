"""Tables as text: the portal's downloads and Log Analytics' exports; must not know what a column means."""

import csv
import re
from collections.abc import Iterator

from vmdiag.sources.files.memory_rows import RowResult
from vmdiag.sources.files.text_cursor import CUT_SHORT, RECORD_LIMIT, BrokenText, TextCursor
from vmdiag.sources.items import MalformedRow

# Excel writes semicolons where a comma is the decimal sign, and tabs as "Unicode text".
DELIMITERS = ",;\t"
LONGEST_NAME = 200
# How pandas reads back the column without a name that its `to_csv` writes first: the number of the row.
INDEX_COLUMN = "Unnamed: 0"
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
            yield RowResult(
                line,
                dict(zip(header, row, strict=True)) if len(row) == len(header) else _make_cell_count_error(row, header),
            )
    if empty:
        yield RowResult(line, None)


def _make_cell_count_error(row: list[str], header: list[str]) -> MalformedRow:
    return MalformedRow(f"a row of {len(row)} cells in a table of {len(header)} columns")


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
