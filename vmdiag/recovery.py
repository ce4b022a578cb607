"""Whether the signals that showed a loss show that it is over; pure, must not ask again or wait.

A redeploy that succeeded is a VM that was moved and started. That it can be reached again is read from the same feeds
that showed that it could not; the operator's own word can only be taken back by the operator.
"""

from collections.abc import Iterator
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
    """What was seen at one look: since when it is back, and how long that was heard to hold."""

    state: State
    says: str
    at: datetime | None = None
    held: timedelta = timedelta()


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


def sign(case: Case, signals: tuple[Signal, ...], lost_at: datetime | None) -> Sign:
    """What the signals together say at a later look: lost if one says so, back if one does and none denies it."""
    signs = [_one(case, signal, lost_at) for signal in signals]
    lost = [one for one in signs if one.state is State.LOST]
    if lost:
        return lost[0]
    back = [one for one in signs if one.state is State.BACK and one.at is not None]
    if back:
        since = max(one.at for one in back if one.at is not None)
        says = f"{' and '.join(one.says for one in back)} since {since:%H:%M}Z"
        return Sign(state=State.BACK, says=says, at=since, held=min(one.held for one in back))
    return Sign(state=State.UNHEARD, says="; ".join(one.says for one in signs))


def _one(case: Case, signal: Signal, lost_at: datetime | None) -> Sign:
    silent = silences(case, signal)
    if silent:
        return Sign(state=State.UNHEARD, says=f"{signal}: {silent[0].reason}")
    intervals = [channel for loss in case.diagnosis.losses for channel in loss.channels if channel.signal is signal]
    if any(channel.interval.is_open for channel in intervals):
        return Sign(state=State.LOST, says=f"{signal} is still lost")
    ends = [end for end in _ends(case, signal) if lost_at is None or end >= lost_at]
    if not ends:
        return Sign(state=State.UNHEARD, says=f"{signal}: nothing was heard of it")
    last = case.latest.get(signal, case.window.end)
    return Sign(state=State.BACK, says=f"{signal} is back", at=max(ends), held=last - max(ends))


def _ends(case: Case, signal: Signal) -> Iterator[datetime]:
    for loss in case.diagnosis.losses:
        for channel in loss.channels:
            if channel.signal is signal and channel.interval.end is not None:
                yield channel.interval.end
    if signal is Signal.PROBE:
        yield from (event.at for event in case.events if event.kind is Kind.PROBE_ANSWERED)
