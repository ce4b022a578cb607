"""Records inside what other tools make of them, and rows of answers that no list of JSON holds; knows no format.

Elastic keeps the original in `event.original` (of `_source` where a search is exported), Splunk in `_raw` (of
`result`), others in `record` or `message`, Event Hubs in `Body`; a storage queue hands over Event Grid's events in
base64. Sources: "Elastic Common Schema: event.original", "Splunk: Export search results", "az storage message peek",
"Search-AzGraph".
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from vmdiag.completeness import Missing, find_missing_part
from vmdiag.identity import VmId
from vmdiag.sources.archive._kusto_frames import FrameReader, is_answer, is_frame, read_answer_rows
from vmdiag.sources.decoding.envelopes import (
    MODEL_MEMBERS,
    check_record,
    convert_sdk_model,
    is_sdk_model,
    unpack_document,
)
from vmdiag.sources.decoding.fields import to_text, try_decode_json
from vmdiag.sources.files.memory_rows import RowResult
from vmdiag.sources.items import MalformedRow, Row

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


def unwrap_rows(cuts: Iterable[RowResult]) -> Iterator[RowResult]:
    """The rows with their wrappings off, in REST's spelling; what PowerShell cut out of one stands before it."""
    frames, line = FrameReader(), 0
    for cut in cuts:
        line = cut.line
        if not isinstance(cut.row, dict) or _is_plain_row(cut.row):
            yield cut
            continue
        for row in frames.read_frame(cut.row) if is_frame(cut.row) else _unwrap_row(cut.row, DEPTH_LIMIT):
            if isinstance(row, MalformedRow | Missing):
                yield cut._replace(row=row)
                continue
            if has_cut_object(row):
                # Told before what the row lacks by it.
                yield cut._replace(row=MalformedRow(CUT_BY_POWERSHELL, _find_vm_id(row), row))
            yield cut._replace(row=convert_sdk_model(row) if is_sdk_model(row) else row)
    for missing in frames.finish_answer():
        yield RowResult(line, missing)


def _is_plain_row(row: Row) -> bool:
    """Whether a row can only be what it is: told quickly, for a file may have millions."""
    properties = row.get("properties")
    return (
        _has_plain_members(tuple(row))
        and not (isinstance(properties, dict) and is_sdk_model({"properties": properties}))
        and not _has_cut_member(row)
    )


@lru_cache(maxsize=256)  # the rows of a file share their members
def _has_plain_members(members: tuple[str, ...]) -> bool:
    return SPECIAL_KEYS.isdisjoint(members)


def _has_cut_member(row: Row) -> bool:
    return any([isinstance(value, str) and value[:2] == "@{" for value in row.values()])  # noqa: C419 - half the time


def has_cut_object(row: Row) -> bool:
    """Whether an object inside a row became a text because it lay too deep for PowerShell."""
    return _has_cut_member(row) or (
        not PASCAL_CASE_KEYS.isdisjoint(row) and any(_has_cut_text(value, 20) for value in row.values())
    )


def _has_cut_text(value: object, depth: int) -> bool:
    if isinstance(value, str):
        return value.startswith(CUT_OBJECTS)
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth > 0 and any(_has_cut_text(each, depth - 1) for each in inside)


def _find_vm_id(row: Row) -> VmId | None:
    ids = (to_text(row.get(key)) for key in ("ResourceId", "Id", "id"))
    return next((vm for identifier in ids if (vm := VmId.parse(identifier))), None)


def _unwrap_row(row: Row, depth: int) -> Iterator[Row | MalformedRow | Missing]:
    """The rows in a row: itself, where nothing is wrapped in it."""
    if is_answer(row):
        yield from read_answer_rows(row)
    elif isinstance(data := row.get("Data"), list) and "Timeseries" not in row and "Name" not in row:
        yield from map(check_record, data)  # PSResourceGraphResponse
        if (lack := find_missing_part(row, len(data))) is not None:
            yield lack
    elif depth and not WRAPPER_KEYS.isdisjoint(row) and (found := _find_result_list(row)):
        for each in map(check_record, found):
            yield from (each,) if isinstance(each, MalformedRow) else _unwrap_row(each, depth - 1)
    elif depth and not WRAPPER_KEYS.isdisjoint(row) and (original := _find_original(row)) is not None:
        for each in map(check_record, original) if isinstance(original, list) else unpack_document(original):
            yield from (each,) if isinstance(each, MalformedRow) else _unwrap_row(each, depth - 1)
    else:
        yield row


def _find_result_list(row: Row) -> list[object]:
    """The list of a search's or a batch's answer; empty where the row is none."""
    hits = row.get("hits")
    inside = hits.get("hits") if isinstance(hits, dict) else None
    lists = (inside, *(row.get(key) for key in RESULT_KEYS if RECORD_KEYS.isdisjoint(row)))
    return next((each for each in lists if isinstance(each, list)), [])


def _find_original(row: Row) -> dict[str, object] | list[object] | None:
    """What a tool was given and wrapped; `None` where the row is no wrapping."""
    found = (
        *(row.get(key) for key in ORIGINAL_KEYS),
        *(row.get(key) for key in BODY_KEYS if RECORD_KEYS.isdisjoint(row)),
        *(inner.get(part) for key in HOLDER_KEYS if isinstance(inner := row.get(key), dict) for part in ORIGINAL_PARTS),
        _find_single_original(row.get("fields")),
        *(_decode_queue_message(row.get(key)) for key in MESSAGE_KEYS if not QUEUE_KEYS.isdisjoint(row)),
    )
    for each in found:
        value = try_decode_json(each) if isinstance(each, str) and each.lstrip()[:1] in ("{", "[") else each
        if isinstance(value, dict | list) and value:
            return value
    source = row.get("_source")
    return source if isinstance(source, dict) else None


def _find_single_original(fields: object) -> object:
    """`fields` of an exported search are lists, mostly of one."""
    values = fields.get("event.original") if isinstance(fields, Mapping) else None
    return values[0] if isinstance(values, list) and len(values) == 1 else None


def _decode_queue_message(written: object) -> object:
    """The text of a queue's message, which is base64 of one event, or the event."""
    if not isinstance(written, str) or written.lstrip()[:1] == "{":
        return written
    try:
        return b64decode(written, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
