"""Answers of Kusto's own endpoints as rows: version 1 (`Tables`) and version 2 (frames); must not know a table.

Source: "Azure Data Explorer: Query V1/V2 HTTP response". An answer may end in an error after rows that look complete.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vmdiag.completeness import Missing, missing_part
from vmdiag.sources.decoding.envelopes import cells
from vmdiag.sources.decoding.fields import brief, elements, number, objects, text
from vmdiag.sources.items import Malformed, Row

PRIMARY = "primaryresult"
COMPLETION = "querycompletioninformation"
ERROR_LEVEL = 4  # of the completion's rows: what is below is an error
# A progressive table is held until it is complete, for a fragment may replace all that came before. No answer has
# more rows unless its query turned Kusto's own limit off.
MOST_HELD = 500_000
NO_END = "the answer of Kusto ends without DataSetCompletion: it was cut"
SHOWN = 300

Found = Row | Malformed | Missing


def is_frame(row: Row) -> bool:
    """Whether a row is a frame of an answer of version 2."""
    return "FrameType" in row


def is_answer(row: Row) -> bool:
    """Whether a row is an answer of version 1."""
    tables = row.get("Tables")
    return (
        isinstance(tables, list) and bool(tables) and all(isinstance(each, dict) and "Rows" in each for each in tables)
    )


def answer_rows(row: Row) -> Iterator[Found]:
    """The rows of an answer of version 1: of its results, which the last table lists where there are many."""
    tables = list(objects(row.get("Tables")))
    results = tables[:1]
    if len(tables) > 2:  # noqa: PLR2004 - the results, their status and the contents
        contents = [each for each in _rows(tables[-1]) if isinstance(each, dict)]
        listed = [number(each.get("Ordinal")) for each in contents if text(each.get("Kind")) == "QueryResult"]
        results = [tables[int(at)] for at in listed if at is not None and 0 <= at < len(tables)] or results
    count = 0
    for each in results:
        for found in _rows(each):
            count += 1
            yield found
    yield from _lacks(row, count)


@dataclass(slots=True)
class Frames:
    """The frames of one answer after another, as they come."""

    is_open: bool = False
    count: int = 0
    headers: dict[str, Mapping[str, object]] = field(default_factory=dict)
    held: dict[str, list[object]] = field(default_factory=dict)

    def rows(self, frame: Row) -> Iterator[Found]:
        """What a frame adds: rows, or what is wrong with them."""
        match text(frame.get("FrameType")).lower():
            case "datasetheader":
                yield from self.end()
                self.is_open = True
            case "datatable":
                yield from self._count(_table(frame))
            case "tableheader":
                self.headers[text(frame.get("TableId"))] = frame
            case "tablefragment":
                yield from self._hold(frame)
            case "tablecompletion":
                yield from self._complete(frame)
            case "datasetcompletion":
                self.is_open = False
                yield from _lacks(frame, self.count)
            case _:
                return

    def end(self) -> Iterator[Missing]:
        """What is missing where no more frames come."""
        if self.is_open:
            yield Missing(reason=NO_END, rows=self.count)
        self.is_open, self.count = False, 0

    def _hold(self, frame: Row) -> Iterator[Missing]:
        name = text(frame.get("TableId"))
        held = self.held.setdefault(name, [])
        if text(frame.get("TableFragmentType")).lower() == "datareplace":
            held.clear()
        held += elements(frame.get("Rows"))
        if len(held) > MOST_HELD:
            del held[MOST_HELD:]
            yield Missing(reason=f"a progressive table of more than {MOST_HELD:,} rows: the rest was left out")

    def _complete(self, frame: Row) -> Iterator[Found]:
        name = text(frame.get("TableId"))
        header, held = self.headers.pop(name, {}), self.held.pop(name, [])
        yield from self._count(_table({**header, "Rows": held}))
        count = number(frame.get("RowCount"))
        if count is not None and count > len(held):
            yield Missing(reason=f"a table of {count:,.0f} rows of which {len(held):,} came", rows=self.count)

    def _count(self, rows: Iterator[Found]) -> Iterator[Found]:
        for row in rows:
            self.count += 1
            yield row


def _table(frame: Mapping[str, object]) -> Iterator[Found]:
    kind = text(frame.get("TableKind")).lower()
    if kind == PRIMARY:
        yield from _rows(frame)
    elif kind == COMPLETION:
        for row in _rows(frame):
            level = number(row.get("Level")) if isinstance(row, dict) else None
            if level is not None and level < ERROR_LEVEL and isinstance(row, dict):
                said = text(row.get("StatusDescription")) or brief(row.get("Payload"))
                yield Missing(reason=f"the query ended in an error: {said[:SHOWN]}")


def _rows(table: Mapping[str, object]) -> Iterator[Found]:
    columns = [text(each.get("ColumnName")) for each in objects(table.get("Columns"))]
    for count, row in enumerate(elements(table.get("Rows"))):
        # A query that breaks in the middle of a table leaves its errors among the rows.
        yield from _lacks(row, count) if isinstance(row, dict) else (cells(columns, row),)


def _lacks(part: Mapping[str, object], rows: int) -> Iterator[Missing]:
    lack = missing_part(part, rows)
    if lack is not None:
        yield lack
