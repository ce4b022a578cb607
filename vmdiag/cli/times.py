"""Reads how people write times and spans; must not know what they are for, and is told what time it is."""

import re
from datetime import UTC, datetime, timedelta

from vmdiag.errors import UsageError

_SPAN = re.compile(r"(\d+)([smhdw])", re.ASCII)
_OFFSET = re.compile(r"([+-])([01]\d)(?::?([0-5]\d))?", re.ASCII)
_FARTHEST = timedelta(hours=14)  # Kiribati's Line Islands
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, option: str) -> datetime | timedelta:
    """A span such as `24h`, or an ISO 8601 time in UTC (without an offset it means UTC)."""
    try:
        span = _SPAN.fullmatch(text.strip())
        if span is not None:
            return timedelta(**{_UNITS[span[2]]: int(span[1])})
        at = datetime.fromisoformat(text.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = f"{option} {text!r} is neither a duration nor a time"
        raise UsageError(message, "Write 90m, 24h, 14d, 1w, or an ISO 8601 time such as 2026-03-02T08:14Z.") from error


def instant(text: str, option: str, now: datetime) -> datetime:
    """The same as a point in time: a span counts back from `now`."""
    at = moment(text, option)
    if isinstance(at, datetime):
        return at
    try:
        return now - at
    except OverflowError as error:
        message = f"{option} {text!r} lies before the year 1"
        raise UsageError(message, "Give a shorter duration.") from error


def utc_offset(text: str, option: str) -> timedelta:
    """How far a place's clocks are ahead of UTC: `+02:00`, `-0330`, `+01`, `Z`."""
    if text.strip().upper() in {"Z", "UTC"}:
        return timedelta()
    found = _OFFSET.fullmatch(text.strip())
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0)) if found else None
    if found is None or offset is None or offset > _FARTHEST:
        message = f"{option} {text!r} is no offset from UTC"
        raise UsageError(message, "Write +02:00 for two hours ahead of UTC, -05:00 for five behind.")
    return -offset if found[1] == "-" else offset
