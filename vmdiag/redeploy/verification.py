"""Whether the signals that showed a loss show that it is over; pure, must not ask again or wait.

A redeploy that succeeded is a VM that was moved and started. That it can be reached again is read from the same feeds
that showed that it could not; the operator's own word can only be taken back by the operator.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from math import ceil
from statistics import median

from vmdiag.diagnosis.model import Case, Strength
from vmdiag.diagnosis.recommendation import SETTLES
from vmdiag.model import Gap, Kind, Series, Signal, Timeline, Window

# What tells by itself, without anybody's word.
MEASURED = (Signal.TRAFFIC, Signal.HEARTBEAT, Signal.PROBE, Signal.HEALTH)
STRONG = (Signal.TRAFFIC, Signal.HEARTBEAT)
# Recovered means held for three minutes, or three beats, in a row: one stray point ends nothing (contract, section 3).
HELD, BEATS = timedelta(minutes=3), 3
# Of what it was before the loss: above is back, at or below is lost, between the two is neither (contract, section 3).
WELL, DEAD = 0.5, 0.05
# The hour before the loss, or the same hour of the days before, worth the name from so many points on, and so much a
# minute (contract, section 3).
HOUR, POINTS, LEAST_BYTES, LEAST_FLOWS = timedelta(hours=1), 5, 10_000.0, 2.0
DAYS = 3
# Metrics come within minutes, heartbeats within three; what ended longer ago says nothing of now.
FRESH, INGESTED = timedelta(minutes=10), timedelta(minutes=3)
# A beat a minute; two that are further apart have another between them that is missing.
BEAT = timedelta(minutes=2)


class SignState(StrEnum):
    """What the signals say now."""

    LOST = "lost"
    PARTIAL = "partial"  # neither back nor as lost as before
    BACK = "back"
    UNHEARD = "unheard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What was seen at one look: since when it is back, and whether the look alone shows that it holds.

    `holds` is false where the signals tell only of the moment, as a probe does: who looks again must count himself.
    `is_strong` says whether a strong channel shows it.
    """

    state: SignState
    says: str
    at: datetime | None = None
    holds: bool = False
    is_strong: bool = False


def list_witnesses(case: Case) -> tuple[Signal, ...]:
    """The signals that measured the loss which goes on: the strong ones, where there are any."""
    loss = case.diagnosis.loss
    channels = [
        channel
        for channel in (loss.channels if loss is not None else ())
        if channel.interval.is_open and channel.signal in MEASURED
    ]
    strong = [channel for channel in channels if channel.strength is Strength.STRONG]
    return tuple(dict.fromkeys(channel.signal for channel in strong or channels))


def find_last_reading(case: Case, signal: Signal) -> datetime | None:
    """Until when a feed was heard: of a metric its last point counts, of what speaks seldom that it was read."""
    if signal is Signal.TRAFFIC:
        return case.latest.get(signal)
    return min((gap.window.start for gap in list_unread_gaps(case, signal)), default=case.window.end)


def list_unread_gaps(seen: Case | Timeline, signal: Signal) -> list[Gap]:
    """What of a feed was not heard at the end of the window."""
    gaps = (gap for gap in seen.gaps if gap.signal is signal and gap.counts_as_unread)
    return [gap for gap in gaps if gap.window.end >= seen.window.end]


def read_sign(timeline: Timeline, signals: Sequence[Signal], lost_at: datetime | None, since: datetime) -> Sign:
    """What the signals together say at a look after a redeploy, which ended at `since`.

    Traffic decides where it was part of the loss; between lost and back, heartbeats that are back decide. What was
    measured before the end proves nothing, however good it looks: it is late news of the time before.
    """
    found = {signal: _read_signal(timeline, signal, lost_at, since) for signal in signals}
    traffic = found.get(Signal.TRAFFIC)
    if traffic is not None and traffic.state is SignState.PARTIAL:
        beats = _read_signal(timeline, Signal.HEARTBEAT, lost_at, since)
        return beats if beats.state is SignState.BACK else traffic
    for signal in MEASURED:
        if signal in found and found[signal].state is not SignState.UNHEARD:
            return _unless_traffic_flows(timeline, found[signal], lost_at, since)
    return Sign(state=SignState.UNHEARD, says="; ".join(one.says for one in found.values()))


def _unless_traffic_flows(timeline: Timeline, found: Sign, lost_at: datetime | None, since: datetime) -> Sign:
    """What was found, but for a loss that traffic denies: it decides, whatever the agent and Resource Health do."""
    if found.state is not SignState.LOST:
        return found
    traffic = _read_signal(timeline, Signal.TRAFFIC, lost_at, since)
    return traffic if traffic.state in (SignState.BACK, SignState.PARTIAL) else found


def describe_normal_signals(timeline: Timeline, lost_at: datetime) -> tuple[str, ...]:
    """What the strong channels say that are as before the loss, though it is said to go on."""
    found = (_read_signal(timeline, signal, lost_at, lost_at) for signal in STRONG)
    return tuple(one.says for one in found if one.state is SignState.BACK)


def explain_unreported(timeline: Timeline, lost_at: datetime) -> str:
    """Why the traffic cannot be compared with what it was before the loss, though it was read: nothing was reported.

    A VM without traffic reports zeros; points that are missing are something else.
    """
    span = Window(lost_at - HOUR, lost_at)
    known = [one for one in timeline.series.values() if one.signal is Signal.TRAFFIC and one.times]
    enough = any(len(_slice_values(one, span)) >= min(POINTS, HOUR // _find_step(one)) for one in known)
    return f"hardly a point was reported of the hour before {lost_at:%H:%M}Z" if known and not enough else ""


def _read_signal(timeline: Timeline, signal: Signal, lost_at: datetime | None, since: datetime) -> Sign:
    silent = list_unread_gaps(timeline, signal)
    if silent:
        return _build_unread_sign(f"{signal}: {silent[0].reason}")
    match signal:
        case Signal.TRAFFIC:
            return _read_traffic(timeline, lost_at, since)
        case Signal.HEARTBEAT:
            return _read_heartbeat(timeline, since)
        case Signal.PROBE:
            return _read_last_state(timeline, since, signal, Kind.PROBE_ANSWERED, (Kind.PROBE_FAILED,))
        case _:
            return _read_last_state(timeline, since, signal, Kind.AVAILABLE, (Kind.UNAVAILABLE, Kind.DEGRADED))


def _build_unread_sign(says: str) -> Sign:
    return Sign(state=SignState.UNHEARD, says=says)


def _read_traffic(timeline: Timeline, lost_at: datetime | None, since: datetime) -> Sign:
    """All metrics together: one that is back while another is dead leaves it open."""
    known = {series.name: series for series in timeline.series.values() if series.signal is Signal.TRAFFIC}
    if len(known) > 1:
        known.pop("Network In", None)  # the deprecated name of another one
    signs = [_read_metric(series, lost_at, since, timeline.window.end) for series in known.values()]
    told = [one for one in signs if one.state is not SignState.UNHEARD]
    if not told:
        return signs[0] if signs else _build_unread_sign("traffic: no metric of it was read")
    states = {one.state for one in told}
    if len(states) == 1:
        return told[0]
    if states == {SignState.BACK, SignState.PARTIAL}:
        return next(one for one in told if one.state is SignState.BACK)
    says = "; ".join(one.says for one in told)
    return Sign(state=SignState.PARTIAL, says=says, is_strong=True)


def _read_metric(series: Series, lost_at: datetime | None, since: datetime, now: datetime) -> Sign:
    level = _find_usual_level(series, lost_at if lost_at is not None else since, now)
    if level is None:
        return _build_unread_sign(f"traffic: too little {series.name} before the loss to compare with")
    after = bisect_left(series.times, since)
    times, values = series.times[after:], series.values[after:]
    step = _find_step(series)
    needed = ceil(HELD / step)
    in_a_row = len(times) >= needed and times[-1] - times[-needed] <= (needed - 1) * step
    if not in_a_row or now - times[-1] > FRESH + step:
        return _build_unread_sign(
            f"traffic: not measured for {HELD // timedelta(minutes=1)} minutes in a row since then"
        )
    shares = [value / level for value in values]
    says = f"{series.name} is at {shares[-1]:.0%} of what it was"
    if min(shares[-needed:]) > WELL:
        first = next((at for at in range(len(shares), 0, -1) if shares[at - 1] <= WELL), 0)
        return Sign(
            state=SignState.BACK,
            says=f"{says} since {times[first]:%H:%M}Z",
            at=times[first],
            holds=True,
            is_strong=True,
        )
    state = SignState.LOST if max(shares[-needed:]) <= DEAD else SignState.PARTIAL
    return Sign(state=state, says=says, is_strong=True)


def _find_step(series: Series) -> timedelta:
    """The usual distance of its readings, at least a minute."""
    minute = timedelta(minutes=1)
    steps = sorted(b - a for a, b in pairwise(series.times[-30:]))
    return max(minute, steps[len(steps) // 2]) if steps else minute


def _find_usual_level(series: Series, lost_at: datetime, now: datetime) -> float | None:
    """What is usual: the hour before the loss, or less where the same hour of earlier days had less."""
    spans = [Window(lost_at - HOUR, lost_at)]
    for day in range(1, DAYS + 1):
        middle = now - timedelta(days=day)
        if middle + HOUR / 2 < lost_at:
            spans.append(Window(middle - HOUR / 2, middle + HOUR / 2))
    levels = (_find_median(series, span) for span in spans)
    least = LEAST_FLOWS if "flows" in series.name.lower() else LEAST_BYTES
    return min((level for level in levels if level is not None and level >= least), default=None)


def _find_median(series: Series, span: Window) -> float | None:
    inside = _slice_values(series, span)
    return median(inside) if len(inside) >= POINTS else None


def _slice_values(series: Series, span: Window) -> Sequence[float]:
    return series.values[bisect_left(series.times, span.start) : bisect_left(series.times, span.end)]


def _read_heartbeat(timeline: Timeline, since: datetime) -> Sign:
    now = timeline.window.end
    beats = _list_beats(series for series in timeline.series.values() if series.signal is Signal.HEARTBEAT)
    after = [at for at in beats if at >= since]
    if not after:
        if now - since >= SETTLES + INGESTED:
            says = f"no heartbeat came since {since:%H:%M}Z"
            return Sign(state=SignState.LOST, says=says, is_strong=True)
        return _build_unread_sign("heartbeat: none came yet")
    last = after[-BEATS:]
    if len(last) == BEATS and all(b - a <= BEAT for a, b in pairwise(last)) and now - last[-1] <= INGESTED + BEAT:
        return Sign(
            state=SignState.BACK,
            says=f"heartbeats come again since {after[0]:%H:%M}Z",
            at=after[0],
            holds=True,
            is_strong=True,
        )
    return Sign(state=SignState.PARTIAL, says=f"of heartbeats {len(after)} came, not {BEATS} in a row up to now")


def _list_beats(series: Iterable[Series]) -> list[datetime]:
    return sorted(at for one in series for at in one.times)


def _read_last_state(timeline: Timeline, since: datetime, signal: Signal, good: Kind, bad: Sequence[Kind]) -> Sign:
    """By the last of the events that say whether it is well."""
    told = [event for event in timeline.list_events(good, *bad) if event.at > since and event.signal is signal]
    if not told:
        return _build_unread_sign(f"{signal}: nothing was heard of it since then")
    if told[-1].kind is good:
        says = "the probe is answered" if signal is Signal.PROBE else "Resource Health says Available"
        holds = signal is not Signal.PROBE
        return Sign(state=SignState.BACK, says=f"{says} since {told[-1].at:%H:%M}Z", at=told[-1].at, holds=holds)
    return Sign(state=SignState.LOST, says=f"{signal}: {told[-1].says}")
