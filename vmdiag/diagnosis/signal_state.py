"""What a strong channel says of a span: lost, partly lost, normal, or not to be judged; must not join channels."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vmdiag.diagnosis import heartbeat_gaps, traffic_losses
from vmdiag.diagnosis.baseline import FRACTION, MINUTE, NORMAL, POINTS_NEEDED, find_step, find_step_before
from vmdiag.diagnosis.model import SignalLoss
from vmdiag.diagnosis.traffic_drops import count_well_points, find_partial_drops, has_baseline, measure_share
from vmdiag.model import Kind, Series, Timeline, Window, subtract_span

# Metric points arrive within a minute or two; a series that ends earlier than this before the end has a silent tail.
LATE_POINTS = timedelta(minutes=5)
# Half of the minutes is the least from which "nothing was lost for ten minutes" can be said (our judgement).
SHARE_REPORTED = 0.5
# The last ten minutes say how things stand.
TAIL = timedelta(minutes=10)
# The first quarter of an hour after an onset says whether something was lost with it.
AFTER_ONSET = timedelta(minutes=15)
WELL_POINTS = 3
# How long an operation that takes the VM down may leave its metrics without points.
REBOOT = timedelta(minutes=10)
# What rebuilds the VM's port: after it a migration no longer explains anything.
RESETS = (Kind.RESTART, Kind.REDEPLOY, Kind.DEALLOCATE, Kind.STOP, Kind.REIMAGE, Kind.RESIZE, Kind.DELETE)


class SignalState(StrEnum):
    """What a strong channel says of a span: connectivity lost, partly lost, normal, or it cannot be judged."""

    LOST = "lost"
    PARTIAL = "partial"
    NORMAL = "normal"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class SignalJudgement:
    """A channel's answer about a span, and why."""

    hearing: SignalState
    says: str


def judge_traffic(timeline: Timeline, onset: Window) -> SignalJudgement:
    """What the traffic metrics say about an onset window."""
    if any(one.interval.start in onset and _is_lost(one) for one in traffic_losses.find_traffic_losses(timeline)):
        return SignalJudgement(SignalState.LOST, "the traffic collapsed")
    judged = [_judge_series(timeline, series, onset) for series in traffic_losses.list_traffic_series(timeline)]
    for hearing in (SignalState.NORMAL, SignalState.PARTIAL):
        for judgement in judged:
            if judgement.hearing is hearing:
                return judgement
    reasons = "; ".join(judgement.says for judgement in judged)
    return SignalJudgement(SignalState.UNJUDGED, reasons or "no traffic metrics were read")


def _is_lost(channel: SignalLoss) -> bool:
    """Whether a fall is more than a pause, and no habit."""
    start, end = channel.interval.start, channel.interval.end
    return not channel.is_brief and not channel.is_habit and (end is None or end - start >= AFTER_ONSET)


def judge_heartbeat(timeline: Timeline, onset: Window) -> SignalJudgement:
    """What the Log Analytics heartbeats say about an onset window."""
    series = timeline.series.get(heartbeat_gaps.HEARTBEAT)
    if series is None or not series.times:
        return SignalJudgement(SignalState.UNJUDGED, "no heartbeats were read")
    if any(
        onset.start <= channel.interval.start <= onset.end for channel in heartbeat_gaps.find_heartbeat_gaps(timeline)
    ):
        return SignalJudgement(SignalState.LOST, "the heartbeats stopped")
    if heartbeat_gaps.count_beats_before(series, onset.start) < heartbeat_gaps.HEARTBEATS_NEEDED:
        return SignalJudgement(SignalState.UNJUDGED, "there were no regular heartbeats before")
    if series.times[-1] < min(onset.end, timeline.window.end) - LATE_POINTS:
        return SignalJudgement(SignalState.UNJUDGED, "the heartbeats end too early to tell")
    return SignalJudgement(SignalState.NORMAL, "the heartbeats went on")


def is_traffic_normal(timeline: Timeline, span: Window) -> bool:
    """Whether the traffic stayed at half of its baseline and more from an instant on, as far as it was read.

    Only then does it deny what others say of the span; its last ten minutes must be well, too.
    """
    return any(
        _is_normal(timeline, series, span) for series in traffic_losses.list_traffic_series(timeline)
    ) and not any(
        one.interval.clip_to(timeline.window.end).overlaps_window(span) and not one.is_habit and not one.is_brief
        for one in traffic_losses.find_traffic_losses(timeline)
    )


def was_well(timeline: Timeline, span: Window) -> bool:
    """Whether a strong channel shows the VM well in a span: three readings, or heartbeats, in it."""
    inside = Window(span.start, subtract_span(span.end, timedelta(seconds=1)))
    if inside.end <= inside.start:
        return False
    if any(count_well_points(series, inside) >= WELL_POINTS for series in traffic_losses.list_traffic_series(timeline)):
        return True
    beats = timeline.series.get(heartbeat_gaps.HEARTBEAT)
    return beats is not None and sum(1 for at in beats.times if at in inside) > heartbeat_gaps.BEATS_HELD


def _is_normal(timeline: Timeline, series: Series, span: Window) -> bool:
    first = Window(span.start, min(span.end, span.start + AFTER_ONSET))
    last = Window(max(span.start, span.end - TAIL - LATE_POINTS), span.end)
    shares = [measure_share(series, part, span.start) for part in (first, span, last)]
    if any(share is None or share < NORMAL for share in shares):
        return False
    points = sum(1 for at in series.times if at in span)
    return points >= _count_needed_points(timeline, series, span)


def _count_needed_points(timeline: Timeline, series: Series, span: Window) -> float:
    """How many points of a span must be there; where the VM was off by a known cause none can be."""
    # A metric that is reported now and then is not a coarse one: its step is that of the time before.
    step = find_step_before(series, bisect_left(series.times, span.start))
    expected = (span.end - span.start - _measure_off_time(timeline, span)) / step
    return max(min(POINTS_NEEDED, expected * SHARE_REPORTED), expected * SHARE_REPORTED)


def _measure_off_time(timeline: Timeline, span: Window) -> timedelta:
    """How much of a span the VM was taken down by a known operation."""
    reached, off = span.start, timedelta()
    for event in timeline.list_events(*RESETS, Kind.EVICTION):
        back = next(
            (other.ended for other in timeline.list_events(Kind.START) if other.at > event.at), timeline.window.end
        )
        stays = event.kind in (Kind.DEALLOCATE, Kind.STOP, Kind.EVICTION)
        begin, end = max(reached, event.at), min(span.end, (back if stays else event.ended) + REBOOT)
        if end > begin:
            off, reached = off + (end - begin), end
    return off


def _judge_series(timeline: Timeline, series: Series, onset: Window) -> SignalJudgement:
    name, span = series.name, Window(onset.start, min(onset.end, timeline.window.end))
    unjudged = _explain_unjudged(timeline, series, span)
    if unjudged:
        return SignalJudgement(SignalState.UNJUDGED, f"{name}: {unjudged}")
    for fall in find_partial_drops(series, span, onset.start):
        whole = fall.interval.clip_to(min(timeline.window.end, series.times[-1]))
        if whole.end - whole.start >= traffic_losses.SHORTEST_PARTIAL and fall.share <= NORMAL:
            return SignalJudgement(
                SignalState.PARTIAL, f"{name} fell to {fall.share:.0%} of what it was and stayed there"
            )
        if fall.interval.is_open and _is_low_now(series, fall.interval.start, onset.start, whole.end):
            return SignalJudgement(SignalState.UNJUDGED, f"{name}: it fell, but too late to call it lost")
    share = measure_share(series, span, onset.start)
    if share is not None and share < NORMAL:
        return SignalJudgement(SignalState.NORMAL, f"{name} paused and came back")
    return SignalJudgement(SignalState.NORMAL, f"{name} stayed normal")


def _explain_unjudged(timeline: Timeline, series: Series, span: Window) -> str:
    if traffic_losses.is_coarse(series):
        return "its points are too far apart; export it with an interval of a minute (PT1M)"
    if not has_baseline(series, span.start):
        return "too little in the hour before to tell a loss"
    points = [at for at in series.times if at in span]
    if not points or len(points) < _count_needed_points(timeline, series, span) or _ends_early(timeline, series, span):
        return "too many minutes were not reported"
    return ""


def _is_low_now(series: Series, since: datetime, before: datetime, end: datetime) -> bool:
    tail = measure_share(series, Window(max(since - TAIL, end - TAIL), end), before)
    just = measure_share(series, Window(max(since, end - heartbeat_gaps.BEAT_PACE), end), before)
    return (tail is not None and tail < NORMAL) or (just is not None and just <= FRACTION)


def _ends_early(timeline: Timeline, series: Series, span: Window) -> bool:
    """Whether the points of a span end too soon for no known reason; each tells of the time up to the next."""
    last = max(at for at in series.times if at in span)
    tail = Window(min(last + find_step(series) - MINUTE, span.end), span.end)
    return tail.end - tail.start - _measure_off_time(timeline, tail) > LATE_POINTS
