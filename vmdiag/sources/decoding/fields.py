"""Reads nested fields that may hold anything; must not know a format, a time or what a field means.

Azure writes one and the same field as a string, as a pair `{"value", "localizedValue"}`, as null, or leaves it out, and
hides objects in strings of JSON ("Azure Activity Log event schema", which says that the schema is not enforced).
"""

import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

import msgspec

from vmdiag.sources.items import Row

FACT_LENGTH = 2_000  # characters of a fact: hostile or absurd fields must not fill memory
EXACT_INTEGER_LIMIT = 2**53  # beyond it an integer is no reading and no code; it is not even written out

UNIT_SUFFIX = re.compile(r"\s*\[[^\]]*\]\s*$")  # `TimeGenerated [UTC]`, `Time [Local]`: how a portal heads its columns


def to_text(value: object) -> str:
    """A string, a small number, or the words of a `{"value", "localizedValue"}` pair; else empty.

    `value` decides: the localized one changes with the reader's language, and stands in only where it is alone.
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict):
        return _scalar_to_text(value.get("value")) or _scalar_to_text(value.get("localizedValue"))
    return _scalar_to_text(value)


def _scalar_to_text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < EXACT_INTEGER_LIMIT:
        return str(value)
    return ""


def to_short_text(value: object) -> str:
    """A text, cut to what memory can bear."""
    return to_text(value)[:FACT_LENGTH]


def to_number(value: object) -> float | None:
    """A finite number, also one written as a string (CSV, the CLI); `None` for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or value == "":
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):  # an integer of hundreds of digits overflows
        return None
    return found if math.isfinite(found) else None


def to_mapping(value: object) -> Mapping[str, object]:
    """An object, also one hidden in a string of JSON; empty for all else."""
    if isinstance(value, str):
        value = try_decode_json(value) if value.lstrip()[:1] == "{" else None
    return value if isinstance(value, dict) else {}


def to_list(value: object) -> list[object]:
    """A list, also one hidden in a string of JSON; empty for all else."""
    if isinstance(value, str):
        value = try_decode_json(value) if value.lstrip()[:1] == "[" else None
    return value if isinstance(value, list) else []


def iter_objects(value: object) -> Iterator[Mapping[str, object]]:
    """The objects of a list, whatever else is among them."""
    return (each for each in to_list(value) if isinstance(each, dict))


def try_decode_json(value: str) -> object:
    """The JSON in a string; `None` when there is none."""
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError, ValueError):  # ValueError: half a surrogate pair
        return None


def get_path(value: object, *path: str) -> object:
    """What lies at a path of keys; `None` when any step is missing."""
    for key in path:
        value = to_mapping(value).get(key)
    return value


def collect_facts(**said: object) -> dict[str, str]:
    """The facts that were said, cut to what memory can bear; a fact that was not said is left out."""
    words = {name: to_short_text(value) for name, value in said.items()}
    return {name: word for name, word in words.items() if word}


@lru_cache(maxsize=64)  # the rows of a table share their columns
def _fold_names(keys: tuple[str, ...]) -> Mapping[str, str]:
    return {UNIT_SUFFIX.sub("", key).strip("\ufeff ").lower(): key for key in keys}


def fold_column_names(row: Row) -> Mapping[str, str]:
    """The row's column names without letter case, units and a byte order mark, and what each is called in it."""
    return _fold_names(tuple(row))


def fold_columns(row: Row) -> dict[str, object]:
    """The row by its folded column names."""
    return {name: row[key] for name, key in fold_column_names(row).items()}
