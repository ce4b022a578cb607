"""Rows of Azure's clients in the spelling of REST; must not know what a member means.

PowerShell writes its classes' `PascalCase`, the SDK's `as_dict()` Python's `snake_case`. What is a table of words (the
claims, the properties of a log entry) keeps its keys.
"""

import re
from datetime import UTC, datetime, timedelta

from vmdiag.sources.decoding.fields import iter_objects
from vmdiag.sources.items import Row

SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
SNAKE_STEP = re.compile(r"_([a-z0-9])")
# Members that only models of the SDK have, and those of their parts where the whole has none.
LOG_MEMBERS = frozenset({"event_timestamp", "operation_name"})
MODEL_MEMBERS = LOG_MEMBERS | {"hardware_profile", "instance_view", "network_profile", "storage_profile", "vm_agent"}
PROPERTY_MEMBERS = MODEL_MEMBERS - LOG_MEMBERS | {"availability_state", "occured_time", "occurred_time"}
ABBREVIATIONS = {"OSProfile": "osProfile", "VMAgent": "vmAgent", "VMHealth": "vmHealth"}
# Windows PowerShell 5.1; the offset says where it was written, the number is of UTC.
POWERSHELL_DATE = re.compile(r"\\?/Date\((-?[0-9]{1,18})(?:[+-][0-9]{4})?\)\\?/")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEPTH_LIMIT = 40


def is_sdk_model(row: Row) -> bool:
    """Whether a row is a model of Azure's SDK for Python as a dictionary."""
    if not MODEL_MEMBERS.isdisjoint(row):
        return True
    if isinstance(row.get("timeseries"), list):
        points = (point for each in iter_objects(row["timeseries"]) for point in iter_objects(each.get("data")))
        return "time_stamp" in next(points, {})
    properties = row.get("properties")
    return isinstance(properties, dict) and not PROPERTY_MEMBERS.isdisjoint(properties)


def convert_sdk_model(row: Row) -> Row:
    """A model in REST's spelling."""
    kept = {"claims", "properties", "tags"} if not LOG_MEMBERS.isdisjoint(row) else {"claims", "tags"}
    return {
        _to_camel_case(key): value if key in kept else _convert_snake_case(value, DEPTH_LIMIT)
        for key, value in row.items()
    }


def convert_powershell(value: object, depth: int = DEPTH_LIMIT) -> object:
    """A value of PowerShell's in REST's spelling, its times as texts that name an instant."""
    if isinstance(value, str):
        found = POWERSHELL_DATE.fullmatch(value)
        return value if found is None else _format_milliseconds(int(found[1]))
    if isinstance(value, dict) and "DateTime" in value:
        return convert_powershell(value.get("value"), 0)  # 5.1 adds what a date looks like
    if isinstance(value, dict) and depth:
        return {_lower_first_letter(key): convert_powershell(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list) and depth:
        return [convert_powershell(inner, depth - 1) for inner in value]
    return value


def _format_milliseconds(milliseconds: int) -> str:
    try:
        return (EPOCH + timedelta(milliseconds=milliseconds)).isoformat()
    except OverflowError:
        return ""  # no date at all


def _convert_snake_case(value: object, depth: int) -> object:
    if isinstance(value, dict) and depth:
        return {_to_camel_case(key): _convert_snake_case(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list) and depth:
        return [_convert_snake_case(inner, depth - 1) for inner in value]
    return value


def _to_camel_case(key: str) -> str:
    return SNAKE_STEP.sub(lambda found: found[1].upper(), key) if SNAKE_CASE.fullmatch(key) else key


def _lower_first_letter(key: str) -> str:
    return ABBREVIATIONS.get(key) or key[:1].lower() + key[1:]
