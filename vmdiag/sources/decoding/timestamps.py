"""Azure's spellings of an instant; must not know a format, a clock or a record.

Spellings: "Azure Activity Log event schema" (0 to 9 digits of a fraction, `Z` or an offset), "Azure Metadata Service:
Scheduled Events" (RFC 1123), the tables and portals of Log Analytics (`M/D/YYYY, h:mm:ss.fff AM`), Windows PowerShell
(`/Date(ms)/`), and numbers of seconds or milliseconds since 1970. Digits beyond a microsecond are cut, never rounded:
a rounded 23:59:59.9999999 is another second, day or year.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

from vmdiag.identity import VmId
from vmdiag.sources.decoding.numeric_dates import parse_numeric_date
from vmdiag.sources.items import MalformedRow, Row

FIRST_YEAR = 2010  # Azure opened; "never" is written as year 1
LAST_YEAR = 2100  # "for ever" is written as year 9999
TIME_LENGTH = 64  # characters: nothing longer is a time
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
BLANKS = re.compile(r"(?<=[:T])\s+|\s+(?=[:+])")  # `2021-02-04T07: 45: 44.58Z`, `2021-02-04 07:45:44 +00:00`
ZONE_NAME = re.compile(r"\s*(?:UTC|GMT)$")
MIDNIGHT_24 = re.compile(r"([T ])24:00(?::00(?:\.0*)?)?(?=$|[Z+-])")  # ISO 8601's other name for the next day's 00:00
# Seconds since 1970, with or without a fraction, and milli-, micro- and nanoseconds.
UNIX_TIME = re.compile(r"([0-9]{10})(?:\.[0-9]{1,9}|[0-9]{3}|[0-9]{6}|[0-9]{9})?")
POWERSHELL_DATE = re.compile(r"\\?/Date\(([0-9]{13})(?:[+-][0-9]{4})?\)\\?/")  # the offset only says how to show it
# The weekday is not read: Microsoft's own sample pairs a date with the wrong one.
RFC_1123 = re.compile(
    r"(?:[a-z]{3,9},?\s+)?([0-9]{1,2})\s+([a-z]{3})\s+([0-9]{4})\s+([0-9]{2}):([0-9]{2}):([0-9]{2})", re.IGNORECASE
)
OFFSET_MISSING = (
    "its times are local ([Local Time]) and name no offset: give --utc-offset (such as +02:00) as it was where the "
    "file was made, or export it in UTC"
)
DEPTH_LIMIT = 6
EXAMINED_LIMIT = 2_000


class LocalTime(str):
    """A time that says it is local, and not where: no instant at all."""

    __slots__ = ()


def parse_time(value: object) -> datetime | None:
    """The instant, in UTC, that a text or a number names; `None` for no time, and for one outside Azure's years.

    A text without a zone means UTC.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = repr(value)
    if not isinstance(value, str) or isinstance(value, LocalTime):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        at = None
    # The basic format of ISO 8601 has no separators, and would take the milliseconds of a year for a date.
    if at is None or value[4:5].isdigit():
        at = (_parse_odd_time(value.strip()) if len(value) <= TIME_LENGTH else None) or at
    # The year is looked at first: at the ends of the calendar a change of zone would overflow.
    if at is None or not FIRST_YEAR <= at.year <= LAST_YEAR:
        return None
    if at.tzinfo is UTC:
        return at
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def parse_ticks(value: str) -> datetime | None:
    """The instant of .NET ticks: units of 100 ns since year 1, as in the last segment of an event's id."""
    if not (value.isascii() and value.isdigit() and len(value) == 18):  # noqa: PLR2004 - years 317 to 3169
        return None
    at = datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(value) // 10)
    return at if FIRST_YEAR <= at.year <= LAST_YEAR else None


def require_time(vm: VmId | None, *values: object) -> datetime:
    """The first of several fields that holds a usable time; raises `MalformedRow` when none does."""
    for value in values:
        found = value if isinstance(value, datetime) else parse_time(value)
        if found is not None:
            return found
    if any(isinstance(value, LocalTime) for value in values):
        raise MalformedRow(OFFSET_MISSING, vm)
    written = next((value for value in values if isinstance(value, str) and value), None)
    reason = "no time" if written is None else f"no usable time: {written[:TIME_LENGTH]!r}"
    raise MalformedRow(reason, vm)


def format_iso(at: datetime | None) -> str:
    """The instant as the report writes it; empty for none."""
    return "" if at is None else at.isoformat().replace("+00:00", "Z")


def find_newest_time(row: Row) -> datetime | None:
    """The newest time that a record bears, wherever it stands in it, whatever it is the time of."""
    return max(filter(None, map(parse_time, _iter_time_values(row))), default=None)


def _iter_time_values(row: Row) -> Iterator[object]:
    """The values below keys that are named for a time."""
    waiting: list[tuple[str, object, int]] = [("", row, 0)]
    for looked_at, (key, value, depth) in enumerate(waiting):
        if looked_at > EXAMINED_LIMIT or depth > DEPTH_LIMIT:
            return
        if isinstance(value, dict):
            waiting.extend((str(name).lower(), inner, depth + 1) for name, inner in value.items())
        elif isinstance(value, list):
            waiting.extend((key, inner, depth + 1) for inner in value[-EXAMINED_LIMIT:])
        elif "time" in key or "date" in key:
            yield value


def _parse_odd_time(written: str) -> datetime | None:
    """A time in a spelling that ISO 8601 does not know; without a zone where it names none."""
    try:
        if found := UNIX_TIME.fullmatch(written):
            return _parse_unix_time(written, found)
        if found := POWERSHELL_DATE.fullmatch(written):
            return EPOCH + timedelta(milliseconds=int(found[1]))
        date = parse_numeric_date(written)
        if date is not None:
            return date.to_datetime()
        plain = ZONE_NAME.sub("", written)
        utc: timezone | None = UTC if plain != written else None
        if found := RFC_1123.fullmatch(plain):
            day, month, year, *clock = found.groups()
            hour, minute, second = map(int, clock)
            return datetime(int(year), MONTHS.index(month.lower()) + 1, int(day), hour, minute, second, tzinfo=UTC)
        plain = BLANKS.sub("", plain)
        midnight = MIDNIGHT_24.sub(r"\g<1>00:00:00", plain)
        at = datetime.fromisoformat(midnight) + timedelta(days=midnight != plain)
    except (ValueError, OverflowError):
        return None
    return at if utc is None else at.replace(tzinfo=utc)


def _parse_unix_time(written: str, found: re.Match[str]) -> datetime:
    """By magnitude: ten digits are the seconds of 2001 to 2286, whatever follows is a fraction of one."""
    fraction = written[len(found[1]) :].lstrip(".")
    return EPOCH + timedelta(seconds=int(found[1]), microseconds=int(fraction.ljust(6, "0")[:6]))
