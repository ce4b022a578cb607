"""Reads how people write times and spans; must not know what they are for, and is told what time it is."""

import re
from datetime import UTC, datetime, time, timedelta

from vmdiag.errors import UsageError
from vmdiag.sources.protocol import find_latest_time

_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?(Z|[+-]\d\d:?\d\d)?", re.ASCII | re.IGNORECASE)
_SPAN = re.compile(r"(\d+)([smhdw])", re.ASCII)
_EXCERPT_LENGTH = 80  # characters of what makes no sense
_OFFSET = re.compile(r"([+-])([01]\d)(?::?([0-5]\d))?", re.ASCII)
_MAX_UTC_OFFSET = timedelta(hours=14)  # Kiribati's Line Islands
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_time(text: str, option: str) -> datetime | timedelta | time:
    """A span such as `24h`, a time of day such as `08:16`, or an ISO 8601 time; all in UTC, without an offset, too."""
    try:
        clock = _CLOCK.fullmatch(text.strip())
        if clock is not None:
            return _parse_clock_time(clock)
        span = _SPAN.fullmatch(text.strip())
        if span is not None:
            return timedelta(**{_UNITS[span[2]]: int(span[1])})
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = f"{option} {text[:_EXCERPT_LENGTH]!r} is neither a duration nor a time"
        hint = "Write 90m, 24h, 14d, 1w, 08:14, or an ISO 8601 time such as 2026-03-02T08:14Z."
        raise UsageError(message, hint) from error


def _parse_clock_time(found: re.Match[str]) -> time:
    hour, minute, second, offset = found.groups()
    written = f"{int(hour):02}:{minute}:{second or '00'}{offset or 'Z'}"
    # Any day will do; one in the middle has others on both sides.
    return datetime.fromisoformat(f"2000-06-15T{written.upper()}").astimezone(UTC).time()


def resolve_time(text: str, option: str, now: datetime) -> datetime:
    """The same as a point in time: a span counts back from `now`, a time of day is the latest before it."""
    at = parse_time(text, option)
    if isinstance(at, datetime):
        return at
    if isinstance(at, time):
        return find_latest_time(at, now)
    try:
        return now - at
    except OverflowError as error:
        message = f"{option} {text!r} lies before the year 1"
        raise UsageError(message, "Give a shorter duration.") from error


def parse_utc_offset(text: str, option: str) -> timedelta:
    """How far a place's clocks are ahead of UTC: `+02:00`, `-0330`, `+01`, `Z`."""
    if text.strip().upper() in {"Z", "UTC"}:
        return timedelta()
    found = _OFFSET.fullmatch(text.strip())
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0)) if found else None
    if found is None or offset is None or offset > _MAX_UTC_OFFSET:
        message = f"{option} {text!r} is no offset from UTC"
        raise UsageError(message, "Write +02:00 for two hours ahead of UTC, -05:00 for five behind.")
    return -offset if found[1] == "-" else offset
