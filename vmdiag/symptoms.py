"""Losses of connectivity as intervals, from all channels together, shared by all scenarios; must not know a cause."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from vmdiag import channels
from vmdiag.collapse import POINTS_NEEDED, has_baseline, share_left, step_of
from vmdiag.diagnosis import Channel, Loss, Strength
from vmdiag.model import Interval, Series, Signal, Timeline, Window

# A healthy migration looks like a loss for a while: a pause of up to 30 s, clients' TCP retries of up to 15 minutes
# (Linux, tcp_retries2=15). Resource Health uses the same 15 minutes for "still unhealthy".
SHORTEST_LOSS = timedelta(minutes=15)
# Several signals of one loss begin at different times: metrics by the minute, Resource Health 2-4 minutes late and once
# more after 15. Losses that begin further apart than this are two.
SAME_ONSET = timedelta(minutes=20)
# Metric points arrive within a minute or two; a series that ends earlier than this before the end has a silent tail.
LATE_POINTS = timedelta(minutes=5)
# Half of the minutes is the least from which "nothing was lost for ten minutes" can be said (our judgement).
SHARE_REPORTED = 0.5
# A metric that keeps less than this share of its baseline is not normal, though it may be too much to call it lost:
# between the two lies what cannot be told (our judgement).
FALLEN = 0.2


class Hearing(StrEnum):
    """What a strong channel says of a span: connectivity lost, normal, or it cannot be judged."""

    LOST = "lost"
    NORMAL = "normal"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A channel's answer about a span, and why."""

    hearing: Hearing
    says: str


def connectivity_losses(timeline: Timeline) -> tuple[Loss, ...]:
    """The losses that reach into the window and are long enough or still open, in order of their onset.

    A loss that only weak channels show is none: they support, they do not found.
    """
    return tuple(loss for loss in _losses(timeline) if _counts(loss.interval))


def pauses(timeline: Timeline) -> tuple[Loss, ...]:
    """The closed losses too short to count: told, not judged."""
    return tuple(loss for loss in _losses(timeline) if not _counts(loss.interval))


def alive(timeline: Timeline, interval: Interval) -> tuple[Channel, ...]:
    """Who saw the VM run while it could not be reached."""
    span = interval.within(timeline.window.end)
    return tuple(channels.alive(timeline, Window(span.start - LATE_POINTS, span.end)))


def weak(timeline: Timeline, span: Window) -> tuple[Channel, ...]:
    """What hints at a loss in a span without founding one: a silent agent, a health state that stays Unknown."""
    found = channels.weak(timeline)
    return tuple(channel for channel in found if channel.interval.within(timeline.window.end).overlaps(span))


def traffic(timeline: Timeline, onset: Window) -> Judgement:
    """What the traffic metrics say about an onset window."""
    if any(channel.interval.start in onset for channel in channels.traffic(timeline)):
        return Judgement(Hearing.LOST, "the traffic collapsed")
    judged = [_judged(timeline, series, onset) for series in channels.traffic_series(timeline)]
    normal = [judgement for judgement in judged if judgement.hearing is Hearing.NORMAL]
    if normal:
        return normal[0]
    reasons = "; ".join(judgement.says for judgement in judged)
    return Judgement(Hearing.UNJUDGED, reasons or "no traffic metrics were read")


def heartbeat(timeline: Timeline, onset: Window) -> Judgement:
    """What the Log Analytics heartbeats say about an onset window."""
    series = timeline.series.get(channels.HEARTBEAT)
    if series is None or not series.times:
        return Judgement(Hearing.UNJUDGED, "no heartbeats were read")
    if any(onset.start <= channel.interval.start <= onset.end for channel in channels.heartbeats(timeline)):
        return Judgement(Hearing.LOST, "the heartbeats stopped")
    if channels.beats_before(series, onset.start) < channels.HEARTBEATS_NEEDED:
        return Judgement(Hearing.UNJUDGED, "there were no regular heartbeats before")
    if series.times[-1] < onset.end - LATE_POINTS:
        return Judgement(Hearing.UNJUDGED, "the heartbeats end too early to tell")
    return Judgement(Hearing.NORMAL, "the heartbeats went on")


def _counts(interval: Interval) -> bool:
    return interval.end is None or interval.end - interval.start >= SHORTEST_LOSS


def _losses(timeline: Timeline) -> Iterator[Loss]:
    found = sorted(
        channels.founding(timeline),
        key=lambda channel: (channel.interval.start, channel.signal),
    )
    for together in _clusters(found):
        interval = _joined(together)
        if interval.within(timeline.window.end).overlaps(timeline.window):
            yield Loss(interval=interval, channels=tuple(together))


def _clusters(found: Iterable[Channel]) -> list[list[Channel]]:
    """Channels that tell of one loss: they overlap and begin near one another; a late witness joins an older loss."""
    clusters: list[list[Channel]] = []
    for channel in found:
        for cluster in clusters:
            known = _joined(cluster)
            near = channel.interval.start - known.start <= SAME_ONSET or channel.signal in (
                Signal.OPERATOR,
                Signal.PROBE,
            )
            if near and (known.end is None or channel.interval.start <= known.end):
                cluster.append(channel)
                break
        else:
            clusters.append([channel])
    return clusters


def _joined(together: list[Channel]) -> Interval:
    """From the first sign to the last: strong channels decide, medium ones only where there is no strong one."""
    deciding = [channel for channel in together if channel.strength is Strength.STRONG] or together
    ends = [channel.interval.end for channel in deciding]
    closed = [end for end in ends if end is not None]
    return Interval(
        min(channel.interval.start for channel in deciding),
        max(closed) if len(closed) == len(ends) else None,
    )


def _judged(timeline: Timeline, series: Series, onset: Window) -> Judgement:
    if not has_baseline(series, onset.start):
        return Judgement(
            Hearing.UNJUDGED,
            f"{series.name}: too little in the hour before to tell a loss",
        )
    points = [at for at in series.times if at in onset]
    needed = max(POINTS_NEEDED, (onset.end - onset.start) / step_of(series) * SHARE_REPORTED)
    if len(points) < needed or points[-1] < min(onset.end, timeline.window.end) - LATE_POINTS:
        return Judgement(Hearing.UNJUDGED, f"{series.name}: too many minutes were not reported")
    whole = share_left(series, onset)
    tail = share_left(series, Window(points[-1] - LATE_POINTS, points[-1]))
    if whole is None or tail is None or whole < FALLEN or tail < FALLEN:
        return Judgement(
            Hearing.UNJUDGED,
            f"{series.name}: it fell, but too little or too late to call it lost",
        )
    return Judgement(Hearing.NORMAL, f"{series.name} stayed normal")
