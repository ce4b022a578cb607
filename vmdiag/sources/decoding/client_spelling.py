"""Rows of Azure's clients in the spelling of REST; must not know what a member means.

PowerShell writes its classes' `PascalCase`, the SDK's `as_dict()` Python's `snake_case`. What is a table of words (the
claims, the properties of a log entry) keeps its keys.
"""

import re
from datetime import UTC, datetime, timedelta

from vmdiag.sources.decoding.fields import objects
from vmdiag.sources.items import Row

SNAKE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
STEP = re.compile(r"_([a-z0-9])")
# Members that only models of the SDK have, and those of their parts where the whole has none.
LOG = frozenset({"event_timestamp", "operation_name"})
MODELS = LOG | {"hardware_profile", "instance_view", "network_profile", "storage_profile", "vm_agent"}
PROPERTIES = MODELS - LOG | {"availability_state", "occured_time", "occurred_time"}
ABBREVIATIONS = {"OSProfile": "osProfile", "VMAgent": "vmAgent", "VMHealth": "vmHealth"}
# Windows PowerShell 5.1; the offset says where it was written, the number is of UTC.
TICKS = re.compile(r"\\?/Date\((-?[0-9]{1,18})(?:[+-][0-9]{4})?\)\\?/")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEEPEST = 40


def is_model(row: Row) -> bool:
    """Whether a row is a model of Azure's SDK for Python as a dictionary."""
    if not MODELS.isdisjoint(row):
        return True
    if isinstance(row.get("timeseries"), list):
        points = (point for each in objects(row["timeseries"]) for point in objects(each.get("data")))
        return "time_stamp" in next(points, {})
    properties = row.get("properties")
    return isinstance(properties, dict) and not PROPERTIES.isdisjoint(properties)


def from_model(row: Row) -> Row:
    """A model in REST's spelling."""
    kept = {"claims", "properties", "tags"} if not LOG.isdisjoint(row) else {"claims", "tags"}
    return {_camel(key): value if key in kept else _from_snake(value, DEEPEST) for key, value in row.items()}


def from_powershell(value: object, depth: int = DEEPEST) -> object:
    """A value of PowerShell's in REST's spelling, its times as texts that name an instant."""
    if isinstance(value, str):
        found = TICKS.fullmatch(value)
        return value if found is None else _instant(int(found[1]))
    if isinstance(value, dict) and "DateTime" in value:
        return from_powershell(value.get("value"), 0)  # 5.1 adds what a date looks like
    if isinstance(value, dict) and depth:
        return {_lowered(key): from_powershell(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list) and depth:
        return [from_powershell(inner, depth - 1) for inner in value]
    return value


def _instant(milliseconds: int) -> str:
    try:
        return (EPOCH + timedelta(milliseconds=milliseconds)).isoformat()
    except OverflowError:
        return ""  # no date at all


def _from_snake(value: object, depth: int) -> object:
    if isinstance(value, dict) and depth:
        return {_camel(key): _from_snake(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list) and depth:
        return [_from_snake(inner, depth - 1) for inner in value]
    return value


def _camel(key: str) -> str:
    return STEP.sub(lambda found: found[1].upper(), key) if SNAKE.fullmatch(key) else key


def _lowered(key: str) -> str:
    return ABBREVIATIONS.get(key) or key[:1].lower() + key[1:]
