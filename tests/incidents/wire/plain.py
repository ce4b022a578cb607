"""What all wire forms share: JSON values, time stamps, ids in the letter cases Azure writes them in."""

import csv
import io
import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]


def encode_json(value: Json) -> bytes:
    """JSON without blanks: a corpus should be quick to write and to read."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def encode_json_lines(values: list[JsonObject]) -> bytes:
    """JSON lines, each ended."""
    return b"".join(encode_json(value) + b"\n" for value in values)


def encode_csv(rows: Iterable[Sequence[str]]) -> str:
    """Lines of cells as Azure's portal ends them."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def build_table(rows: Sequence[Mapping[str, Json]], types: Mapping[str, str]) -> JsonObject:
    """Columns with types, `string` where none is given, and rows as arrays."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns: Json = [{"name": name, "type": types.get(name, "string")} for name in names]
    return {"columns": columns, "rows": [[row.get(name) for name in names] for row in rows]}


def format_time(at: datetime, digits: int = 7) -> str:
    """`at` with a fraction of at most so many digits: Azure cuts trailing zeros, so the length varies."""
    text = at.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00")
    fraction = f"{at.microsecond:06d}0"[:digits].rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def format_time_variously(rng: random.Random, at: datetime) -> str:
    """`at` as different senders write it: 0, 2, 3, 6 or 7 digits, `Z` or `+00:00`."""
    text = format_time(at, rng.choice((0, 2, 3, 6, 7, 7)))
    return text if rng.random() < 0.9 else text.removesuffix("Z") + "+00:00"


def make_guid(rng: random.Random) -> str:
    """A random GUID of version 4."""
    bits = f"{rng.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"


def vary_arm_case(rng: random.Random, identifier: str) -> str:
    """The id as ARM logs it: in recorded events `resourcegroups` in lower case is the rule."""
    return identifier.replace("/resourceGroups/", "/resourcegroups/") if rng.random() < 0.7 else identifier


def vary_export_case(rng: random.Random, identifier: str) -> str:
    """The id as exports write it: upper case, the GUID sometimes left alone."""
    upper = identifier.upper()
    if rng.random() < 0.5:
        return upper
    return re.sub(r"(?<=/SUBSCRIPTIONS/)[^/]+", lambda found: found.group().lower(), upper)


def get_group_name(identifier: str) -> str:
    """Name of the resource group in an id, empty for a subscription's own."""
    parts = identifier.split("/")
    return parts[4] if len(parts) > 4 else ""


def get_subscription_id(identifier: str) -> str:
    """GUID of the subscription in an id."""
    return identifier.split("/")[2]


def get_resource_name(identifier: str) -> str:
    """The last segment."""
    return identifier.rsplit("/", 1)[-1]


def get_resource_type(identifier: str) -> str:
    """Resource type of an id: `Microsoft.Compute/virtualMachines`, with the children's types appended."""
    parts = identifier.rsplit("/providers/", 1)[-1].split("/")
    return "/".join([parts[0], *parts[1::2]])


def to_ticks(at: datetime) -> int:
    """.NET ticks: units of 100 ns since year 1, as in the last segment of an event's id."""
    return (at - datetime(1, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10
