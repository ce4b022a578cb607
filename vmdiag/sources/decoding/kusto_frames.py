"""Kusto's answers of version 2: frames, of which tables and their rows are made, and what shows that there is more.

Source: "Azure Data Explorer: Query V2 HTTP response". An answer may end in an error after rows that look complete; an
element of `Rows` that is an object in place of a list is an error, too (as the official client reads it).
"""

from collections.abc import Iterator, Mapping

from vmdiag.completeness import MalformedRow, Missing, Row, list_missing_parts
from vmdiag.sources.decoding.envelopes import make_row
from vmdiag.sources.decoding.fields import iter_objects, to_list, to_number, to_short_text, to_text
from vmdiag.values import Struct, field

PRIMARY_RESULT = "primaryresult"
COMPLETION_TABLE = "querycompletioninformation"
ERROR_LEVEL = 4  # of the completion's rows: what is below is an error
# A progressive table is held until it is complete, for a fragment may replace all that came before. No answer has
# more rows unless its query turned Kusto's own limit off.
HELD_LIMIT = 500_000
NO_END = "the answer of Kusto ends without DataSetCompletion: it was cut"
SHOWN_LENGTH = 300

Found = Row | MalformedRow | Missing


class FrameReader(Struct):
    """The frames of one answer after another, as they come."""

    is_open: bool = False
    count: int = 0
    headers: dict[str, Mapping[str, object]] = field(default_factory=dict)
    fragments: dict[str, list[object]] = field(default_factory=dict)

    def read_frame(self, frame: Row) -> Iterator[Found]:
        """What a frame adds: rows, or what is wrong with them."""
        name = to_text(frame.get("TableId"))
        match to_text(frame.get("FrameType")).lower():
            case "datasetheader":
                yield from self.finish_answer()
                self.is_open = True
            case "datatable":
                yield from self._count_rows(_read_table(frame))
            case "tableheader":
                self.headers[name] = frame
            case "tablefragment":
                held = self.fragments.setdefault(name, [])
                if to_text(frame.get("TableFragmentType")).lower() == "datareplace":
                    held.clear()
                held += to_list(frame.get("Rows"))
                if len(held) > HELD_LIMIT:
                    del held[HELD_LIMIT:]
                    yield Missing(reason=f"a progressive table of more than {HELD_LIMIT:,} rows: the rest was left out")
            case "tablecompletion":
                header, held = self.headers.pop(name, {}), self.fragments.pop(name, [])
                yield from self._count_rows(_read_table({**header, "Rows": held}))
                count = to_number(frame.get("RowCount"))
                if count is not None and count > len(held):
                    yield Missing(reason=f"a table of {count:,.0f} rows of which {len(held):,} came", rows=self.count)
            case "datasetcompletion":
                self.is_open = False
                yield from list_missing_parts(frame, self.count)
            case _:
                pass

    def finish_answer(self) -> Iterator[Missing]:
        """What is missing where no more frames come."""
        if self.is_open:
            yield Missing(reason=NO_END, rows=self.count)
        self.is_open, self.count = False, 0

    def _count_rows(self, rows: Iterator[Found]) -> Iterator[Found]:
        for row in rows:
            self.count += 1
            yield row


def _read_table(frame: Mapping[str, object]) -> Iterator[Found]:
    kind = to_text(frame.get("TableKind")).lower()
    if kind == PRIMARY_RESULT:
        yield from read_table_rows(frame)
    elif kind == COMPLETION_TABLE:
        for row in read_table_rows(frame):
            level = to_number(row.get("Level")) if isinstance(row, dict) else None
            if level is not None and level < ERROR_LEVEL and isinstance(row, dict):
                said = to_text(row.get("StatusDescription")) or to_short_text(row.get("Payload"))
                yield Missing(reason=f"the query ended in an error: {said[:SHOWN_LENGTH]}")


def read_table_rows(table: Mapping[str, object]) -> Iterator[Found]:
    """The rows of a table, and what is wrong with them."""
    columns = [to_text(each.get("ColumnName")) for each in iter_objects(table.get("Columns"))]
    for count, row in enumerate(to_list(table.get("Rows"))):
        # A query that breaks in the middle of a table leaves its errors among the rows.
        yield from list_missing_parts(row, count) if isinstance(row, dict) else (make_row(columns, row),)
