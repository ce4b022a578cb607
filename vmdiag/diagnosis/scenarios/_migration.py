"""The evidence around a migration's onset window, for the scenario that judges it; must not give a verdict."""

from collections.abc import Iterator
from datetime import timedelta

from vmdiag.diagnosis import heartbeat_gaps, liveness
from vmdiag.diagnosis.intermittent import WELL_BETWEEN
from vmdiag.diagnosis.losses import ended_earlier_loss, find_connectivity_losses, find_pauses
from vmdiag.diagnosis.model import Evidence, Extent, Loss, SignalLoss, Stance, Strength
from vmdiag.diagnosis.scenarios._causes import cite_event, measure_distance
from vmdiag.diagnosis.signal_state import (
    SignalJudgement,
    SignalState,
    is_traffic_normal,
    judge_heartbeat,
    judge_traffic,
)
from vmdiag.diagnosis.signals import ONSET_AFTER, ONSET_BEFORE, SAME_MOMENT, find_onset_window
from vmdiag.model import Event, Kind, Signal, Timeline, Window, subtract_span

# A note of Resource Health in words that no table knows may be a rival so long before the onset, and so soon after.
NOTE_BEFORE, NOTE_AFTER = timedelta(minutes=30), timedelta(minutes=2)
# A loss that ended so shortly before another has not healed, and one that lasted so long is a story of its own (our
# judgement).
JUST_BEFORE, AN_OUTAGE = timedelta(minutes=5), timedelta(minutes=30)
# The last minutes say what is normal now.
LATELY = timedelta(minutes=15)


def find_contradictions(timeline: Timeline, loss: Loss, event: Event) -> Iterator[Evidence]:
    """Strong channels that were judged over the onset, or now, and found normal."""
    told: set[Signal] = set()
    for signal, judged in judge_strong_signals(timeline, event):
        if judged.hearing is SignalState.NORMAL and signal not in _list_strong_signals(loss):
            told.add(signal)
            yield Evidence(stance=Stance.AGAINST, signal=signal, says=judged.says, at=event.at)
    # What comes and goes is normal now and then.
    comes_and_goes = loss.extent is Extent.INTERMITTENT
    if comes_and_goes or not loss.interval.is_open or timeline.window.end - loss.interval.start < LATELY:
        return
    now = Window(subtract_span(timeline.window.end, LATELY), timeline.window.end)
    if Signal.TRAFFIC not in _list_strong_signals(loss) | told and is_traffic_normal(
        timeline, Window(loss.interval.start, now.end)
    ):
        yield Evidence(stance=Stance.AGAINST, signal=Signal.TRAFFIC, says="the traffic is normal now", at=now.end)
    beats = heartbeat_gaps.find_first_held_beat(timeline, now.start)
    if beats is not None and Signal.HEARTBEAT not in told and not _is_silent(timeline, loss, now):
        says = "the agent's heartbeats reach Log Analytics now"
        yield Evidence(stance=Stance.AGAINST, signal=Signal.HEARTBEAT, says=says, at=beats)


def _is_silent(timeline: Timeline, loss: Loss, now: Window) -> bool:
    spans = [one.interval for one in loss.channels if one.signal is Signal.HEARTBEAT]
    silent = any(span.clip_to(timeline.window.end).end >= now.end for span in spans)
    return silent or any(one.interval.is_open for one in heartbeat_gaps.find_heartbeat_gaps(timeline))


def _list_strong_signals(loss: Loss) -> frozenset[Signal]:
    return frozenset(one.signal for one in loss.channels if one.strength is Strength.STRONG)


def find_doubts(timeline: Timeline, loss: Loss, event: Event) -> Iterator[Evidence]:
    """What keeps a verdict from being confirmed, whichever channels show the loss."""
    onset = loss.interval.start
    if event.kind is Kind.LIVE_MIGRATION_FAILED:
        yield cite_event(Stance.AGAINST, event, "the VM stayed on its host")
    if "undated" in event.facts:
        says = "when Azure live-migrated the VM is not known, so whether the loss began with it cannot be told"
        yield Evidence(stance=Stance.MISSING, signal=event.signal, says=says)
    elif onset < event.at - ONSET_BEFORE:
        minutes = round((event.at - onset) / timedelta(minutes=1))
        yield cite_event(Stance.AGAINST, event, f"the loss began {minutes} min before it")
    for one in loss.channels:
        if one.is_habit:
            says = "its traffic falls at this hour on other days, too"
            yield Evidence(stance=Stance.AGAINST, signal=one.signal, says=says, at=one.interval.start)
    yield from _find_earlier_failures(timeline, loss, event)
    yield from find_possible_rivals(timeline, loss, event)
    yield from find_unread_causes(timeline, loss)
    gone = liveness.find_dead_signals(timeline, loss.interval.clip_to(timeline.window.end))
    if gone:
        says = f"the guest is not seen alive: {' and '.join(gone)} at zero since the onset"
        yield Evidence(stance=Stance.AGAINST, signal=gone[0], says=says, at=onset)


def _find_earlier_failures(timeline: Timeline, loss: Loss, event: Event) -> Iterator[Evidence]:
    """Pieces of loss just before the migration: the VM may have been failing already.

    An outage of its own, which had ended for more than a few minutes, is another story.
    """
    onset = loss.interval.start
    for former in (*find_connectivity_losses(timeline), *find_pauses(timeline)):
        begin, end = former.interval.start, former.interval.end
        if end is None or not begin < event.at or not timedelta() <= onset - end < WELL_BETWEEN:
            continue
        if Signal.POWER not in former.signals and (end - begin < AN_OUTAGE or onset - end < JUST_BEFORE):
            says = f"it had been cut off before the migration, until {end:%H:%M}Z"
            yield Evidence(stance=Stance.AGAINST, signal=former.signals[0], says=says, at=begin)


def find_unknown_notes(timeline: Timeline, loss: Loss) -> Iterator[Evidence]:
    """Notes of Resource Health near the onset whose words are not known: each may be a rival."""
    span = Window(subtract_span(loss.interval.start, NOTE_BEFORE), loss.interval.start + NOTE_AFTER)
    for note in timeline.list_events(Kind.UNKNOWN_NOTE):
        if note.at in span:
            yield cite_event(Stance.AGAINST, note, "what it means is not known, it may be another cause")


def find_possible_rivals(timeline: Timeline, loss: Loss, event: Event) -> Iterator[Evidence]:
    """Network changes of which it cannot be known whether they touch the VM, and notes in unknown words."""
    yield from find_unknown_notes(timeline, loss)
    onset = loss.interval.start
    span = Window(subtract_span(onset, ONSET_AFTER), onset + ONSET_BEFORE)
    for change in timeline.list_events(Kind.NETWORK_CHANGE):
        unknown = change.facts.get("relation", "touches") != "touches"
        if not unknown or change.at not in span or ended_earlier_loss(timeline, change, onset):
            continue
        if measure_distance(change, onset) <= measure_distance(event, onset) + SAME_MOMENT:
            why = change.facts.get("relation_reason", "")
            says = "whether it touches this VM is not known" + (f": {why}" if why else "")
            yield cite_event(Stance.AGAINST, change, says)


def find_unread_causes(timeline: Timeline, loss: Loss) -> Iterator[Evidence]:
    """The feeds that would show another cause and were not read over the onset."""
    onset = loss.interval.start
    around = Window(subtract_span(onset, ONSET_AFTER), onset + ONSET_BEFORE)
    if timeline.is_unread(Signal.ACTIVITY, around):
        says = "the activity log was not read whole: another cause (a stop, a network change) would not be seen"
        yield Evidence(stance=Stance.MISSING, signal=Signal.ACTIVITY, says=says)


def find_broken_acceleration(timeline: Timeline, event: Event) -> Iterator[Evidence]:
    """That accelerated networking broke in the onset window: it belongs to the migration."""
    for other in timeline.list_events(Kind.ACCELNET_UNHEALTHY):
        if other.at in find_onset_window(event):
            yield cite_event(Stance.FOR, other, "within the migration's onset window")


def find_unjudged_signals(timeline: Timeline, event: Event) -> Iterator[Evidence]:
    """The strong channels that could not be judged, and why."""
    for signal, judged in judge_strong_signals(timeline, event):
        if judged.hearing is SignalState.UNJUDGED:
            yield Evidence(stance=Stance.MISSING, signal=signal, says=judged.says)


def judge_strong_signals(timeline: Timeline, event: Event) -> Iterator[tuple[Signal, SignalJudgement]]:
    """What each strong channel says of the onset window."""
    yield Signal.TRAFFIC, judge_traffic(timeline, find_onset_window(event))
    yield Signal.HEARTBEAT, judge_heartbeat(timeline, find_onset_window(event))


def cite_signal_loss(stance: Stance, channel: SignalLoss) -> Evidence:
    """A channel as a piece of evidence."""
    return Evidence(
        stance=stance, signal=channel.signal, says=channel.says, at=channel.interval.start, ref=channel.ref or None
    )
