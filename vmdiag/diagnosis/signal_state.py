"""What a strong channel says of a span: lost, partly lost, normal, or not to be judged; must not join channels."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vmdiag.diagnosis import heartbeat_gaps, traffic_losses
from vmdiag.diagnosis.baseline import FRACTION, MINUTE, NORMAL, POINTS_NEEDED, step_before, step_of
from vmdiag.diagnosis.model import Channel
from vmdiag.diagnosis.traffic_drops import falls, has_baseline, share_of, well_points
from vmdiag.model import Kind, Series, Timeline, Window, earlier

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


class Hearing(StrEnum):
    """What a strong channel says of a span: connectivity lost, partly lost, normal, or it cannot be judged."""

    LOST = "lost"
    PARTIAL = "partial"
    NORMAL = "normal"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A channel's answer about a span, and why."""

    hearing: Hearing
    says: str


def judge_traffic(timeline: Timeline, onset: Window) -> Judgement:
    """What the traffic metrics say about an onset window."""
    if any(one.interval.start in onset and _is_lost(one) for one in traffic_losses.lost(timeline)):
        return Judgement(Hearing.LOST, "the traffic collapsed")
    judged = [_judged(timeline, series, onset) for series in traffic_losses.series_of(timeline)]
    for hearing in (Hearing.NORMAL, Hearing.PARTIAL):
        for judgement in judged:
            if judgement.hearing is hearing:
                return judgement
    reasons = "; ".join(judgement.says for judgement in judged)
    return Judgement(Hearing.UNJUDGED, reasons or "no traffic metrics were read")


def _is_lost(channel: Channel) -> bool:
    """Whether a fall is more than a pause, and no habit."""
    start, end = channel.interval.start, channel.interval.end
    return not channel.is_brief and not channel.is_habit and (end is None or end - start >= AFTER_ONSET)


def judge_heartbeat(timeline: Timeline, onset: Window) -> Judgement:
    """What the Log Analytics heartbeats say about an onset window."""
    series = timeline.series.get(heartbeat_gaps.HEARTBEAT)
    if series is None or not series.times:
        return Judgement(Hearing.UNJUDGED, "no heartbeats were read")
    if any(onset.start <= channel.interval.start <= onset.end for channel in heartbeat_gaps.gaps(timeline)):
        return Judgement(Hearing.LOST, "the heartbeats stopped")
    if heartbeat_gaps.count_before(series, onset.start) < heartbeat_gaps.HEARTBEATS_NEEDED:
        return Judgement(Hearing.UNJUDGED, "there were no regular heartbeats before")
    if series.times[-1] < min(onset.end, timeline.window.end) - LATE_POINTS:
        return Judgement(Hearing.UNJUDGED, "the heartbeats end too early to tell")
    return Judgement(Hearing.NORMAL, "the heartbeats went on")


def is_traffic_normal(timeline: Timeline, span: Window) -> bool:
    """Whether the traffic stayed at half of its baseline and more from an instant on, as far as it was read.

    Only then does it deny what others say of the span; its last ten minutes must be well, too.
    """
    return any(_is_normal(timeline, series, span) for series in traffic_losses.series_of(timeline)) and not any(
        one.interval.within(timeline.window.end).overlaps(span) and not one.is_habit and not one.is_brief
        for one in traffic_losses.lost(timeline)
    )


def was_well(timeline: Timeline, span: Window) -> bool:
    """Whether a strong channel shows the VM well in a span: three readings, or heartbeats, in it."""
    inside = Window(span.start, earlier(span.end, timedelta(seconds=1)))
    if inside.end <= inside.start:
        return False
    if any(well_points(series, inside) >= WELL_POINTS for series in traffic_losses.series_of(timeline)):
        return True
    beats = timeline.series.get(heartbeat_gaps.HEARTBEAT)
    return beats is not None and sum(1 for at in beats.times if at in inside) > heartbeat_gaps.BEATS_HELD


def _is_normal(timeline: Timeline, series: Series, span: Window) -> bool:
    first = Window(span.start, min(span.end, span.start + AFTER_ONSET))
    last = Window(max(span.start, span.end - TAIL - LATE_POINTS), span.end)
    shares = [share_of(series, part, span.start) for part in (first, span, last)]
    if any(share is None or share < NORMAL for share in shares):
        return False
    points = sum(1 for at in series.times if at in span)
    return points >= _needed(timeline, series, span)


def _needed(timeline: Timeline, series: Series, span: Window) -> float:
    """How many points of a span must be there; where the VM was off by a known cause none can be."""
    # A metric that is reported now and then is not a coarse one: its step is that of the time before.
    step = step_before(series, bisect_left(series.times, span.start))
    expected = (span.end - span.start - _off_time(timeline, span)) / step
    return max(min(POINTS_NEEDED, expected * SHARE_REPORTED), expected * SHARE_REPORTED)


def _off_time(timeline: Timeline, span: Window) -> timedelta:
    """How much of a span the VM was taken down by a known operation."""
    reached, off = span.start, timedelta()
    for event in timeline.of(*RESETS, Kind.EVICTION):
        back = next((other.ended for other in timeline.of(Kind.START) if other.at > event.at), timeline.window.end)
        stays = event.kind in (Kind.DEALLOCATE, Kind.STOP, Kind.EVICTION)
        begin, end = max(reached, event.at), min(span.end, (back if stays else event.ended) + REBOOT)
        if end > begin:
            off, reached = off + (end - begin), end
    return off


def _judged(timeline: Timeline, series: Series, onset: Window) -> Judgement:
    name, span = series.name, Window(onset.start, min(onset.end, timeline.window.end))
    unjudged = _why_unjudged(timeline, series, span)
    if unjudged:
        return Judgement(Hearing.UNJUDGED, f"{name}: {unjudged}")
    for fall in falls(series, span, onset.start):
        whole = fall.interval.within(min(timeline.window.end, series.times[-1]))
        if whole.end - whole.start >= traffic_losses.SHORTEST_PARTIAL and fall.share <= NORMAL:
            return Judgement(Hearing.PARTIAL, f"{name} fell to {fall.share:.0%} of what it was and stayed there")
        if fall.interval.is_open and _is_low_now(series, fall.interval.start, onset.start, whole.end):
            return Judgement(Hearing.UNJUDGED, f"{name}: it fell, but too late to call it lost")
    share = share_of(series, span, onset.start)
    if share is not None and share < NORMAL:
        return Judgement(Hearing.NORMAL, f"{name} paused and came back")
    return Judgement(Hearing.NORMAL, f"{name} stayed normal")


def _why_unjudged(timeline: Timeline, series: Series, span: Window) -> str:
    if traffic_losses.is_coarse(series):
        return "its points are too far apart; export it with an interval of a minute (PT1M)"
    if not has_baseline(series, span.start):
        return "too little in the hour before to tell a loss"
    points = [at for at in series.times if at in span]
    if not points or len(points) < _needed(timeline, series, span) or _ends_early(timeline, series, span):
        return "too many minutes were not reported"
    return ""


def _is_low_now(series: Series, since: datetime, before: datetime, end: datetime) -> bool:
    tail = share_of(series, Window(max(since - TAIL, end - TAIL), end), before)
    just = share_of(series, Window(max(since, end - heartbeat_gaps.BEAT_PACE), end), before)
    return (tail is not None and tail < NORMAL) or (just is not None and just <= FRACTION)


def _ends_early(timeline: Timeline, series: Series, span: Window) -> bool:
    """Whether the points of a span end too soon for no known reason; each tells of the time up to the next."""
    last = max(at for at in series.times if at in span)
    tail = Window(min(last + step_of(series) - MINUTE, span.end), span.end)
    return tail.end - tail.start - _off_time(timeline, tail) > LATE_POINTS
