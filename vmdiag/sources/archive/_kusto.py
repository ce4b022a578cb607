"""Answers of Kusto's own endpoints as rows: version 1 (`Tables`) and version 2 (frames); must not know a table.

Source: "Azure Data Explorer: Query V1/V2 HTTP response". An answer may end in an error after rows that look complete.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vmdiag.sources._items import Malformed, Row
from vmdiag.sources.archive._envelopes import cells
from vmdiag.sources.archive._fields import brief, elements, mapping, number, objects, text

PRIMARY = "primaryresult"
COMPLETION = "querycompletioninformation"
ERROR_LEVEL = 4  # of the completion's rows: what is below is an error
# A progressive table is held until it is complete, for a fragment may replace all that came before. No answer has
# more rows unless its query turned Kusto's own limit off.
MOST_HELD = 500_000
NO_END = "the answer of Kusto ends without DataSetCompletion: it was cut"
SHOWN = 300


def is_frame(row: Row) -> bool:
    """Whether a row is a frame of an answer of version 2."""
    return "FrameType" in row


def is_answer(row: Row) -> bool:
    """Whether a row is an answer of version 1."""
    tables = row.get("Tables")
    return (
        isinstance(tables, list) and bool(tables) and all(isinstance(each, dict) and "Rows" in each for each in tables)
    )


def answer_rows(row: Row) -> Iterator[Row | Malformed]:
    """The rows of an answer of version 1: of its results, which the last table lists where there are many."""
    tables = list(objects(row.get("Tables")))
    results = tables[:1]
    if len(tables) > 2:  # noqa: PLR2004 - the results, their status and the contents
        contents = [each for each in _rows(tables[-1]) if isinstance(each, dict)]
        found = [number(each.get("Ordinal")) for each in contents if text(each.get("Kind")) == "QueryResult"]
        results = [tables[int(at)] for at in found if at is not None and 0 <= at < len(tables)] or results
    for each in results:
        yield from _rows(each)
    for problem in elements(row.get("Exceptions")):
        yield Malformed(f"the query ended in an error: {brief(problem)[:SHOWN]}")


@dataclass(slots=True)
class Frames:
    """The frames of one answer after another, as they come."""

    is_open: bool = False
    headers: dict[str, Mapping[str, object]] = field(default_factory=dict)
    held: dict[str, list[object]] = field(default_factory=dict)

    def rows(self, frame: Row) -> Iterator[Row | Malformed]:
        """What a frame adds: rows, or what is wrong with them."""
        match text(frame.get("FrameType")).lower():
            case "datasetheader":
                yield from self.end()
                self.is_open = True
            case "datatable":
                yield from _table(frame)
            case "tableheader":
                self.headers[text(frame.get("TableId"))] = frame
            case "tablefragment":
                yield from self._hold(frame)
            case "tablecompletion":
                yield from self._complete(frame)
            case "datasetcompletion":
                self.is_open = False
                yield from _errors(frame)
            case _:
                return

    def end(self) -> Iterator[Malformed]:
        """What is missing where no more frames come."""
        if self.is_open:
            yield Malformed(NO_END)
        self.is_open = False

    def _hold(self, frame: Row) -> Iterator[Malformed]:
        name = text(frame.get("TableId"))
        held = self.held.setdefault(name, [])
        if text(frame.get("TableFragmentType")).lower() == "datareplace":
            held.clear()
        held += elements(frame.get("Rows"))
        if len(held) > MOST_HELD:
            del held[MOST_HELD:]
            yield Malformed(f"a progressive table of more than {MOST_HELD:,} rows: the rest was left out")

    def _complete(self, frame: Row) -> Iterator[Row | Malformed]:
        name = text(frame.get("TableId"))
        header, held = self.headers.pop(name, {}), self.held.pop(name, [])
        yield from _table({**header, "Rows": held})
        count = number(frame.get("RowCount"))
        if count is not None and count > len(held):
            yield Malformed(f"a table of {count:,.0f} rows of which {len(held):,} came")


def _table(frame: Mapping[str, object]) -> Iterator[Row | Malformed]:
    kind = text(frame.get("TableKind")).lower()
    if kind == PRIMARY:
        yield from _rows(frame)
    elif kind == COMPLETION:
        for row in _rows(frame):
            level = None if isinstance(row, Malformed) else number(row.get("Level"))
            if level is not None and level < ERROR_LEVEL and not isinstance(row, Malformed):
                said = text(row.get("StatusDescription")) or brief(row.get("Payload"))
                yield Malformed(f"the query ended in an error: {said[:SHOWN]}")


def _rows(table: Mapping[str, object]) -> Iterator[Row | Malformed]:
    columns = [text(each.get("ColumnName")) for each in objects(table.get("Columns"))]
    for row in elements(table.get("Rows")):
        # A query that breaks in the middle of a table leaves its errors among the rows.
        yield from _errors(row) if isinstance(row, dict) else (cells(columns, row),)


def _errors(frame: Mapping[str, object]) -> Iterator[Malformed]:
    said = [mapping(each.get("error")) for each in objects(frame.get("OneApiErrors"))]
    words = "; ".join(text(each.get("@message")) or text(each.get("message")) for each in said)
    if said or frame.get("HasErrors") is True:
        yield Malformed(f"the query ended in an error: {words[:SHOWN] or 'Kusto does not say which'}")
    elif frame.get("Cancelled") is True:
        yield Malformed("the query was cancelled before its end")
