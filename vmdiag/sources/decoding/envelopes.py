"""In which wrappings, and in which spellings, Azure and its tools hand over records.

`value` is a page of any list operation, `records` an event hub message, `data` Resource Graph's answer, `tables` Log
Analytics', `values` a metrics batch, `responses` an example of Azure's published API descriptions. PowerShell writes
its classes' `PascalCase`, the SDK's `as_dict()` Python's `snake_case`. What is a table of words (the claims, the
properties of a log entry) keeps its keys.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum, auto
from itertools import chain

from vmdiag.completeness import MalformedRow, Row
from vmdiag.sources.decoding.fields import iter_objects
from vmdiag.sources.decoding.timestamps import EPOCH


class Part(StrEnum):
    """What a part of a document is."""

    DOCUMENT = auto()  # an envelope or a record, whichever it proves to be
    RECORDS = auto()  # a list of records, nothing else
    DATA = auto()  # a list of records, or an object with a table in it
    TABLES = auto()  # a list of tables
    TABLE = auto()
    COLUMNS = auto()
    CELLS = auto()  # a list of records that are lists, named by the columns
    BATCH = auto()  # a list of metrics answers
    ANSWER = auto()
    RESPONSES = auto()
    RESPONSE = auto()


_TABLE_KEYS = {"columns": Part.COLUMNS, "rows": Part.CELLS}

# What the keys of an object lead to; any other key leads nowhere, however deep.
INSIDE: Mapping[Part, Mapping[str, Part]] = {
    Part.DOCUMENT: {
        "value": Part.RECORDS,
        "records": Part.RECORDS,
        "data": Part.DATA,
        "tables": Part.TABLES,
        "values": Part.BATCH,
        "responses": Part.RESPONSES,
    },
    Part.DATA: _TABLE_KEYS,
    Part.TABLE: _TABLE_KEYS,
    Part.ANSWER: {"value": Part.RECORDS},
    Part.RESPONSES: {"200": Part.RESPONSE},
    Part.RESPONSE: {"body": Part.DOCUMENT},
}
# What the elements of a list are, where they are not records.
ELEMENTS: Mapping[Part, Part] = {Part.TABLES: Part.TABLE, Part.BATCH: Part.ANSWER}
LISTS = frozenset({Part.DOCUMENT, Part.RECORDS, Part.DATA, Part.TABLES, Part.COLUMNS, Part.CELLS, Part.BATCH})
# What has a name is itself a record: old metrics have their points in `data`, a recording its `records`.
NAMING = frozenset({"id", "name", "schema"})

_WORDS = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", type(None): "null"}


def find_inner_part(part: Part, key: str, *, named: bool) -> Part | None:
    """What a key of an object leads to; `named` when the object has an `id` or a `name`."""
    return None if named and part is Part.DOCUMENT else INSIDE.get(part, {}).get(key)


def unpack_document(value: object) -> Iterator[Row | MalformedRow]:
    """The records in a document that is in memory as a whole."""
    if not isinstance(value, dict):
        yield check_record(value)
        return
    inside = INSIDE[Part.DOCUMENT] if NAMING.isdisjoint(value) else {}
    parts = [_unpack_part(part, value[key]) for key, part in inside.items() if key in value]
    found = [rows for rows in parts if rows is not None]
    yield from chain.from_iterable(found) if found else filter(None, (value,))


def check_record(value: object) -> Row | MalformedRow:
    """A value that should be a record."""
    if isinstance(value, dict | MalformedRow):
        return value
    return MalformedRow(f"{_WORDS.get(type(value), 'a value')} where a record should be")


def read_column_names(columns: object) -> tuple[str, ...]:
    """The names of a table's columns, which are objects (`name`, `type`) or plain texts."""
    if not isinstance(columns, list):
        return ()
    return tuple(str(column.get("name")) if isinstance(column, dict) else str(column) for column in columns)


def make_row(columns: Sequence[str], value: object) -> Row | MalformedRow:
    """A table's row as a record."""
    if isinstance(value, MalformedRow):
        return value
    if not isinstance(value, list):
        return MalformedRow("a row of a table that is no list")
    if len(value) != len(columns):
        return MalformedRow(f"a row of {len(value)} cells in a table of {len(columns)} columns")
    return dict(zip(columns, value, strict=True))


def _unpack_part(part: Part, value: object) -> Iterator[Row | MalformedRow] | None:
    """The records of a part; `None` when it is no envelope after all."""
    match part, value:
        case Part.RECORDS | Part.DATA, list():
            return map(check_record, value)
        case Part.DATA | Part.TABLE, {"columns": list(columns), "rows": list(rows)}:
            header = read_column_names(columns)
            return (make_row(header, row) for row in rows)
        case ((Part.TABLES | Part.BATCH), list()):
            return (row for each in value for row in _unpack_part(ELEMENTS[part], each) or ())
        case Part.ANSWER, {"value": list(rows)}:
            return map(check_record, rows)
        case Part.RESPONSES, {"200": {"body": body}}:
            return (row for each in (body if isinstance(body, list) else [body]) for row in unpack_document(each))
        case _:
            return None


SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
SNAKE_STEP = re.compile(r"_([a-z0-9])")
# Members that only models of the SDK have, and those of their parts where the whole has none.
LOG_MEMBERS = frozenset({"event_timestamp", "operation_name"})
MODEL_MEMBERS = LOG_MEMBERS | {"hardware_profile", "instance_view", "network_profile", "storage_profile", "vm_agent"}
PROPERTY_MEMBERS = MODEL_MEMBERS - LOG_MEMBERS | {"availability_state", "occured_time", "occurred_time"}
ABBREVIATIONS = {"OSProfile": "osProfile", "VMAgent": "vmAgent", "VMHealth": "vmHealth"}
# Windows PowerShell 5.1; the offset says where it was written, the number is of UTC.
POWERSHELL_DATE = re.compile(r"\\?/Date\((-?[0-9]{1,18})(?:[+-][0-9]{4})?\)\\?/")
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
        try:
            return value if found is None else (EPOCH + timedelta(milliseconds=int(found[1]))).isoformat()
        except OverflowError:
            return ""  # no date at all
    if isinstance(value, dict) and "DateTime" in value:
        return convert_powershell(value.get("value"), 0)  # 5.1 adds what a date looks like
    if isinstance(value, dict) and depth:
        names = ((ABBREVIATIONS.get(key) or key[:1].lower() + key[1:], inner) for key, inner in value.items())
        return {name: convert_powershell(inner, depth - 1) for name, inner in names}
    if isinstance(value, list) and depth:
        return [convert_powershell(inner, depth - 1) for inner in value]
    return value


def _convert_snake_case(value: object, depth: int) -> object:
    if isinstance(value, dict) and depth:
        return {_to_camel_case(key): _convert_snake_case(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list) and depth:
        return [_convert_snake_case(inner, depth - 1) for inner in value]
    return value


def _to_camel_case(key: str) -> str:
    return SNAKE_STEP.sub(lambda found: found[1].upper(), key) if SNAKE_CASE.fullmatch(key) else key
