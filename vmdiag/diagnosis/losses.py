"""Losses of connectivity as intervals, from all channels together, shared by all scenarios."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial
from itertools import islice, pairwise

from vmdiag.diagnosis import proofs, signals, traffic_losses, witnesses
from vmdiag.diagnosis.event_words import MIGRATIONS, RESETS
from vmdiag.diagnosis.model import Extent, Loss, SignalLoss, Strength
from vmdiag.diagnosis.traffic_drops import MINUTE, find_baseline
from vmdiag.diagnosis.traffic_losses import LATE_POINTS, TAIL, is_traffic_normal, measure_traffic
from vmdiag.model import Event, Interval, Kind, Signal, Timeline, Window, subtract_span
from vmdiag.values import Struct, replace

# Several signals of one loss begin at different times: metrics by the minute, Resource Health 2-4 minutes late and once
# more after 15. A channel that begins before the strong ones by more than this tells of another loss.
SAME_ONSET = timedelta(minutes=20)
# A healthy migration looks like a loss for a while: a pause of up to 30 s, clients' TCP retries of up to 15 minutes
# (Linux, tcp_retries2=15). Resource Health uses the same 15 minutes for "still unhealthy".
SHORTEST_LOSS = timedelta(minutes=15)
# What happened so soon after a piece's end may have ended it.
SOON = timedelta(minutes=2)
# Pieces with fewer well minutes between them are one loss, if they were down for half of the time; after so many it has
# ended (contract, section 3).
WELL_BETWEEN = timedelta(minutes=15)
DOWN_SHARE = 0.5
# What parts two pieces of loss: each may have ended the one or begun the other.
PARTING = (
    *RESETS,
    *MIGRATIONS,
    Kind.START,
    Kind.EVICTION,
    Kind.GUEST_CRASH,
    Kind.HOST_FAILURE,
    Kind.PLANNED_REBOOT,
    Kind.STORAGE_OFFLINE,
    Kind.NETWORK_CHANGE,
    Kind.NETWORK_UNHEALTHY,
    Kind.SERVICE_INCIDENT,
)


class LossSearch(Struct, frozen=True):
    """All that the channels show together: losses, what is too short for one, and what was denied or is a habit.

    `losses` reach into the window and are long enough or still open, in order of their onset; those that only weak
    channels show are none, but for a part of the traffic that went with a migration. `pauses` are told, not judged;
    the losses `before` the window neither. `silent` are heartbeats that end while the traffic is judged normal: nothing
    is cut off. `habits` are falls of traffic that come at this hour on other days too. `denied` was said by Resource
    Health or the operator, and what was measured says otherwise.
    """

    losses: tuple[Loss, ...]
    pauses: tuple[Loss, ...]
    before: tuple[Loss, ...]
    silent: tuple[SignalLoss, ...]
    habits: tuple[SignalLoss, ...]
    denied: tuple[SignalLoss, ...]


# One VM is judged after another, and what is remembered keeps its timeline alive: of a fortnight some 6 MB.
@lru_cache(maxsize=1)
def search_losses(timeline: Timeline) -> LossSearch:
    """What shows a loss of connectivity, each signal by itself, then all of them together."""
    channels = [
        *traffic_losses.find_traffic_losses(timeline),
        *signals.find_heartbeat_gaps(timeline),
        *signals.find_health_losses(timeline),
        *signals.find_power_losses(timeline),
        *signals.find_probe_losses(timeline),
        *(one for one in witnesses.find_witness_losses(timeline) if one.strength is not Strength.WEAK),
    ]
    found = sorted(channels, key=lambda one: (one.interval.start, one.signal, one.says))
    habits = tuple(one for one in found if one.is_habit)
    refuted = list(filter(partial(_is_denied, timeline, found), found))
    clusters = _cluster_signals(one for one in found if one not in refuted and not one.is_habit)
    _add_partial_losses(timeline, clusters)
    for cluster in clusters:
        span = _measure_span(cluster).clip_to(timeline.window.end)
        cluster.extend(one for one in habits if one.interval.clip_to(timeline.window.end).overlaps_window(span))
        cluster.extend(witnesses.find_balancer_statements(timeline, _measure_span(cluster)))
        cluster.extend(proofs.find_proof_channels(timeline, _measure_span(cluster)))
    unaccepted = _add_operator_statements(timeline, clusters)
    pieces = sorted((_build_loss(timeline, one) for one in clusters), key=lambda loss: loss.interval.start)
    losses = tuple(_join_intermittent_pieces(timeline, pieces))
    told = [loss for loss in losses if loss.interval.clip_to(timeline.window.end).overlaps_window(timeline.window)]
    return LossSearch(
        losses=tuple(loss for loss in told if _is_long(loss)),
        pauses=tuple(loss for loss in told if not _is_long(loss)),
        before=tuple(loss for loss in losses if loss not in told),
        silent=tuple(one for one in refuted if one.signal is Signal.HEARTBEAT),
        habits=habits,
        denied=(*(one for one in refuted if one.signal is not Signal.HEARTBEAT), *unaccepted),
    )


def ended_earlier_loss(timeline: Timeline, event: Event, onset: datetime) -> bool:
    """Whether an earlier loss, short or long, ended with an event: then it did not cause the next."""
    found = search_losses(timeline)
    ends = [loss.interval.end for loss in (*found.before, *found.losses, *found.pauses) if loss.interval.start < onset]
    reach = Window(event.at - SOON, event.ended + LATE_POINTS)
    return any(end is not None and end < onset and end in reach for end in ends)


def _is_long(loss: Loss) -> bool:
    """Whether a loss is one: open, or of a quarter of an hour; a fall too short to be judged is none."""
    if loss.extent is not Extent.INTERMITTENT and all(one.is_brief for one in loss.channels):
        return False
    end = loss.interval.end
    return end is None or end - loss.interval.start >= SHORTEST_LOSS


def _is_denied(timeline: Timeline, found: Sequence[SignalLoss], channel: SignalLoss) -> bool:
    """Whether normal traffic says that the path was fine, whatever the agent and Resource Health say.

    Traffic that falls later tells of a loss of its own.
    """
    if channel.signal not in (Signal.HEALTH, Signal.HEARTBEAT, Signal.BALANCER, Signal.FLOWS):
        return False
    start, now = channel.interval.start, timeline.window.end
    lost = [one.interval for one in found if one.signal is Signal.TRAFFIC and not (one.is_habit or one.is_brief)]
    ended = [subtract_span(one.start, MINUTE) for one in lost if one.end is None or one.end > start]
    limit = min(ended, default=now)
    if limit < start + SAME_ONSET and ended:
        return False
    return is_traffic_normal(timeline, Window(start, min(limit, channel.interval.end or now)))


def _cluster_signals(found: Iterable[SignalLoss]) -> list[list[SignalLoss]]:
    """Channels that tell of one loss: one that begins while another goes on joins it.

    Medium channels that began long before a strong one tell of another; so does a VM that was switched off later and is
    off still.
    """
    clusters: list[list[SignalLoss]] = []
    for channel in found:
        start = channel.interval.start
        for cluster in reversed(clusters):
            known = _measure_span(cluster)
            is_first = channel.strength is Strength.STRONG and Strength.STRONG not in {one.strength for one in cluster}
            is_other = channel.interval.is_open if channel.signal is Signal.POWER else is_first
            goes_on = known.end is None or start <= known.end
            if goes_on and not (is_other and start - known.start > SAME_ONSET):
                cluster.append(channel)
                break
        else:
            clusters.append([channel])
    return clusters


def _add_partial_losses(timeline: Timeline, clusters: list[list[SignalLoss]]) -> None:
    """Add what of the traffic was lost in part: to the losses that others show, or alone with a migration."""
    now = timeline.window.end
    for cluster in clusters:
        if not any(one.signal in (Signal.TRAFFIC, Signal.POWER) for one in cluster):
            start = _measure_span(cluster).start
            near = Window(start - LATE_POINTS, start + SAME_ONSET)
            cluster.extend(islice(traffic_losses.find_partial_losses(timeline, near, near.start), 1))
    for event in timeline.list_events(*MIGRATIONS):
        if "undated" in event.facts:
            continue
        onset = signals.find_onset_window(event)
        for part in traffic_losses.find_partial_losses(timeline, onset, onset.start):
            span = part.interval.clip_to(now)
            if not part.is_habit and not any(_measure_span(one).clip_to(now).overlaps_window(span) for one in clusters):
                clusters.append([part])
                break


def _add_operator_statements(timeline: Timeline, clusters: list[list[SignalLoss]]) -> list[SignalLoss]:
    """Add the operator's word where it tells of a loss; what is left was denied.

    It is one that was measured, or one that nothing measures otherwise. It starts nothing earlier than what was
    measured: where a strong channel shows the VM well at the stated time, the measured onset counts.
    """
    denied: list[SignalLoss] = []
    onsets = [signals.find_onset_window(event) for event in timeline.list_events(*MIGRATIONS)]
    for channel in signals.find_operator_statements(timeline):
        at, end = channel.interval.start, channel.interval.end
        later = [one for one in clusters if (span := _measure_span(one)).end is None or span.end >= at]
        measured = min(later, key=lambda one: _measure_span(one).start, default=None)
        if measured is not None:
            start, beats = _measure_span(measured).start, signals.list_heartbeats(timeline)
            # A strong channel that was normal between the stated time and the measured onset.
            if signals.has_regular_beats(beats, start):
                was_well = any(at - SOON <= beat <= start for beat in beats)
            else:
                was_well = any(find_baseline(one, start) is not None for one in measure_traffic(timeline))
            is_earlier = start > at and not was_well
            measured.insert(0, channel if is_earlier else replace(channel, interval=Interval(max(at, start), end)))
            continue
        # Heartbeats go to an address outside: where they end with a migration, normal traffic takes no word back.
        open_gaps = [one for one in signals.find_heartbeat_gaps(timeline) if one.interval.is_open]
        silent = [one for one in open_gaps if any(one.interval.start in onset for onset in onsets)]
        if _is_contradicted(timeline, channel, silent):
            denied.append(channel)
        else:
            clusters.append([channel, *silent])
    return denied


def _is_contradicted(timeline: Timeline, channel: SignalLoss, silent: Sequence[SignalLoss]) -> bool:
    """Whether what was measured since the stated time is normal: then the word alone shows no loss."""
    since = Window(channel.interval.start, timeline.window.end)
    if since.end - since.start < LATE_POINTS:
        since = Window(subtract_span(since.end, TAIL), since.end)
    if is_traffic_normal(timeline, since):
        return not silent
    metrics = measure_traffic(timeline)
    traffic_read = any(find_baseline(metric, since.start) is not None for metric in metrics)
    return not traffic_read and signals.judge_heartbeat(timeline, since).hearing is signals.SignalState.NORMAL


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
        beats = signals.find_held_beat(signals.list_heartbeats(timeline), part_back)
        if beats is not None and (interval.end is None or beats < interval.end):
            interval = Interval(interval.start, beats)
    # A part of the traffic goes on: all the time, or now.
    part = all(one.strength is Strength.WEAK for one in measured)
    part_now = interval.is_open and all(one.part_back is not None for one in measured)
    extent = Extent.PARTIAL if measured and (part or part_now) else Extent.FULL
    scope = proofs.find_scope(timeline, interval)
    return Loss(interval=interval, channels=tuple(cluster), extent=extent, scope=scope)


def _join_intermittent_pieces(timeline: Timeline, losses: Sequence[Loss]) -> Iterator[Loss]:
    """Losses, those that follow one another closely as one intermittent loss, over when it was well for long enough."""
    now = timeline.window.end
    parting = [event for event in timeline.list_events(*PARTING) if event.facts.get("relation") != "elsewhere"]
    while losses:
        count = 1
        for former, latter in pairwise(losses):
            end, start = former.interval.end, latter.interval.start
            if end is None or start - end >= WELL_BETWEEN:
                break
            if any(event.at <= start and event.ended >= end - SOON for event in parting):
                break
            count += 1
        while count > 1:
            spans = [piece.interval.clip_to(now) for piece in losses[:count]]
            down = sum((span.end - span.start for span in spans), timedelta())
            if down >= max(SHORTEST_LOSS, DOWN_SHARE * (spans[-1].end - spans[0].start)):
                break
            count -= 1
        pieces, losses = losses[:count], losses[count:]
        if count == 1:
            yield pieces[0]
            continue
        end = pieces[-1].interval.end
        interval = Interval(pieces[0].interval.start, None if end is None or now - end < WELL_BETWEEN else end)
        channels = tuple(dict.fromkeys(channel for piece in pieces for channel in piece.channels))
        scope = proofs.find_scope(timeline, interval)
        yield Loss(interval=interval, channels=channels, extent=Extent.INTERMITTENT, scope=scope)
