"""Records inside what other tools make of them, and rows of answers that no list of JSON holds.

Elastic keeps the original in `event.original` (of `_source` where a search is exported), Splunk in `_raw` (of
`result`), others in `record` or `message`, Event Hubs in `Body`; a storage queue hands over Event Grid's events in
base64. Kusto's own endpoints answer in version 1 (`Tables`) and version 2 (frames); such an answer may end in an error
after rows that look complete. Sources: "Elastic Common Schema: event.original", "Splunk: Export search results", "az
storage message peek", "Search-AzGraph", "Azure Data Explorer: Query V1/V2 HTTP response".
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import chain

from vmdiag.completeness import Missing, find_missing_part
from vmdiag.identity import VmId
from vmdiag.sources.decoding.envelopes import (
    MODEL_MEMBERS,
    check_record,
    convert_sdk_model,
    is_sdk_model,
    make_row,
    unpack_document,
)
from vmdiag.sources.decoding.fields import iter_objects, to_list, to_number, to_short_text, to_text, try_decode_json
from vmdiag.sources.files.memory_rows import RowResult
from vmdiag.sources.rows import MalformedRow, Row

DEPTH_LIMIT = 4  # wrappings in one another
# Where a tool keeps what it was given, whatever it drew out of it beside that.
ORIGINAL_KEYS = ("record", "Record", "_raw", "event.original")
HOLDER_KEYS = ("_source", "result", "event", "input")
ORIGINAL_PARTS = ("original", "_raw", "message")
# The text of a log line, and what a hub or a batch of queries carries.
BODY_KEYS = ("message", "Body", "body")
# Lists of what was found: Splunk's, of a batch of queries, and Elastic's inside another.
RESULT_KEYS = ("results", "responses")
# What has these is a record, or an error, that also has a message.
RECORD_KEYS = frozenset({"code", "eventTimestamp", "operationName", "properties", "resourceId"})
MESSAGE_KEYS = ("content", "messageText", "message_text", "MessageText", "AsString")
# What says that a row with a `content` is a message of a queue.
QUEUE_KEYS = frozenset({"dequeueCount", "dequeue_count", "DequeueCount", "insertionTime", "insertedOn", "popReceipt"})
WRAPPER_KEYS = frozenset({*ORIGINAL_KEYS, *HOLDER_KEYS, *MESSAGE_KEYS, *BODY_KEYS, *RESULT_KEYS, "fields", "hits"})
# What `ConvertTo-Json` leaves of an object that lies deeper than it was told to go.
CUT_OBJECTS = (
    "@{",
    "System.Collections.",
    "System.Object[]",
    "Microsoft.Azure.Management.",
    "Microsoft.Azure.Commands.",
)
CUT_BY_POWERSHELL = "cut by ConvertTo-Json: export it again with -Depth 20"
PASCAL_CASE_KEYS = frozenset({"ResourceId", "ResourceGroupName", "Id", "EventTimestamp", "Statuses"})
SPECIAL_KEYS = WRAPPER_KEYS | PASCAL_CASE_KEYS | MODEL_MEMBERS | {"Data", "FrameType", "Tables", "timeseries"}
PRIMARY_RESULT = "primaryresult"
COMPLETION_TABLE = "querycompletioninformation"
ERROR_LEVEL = 4  # of the completion's rows: what is below is an error
# A progressive table is held until it is complete, for a fragment may replace all that came before. No answer has
# more rows unless its query turned Kusto's own limit off.
HELD_LIMIT = 500_000
NO_END = "the answer of Kusto ends without DataSetCompletion: it was cut"
SHOWN_LENGTH = 300

Found = Row | MalformedRow | Missing

has_plain_members = lru_cache(maxsize=256)(SPECIAL_KEYS.isdisjoint)  # the rows of a file share their members


def unwrap_rows(cuts: Iterable[RowResult]) -> Iterator[RowResult]:
    """The rows with their wrappings off, in REST's spelling; what PowerShell cut out of one stands before it."""
    frames = FrameReader()
    unfinished = (RowResult(0, missing) for missing in frames.finish_answer())
    return chain(chain.from_iterable(map(partial(_unwrap_result, frames), cuts)), unfinished)


def _unwrap_result(frames: "FrameReader", cut: RowResult) -> Iterable[RowResult]:
    if not isinstance(cut.row, dict) or _is_plain_row(cut.row):
        return (cut,)
    rows = frames.read_frame(cut.row) if "FrameType" in cut.row else _unwrap_row(cut.row, DEPTH_LIMIT)
    return (cut._replace(row=each) for row in rows for each in _restore_row(row))


def _restore_row(row: Found) -> tuple[Found, ...]:
    if isinstance(row, MalformedRow | Missing):
        return (row,)
    restored = convert_sdk_model(row) if is_sdk_model(row) else row
    is_pascal_case = not PASCAL_CASE_KEYS.isdisjoint(row)
    if not (_has_cut_member(row) or (is_pascal_case and any(_has_cut_text(value, 20) for value in row.values()))):
        return (restored,)
    ids = (to_text(row.get(key)) for key in ("ResourceId", "Id", "id"))
    vm = next((vm for identifier in ids if (vm := VmId.parse(identifier))), None)
    # Told before what the row lacks by it.
    return MalformedRow(CUT_BY_POWERSHELL, vm, row), restored


def _is_plain_row(row: Row) -> bool:
    """Whether a row can only be what it is: told quickly, for a file may have millions."""
    properties = row.get("properties")
    return (
        has_plain_members(tuple(row))
        and not (isinstance(properties, dict) and is_sdk_model({"properties": properties}))
        and not _has_cut_member(row)
    )


def _has_cut_member(row: Row) -> bool:
    return any([isinstance(value, str) and value[:2] == "@{" for value in row.values()])  # noqa: C419 - half the time


def _has_cut_text(value: object, depth: int) -> bool:
    if isinstance(value, str):
        return value.startswith(CUT_OBJECTS)
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth > 0 and any(_has_cut_text(each, depth - 1) for each in inside)


def _unwrap_row(row: Row, depth: int) -> Iterator[Found]:
    """The rows in a row: itself, where nothing is wrapped in it."""
    tables = row.get("Tables")
    if isinstance(tables, list) and tables and all(isinstance(each, dict) and "Rows" in each for each in tables):
        yield from _read_answer_rows(row, tables)
    elif isinstance(data := row.get("Data"), list) and "Timeseries" not in row and "Name" not in row:
        yield from map(check_record, data)  # PSResourceGraphResponse
        yield from _find_missing(row, len(data))
    elif depth and not WRAPPER_KEYS.isdisjoint(row) and (inside := _find_wrapped_rows(row)) is not None:
        for each in inside:
            yield from (each,) if isinstance(each, MalformedRow) else _unwrap_row(each, depth - 1)
    else:
        yield row


def _find_wrapped_rows(row: Row) -> Iterable[Row | MalformedRow] | None:
    """What a search or a batch found, or a tool was given and wrapped; `None` where the row is no wrapping."""
    has_no_record = RECORD_KEYS.isdisjoint(row)
    hits, fields = row.get("hits"), row.get("fields")
    inside = hits.get("hits") if isinstance(hits, dict) else None
    lists = (inside, *(row.get(key) for key in RESULT_KEYS if has_no_record))
    if listed := next((each for each in lists if isinstance(each, list)), None):
        return map(check_record, listed)
    # `fields` of an exported search are lists, mostly of one.
    single = fields.get("event.original") if isinstance(fields, Mapping) else None
    written = (
        *(row.get(key) for key in ORIGINAL_KEYS),
        *(row.get(key) for key in BODY_KEYS if has_no_record),
        *(inner.get(part) for key in HOLDER_KEYS if isinstance(inner := row.get(key), dict) for part in ORIGINAL_PARTS),
        *(single if isinstance(single, list) and len(single) == 1 else ()),
        *(_decode_queue_message(row.get(key)) for key in MESSAGE_KEYS if not QUEUE_KEYS.isdisjoint(row)),
    )
    for each in written:
        value = try_decode_json(each) if isinstance(each, str) and each.lstrip()[:1] in ("{", "[") else each
        if isinstance(value, dict | list) and value:
            return map(check_record, value) if isinstance(value, list) else unpack_document(value)
    source = row.get("_source")
    return unpack_document(source) if isinstance(source, dict) else None


def _decode_queue_message(written: object) -> object:
    """The text of a queue's message, which is base64 of one event, or the event."""
    if not isinstance(written, str) or written.lstrip()[:1] == "{":
        return written
    try:
        return b64decode(written, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def _read_answer_rows(answer: Row, tables: list[Mapping[str, object]]) -> Iterator[Found]:
    """The rows of an answer of version 1: of its results, which the last table lists where there are many."""
    results = tables[:1]
    if len(tables) > 2:  # noqa: PLR2004 - the results, their status and the contents
        contents = [each for each in _read_rows(tables[-1]) if isinstance(each, dict)]
        listed = [to_number(each.get("Ordinal")) for each in contents if to_text(each.get("Kind")) == "QueryResult"]
        results = [tables[int(at)] for at in listed if at is not None and 0 <= at < len(tables)] or results
    count = 0
    for row in chain.from_iterable(map(_read_rows, results)):
        count += 1
        yield row
    yield from _find_missing(answer, count)


@dataclass(slots=True)
class FrameReader:
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
                yield from _find_missing(frame, self.count)
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
        yield from _read_rows(frame)
    elif kind == COMPLETION_TABLE:
        for row in _read_rows(frame):
            level = to_number(row.get("Level")) if isinstance(row, dict) else None
            if level is not None and level < ERROR_LEVEL and isinstance(row, dict):
                said = to_text(row.get("StatusDescription")) or to_short_text(row.get("Payload"))
                yield Missing(reason=f"the query ended in an error: {said[:SHOWN_LENGTH]}")


def _read_rows(table: Mapping[str, object]) -> Iterator[Found]:
    columns = [to_text(each.get("ColumnName")) for each in iter_objects(table.get("Columns"))]
    for count, row in enumerate(to_list(table.get("Rows"))):
        # A query that breaks in the middle of a table leaves its errors among the rows.
        yield from _find_missing(row, count) if isinstance(row, dict) else (make_row(columns, row),)


def _find_missing(part: Mapping[str, object], rows: int) -> tuple[Missing, ...]:
    lack = find_missing_part(part, rows)
    return () if lack is None else (lack,)
