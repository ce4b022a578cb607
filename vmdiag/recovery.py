"""Whether the signals that showed a loss show that it is over; pure, must not ask again or wait.

A redeploy that succeeded is a VM that was moved and started. That it can be reached again is read from the same feeds
that showed that it could not; the operator's own word can only be taken back by the operator.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vmdiag.diagnosis import Case, Strength
from vmdiag.model import Gap, Kind, Signal

# What tells by itself, without anybody's word.
MEASURED = (Signal.TRAFFIC, Signal.HEARTBEAT, Signal.PROBE, Signal.HEALTH)


class State(StrEnum):
    """What the signals say now."""

    LOST = "lost"
    BACK = "back"
    UNHEARD = "unheard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What was seen at one look: since when it is back, and how long that was heard to hold.

    `held` is `None` where the signals tell only of the moment, as a probe does: who looks again must count himself.
    """

    state: State
    says: str
    at: datetime | None = None
    held: timedelta | None = None


def witnesses(case: Case) -> tuple[Signal, ...]:
    """The signals that measured the loss which goes on: the strong ones, where there are any."""
    loss = case.diagnosis.loss
    channels = [
        channel
        for channel in (loss.channels if loss is not None else ())
        if channel.interval.is_open and channel.signal in MEASURED
    ]
    strong = [channel for channel in channels if channel.strength is Strength.STRONG]
    return tuple(dict.fromkeys(channel.signal for channel in strong or channels))


def heard(case: Case, signal: Signal) -> datetime | None:
    """Until when a feed was heard: of a metric its last point counts, of what speaks seldom that it was read."""
    if signal is Signal.TRAFFIC:
        return case.latest.get(signal)
    return min((gap.window.start for gap in silences(case, signal)), default=case.window.end)


def silences(case: Case, signal: Signal) -> list[Gap]:
    """What of a feed was not heard at the end of the window."""
    gaps = (gap for gap in case.gaps if gap.signal is signal and not gap.partial)
    return [gap for gap in gaps if gap.window.end >= case.window.end]


def sign(case: Case, signals: tuple[Signal, ...], lost_at: datetime | None, since: datetime) -> Sign:
    """What the signals together say at a look after a redeploy, which ended at `since`.

    Lost if one says so, back if one does and none denies it. What was measured before the end proves nothing, however
    good it looks: it is late news of the time before.
    """
    signs = [_one(case, signal, lost_at, since) for signal in signals]
    lost = [one for one in signs if one.state is State.LOST]
    if lost:
        return lost[0]
    back = [one for one in signs if one.state is State.BACK and one.at is not None]
    if back:
        at = max(one.at for one in back if one.at is not None)
        says = f"{' and '.join(one.says for one in back)} since {at:%H:%M}Z"
        measured = (one.held for one in back if one.held is not None)
        return Sign(state=State.BACK, says=says, at=at, held=min(measured, default=None))
    return Sign(state=State.UNHEARD, says="; ".join(one.says for one in signs))


def _one(case: Case, signal: Signal, lost_at: datetime | None, since: datetime) -> Sign:
    silent = silences(case, signal)
    if silent:
        return Sign(state=State.UNHEARD, says=f"{signal}: {silent[0].reason}")
    channels = [channel for loss in case.diagnosis.losses for channel in loss.channels if channel.signal is signal]
    now = [one for one in channels if one.interval.end is None or lost_at is None or one.interval.end >= lost_at]
    if any(channel.well_since is None for channel in now):
        return Sign(state=State.LOST, says=f"{signal} is still lost")
    if signal is Signal.PROBE:
        answered = [event.at for event in case.events if event.kind is Kind.PROBE_ANSWERED and event.at > since]
        back = Sign(state=State.BACK, says="the probe is answered", at=max(answered, default=None))
        return back if answered else Sign(state=State.UNHEARD, says="probe: not answered")
    ends = [channel.well_since for channel in now if channel.well_since is not None]
    if not ends:
        return Sign(state=State.UNHEARD, says=f"{signal}: nothing was heard of it")
    last, at = case.latest.get(signal, case.window.end), max(*ends, since)
    if last <= since:
        return Sign(state=State.UNHEARD, says=f"{signal}: nothing was measured since the redeploy ended")
    return Sign(state=State.BACK, says=f"{signal} is back", at=at, held=last - at)
