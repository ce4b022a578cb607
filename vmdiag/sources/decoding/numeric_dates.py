"""Dates written as three numbers, in whichever order a place writes them; must not know what else is in a column.

Source: "Unicode CLDR: date formats". With the year first the month follows; after dots the day comes first everywhere;
with slashes or dashes both orders exist, and only a number above 12 tells which one a single date is in.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

# A browser puts a narrow no-break space before AM and PM; `\s` knows it.
NUMERIC_DATE = re.compile(
    r"([0-9]{1,4})([./-])([0-9]{1,2})\2([0-9]{1,4})"
    r"(?:(?:,?\s+|,|T)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"(?:\s*([AP])\.?\s?M\.?)?\s*(Z|UTC|GMT|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])?)?",
    re.IGNORECASE,
)
MONTHS = 12
YEAR_DIGITS = 4
MIDNIGHT_HOUR = 24


@dataclass(frozen=True, slots=True)
class NumericDate:
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
    """The date that a text writes in three numbers; `None` for anything else."""
    found = NUMERIC_DATE.fullmatch(written)
    if found is None:
        return None
    one, separator, two, three, *clock = found.groups()
    if len(one) == YEAR_DIGITS:
        year, first, second = int(one), int(two), int(three)
    elif len(three) == YEAR_DIGITS:
        year, first, second = int(three), int(one), int(two)
    else:
        return None  # a year of two digits is a guess too many
    since_midnight = _parse_clock(*clock[:5])
    if since_midnight is None:
        return None
    varies = separator != "." and year != int(one)
    month_first, usual = _detect_order(first, second, separator) if varies else (year == int(one), True)
    return NumericDate(year, first, second, since_midnight, _parse_zone(clock[5]), month_first, usual, varies)


def _detect_order(first: int, second: int, separator: str) -> tuple[bool | None, bool]:
    """Whether the month comes first, `None` where the date alone does not say; and what to suppose then."""
    if first > MONTHS or second > MONTHS:
        return first <= MONTHS, True
    # Where the day comes first "AM" may be written large, too: it only says what to suppose.
    return None, separator == "/"


def _parse_clock(
    hour: str | None, minute: str | None, second: str | None, fraction: str | None, half: str | None
) -> timedelta | None:
    """The time of the day; `None` for one that no clock shows."""
    if hour is None:
        return timedelta()
    hours, minutes, seconds = int(hour), int(minute or 0), int(second or 0)
    if half:
        if not 0 < hours <= MONTHS:
            return None
        hours = hours % 12 + (12 if half in "Pp" else 0)
    whole = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if hours > MIDNIGHT_HOUR or minutes >= 60 or seconds >= 60 or (hours == MIDNIGHT_HOUR and minutes + seconds):  # noqa: PLR2004
        return None
    return whole + timedelta(microseconds=int((fraction or "").ljust(6, "0")[:6]))


def _parse_zone(written: str | None) -> timezone | None:
    if not written:
        return None
    if written.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    sign = -1 if written[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(written[1:3]), minutes=int(written[-2:])))
