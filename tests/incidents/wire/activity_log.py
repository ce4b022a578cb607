"""The activity log as the API gives it: the CLI's array, REST pages, and single events of the portal."""

import random

from tests.incidents.model import WireFile
from tests.incidents.wire.log_entry import LogEntry
from tests.incidents.wire.plain import (
    Json,
    JsonObject,
    encode_json,
    format_time_variously,
    get_group_name,
    get_subscription_id,
    to_ticks,
    vary_arm_case,
)


def write_cli_array(rng: random.Random, entries: list[LogEntry]) -> list[WireFile]:
    """`az monitor activity-log list -o json`: a bare array, newest first."""
    events: Json = [build_event(rng, entry) for entry in _order_entries(rng, entries)]
    return [WireFile(path="activity.json", form="activity-cli", content=encode_json(events))]


def write_rest_pages(rng: random.Random, entries: list[LogEntry]) -> list[WireFile]:
    """The list operation's answers, saved page by page; `nextLink` stands before `value`."""
    kept = _order_entries(rng, entries)
    cut = rng.randint(1, len(kept)) if len(kept) > 3 and rng.random() < 0.5 else len(kept)
    pages = [page for page in (kept[:cut], kept[cut:]) if page]
    files = []
    for number, page in enumerate(pages):
        answer: JsonObject = {}
        if number + 1 < len(pages):
            answer["nextLink"] = f"https://management.azure.com/next?$skiptoken={rng.getrandbits(64):x}"
        answer["value"] = [build_event(rng, entry) for entry in page]
        files.append(WireFile(path=f"activity-{number}.json", form="activity-rest", content=encode_json(answer)))
    return files


def write_single_events(rng: random.Random, entries: list[LogEntry]) -> list[WireFile]:
    """One event a file, as the portal's JSON tab shows it."""
    return [
        WireFile(path=f"events/{number:03d}.json", form="activity-single", content=encode_json(build_event(rng, entry)))
        for number, entry in enumerate(_order_entries(rng, entries))
    ]


def _order_entries(rng: random.Random, entries: list[LogEntry]) -> list[LogEntry]:
    """Newest first as recorded; shuffled and with repeats where somebody polled and joined the answers."""
    kept = list(reversed(entries))
    if rng.random() < 0.3:
        kept += rng.sample(kept, k=min(3, len(kept)))
        rng.shuffle(kept)
    return kept


def _make_pair(value: str, localized: str | None = None) -> JsonObject:
    return {"value": value, "localizedValue": value if localized is None else localized}


def build_event(rng: random.Random, entry: LogEntry) -> JsonObject:
    """EventData of api-version 2015-04-01."""
    resource = vary_arm_case(rng, entry.resource)
    event: JsonObject = {
        "correlationId": entry.correlation,
        "description": "",
        "eventDataId": entry.data_id,
        "eventName": _make_pair(entry.event_name) if entry.category != "ServiceHealth" else {"value": None},
        "category": _make_pair(entry.category, "Resource Health" if entry.category == "ResourceHealth" else None),
        "eventTimestamp": format_time_variously(rng, entry.at),
        "id": f"{resource}/events/{entry.data_id}/ticks/{to_ticks(entry.at)}",
        "level": entry.level,
        "operationId": entry.operation_id,
        "operationName": _make_pair(entry.operation, entry.localized),
        "resourceId": resource,
        "status": _make_pair(entry.status),
        "subStatus": _make_pair(entry.sub_status),
        "submissionTimestamp": format_time_variously(rng, entry.submitted),
        "subscriptionId": get_subscription_id(entry.resource),
    }
    if entry.provider:
        event["resourceGroupName"] = get_group_name(resource)
        event["resourceProviderName"] = _make_pair(entry.provider)
        event["resourceType"] = _make_pair(entry.type)
    if entry.caller is not None:
        event["caller"] = entry.caller
        event["authorization"] = {"action": entry.operation, "scope": resource}
    if entry.properties or rng.random() < 0.7:
        event["properties"] = entry.properties
    if entry.category == "ResourceHealth" and rng.random() < 0.5:
        event["channels"] = "Admin, Operation"
        event["relatedEvents"] = []
    return event
