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

from vmdiag.completeness import Missing, missing_part
from vmdiag.identity import VmId
from vmdiag.sources.archive._kusto_frames import Frames, answer_rows, is_answer, is_frame
from vmdiag.sources.decoding.client_spelling import MODELS, from_model, is_model
from vmdiag.sources.decoding.envelopes import record, unpacked
from vmdiag.sources.decoding.fields import decoded, text
from vmdiag.sources.files.memory_rows import Cut
from vmdiag.sources.items import Malformed, Row

DEEPEST = 4  # wrappings in one another
# Where a tool keeps what it was given, whatever it drew out of it beside that.
ORIGINALS = ("record", "Record", "_raw", "event.original")
HOLDERS = ("_source", "result", "event", "input")
PARTS = ("original", "_raw", "message")
# The text of a log line, and what a hub or a batch of queries carries.
BODIES = ("message", "Body", "body")
# Lists of what was found: Splunk's, of a batch of queries, and Elastic's inside another.
RESULTS = ("results", "responses")
# What has these is a record, or an error, that also has a message.
RECORD = frozenset({"code", "eventTimestamp", "operationName", "properties", "resourceId"})
MESSAGES = ("content", "messageText", "message_text", "MessageText", "AsString")
# What says that a row with a `content` is a message of a queue.
QUEUED = frozenset({"dequeueCount", "dequeue_count", "DequeueCount", "insertionTime", "insertedOn", "popReceipt"})
WRAPPED = frozenset({*ORIGINALS, *HOLDERS, *MESSAGES, *BODIES, *RESULTS, "fields", "hits"})
# What `ConvertTo-Json` leaves of an object that lies deeper than it was told to go.
CUT_OBJECTS = (
    "@{",
    "System.Collections.",
    "System.Object[]",
    "Microsoft.Azure.Management.",
    "Microsoft.Azure.Commands.",
)
CUT = "cut by ConvertTo-Json: export it again with -Depth 20"
PASCAL = frozenset({"ResourceId", "ResourceGroupName", "Id", "EventTimestamp", "Statuses"})
TELLING = WRAPPED | PASCAL | MODELS | {"Data", "FrameType", "Tables", "timeseries"}


def unwrapped(cuts: Iterable[Cut]) -> Iterator[Cut]:
    """The rows with their wrappings off, in REST's spelling; what PowerShell cut out of one stands before it."""
    frames, line = Frames(), 0
    for cut in cuts:
        line = cut.line
        if not isinstance(cut.row, dict) or _is_plain(cut.row):
            yield cut
            continue
        for row in frames.rows(cut.row) if is_frame(cut.row) else _inner(cut.row, DEEPEST):
            if isinstance(row, Malformed | Missing):
                yield cut._replace(row=row)
                continue
            if is_cut(row):
                # Told before what the row lacks by it.
                yield cut._replace(row=Malformed(CUT, _vm(row), row))
            yield cut._replace(row=from_model(row) if is_model(row) else row)
    for missing in frames.end():
        yield Cut(line, missing)


def _is_plain(row: Row) -> bool:
    """Whether a row can only be what it is: told quickly, for a file may have millions."""
    properties = row.get("properties")
    return (
        _has_plain_members(tuple(row))
        and not (isinstance(properties, dict) and is_model({"properties": properties}))
        and not _has_cut_member(row)
    )


@lru_cache(maxsize=256)  # the rows of a file share their members
def _has_plain_members(members: tuple[str, ...]) -> bool:
    return TELLING.isdisjoint(members)


def _has_cut_member(row: Row) -> bool:
    return any([isinstance(value, str) and value[:2] == "@{" for value in row.values()])  # noqa: C419 - half the time


def is_cut(row: Row) -> bool:
    """Whether an object inside a row became a text because it lay too deep for PowerShell."""
    return _has_cut_member(row) or (not PASCAL.isdisjoint(row) and any(_holds_cut(value, 20) for value in row.values()))


def _holds_cut(value: object, depth: int) -> bool:
    if isinstance(value, str):
        return value.startswith(CUT_OBJECTS)
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth > 0 and any(_holds_cut(each, depth - 1) for each in inside)


def _vm(row: Row) -> VmId | None:
    ids = (text(row.get(key)) for key in ("ResourceId", "Id", "id"))
    return next((vm for identifier in ids if (vm := VmId.parse(identifier))), None)


def _inner(row: Row, depth: int) -> Iterator[Row | Malformed | Missing]:
    """The rows in a row: itself, where nothing is wrapped in it."""
    if is_answer(row):
        yield from answer_rows(row)
    elif isinstance(data := row.get("Data"), list) and "Timeseries" not in row and "Name" not in row:
        yield from map(record, data)  # PSResourceGraphResponse
        if (lack := missing_part(row, len(data))) is not None:
            yield lack
    elif depth and not WRAPPED.isdisjoint(row) and (found := _found(row)):
        for each in map(record, found):
            yield from (each,) if isinstance(each, Malformed) else _inner(each, depth - 1)
    elif depth and not WRAPPED.isdisjoint(row) and (original := _original(row)) is not None:
        for each in map(record, original) if isinstance(original, list) else unpacked(original):
            yield from (each,) if isinstance(each, Malformed) else _inner(each, depth - 1)
    else:
        yield row


def _found(row: Row) -> list[object]:
    """The list of a search's or a batch's answer; empty where the row is none."""
    hits = row.get("hits")
    inside = hits.get("hits") if isinstance(hits, dict) else None
    lists = (inside, *(row.get(key) for key in RESULTS if RECORD.isdisjoint(row)))
    return next((each for each in lists if isinstance(each, list)), [])


def _original(row: Row) -> dict[str, object] | list[object] | None:
    """What a tool was given and wrapped; `None` where the row is no wrapping."""
    found = (
        *(row.get(key) for key in ORIGINALS),
        *(row.get(key) for key in BODIES if RECORD.isdisjoint(row)),
        *(inner.get(part) for key in HOLDERS if isinstance(inner := row.get(key), dict) for part in PARTS),
        _listed(row.get("fields")),
        *(_message(row.get(key)) for key in MESSAGES if not QUEUED.isdisjoint(row)),
    )
    for each in found:
        value = decoded(each) if isinstance(each, str) and each.lstrip()[:1] in ("{", "[") else each
        if isinstance(value, dict | list) and value:
            return value
    source = row.get("_source")
    return source if isinstance(source, dict) else None


def _listed(fields: object) -> object:
    """`fields` of an exported search are lists, mostly of one."""
    values = fields.get("event.original") if isinstance(fields, Mapping) else None
    return values[0] if isinstance(values, list) and len(values) == 1 else None


def _message(written: object) -> object:
    """The text of a queue's message, which is base64 of one event, or the event."""
    if not isinstance(written, str) or written.lstrip()[:1] == "{":
        return written
    try:
        return b64decode(written, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
