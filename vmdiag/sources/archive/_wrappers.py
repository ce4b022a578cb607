"""Records inside what other tools make of them, and rows of answers that no list of JSON holds.

Elastic keeps the original in `event.original` (of `_source` where a search is exported), Splunk in `_raw` (of
`result`), others in `record` or `message`, Event Hubs in `Body`; a storage queue hands over Event Grid's events in
base64. Kusto's own endpoints answer in version 1 (`Tables`) and version 2 (frames); such an answer may end in an error
after rows that look complete. Sources: "Elastic Common Schema: event.original", "Splunk: Export search results", "az
storage message peek", "Search-AzGraph", "Azure Data Explorer: Query V1/V2 HTTP response".
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from vmdiag.completeness import MalformedRow, Missing, Row, list_missing_parts
from vmdiag.identity import VmId
from vmdiag.sources.decoding.envelopes import (
    MODEL_MEMBERS,
    check_record,
    convert_sdk_model,
    is_sdk_model,
    unpack_document,
)
from vmdiag.sources.decoding.fields import to_number, to_text, try_decode_json
from vmdiag.sources.files.memory_rows import RowResult

if TYPE_CHECKING:
    from vmdiag.sources.decoding.kusto_frames import Found, FrameReader

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
# How such an object begins as a member of a record: with its own members by name, whole or cut once more.
CUT_OBJECT = re.compile(r"@\{(?:[^=;{}]+=|\}\Z)")
CUT_BY_POWERSHELL = "cut by ConvertTo-Json: export it again with -Depth 20"
PASCAL_CASE_KEYS = frozenset({"ResourceId", "ResourceGroupName", "Id", "EventTimestamp", "Statuses"})
SPECIAL_KEYS = WRAPPER_KEYS | PASCAL_CASE_KEYS | MODEL_MEMBERS | {"Data", "FrameType", "Tables", "timeseries"}

has_plain_members = lru_cache(maxsize=256)(SPECIAL_KEYS.isdisjoint)  # the rows of a file share their members


def unwrap_rows(cuts: Iterable[RowResult]) -> Iterator[RowResult]:
    """The rows with their wrappings off, in REST's spelling; what PowerShell cut out of one stands before it."""
    readers: list[FrameReader] = []

    def unwrap_row(cut: RowResult) -> list[RowResult]:
        if not isinstance(cut.row, dict) or _is_plain_row(cut.row):
            return [cut]
        if "FrameType" in cut.row and not readers:
            # Few files have these.
            from vmdiag.sources.decoding.kusto_frames import FrameReader

            readers.append(FrameReader())
        found: list[Found] = []
        for row in readers[0].read_frame(cut.row) if "FrameType" in cut.row else _unwrap_row(cut.row, DEPTH_LIMIT):
            if isinstance(row, MalformedRow | Missing):
                found.append(row)
                continue
            is_pascal_case = not PASCAL_CASE_KEYS.isdisjoint(row)
            if _has_cut_member(row) or (is_pascal_case and any(_has_cut_text(value, 20) for value in row.values())):
                ids = (to_text(row.get(key)) for key in ("ResourceId", "Id", "id"))
                vm = next((vm for identifier in ids if (vm := VmId.parse(identifier))), None)
                # Told before what the row lacks by it.
                found.append(MalformedRow(CUT_BY_POWERSHELL, vm, row))
            found.append(convert_sdk_model(row) if is_sdk_model(row) else row)
        return [cut._replace(row=each) for each in found]

    unfinished = (RowResult(0, missing) for reader in readers for missing in reader.finish_answer())
    return chain(chain.from_iterable(map(unwrap_row, cuts)), unfinished)


def _is_plain_row(row: Row) -> bool:
    """Whether a row can only be what it is: told quickly, for a file may have millions."""
    properties = row.get("properties")
    return (
        has_plain_members(tuple(row))
        and not (isinstance(properties, dict) and is_sdk_model({"properties": properties}))
        and not _has_cut_member(row)
    )


def _has_cut_member(row: Row) -> bool:
    texts = [value for value in row.values() if isinstance(value, str) and value[:2] == "@{"]
    return any(map(CUT_OBJECT.match, texts))


def _has_cut_text(value: object, depth: int) -> bool:
    if isinstance(value, str):
        return value.startswith(CUT_OBJECTS)
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth > 0 and any(_has_cut_text(each, depth - 1) for each in inside)


def _unwrap_row(row: Row, depth: int) -> "Iterator[Found]":
    """The rows in a row: itself, where nothing is wrapped in it."""
    tables = row.get("Tables")
    if isinstance(tables, list) and tables and all(isinstance(each, dict) and "Rows" in each for each in tables):
        yield from _read_answer_rows(row, tables)
    elif isinstance(data := row.get("Data"), list) and "Timeseries" not in row and "Name" not in row:
        yield from map(check_record, data)  # PSResourceGraphResponse
        yield from list_missing_parts(row, len(data))
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


def _read_answer_rows(answer: Row, tables: list[Mapping[str, object]]) -> "Iterator[Found]":
    """The rows of an answer of version 1: of its results, which the last table lists where there are many."""
    from vmdiag.sources.decoding.kusto_frames import read_table_rows

    results = tables[:1]
    if len(tables) > 2:  # noqa: PLR2004 - the results, their status and the contents
        contents = [each for each in read_table_rows(tables[-1]) if isinstance(each, dict)]
        listed = [to_number(each.get("Ordinal")) for each in contents if to_text(each.get("Kind")) == "QueryResult"]
        results = [tables[int(at)] for at in listed if at is not None and 0 <= at < len(tables)] or results
    count = 0
    for row in chain.from_iterable(map(read_table_rows, results)):
        count += 1
        yield row
    yield from list_missing_parts(answer, count)
