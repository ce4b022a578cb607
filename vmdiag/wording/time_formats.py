"""Writes instants and spans, for machines and for people; must not know what happened at them.

Whole seconds everywhere: no feed that is read here is more exact than that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Self

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


def format_iso(at: datetime) -> str:
    """UTC, ISO 8601, whole seconds, ending in `Z`."""
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def format_optional_iso(at: datetime | None) -> str | None:
    """The same, where there may be no time at all."""
    return None if at is None else format_iso(at)


def format_instant(at: datetime) -> str:
    """An instant as a sentence holds it: `2026-03-02 08:14:05 UTC`."""
    return format_iso(at).replace("T", " ").replace("Z", " UTC")


def format_window(start: datetime, end: datetime) -> str:
    """A stretch of time to the minute: `2026-03-02 08:14 to 10:00 UTC`."""
    first, last = format_iso(start)[:16].replace("T", " "), format_iso(end)[:16].replace("T", " ")
    return f"{first} to {last[11:] if first[:10] == last[:10] else last} UTC"


def format_duration(length: timedelta) -> str:
    """A length of time in its two largest units: `1 h 44 min`."""
    seconds = int(abs(length).total_seconds())
    units = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s"))
    for (size, unit), (smaller, small) in pairwise(units):
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size} {unit} {rest} {small}" if rest else f"{seconds // size} {unit}"
    return f"{seconds} s"


@dataclass(frozen=True, slots=True)
class ShortTimeFormat:
    """Writes times as short as they stay unambiguous among themselves; `title` says what was left out."""

    skipped_characters: int
    title: str

    @classmethod
    def fit_to_times(cls, times: Iterable[datetime]) -> Self:
        """Leave out the day when all times share it, else the year when they share that."""
        seen = sorted(format_iso(at) for at in times)
        if not seen:
            return cls(len("2026-03-02 08:14:05"), "no times")
        first, last = seen[0], seen[-1]
        if first[:10] == last[:10]:
            return cls(11, f"{first[:10]}, UTC")
        return cls(5, f"{first[:4]}, UTC") if first[:4] == last[:4] else cls(0, "UTC")

    @property
    def width(self) -> int:
        """How many characters a time takes."""
        return len("2026-03-02 08:14:05") - self.skipped_characters

    def __call__(self, at: datetime | None) -> str:
        """The time, or blanks of the same length where there is none."""
        return " " * self.width if at is None else format_iso(at)[self.skipped_characters : -1].replace("T", " ")
