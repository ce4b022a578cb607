"""Losses of connectivity as intervals, from all channels together, shared by all scenarios; must not know a cause."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vmdiag.diagnosis import heartbeat_gaps, liveness, signals, traffic_losses
from vmdiag.diagnosis.intermittent import SHORTEST_LOSS, SOON, join_intermittent_pieces
from vmdiag.diagnosis.model import Extent, Loss, SignalLoss, Strength
from vmdiag.diagnosis.signal_state import LATE_POINTS, TAIL, SignalState, is_traffic_normal, judge_heartbeat
from vmdiag.diagnosis.traffic_drops import has_baseline
from vmdiag.identity_cache import cache_by_identity
from vmdiag.model import Event, Interval, Signal, Timeline, Window, subtract_span

# Several signals of one loss begin at different times: metrics by the minute, Resource Health 2-4 minutes late and once
# more after 15. A channel that begins before the strong ones by more than this tells of another loss.
SAME_ONSET = timedelta(minutes=20)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _LossSearch:
    """All that the channels show together: losses, what is too short for one, and what was denied or is a habit."""

    losses: tuple[Loss, ...]
    pauses: tuple[Loss, ...]
    before: tuple[Loss, ...]
    silent: tuple[SignalLoss, ...]
    habits: tuple[SignalLoss, ...]
    denied: tuple[SignalLoss, ...]


def find_connectivity_losses(timeline: Timeline) -> tuple[Loss, ...]:
    """The losses that reach into the window and are long enough or still open, in order of their onset.

    A loss that only weak channels show is none, but for a part of the traffic that went with a migration.
    """
    return _search_losses(timeline).losses


def find_pauses(timeline: Timeline) -> tuple[Loss, ...]:
    """The falls too short to count: told, not judged."""
    return _search_losses(timeline).pauses


def ended_earlier_loss(timeline: Timeline, event: Event, onset: datetime) -> bool:
    """Whether an earlier loss, short or long, ended with an event: then it did not cause the next."""
    found = _search_losses(timeline)
    ends = [loss.interval.end for loss in (*found.before, *found.losses, *found.pauses) if loss.interval.start < onset]
    reach = Window(event.at - SOON, event.ended + LATE_POINTS)
    return any(end is not None and end < onset and end in reach for end in ends)


def find_silent_agents(timeline: Timeline) -> tuple[SignalLoss, ...]:
    """Heartbeats that end while the traffic is judged normal: the agent is silent, nothing is cut off."""
    return _search_losses(timeline).silent


def find_recurring_drops(timeline: Timeline) -> tuple[SignalLoss, ...]:
    """Falls of traffic that come at this hour on other days too: alone they show no loss."""
    return _search_losses(timeline).habits


def find_denied_signals(timeline: Timeline) -> tuple[SignalLoss, ...]:
    """What was said of a loss that measured channels deny: Resource Health's statuses, the operator's word."""
    return _search_losses(timeline).denied


def find_life_signs_during(timeline: Timeline, interval: Interval) -> tuple[SignalLoss, ...]:
    """Who saw the VM run while it could not be reached."""
    return tuple(liveness.find_life_signs(timeline, interval.clip_to(timeline.window.end)))


def find_weak_signals_in(timeline: Timeline, span: Window) -> tuple[SignalLoss, ...]:
    """What hints at a loss in a span without founding one: a silent agent, a health state that stays Unknown."""
    found = signals.find_weak_signals(timeline)
    return tuple(channel for channel in found if channel.interval.clip_to(timeline.window.end).overlaps_window(span))


@cache_by_identity(8)
def _search_losses(timeline: Timeline) -> _LossSearch:
    found = sorted(signals.find_founding_signals(timeline), key=_order_key)
    usual = tuple(channel for channel in found if channel.is_habit)
    refuted = [channel for channel in found if _is_denied(timeline, channel, found)]
    silent = [channel for channel in refuted if channel.signal is Signal.HEARTBEAT]
    against = [channel for channel in refuted if channel.signal is not Signal.HEARTBEAT]
    clusters = _cluster_signals([channel for channel in found if channel not in refuted and not channel.is_habit])
    kept = [[*one, *_find_overlapping(timeline, one, usual)] for one in _add_partial_losses(timeline, clusters)]
    against += [
        channel
        for channel in signals.find_operator_statements(timeline)
        if not _is_statement_accepted(timeline, channel, kept)
    ]
    losses = tuple(
        join_intermittent_pieces(timeline, sorted((_build_loss(timeline, one) for one in kept), key=_get_start))
    )
    told = [loss for loss in losses if loss.interval.clip_to(timeline.window.end).overlaps_window(timeline.window)]
    return _LossSearch(
        losses=tuple(loss for loss in told if _is_loss(loss)),
        pauses=tuple(loss for loss in told if not _is_loss(loss)),
        before=tuple(loss for loss in losses if loss not in told),
        silent=tuple(silent),
        habits=usual,
        denied=tuple(against),
    )


def _order_key(channel: SignalLoss) -> tuple[datetime, str, str]:
    return channel.interval.start, channel.signal, channel.says


def _get_start(loss: Loss) -> datetime:
    return loss.interval.start


def _is_loss(loss: Loss) -> bool:
    """Whether a loss is one: open, or of a quarter of an hour; a fall too short to be judged is none."""
    if loss.extent is not Extent.INTERMITTENT and all(one.is_brief for one in loss.channels):
        return False
    end = loss.interval.end
    return end is None or end - loss.interval.start >= SHORTEST_LOSS


def _cluster_signals(found: Iterable[SignalLoss]) -> list[list[SignalLoss]]:
    """Channels that tell of one loss: one that begins while another goes on joins it."""
    clusters: list[list[SignalLoss]] = []
    for channel in found:
        for cluster in reversed(clusters):
            known = _measure_span(cluster)
            if (known.end is None or channel.interval.start <= known.end) and not _is_other(cluster, channel):
                cluster.append(channel)
                break
        else:
            clusters.append([channel])
    return clusters


def _is_other(cluster: Sequence[SignalLoss], channel: SignalLoss) -> bool:
    """Whether a channel tells of another loss than those that go on when it begins.

    Medium channels that began long before a strong one do; so does a VM that was switched off later and is off still.
    """
    if channel.interval.start - _measure_span(cluster).start <= SAME_ONSET:
        return False
    if channel.signal is Signal.POWER:
        return channel.interval.is_open
    return channel.strength is Strength.STRONG and all(one.strength is not Strength.STRONG for one in cluster)


def _add_partial_losses(timeline: Timeline, clusters: list[list[SignalLoss]]) -> list[list[SignalLoss]]:
    """The clusters and what of the traffic was lost in part: with them, or alone with a migration."""
    extended = [[*cluster, *_find_partial_losses(timeline, cluster)] for cluster in clusters]
    for event in timeline.list_events(*signals.MIGRATIONS):
        if "undated" in event.facts:
            continue
        onset = signals.find_onset_window(event)
        for part in traffic_losses.find_partial_losses(timeline, onset, onset.start):
            if part.is_habit or any(_covers_part(timeline, one, part) for one in extended):
                continue
            extended.append([part])
            break
    return extended


def _find_partial_losses(timeline: Timeline, cluster: Sequence[SignalLoss]) -> Iterator[SignalLoss]:
    """The traffic that is partly gone in a loss that others show."""
    if any(one.signal in (Signal.TRAFFIC, Signal.POWER) for one in cluster):
        return
    start = _measure_span(cluster).start
    near = Window(start - LATE_POINTS, start + SAME_ONSET)
    yield from list(traffic_losses.find_partial_losses(timeline, near, near.start))[:1]


def _covers_part(timeline: Timeline, cluster: Sequence[SignalLoss], part: SignalLoss) -> bool:
    span = _measure_span(cluster).clip_to(timeline.window.end)
    return span.overlaps_window(part.interval.clip_to(timeline.window.end))


def _is_denied(timeline: Timeline, channel: SignalLoss, found: Sequence[SignalLoss]) -> bool:
    """Whether normal traffic says that the path was fine, whatever the agent and Resource Health say.

    Traffic that falls later tells of a loss of its own.
    """
    if channel.signal not in (Signal.HEALTH, Signal.HEARTBEAT):
        return False
    start = channel.interval.start
    lost = [one.interval for one in found if one.signal is Signal.TRAFFIC and not (one.is_habit or one.is_brief)]
    ended = [one for one in lost if one.end is None or one.end > start]
    limit = min((subtract_span(one.start, MINUTE) for one in ended), default=timeline.window.end)
    if limit < start + SAME_ONSET and ended:
        return False
    return is_traffic_normal(timeline, Window(start, min(limit, channel.interval.end or timeline.window.end)))


def _find_overlapping(
    timeline: Timeline, cluster: Sequence[SignalLoss], usual: Sequence[SignalLoss]
) -> Iterator[SignalLoss]:
    span = _measure_span(cluster).clip_to(timeline.window.end)
    yield from (one for one in usual if one.interval.clip_to(timeline.window.end).overlaps_window(span))


def _is_statement_accepted(timeline: Timeline, channel: SignalLoss, kept: list[list[SignalLoss]]) -> bool:
    """Whether the operator's word tells of a loss: one that was measured, or one that nothing measures otherwise.

    It starts nothing earlier than what was measured: where a strong channel shows the VM well at the stated time, the
    measured onset counts.
    """
    at = channel.interval.start
    later = [one for one in kept if (span := _measure_span(one)).end is None or span.end >= at]
    if later:
        measured = min(later, key=lambda one: _measure_span(one).start)
        start = _measure_span(measured).start
        if start > at and not _is_well_at(timeline, at, start):
            measured.insert(0, channel)
        else:
            measured.insert(0, replace(channel, interval=Interval(max(at, start), channel.interval.end)))
        return True
    silent = [
        one
        for one in heartbeat_gaps.find_heartbeat_gaps(timeline)
        if one.interval.is_open and _is_migrations(timeline, one)
    ]
    if _is_contradicted(timeline, channel, silent):
        return False
    kept.append([channel, *silent])
    return True


def _is_well_at(timeline: Timeline, at: datetime, onset: datetime) -> bool:
    """Whether a strong channel was normal between the stated time and the measured onset."""
    beats = timeline.series.get(heartbeat_gaps.HEARTBEAT)
    if beats is not None and heartbeat_gaps.count_beats_before(beats, onset) >= heartbeat_gaps.HEARTBEATS_NEEDED:
        return any(at - SOON <= beat <= onset for beat in beats.times)
    return any(has_baseline(series, onset) for series in traffic_losses.list_traffic_series(timeline))


def _is_contradicted(timeline: Timeline, channel: SignalLoss, silent: Sequence[SignalLoss]) -> bool:
    """Whether what was measured since the stated time is normal: then the word alone shows no loss.

    Heartbeats go to an address outside: where they end with a migration, normal traffic does not take the word back.
    """
    since = Window(channel.interval.start, timeline.window.end)
    if since.end - since.start < LATE_POINTS:
        since = Window(subtract_span(since.end, TAIL), since.end)
    if is_traffic_normal(timeline, since):
        return not silent
    traffic_read = any(has_baseline(series, since.start) for series in traffic_losses.list_traffic_series(timeline))
    return not traffic_read and judge_heartbeat(timeline, since).hearing is SignalState.NORMAL


def _is_migrations(timeline: Timeline, channel: SignalLoss) -> bool:
    """Whether a channel's loss begins with a migration."""
    return any(
        channel.interval.start in signals.find_onset_window(event)
        for event in timeline.list_events(*signals.MIGRATIONS)
    )


def _measure_span(cluster: Sequence[SignalLoss]) -> Interval:
    """From the first sign to the last: strong channels decide, medium ones only where there is no strong one.

    Traffic decides the end where it was part of the loss; bytes before flows, since clients may have gone elsewhere.
    """
    ranks = list(Strength)
    best = min(ranks.index(one.strength) for one in cluster)
    deciding = [one for one in cluster if ranks.index(one.strength) == best and not one.is_habit] or list(cluster)
    start = min(one.interval.start for one in deciding)
    measured = [one for one in deciding if one.signal is Signal.TRAFFIC and not one.is_habit]
    in_bytes = [one for one in measured if "Flows" not in one.says.split(" fell")[0]]
    ending = in_bytes or measured
    if not ending:
        ending = [one for one in deciding if one.signal is not Signal.OPERATOR] or deciding
    ends = [one.interval.end for one in ending]
    closed = [end for end in ends if end is not None]
    return Interval(start, max(closed) if len(closed) == len(ends) else None)


def _build_loss(timeline: Timeline, cluster: Sequence[SignalLoss]) -> Loss:
    interval = _measure_span(cluster)
    measured = [one for one in cluster if one.signal is Signal.TRAFFIC and not one.is_habit]
    part_back = max((one.part_back for one in measured if one.part_back is not None), default=None)
    if part_back is not None and all(one.part_back is not None or one.well_since is not None for one in measured):
        beats = heartbeat_gaps.find_first_held_beat(timeline, part_back)
        if beats is not None and (interval.end is None or beats < interval.end):
            interval = Interval(interval.start, beats)
    return Loss(interval=interval, channels=tuple(cluster), extent=_measure_extent(interval, measured))


def _measure_extent(interval: Interval, measured: Sequence[SignalLoss]) -> Extent:
    """Partial where a part of the traffic goes on: all the time, or now."""
    if not measured:
        return Extent.FULL
    part = all(one.strength is Strength.WEAK for one in measured)
    now = interval.is_open and all(one.part_back is not None for one in measured)
    return Extent.PARTIAL if part or now else Extent.FULL
