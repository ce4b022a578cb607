"""Whether the signals that showed a loss show that it is over; pure.

A redeploy that succeeded is a VM that was moved and started. That it can be reached again is read from the same feeds
that showed that it could not; the operator's own word can only be taken back by the operator.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from statistics import median

from vmdiag.diagnosis.model import Case, Strength
from vmdiag.diagnosis.signals import BEATS_HELD, SignalState
from vmdiag.diagnosis.traffic_drops import FRACTION, HABIT_DAYS, HELD, LEAST_BYTES, LEAST_FLOWS, NORMAL, find_step
from vmdiag.mitigation import SETTLES
from vmdiag.model import Gap, Kind, Series, Signal, Timeline, Window
from vmdiag.values import Struct

# What tells by itself, without anybody's word.
MEASURED = (Signal.TRAFFIC, Signal.HEARTBEAT, Signal.PROBE, Signal.HEALTH, Signal.PROOF)
STRONG = (Signal.TRAFFIC, Signal.HEARTBEAT)
# The hour before the loss, or the same hour of the days before, is worth the name from so many points on.
HOUR, POINTS = timedelta(hours=1), 5
# Metrics come within minutes, heartbeats within three; what ended longer ago says nothing of now.
FRESH, INGESTED = timedelta(minutes=10), timedelta(minutes=3)
# A beat a minute; two that are further apart have another between them that is missing.
BEAT = timedelta(minutes=2)


class Sign(Struct, frozen=True):
    """What was seen at one look, and whether the look alone shows that it holds.

    `holds` is false where the signals tell only of the moment, as a probe does: who looks again must count himself.
    `is_strong` says whether a strong channel shows it.
    """

    state: SignalState
    says: str
    holds: bool = False
    is_strong: bool = False


def list_measuring_signals(case: Case) -> tuple[Signal, ...]:
    """The signals that measured the loss which goes on: the strong ones, where there are any.

    Nobody is asked to look from elsewhere again after a redeploy, so that a proof alone leaves the others in.
    """
    loss = case.diagnosis.loss
    channels = [
        channel
        for channel in (loss.channels if loss is not None else ())
        if channel.interval.is_open and channel.signal in MEASURED
    ]
    strong = [channel for channel in channels if channel.strength is Strength.STRONG]
    if all(channel.signal is Signal.PROOF for channel in strong):
        strong = channels
    return tuple(dict.fromkeys(channel.signal for channel in strong))


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
    if traffic is not None and traffic.state is SignalState.PARTIAL:
        beats = _read_signal(timeline, Signal.HEARTBEAT, lost_at, since)
        return beats if beats.state is SignalState.NORMAL else traffic
    for signal in MEASURED:
        if signal in found and found[signal].state is not SignalState.UNJUDGED:
            # A loss that traffic denies is none, whatever the agent and Resource Health do.
            flows = found[signal].state is SignalState.LOST and _read_signal(timeline, Signal.TRAFFIC, lost_at, since)
            return flows if flows and flows.state in (SignalState.NORMAL, SignalState.PARTIAL) else found[signal]
    return Sign(SignalState.UNJUDGED, "; ".join(one.says for one in found.values()))


def describe_normal_signals(timeline: Timeline, lost_at: datetime) -> tuple[str, ...]:
    """What the strong channels say that are as before the loss, though it is said to go on."""
    found = (_read_signal(timeline, signal, lost_at, lost_at) for signal in STRONG)
    return tuple(one.says for one in found if one.state is SignalState.NORMAL)


def explain_unreported(timeline: Timeline, lost_at: datetime) -> str:
    """Why the traffic cannot be compared with what it was before the loss, though it was read: nothing was reported.

    A VM without traffic reports zeros; points that are missing are something else.
    """
    span = Window(lost_at - HOUR, lost_at)
    known = [one for one in timeline.series.values() if one.signal is Signal.TRAFFIC and one.times]
    enough = any(len(_slice_values(one, span)) >= min(POINTS, HOUR // find_step(one, len(one.times))) for one in known)
    return f"hardly a point was reported of the hour before {lost_at:%H:%M}Z" if known and not enough else ""


def _read_signal(timeline: Timeline, signal: Signal, lost_at: datetime | None, since: datetime) -> Sign:
    silent = list_unread_gaps(timeline, signal)
    if silent:
        return Sign(SignalState.UNJUDGED, f"{signal}: {silent[0].reason}")
    match signal:
        case Signal.TRAFFIC:
            return _read_traffic(timeline, lost_at, since)
        case Signal.HEARTBEAT:
            return _read_heartbeat(timeline, since)
        case Signal.PROBE:
            return _read_last_state(timeline, since, signal, Kind.PROBE_ANSWERED, (Kind.PROBE_FAILED,))
        case Signal.PROOF:
            return Sign(SignalState.UNJUDGED, "proof: nobody was asked to look from elsewhere again")
        case _:
            return _read_last_state(timeline, since, signal, Kind.AVAILABLE, (Kind.UNAVAILABLE, Kind.DEGRADED))


def _read_traffic(timeline: Timeline, lost_at: datetime | None, since: datetime) -> Sign:
    """All metrics together: one that is back while another is dead leaves it open."""
    known = {series.name: series for series in timeline.series.values() if series.signal is Signal.TRAFFIC}
    if len(known) > 1:
        known.pop("Network In", None)  # the deprecated name of another one
    signs = [_read_metric(series, lost_at, since, timeline.window.end) for series in known.values()]
    told = [one for one in signs if one.state is not SignalState.UNJUDGED]
    if not told:
        return signs[0] if signs else Sign(SignalState.UNJUDGED, "traffic: no metric of it was read")
    states = {one.state for one in told}
    if len(states) == 1:
        return told[0]
    if states == {SignalState.NORMAL, SignalState.PARTIAL}:
        return next(one for one in told if one.state is SignalState.NORMAL)
    return Sign(SignalState.PARTIAL, "; ".join(one.says for one in told), is_strong=True)


def _read_metric(series: Series, lost_at: datetime | None, since: datetime, now: datetime) -> Sign:
    # What is usual: the hour before the loss, or less where the same hour of earlier days had less.
    onset, half = lost_at or since, HOUR / 2
    middles = [now - timedelta(days=day) for day in range(1, HABIT_DAYS + 1)]
    spans = [Window(onset - HOUR, onset), *(Window(at - half, at + half) for at in middles if at + half < onset)]
    hours = (_slice_values(series, span) for span in spans)
    least = LEAST_FLOWS if "flows" in series.name.lower() else LEAST_BYTES
    levels = (median(inside) for inside in hours if len(inside) >= POINTS)
    level = min((level for level in levels if level >= least), default=None)
    if level is None:
        return Sign(SignalState.UNJUDGED, f"traffic: too little {series.name} before the loss to compare with")
    after = bisect_left(series.times, since)
    times, values = series.times[after:], series.values[after:]
    step = find_step(series, len(series.times))
    needed = ceil(HELD / step)
    in_a_row = len(times) >= needed and times[-1] - times[-needed] <= (needed - 1) * step
    if not in_a_row or now - times[-1] > FRESH + step:
        says = f"traffic: not measured for {HELD // timedelta(minutes=1)} minutes in a row since then"
        return Sign(SignalState.UNJUDGED, says)
    shares = [value / level for value in values]
    says = f"{series.name} is at {shares[-1]:.0%} of what it was"
    if min(shares[-needed:]) > NORMAL:
        first = next((at for at in range(len(shares), 0, -1) if shares[at - 1] <= NORMAL), 0)
        return Sign(SignalState.NORMAL, f"{says} since {times[first]:%H:%M}Z", holds=True, is_strong=True)
    state = SignalState.LOST if max(shares[-needed:]) <= FRACTION else SignalState.PARTIAL
    return Sign(state, says, is_strong=True)


def _slice_values(series: Series, span: Window) -> Sequence[float]:
    return series.values[bisect_left(series.times, span.start) : bisect_left(series.times, span.end)]


def _read_heartbeat(timeline: Timeline, since: datetime) -> Sign:
    now = timeline.window.end
    beats = (one.times for one in timeline.series.values() if one.signal is Signal.HEARTBEAT)
    after = sorted(at for times in beats for at in times if at >= since)
    if not after:
        if now - since >= SETTLES + INGESTED:
            return Sign(SignalState.LOST, f"no heartbeat came since {since:%H:%M}Z", is_strong=True)
        return Sign(SignalState.UNJUDGED, "heartbeat: none came yet")
    last = after[-BEATS_HELD:]
    if len(last) == BEATS_HELD and all(b - a <= BEAT for a, b in pairwise(last)) and now - last[-1] <= INGESTED + BEAT:
        return Sign(SignalState.NORMAL, f"heartbeats come again since {after[0]:%H:%M}Z", holds=True, is_strong=True)
    return Sign(SignalState.PARTIAL, f"of heartbeats {len(after)} came, not {BEATS_HELD} in a row up to now")


def _read_last_state(timeline: Timeline, since: datetime, signal: Signal, good: Kind, bad: Sequence[Kind]) -> Sign:
    """By the last of the events that say whether it is well."""
    told = [event for event in timeline.list_events(good, *bad) if event.at > since and event.signal is signal]
    if not told:
        return Sign(SignalState.UNJUDGED, f"{signal}: nothing was heard of it since then")
    if told[-1].kind is good:
        says = "the probe is answered" if signal is Signal.PROBE else "Resource Health says Available"
        return Sign(SignalState.NORMAL, f"{says} since {told[-1].at:%H:%M}Z", holds=signal is not Signal.PROBE)
    return Sign(SignalState.LOST, f"{signal}: {told[-1].says}")
