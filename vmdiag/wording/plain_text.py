"""Text that is fit to be shown: what strangers wrote, neutralised and cut to length, and instants and spans of time.

Names and sentences come from Azure, and whoever names a VM or writes a log entry may put terminal escapes,
bidirectional overrides or a megabyte of letters in them. Times are whole seconds: no feed here is more exact.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from vmdiag.identity import VmId

MAX_SENTENCE = 300
MAX_NAME = 64
MAX_SOURCE_REF = 44
# An address that can be nothing else: only such a one is made a link.
SAFE_LINK = re.compile(r"https://[A-Za-z0-9.-]+(/[A-Za-z0-9._~/?#=%&+-]*)?")
_REPLACEMENT = "\ufffd"
_CONTROL_PICTURES = 0x2400
_SURROGATES = re.compile("[\ud800-\udfff]")


def escape_controls(text: str) -> str:
    """The text on one line, every control, format or broken character replaced by one that shows."""
    if text.isprintable():
        return text
    pictures = {
        char: " " if char.isspace() else chr(_CONTROL_PICTURES + ord(char)) if char < " " else _REPLACEMENT
        for char in set(text)
        if not char.isprintable()
    }
    return "".join(pictures.get(char, char) for char in text)


def truncate_text(text: str, limit: int) -> str:
    """At most `limit` characters, the last of them an ellipsis where something was left out."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def shorten_source_ref(text: str, limit: int = MAX_SOURCE_REF) -> str:
    """Where something was read, at a length that fits a line; the end tells more than the beginning."""
    return text if len(text) <= limit else f"…{text[1 - limit :]}"


def shorten_sentence(text: str) -> str:
    """A stranger's sentence at the length a person reads, without the blanks and the full stop around it."""
    return truncate_text(text.strip().rstrip("."), MAX_SENTENCE)


def shorten_name(text: str) -> str:
    """A stranger's name at the length that still fits a line."""
    return truncate_text(text.strip(), MAX_NAME)


def format_vm_name(vm: "VmId") -> str:
    """The VM as `group/name`."""
    return f"{shorten_name(vm.resource_group)}/{shorten_name(vm.name)}"


def replace_surrogates(text: str) -> str:
    """The text in full, lone surrogates replaced: what every encoder accepts."""
    return _SURROGATES.sub(_REPLACEMENT, text)


@lru_cache(maxsize=1024)  # a fleet's VMs share their window and their gaps
def format_iso(at: datetime) -> str:
    """UTC, ISO 8601, whole seconds, ending in `Z`."""
    return f"{at.astimezone(UTC).isoformat(timespec='seconds').removesuffix('+00:00')}Z"


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
    units = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    for (size, unit), (smaller, small) in pairwise(units):
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size} {unit} {rest} {small}" if rest else f"{seconds // size} {unit}"
    return f"{seconds} s"


class ShortTimeFormat(NamedTuple):
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

    def __call__(self, at: datetime | None) -> str:
        """The time, or blanks of the same length where there is none."""
        if at is None:
            return " " * (len("2026-03-02 08:14:05") - self.skipped_characters)
        return format_iso(at)[self.skipped_characters : -1].replace("T", " ")
