"""Reads nested fields that may hold anything, and what a resource id among them says of itself.

Azure writes one and the same field as a string, as a pair `{"value", "localizedValue"}`, as null, or leaves it out, and
hides objects in strings of JSON ("Azure Activity Log event schema", which says that the schema is not enforced). Ids
are compared in lower case, as Azure does. Shapes: "Azure Resource Manager: resource ids", and the recorded oddities
(no leading slash, `resourcegroups`, all upper case).
"""

import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

import msgspec

from vmdiag.completeness import MalformedRow, Row
from vmdiag.identity import NETWORK_TYPES, VM_ID, VmId

FACT_LENGTH = 2_000  # characters of a fact: hostile or absurd fields must not fill memory
EXACT_INTEGER_LIMIT = 2**53  # beyond it an integer is no reading and no code; it is not even written out

UNIT_SUFFIX = re.compile(r"\s*\[[^\]]*\]\s*$")  # `TimeGenerated [UTC]`, `Time [Local]`: how a portal heads its columns
SUBSCRIPTION_ID = re.compile(r"/subscriptions/[^/]+", re.IGNORECASE)
GROUP_ID = re.compile(r"/subscriptions/[^/]+/resourcegroups/[^/]+", re.IGNORECASE)
NETWORK_ID = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.network/([^/]+)/[^/]+(?:/(?!providers/)[^/]+/[^/]+)*"
)
HEALTH_PROVIDER = "/providers/microsoft.resourcehealth/"


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


def find_text(members: Mapping[str, object], *keys: str) -> str:
    """The first text among several members; empty where none is one."""
    for key in keys:
        if text := to_text(members.get(key)):
            return text
    return ""


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
    return {name: word for name, value in said.items() if (word := to_short_text(value))}


@lru_cache(maxsize=64)  # the rows of a table share their columns
def _fold_names(keys: tuple[str, ...]) -> Mapping[str, str]:
    return {UNIT_SUFFIX.sub("", key).strip("\ufeff ").lower(): key for key in keys}


def fold_column_names(row: Row) -> Mapping[str, str]:
    """The row's column names without letter case, units and a byte order mark, and what each is called in it."""
    return _fold_names(tuple(row))


def fold_columns(row: Row) -> dict[str, object]:
    """The row by its folded column names."""
    return {name: row[key] for name, key in fold_column_names(row).items()}


def find_resource_id(*values: object) -> str:
    """The first resource id among several fields, with its leading slash; raises `MalformedRow` when there is none."""
    written = next((text for value in values if (text := to_text(value).strip("/"))), "")
    if not written:
        reason = "no resource id"
    elif "//" in written:
        reason = "the resource id has empty parts"
    elif written[:14].lower().startswith(("subscriptions/", "providers/")):
        return f"/{written}"
    else:
        reason = "the resource id is no path of a subscription"
    raise MalformedRow(reason)


@lru_cache(maxsize=4096)  # thousands of rows in turn concern one VM
def parse_vm_id(identifier: str) -> VmId | None:
    """The VM that an id names; `None` for anything else, and for what lies below a VM."""
    found = VM_ID.match(identifier)
    below = identifier[found.end() :].strip("/") if found else ""
    return None if below else VmId.parse(identifier)


def cut_at(identifier: str, part: str) -> str:
    """What stands before a part of an id (in lower case); the whole where it has no such part."""
    return identifier[: cut if (cut := identifier.lower().find(part)) >= 0 else None]


def parse_health_vm(identifier: str) -> VmId | None:
    """The VM whose health an id names: the VM's own id, or that of a health record below it."""
    return parse_vm_id(cut_at(identifier, HEALTH_PROVIDER))


def parse_scope(identifier: str) -> str | None:
    """The resource group of an id, else its subscription, in lower case; `None` for what belongs to a tenant."""
    found = GROUP_ID.match(identifier) or SUBSCRIPTION_ID.match(identifier)
    return found.group().lower() if found else None


def parse_subscription(identifier: str) -> str | None:
    """The subscription of an id, as a scope, in lower case."""
    found = SUBSCRIPTION_ID.match(identifier)
    return found.group().lower() if found else None


def parse_network_id(identifier: str) -> str | None:
    """The id, in lower case, of a network resource (or a part of one) that traffic passes through; else `None`."""
    lower = identifier.lower()
    found = NETWORK_ID.fullmatch(lower)
    return lower if found and f"microsoft.network/{found[1]}" in NETWORK_TYPES else None


def parse_parent_id(identifier: str) -> str:
    """The id of the top resource that a part of it (a subnet, a pool, an address configuration) belongs to."""
    head, marker, tail = identifier.lower().rpartition("/providers/")
    return f"{head}{marker}{'/'.join(tail.split('/')[:3])}"


def find_named_vm(row: Row | None) -> VmId | None:
    """The one VM that a record names in the ids among its members; `None` for several, and for none."""
    found = {vm.key: vm for text in _iter_texts(row or {}, 2) if (vm := VmId.parse(text)) is not None}
    return next(iter(found.values())) if len(found) == 1 else None


def _iter_texts(row: Mapping[str, object], depth: int) -> Iterator[str]:
    for value in row.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict) and depth:
            yield from _iter_texts(value, depth - 1)
