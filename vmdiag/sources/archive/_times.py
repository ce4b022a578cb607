"""Azure's spellings of an instant; must not know a format, a clock or a record.

Spellings: "Azure Activity Log event schema" (0 to 9 digits of a fraction, `Z` or an offset), "Azure Metadata Service:
Scheduled Events" (RFC 1123), and the tables and portals of Log Analytics (`M/D/YYYY, h:mm:ss.fff AM`).
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from vmdiag.identity import VmId
from vmdiag.sources._items import Malformed

FIRST_YEAR = 2010  # Azure opened; "never" is written as year 1
LAST_YEAR = 2100  # "for ever" is written as year 9999
LONGEST = 64  # characters: nothing longer is a time

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
BLANKS = re.compile(r"(?<=[:T])\s+|\s+(?=[:+])")  # `2021-02-04T07: 45: 44.58Z`, `2021-02-04 07:45:44 +00:00`
ZONE_NAME = re.compile(r"\s*(?:UTC|GMT)$")
# A browser puts a narrow no-break space before AM and PM; `\s` knows it.
SLASHED = re.compile(
    r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}),?\s+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r"(?:\s*([AP])M)?\s*Z?",
    re.IGNORECASE,
)
# The weekday is not read: Microsoft's own sample pairs a date with the wrong one.
RFC_1123 = re.compile(
    r"(?:[a-z]{3,9},?\s+)?([0-9]{1,2})\s+([a-z]{3})\s+([0-9]{4})\s+([0-9]{2}):([0-9]{2}):([0-9]{2})", re.IGNORECASE
)


def parse(value: object) -> datetime | None:
    """The instant, in UTC, that a text names; `None` for no time, and for one before or after any Azure there is.

    A text without a zone means UTC.
    """
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        odd = _odd(value.strip()) if len(value) <= LONGEST else None
        if odd is None:
            return None
        at = odd
    # The year is looked at first: at the ends of the calendar a change of zone would overflow.
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        return None
    if at.tzinfo is UTC:
        return at
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def from_ticks(value: str) -> datetime | None:
    """The instant of .NET ticks: units of 100 ns since year 1, as in the last segment of an event's id."""
    if not (value.isascii() and value.isdigit() and len(value) == 18):  # noqa: PLR2004 - years 317 to 3169
        return None
    at = datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(value) // 10)
    return at if FIRST_YEAR <= at.year <= LAST_YEAR else None


def first(vm: VmId | None, *values: object) -> datetime:
    """The first of several fields that holds a usable time; raises `Malformed` when none does."""
    for value in values:
        found = value if isinstance(value, datetime) else parse(value)
        if found is not None:
            return found
    written = next((value for value in values if isinstance(value, str) and value), None)
    reason = "no time" if written is None else f"no usable time: {written[:LONGEST]!r}"
    raise Malformed(reason, vm)


def iso(at: datetime | None) -> str:
    """The instant as the report writes it; empty for none."""
    return "" if at is None else at.isoformat().replace("+00:00", "Z")


def _odd(written: str) -> datetime | None:
    """A time in a spelling that ISO 8601 does not know; without a zone where it names none."""
    plain = ZONE_NAME.sub("", written)
    utc: timezone | None = UTC if plain != written else None
    try:
        if found := SLASHED.fullmatch(plain):
            return _slashed(found)
        if found := RFC_1123.fullmatch(plain):
            day, month, year, *clock = found.groups()
            hour, minute, second = map(int, clock)
            return datetime(int(year), MONTHS.index(month.lower()) + 1, int(day), hour, minute, second, tzinfo=UTC)
        at = datetime.fromisoformat(BLANKS.sub("", plain))
    except ValueError:
        return None
    return at if utc is None else at.replace(tzinfo=utc)


def _slashed(found: re.Match[str]) -> datetime:
    """Month first, as the United States write it; day first where the first number can be no month."""
    month, day, year = (int(found[group]) for group in (1, 2, 3))
    if month > len(MONTHS):
        month, day = day, month
    hour = int(found[4])
    if half := found[8]:
        hour = hour % 12 + (12 if half in "Pp" else 0)
    microsecond = int(((found[7] or "") + "000000")[:6])
    return datetime(year, month, day, hour, int(found[5]), int(found[6] or 0), microsecond, tzinfo=UTC)
