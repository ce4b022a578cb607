"""Single values as Kusto sees them: text, numbers, times, terms; must not know expressions."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.arm.times import parse_time


def to_text(value: Any) -> str:
    """`tostring()`: null is empty, a dynamic object its JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list | bool):
        # A time within a dynamic value is its text.
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=to_text)
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
    if isinstance(value, timedelta):
        return _format_timespan(value)
    return "" if value is None else str(value)


def _format_timespan(value: timedelta) -> str:
    """`[-][d.]hh:mm:ss[.fffffff]`."""
    rest = abs(value)
    hours, seconds = divmod(rest.seconds, 3600)
    days = f"{rest.days}." if rest.days else ""
    fraction = f".{rest.microseconds:06d}0" if rest.microseconds else ""
    sign = "-" if value < timedelta() else ""
    return f"{sign}{days}{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}{fraction}"


def to_datetime(value: Any) -> datetime | None:
    """`todatetime()`: null for what is no time; 7 digits are cut to what a datetime holds."""
    return parse_time(value) if isinstance(value, str) else value if isinstance(value, datetime) else None


def to_real(value: Any) -> float | None:
    """`toreal()`: null for what is no number."""
    if isinstance(value, bool | int | float):
        return float(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def get_member(value: Any, key: str | int) -> Any:
    """A member of a dynamic value, null where there is none; keys are case-sensitive."""
    if isinstance(value, dict) and isinstance(key, str):
        return value.get(key)
    if isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value):
        return value[key]
    return None


def has_term(value: str, term: str) -> bool:
    """Whether the term stands in the text with no letter or digit right beside it."""
    left = r"(?<![A-Za-z0-9])" if term[:1].isalnum() else ""
    right = r"(?![A-Za-z0-9])" if term[-1:].isalnum() else ""
    return re.search(left + re.escape(term) + right, value) is not None


TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "has": lambda value, term: has_term(value.lower(), term.lower()),
    "contains": lambda value, part: part.lower() in value.lower(),
    "startswith": lambda value, part: value.lower().startswith(part.lower()),
    "endswith": lambda value, part: value.lower().endswith(part.lower()),
    "matches": lambda value, pattern: re.search(pattern, value) is not None,
    "=~": lambda value, other: value.lower() == other.lower(),
}
"""What compares texts; the forms with `!` deny them."""
