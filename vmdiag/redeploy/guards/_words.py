"""How guards speak: ages in words, and what is not known; must not know a limit."""

from datetime import timedelta

from vmdiag.mitigation import GuardResult
from vmdiag.redeploy.model import Preflight

NOT_ASKED = "not looked at: another guard refuses already"
_TWO_HOURS, _TWO_DAYS = 120, 2 * 24 * 60


def describe_unknown(guard: str, limit: str, facts: Preflight | None, topic: str) -> GuardResult:
    """The answer of a guard that lacks facts: none where it was not asked for them, no where they could not be read."""
    if facts is None:
        return GuardResult(guard=guard, passes=None, limit=limit, found=NOT_ASKED)
    return GuardResult(guard=guard, passes=False, limit=limit, found=f"could not be read: {facts.unread[topic]}")


def format_age(span: timedelta) -> str:
    """A span of time in its largest unit."""
    minutes = round(span / timedelta(minutes=1))
    if minutes < _TWO_HOURS:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < _TWO_DAYS else f"{minutes // (24 * 60)} days"
