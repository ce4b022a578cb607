"""Answers of Kusto's own endpoints as rows: version 1 (`Tables`) and version 2 (frames); must not know a table.

Source: "Azure Data Explorer: Query V1/V2 HTTP response". An answer may end in an error after rows that look complete.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vmdiag.completeness import Missing, find_missing_part
from vmdiag.sources.decoding.envelopes import make_row
from vmdiag.sources.decoding.fields import iter_objects, to_list, to_number, to_short_text, to_text
from vmdiag.sources.items import MalformedRow, Row

PRIMARY_RESULT = "primaryresult"
COMPLETION_TABLE = "querycompletioninformation"
ERROR_LEVEL = 4  # of the completion's rows: what is below is an error
# A progressive table is held until it is complete, for a fragment may replace all that came before. No answer has
# more rows unless its query turned Kusto's own limit off.
HELD_LIMIT = 500_000
NO_END = "the answer of Kusto ends without DataSetCompletion: it was cut"
SHOWN_LENGTH = 300

KustoRow = Row | MalformedRow | Missing


def is_frame(row: Row) -> bool:
    """Whether a row is a frame of an answer of version 2."""
    return "FrameType" in row


def is_answer(row: Row) -> bool:
    """Whether a row is an answer of version 1."""
    tables = row.get("Tables")
    return (
        isinstance(tables, list) and bool(tables) and all(isinstance(each, dict) and "Rows" in each for each in tables)
    )


def read_answer_rows(row: Row) -> Iterator[KustoRow]:
    """The rows of an answer of version 1: of its results, which the last table lists where there are many."""
    tables = list(iter_objects(row.get("Tables")))
    results = tables[:1]
    if len(tables) > 2:  # noqa: PLR2004 - the results, their status and the contents
        contents = [each for each in _read_rows(tables[-1]) if isinstance(each, dict)]
        listed = [to_number(each.get("Ordinal")) for each in contents if to_text(each.get("Kind")) == "QueryResult"]
        results = [tables[int(at)] for at in listed if at is not None and 0 <= at < len(tables)] or results
    count = 0
    for each in results:
        for found in _read_rows(each):
            count += 1
            yield found
    yield from _find_missing(row, count)


@dataclass(slots=True)
class FrameReader:
    """The frames of one answer after another, as they come."""

    is_open: bool = False
    count: int = 0
    headers: dict[str, Mapping[str, object]] = field(default_factory=dict)
    fragments: dict[str, list[object]] = field(default_factory=dict)

    def read_frame(self, frame: Row) -> Iterator[KustoRow]:
        """What a frame adds: rows, or what is wrong with them."""
        match to_text(frame.get("FrameType")).lower():
            case "datasetheader":
                yield from self.finish_answer()
                self.is_open = True
            case "datatable":
                yield from self._count_rows(_read_table(frame))
            case "tableheader":
                self.headers[to_text(frame.get("TableId"))] = frame
            case "tablefragment":
                yield from self._hold_fragment(frame)
            case "tablecompletion":
                yield from self._complete_table(frame)
            case "datasetcompletion":
                self.is_open = False
                yield from _find_missing(frame, self.count)
            case _:
                return

    def finish_answer(self) -> Iterator[Missing]:
        """What is missing where no more frames come."""
        if self.is_open:
            yield Missing(reason=NO_END, rows=self.count)
        self.is_open, self.count = False, 0

    def _hold_fragment(self, frame: Row) -> Iterator[Missing]:
        name = to_text(frame.get("TableId"))
        held = self.fragments.setdefault(name, [])
        if to_text(frame.get("TableFragmentType")).lower() == "datareplace":
            held.clear()
        held += to_list(frame.get("Rows"))
        if len(held) > HELD_LIMIT:
            del held[HELD_LIMIT:]
            yield Missing(reason=f"a progressive table of more than {HELD_LIMIT:,} rows: the rest was left out")

    def _complete_table(self, frame: Row) -> Iterator[KustoRow]:
        name = to_text(frame.get("TableId"))
        header, held = self.headers.pop(name, {}), self.fragments.pop(name, [])
        yield from self._count_rows(_read_table({**header, "Rows": held}))
        count = to_number(frame.get("RowCount"))
        if count is not None and count > len(held):
            yield Missing(reason=f"a table of {count:,.0f} rows of which {len(held):,} came", rows=self.count)

    def _count_rows(self, rows: Iterator[KustoRow]) -> Iterator[KustoRow]:
        for row in rows:
            self.count += 1
            yield row


def _read_table(frame: Mapping[str, object]) -> Iterator[KustoRow]:
    kind = to_text(frame.get("TableKind")).lower()
    if kind == PRIMARY_RESULT:
        yield from _read_rows(frame)
    elif kind == COMPLETION_TABLE:
        for row in _read_rows(frame):
            level = to_number(row.get("Level")) if isinstance(row, dict) else None
            if level is not None and level < ERROR_LEVEL and isinstance(row, dict):
                said = to_text(row.get("StatusDescription")) or to_short_text(row.get("Payload"))
                yield Missing(reason=f"the query ended in an error: {said[:SHOWN_LENGTH]}")


def _read_rows(table: Mapping[str, object]) -> Iterator[KustoRow]:
    columns = [to_text(each.get("ColumnName")) for each in iter_objects(table.get("Columns"))]
    for count, row in enumerate(to_list(table.get("Rows"))):
        # A query that breaks in the middle of a table leaves its errors among the rows.
        yield from _find_missing(row, count) if isinstance(row, dict) else (make_row(columns, row),)


def _find_missing(part: Mapping[str, object], rows: int) -> Iterator[Missing]:
    lack = find_missing_part(part, rows)
    if lack is not None:
        yield lack
