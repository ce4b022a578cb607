"""The activity log as it is exported: blobs of a storage account, event hub messages, and the portal's CSV."""

import random
from collections import defaultdict

from tests.incidents.model import WireFile
from tests.incidents.wire.log_entry import SHORT_STATUSES, LogEntry
from tests.incidents.wire.plain import (
    JsonObject,
    encode_csv,
    encode_json,
    encode_json_lines,
    format_time,
    get_group_name,
    get_subscription_id,
    vary_export_case,
)

_COLUMNS = (
    "Correlation id", "Operation name", "Status", "Event category", "Level", "Time", "Subscription",
    "Event initiated by", "Resource type", "Resource group", "Resource",
)  # fmt: skip


def write_storage_blobs(rng: random.Random, entries: list[LogEntry]) -> list[WireFile]:
    """`PT1H.json` an hour, JSON lines; an event lies in the hour of its arrival, maybe the next."""
    hours: dict[str, list[JsonObject]] = defaultdict(list)
    for entry in entries:
        folder = f"resourceId=/SUBSCRIPTIONS/{get_subscription_id(entry.resource).upper()}"
        hour = entry.submitted.strftime("y=%Y/m=%m/d=%d/h=%H/m=00")
        hours[f"insights-activity-logs/{folder}/{hour}/PT1H.json"].append(_build_record(rng, entry))
    return [
        WireFile(path=path, form="storage-pt1h", content=encode_json_lines(records))
        for path, records in sorted(hours.items())
    ]


def write_event_hub_messages(rng: random.Random, entries: list[LogEntry]) -> list[WireFile]:
    """`{"records": [...]}`, a few records a message."""
    size = rng.randint(4, 12)
    files = []
    for number, first in enumerate(range(0, len(entries), size)):
        message: JsonObject = {"records": [_build_record(rng, entry) for entry in entries[first : first + size]]}
        files.append(WireFile(path=f"eventhub/{number}.json", form="event-hub", content=encode_json(message)))
    return files


def write_portal_csv(entries: list[LogEntry]) -> list[WireFile]:
    """The portal's "Download as CSV", newest first, behind a byte order mark: display names and no properties."""
    cells = [
        (
            *(entry.correlation, entry.localized, entry.status, entry.category, entry.level, format_time(entry.at)),
            *(get_subscription_id(entry.resource), entry.caller or "", entry.type),
            *(get_group_name(entry.resource), entry.resource),
        )
        for entry in reversed(entries)
    ]
    content = encode_csv([_COLUMNS, *cells]).encode("utf-8-sig")
    return [WireFile(path="QueryResult.csv", form="portal-csv", content=content)]


def _build_record(rng: random.Random, entry: LogEntry) -> JsonObject:
    """An exported record: upper-case ids, plain strings, no event id."""
    upper = entry.category == "Administrative" and rng.random() < 0.6
    record: JsonObject = {
        "time": format_time(entry.at, rng.choice((3, 7, 7))),
        "resourceId": vary_export_case(rng, entry.resource),
        "operationName": entry.operation.upper() if upper else entry.operation,
        "category": _choose_category(rng, entry),
        "resultType": SHORT_STATUSES.get(entry.status, entry.status),
        "resultSignature": _format_signature(entry),
        "durationMs": rng.choice((0, "0")),
        "correlationId": entry.correlation,
        "level": "Information" if entry.level == "Informational" else entry.level,
    }
    if entry.caller is not None:
        record["callerIpAddress"] = "203.0.113.9"
        record["identity"] = {"authorization": {"scope": entry.resource}, "claims": {"name": "Ops"}}
    if entry.category in ("ResourceHealth", "ServiceHealth") and rng.random() < 0.7:
        record["properties"] = {"eventCategory": entry.category, "eventProperties": entry.properties}
    else:
        record["properties"] = {**entry.properties, "entity": entry.resource, "hierarchy": "root"}
    return record


def _choose_category(rng: random.Random, entry: LogEntry) -> str:
    """`Write` and `Action` are the older export's words for Administrative."""
    if entry.category != "Administrative" or rng.random() < 0.8:
        return entry.category
    return "Action" if entry.operation.lower().endswith("/action") else "Write"


def _format_signature(entry: LogEntry) -> str:
    if entry.status == "Started":
        return "Started."
    return f"{entry.status}.{entry.sub_status}" if entry.sub_status else entry.status
