"""Azure's spellings of an instant, and dates written as three numbers in whichever order a place writes them.

Spellings: "Azure Activity Log event schema" (0 to 9 digits of a fraction, `Z` or an offset), "Azure Metadata Service:
Scheduled Events" (RFC 1123), the tables and portals of Log Analytics (`M/D/YYYY, h:mm:ss.fff AM`), Windows PowerShell
(`/Date(ms)/`), numbers of seconds or milliseconds since 1970, and "Unicode CLDR: date formats". Digits beyond a
microsecond are cut, never rounded: a rounded 23:59:59.9999999 is another second, day or year.
"""

import re
from array import array
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from operator import ge

from vmdiag.completeness import MalformedRow, Row
from vmdiag.identity import VmId
from vmdiag.values import Struct

FIRST_YEAR = 2010  # Azure opened; "never" is written as year 1
LAST_YEAR = 2100  # "for ever" is written as year 9999
TIME_LENGTH = 64  # characters: nothing longer is a time
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES_REMEMBERED, COLUMNS_REMEMBERED = 1 << 15, 4

# A browser puts a narrow no-break space before AM and PM; `\s` knows it.
NUMERIC_DATE = re.compile(
    r"([0-9]{1,4})([./-])([0-9]{1,2})\2([0-9]{1,4})"
    r"(?:(?:,?\s+|,|T)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"(?:\s*([AP])\.?\s?M\.?)?\s*(Z|UTC|GMT|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])?)?",
    re.IGNORECASE,
)
MONTH_COUNT = 12
YEAR_DIGITS = 4
MIDNIGHT_HOUR = 24
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
BLANKS = re.compile(r"(?<=[:T])\s+|\s+(?=[:+])")  # `2021-02-04T07: 45: 44.58Z`, `2021-02-04 07:45:44 +00:00`
ZONE_NAME = re.compile(r"\s*(?:UTC|GMT)$")
MIDNIGHT_24 = re.compile(r"([T ])24:00(?::00(?:\.0*)?)?(?=$|[Z+-])")  # ISO 8601's other name for the next day's 00:00
# By magnitude: ten digits are the seconds of 2001 to 2286, whatever follows (also milli-, micro- and nanoseconds
# without a point) is a fraction of one.
UNIX_TIME = re.compile(r"([0-9]{10})((?:\.[0-9]{1,9}|[0-9]{3}|[0-9]{6}|[0-9]{9})?)")
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


class NumericDate(Struct, frozen=True):
    """A date of three numbers, with its time of the day.

    `month_first` is `None` where it does not say, `usual_month_first` what is to be supposed then; `has_either_order`
    says that a date of this form may have either order.
    """

    year: int
    first: int
    second: int
    since_midnight: timedelta
    zone: timezone | None
    month_first: bool | None
    usual_month_first: bool
    has_either_order: bool

    def to_datetime(self, *, month_first: bool | None = None) -> datetime:
        """The time it names, naive where it names no zone; raises `ValueError` when there is no such day.

        `month_first` is what the other dates of its column say.
        """
        order = self.month_first if month_first is None else month_first
        order = self.usual_month_first if order is None else order
        month, day = (self.first, self.second) if order else (self.second, self.first)
        return datetime(self.year, month, day, tzinfo=self.zone) + self.since_midnight


def parse_numeric_date(written: str) -> NumericDate | None:
    """The date that a text writes in three numbers; `None` for anything else.

    With the year first the month follows; after dots the day comes first everywhere; with slashes or dashes both
    orders exist, and only a number above 12 tells which one a single date is in.
    """
    found = NUMERIC_DATE.fullmatch(written)
    since_midnight = _parse_clock(*found.groups()[4:9]) if found else None
    if found is None or since_midnight is None:
        return None
    one, separator, two, three, *_, zone = found.groups()
    if len(one) == YEAR_DIGITS:
        year, first, second = int(one), int(two), int(three)
    elif len(three) == YEAR_DIGITS:
        year, first, second = int(three), int(one), int(two)
    else:
        return None  # a year of two digits is a guess too many
    month_first: bool | None = year == int(one)
    usual_month_first = True
    has_either_order = separator != "." and not month_first
    if has_either_order and max(first, second) > MONTH_COUNT:
        month_first = first <= MONTH_COUNT
    elif has_either_order:
        # Where the day comes first "AM" may be written large, too: it only says what to suppose.
        month_first, usual_month_first = None, separator == "/"
    offset: timezone | None = None
    if zone and zone[0] in "+-":
        size = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        offset = timezone(-size if zone[0] == "-" else size)
    elif zone:
        offset = UTC
    return NumericDate(year, first, second, since_midnight, offset, month_first, usual_month_first, has_either_order)


def _parse_clock(
    hour: str | None, minute: str | None, second: str | None, fraction: str | None, half: str | None
) -> timedelta | None:
    """The time of the day; `None` for one that no clock shows."""
    hours, minutes, seconds = int(hour or 0), int(minute or 0), int(second or 0)
    if half:
        if not 0 < hours <= MONTH_COUNT:
            return None
        hours = hours % 12 + (12 if half in "Pp" else 0)
    whole = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if hours > MIDNIGHT_HOUR or minutes >= 60 or seconds >= 60 or (hours == MIDNIGHT_HOUR and minutes + seconds):  # noqa: PLR2004
        return None
    return whole + timedelta(microseconds=int((fraction or "").ljust(6, "0")[:6]))


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
    return to_utc(at) if at is not None and FIRST_YEAR <= at.year <= LAST_YEAR else None


def parse_times(values: Sequence[object]) -> list[datetime | None]:
    """The instants of many values, at once where all are in the spelling that Azure's services answer in."""
    texts = [value for value in values if type(value) is str]
    try:
        found = list(map(datetime.fromisoformat, texts))
    except ValueError:
        found = []
    is_iso = len(found) == len(values) and {text[4] for text in texts} == {"-"} and {at.tzinfo for at in found} == {UTC}
    if is_iso and min(found).year >= FIRST_YEAR and max(found).year <= LAST_YEAR:
        return [*found]
    return list(map(parse_time, values))


@lru_cache(TIMES_REMEMBERED)
def parse_known_time(written: str) -> datetime:
    """The instant of a minute or an hour, which is that of all metrics; raises `ValueError` where there is none."""
    at = parse_time(written)
    if at is None:
        message = f"no usable time: {written[:TIME_LENGTH]!r}"
        raise ValueError(message)
    return at


@lru_cache(COLUMNS_REMEMBERED)
def parse_rising_times(written: tuple[str, ...]) -> "array[float]":
    """The minutes of a metric, which are those of the metrics beside it, in seconds since 1970.

    Raises `ValueError` where one cannot be read or is not later than the one before it.
    """
    times = array("d", [parse_known_time(one).timestamp() for one in written])
    if any(map(ge, times, times[1:])):
        message = "its points are not in order of time"
        raise ValueError(message)
    return times


def _parse_odd_time(written: str) -> datetime | None:
    """A time in a spelling that ISO 8601 does not know; without a zone where it names none."""
    try:
        if found := UNIX_TIME.fullmatch(written):
            microseconds = found[2].lstrip(".").ljust(6, "0")[:6]
            return EPOCH + timedelta(seconds=int(found[1]), microseconds=int(microseconds))
        if found := POWERSHELL_DATE.fullmatch(written):
            return EPOCH + timedelta(milliseconds=int(found[1]))
        date = parse_numeric_date(written)
        if date is not None:
            return date.to_datetime()
        plain = ZONE_NAME.sub("", written)
        if found := RFC_1123.fullmatch(plain):
            day, month, year, hour, minute, second = found.groups()
            date_of_month = int(year), MONTHS.index(month.lower()) + 1, int(day)
            return datetime(*date_of_month, int(hour), int(minute), int(second), tzinfo=UTC)
        iso = BLANKS.sub("", plain)
        midnight = MIDNIGHT_24.sub(r"\g<1>00:00:00", iso)
        at = datetime.fromisoformat(midnight) + timedelta(days=midnight != iso)
    except (ValueError, OverflowError):
        return None
    return at if plain == written else at.replace(tzinfo=UTC)


def to_utc(at: datetime) -> datetime:
    """The same instant in UTC, which a time without a zone is in."""
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
    """The newest time that a record bears below a key that is named for one, whatever it is the time of."""
    times: list[datetime] = []
    waiting: list[tuple[str, object, int]] = [("", row, 0)]
    for looked_at, (key, value, depth) in enumerate(waiting):
        if looked_at > EXAMINED_LIMIT or depth > DEPTH_LIMIT:
            break
        if isinstance(value, dict):
            waiting.extend((str(name).lower(), inner, depth + 1) for name, inner in value.items())
        elif isinstance(value, list):
            waiting.extend((key, inner, depth + 1) for inner in value[-EXAMINED_LIMIT:])
        elif ("time" in key or "date" in key) and (at := parse_time(value)) is not None:
            times.append(at)
    return max(times, default=None)
