"""The evidence around a migration's onset window, for the scenario that judges it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from statistics import median

from vmdiag.diagnosis.event_words import MIGRATIONS
from vmdiag.diagnosis.losses import WELL_BETWEEN, ended_earlier_loss, search_losses
from vmdiag.diagnosis.model import Evidence, Extent, Loss, SignalLoss, Stance, Strength
from vmdiag.diagnosis.proofs import find_proof_doubts, list_looks
from vmdiag.diagnosis.scenarios._causes import measure_distance
from vmdiag.diagnosis.signals import (
    ONSET_AFTER,
    ONSET_BEFORE,
    SAME_MOMENT,
    SignalJudgement,
    SignalState,
    cite_event,
    find_heartbeat_gaps,
    find_held_beat,
    find_onset_window,
    judge_heartbeat,
    list_heartbeats,
)
from vmdiag.diagnosis.traffic_losses import is_traffic_normal, judge_traffic
from vmdiag.diagnosis.witnesses import cite_witnesses, find_witness_doubts
from vmdiag.model import Event, Interval, Kind, Signal, Timeline, Viewpoint, Window, subtract_span
from vmdiag.values import replace

Judgements = Mapping[Signal, SignalJudgement]

# A note of Resource Health in words that no table knows may be a rival so long before the onset, and so soon after.
NOTE_BEFORE, NOTE_AFTER = timedelta(minutes=30), timedelta(minutes=2)
# A loss that ended so shortly before another has not healed, and one that lasted so long is a story of its own (our
# judgement).
JUST_BEFORE, AN_OUTAGE = timedelta(minutes=5), timedelta(minutes=30)
# The last minutes say what is normal now.
LATELY = timedelta(minutes=15)
# The minutes around the onset still show the life before it.
ONSET_EDGE = timedelta(minutes=2)
READINGS_OF_LIFE = 5
WORK = (Signal.CPU, Signal.DISK)
ALIVE = (
    ("VmAvailabilityMetric", Signal.AVAILABILITY, "the availability metric says that the VM runs"),
    ("Percentage CPU", Signal.CPU, "its CPU works"),
    ("Disk Write Bytes", Signal.DISK, "it writes to its disks"),
    ("Disk Read Bytes", Signal.DISK, "it reads from its disks"),
)


def judge_strong_signals(timeline: Timeline, event: Event) -> Judgements:
    """What each strong channel says of a migration's onset window."""
    onset = find_onset_window(event)
    return {Signal.TRAFFIC: judge_traffic(timeline, onset), Signal.HEARTBEAT: judge_heartbeat(timeline, onset)}


def cite_judged_signals(judged: Judgements, state: SignalState, stance: Stance, at: datetime | None) -> list[Evidence]:
    """The strong channels of which this is said: that they stayed normal, or could not be judged, and why."""
    return [
        Evidence(stance=stance, signal=signal, says=one.says, at=at)
        for signal, one in judged.items()
        if one.hearing is state
    ]


def find_contradictions(timeline: Timeline, loss: Loss, event: Event, judged: Judgements) -> Iterator[Evidence]:
    """Strong channels that were judged over the onset, or now, and found normal."""
    strong = {one.signal for one in loss.channels if one.strength is Strength.STRONG}
    normal = cite_judged_signals(judged, SignalState.NORMAL, Stance.AGAINST, event.at)
    told = {one.signal: one for one in normal if one.signal not in strong}
    yield from told.values()
    start, now = loss.interval.start, timeline.window.end
    # What comes and goes is normal now and then.
    if loss.extent is Extent.INTERMITTENT or not loss.interval.is_open or now - start < LATELY:
        return
    if Signal.TRAFFIC not in strong | told.keys() and is_traffic_normal(timeline, Window(start, now)):
        yield Evidence(stance=Stance.AGAINST, signal=Signal.TRAFFIC, says="the traffic is normal now", at=now)
    beat = find_held_beat(list_heartbeats(timeline), subtract_span(now, LATELY))
    gaps = [*(one for one in loss.channels if one.signal is Signal.HEARTBEAT), *find_heartbeat_gaps(timeline)]
    is_silent = any(one.interval.clip_to(now).end >= now for one in gaps)
    if beat is not None and not is_silent and Signal.HEARTBEAT not in told:
        says = "the agent's heartbeats reach Log Analytics now"
        yield Evidence(stance=Stance.AGAINST, signal=Signal.HEARTBEAT, says=says, at=beat)


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
    # The VM may have been failing already; an outage that had ended for more than a few minutes is another story.
    found = search_losses(timeline)
    for former in (*found.losses, *found.pauses):
        begin, end = former.interval.start, former.interval.end
        if end is None or not begin < event.at or not timedelta() <= onset - end < WELL_BETWEEN:
            continue
        if Signal.POWER not in former.signals and (end - begin < AN_OUTAGE or onset - end < JUST_BEFORE):
            says = f"it had been cut off before the migration, until {end:%H:%M}Z"
            yield Evidence(stance=Stance.AGAINST, signal=former.signals[0], says=says, at=begin)
    yield from find_possible_rivals(timeline, loss, event)
    span = loss.interval.clip_to(timeline.window.end)
    yield from find_witness_doubts(timeline, loss)
    yield from find_proof_doubts(timeline, loss)
    work = [(signal, _list_readings(timeline, name, span)) for name, signal, _ in ALIVE if signal in WORK]
    read = [(signal, readings) for signal, readings in work if len(readings) >= READINGS_OF_LIFE]
    gone = list(dict.fromkeys(signal for signal, _ in read))
    if gone and not any(value > 0 for _, readings in read for _, value in readings):
        says = f"the guest is not seen alive: {' and '.join(gone)} at zero since the onset"
        yield Evidence(stance=Stance.AGAINST, signal=gone[0], says=says, at=onset)


def find_unknown_notes(timeline: Timeline, loss: Loss) -> Iterator[Evidence]:
    """Notes of Resource Health near the onset whose words are not known: each may be a rival."""
    span = Window(subtract_span(loss.interval.start, NOTE_BEFORE), loss.interval.start + NOTE_AFTER)
    for note in timeline.list_events(Kind.UNKNOWN_NOTE):
        if note.at in span:
            yield cite_event(Stance.AGAINST, note, "what it means is not known, it may be another cause")


def find_possible_rivals(timeline: Timeline, loss: Loss, event: Event) -> Iterator[Evidence]:
    """Other causes that cannot be ruled out: notes in unknown words, perhaps a network change, what was not read."""
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
    if timeline.is_unread(Signal.ACTIVITY, span):
        says = "the activity log was not read whole: another cause (a stop, a network change) would not be seen"
        yield Evidence(stance=Stance.MISSING, signal=Signal.ACTIVITY, says=says)
    if timeline.is_unread(Signal.SERVICE, span):
        says = "service events were not read whole: an incident of the region would not be seen"
        yield Evidence(stance=Stance.MISSING, signal=Signal.SERVICE, says=says)


def cite_signal_loss(stance: Stance, channel: SignalLoss) -> Evidence:
    """A channel as a piece of evidence."""
    at = channel.seen_at or channel.interval.start
    return Evidence(stance=stance, signal=channel.signal, says=channel.says, at=at, ref=channel.ref or None)


def find_life_signs(timeline: Timeline, span: Window) -> Iterator[SignalLoss]:
    """Who saw the VM run while it could not be reached: host, Resource Health, metrics.

    A status that the record of a migration carries is of that moment, and what was measured before is not life now.
    """
    moved = [event.at for event in timeline.list_events(*MIGRATIONS)]
    for one in (*cite_witnesses(timeline, span), *cite_witnesses(timeline, span, signal=Signal.BALANCER)):
        yield replace(one, says=f"{one.says}, last at {one.interval.start:%H:%M}Z")
    looks = list_looks(timeline, Interval(span.start, None), Kind.PROOF_REACHED, Viewpoint.INSIDE)
    yield from (_build_life_sign(one.signal, one.at, one.says, one.ref) for one in looks if one.at in span)
    for event in timeline.list_events(Kind.POWER_RUNNING, Kind.AVAILABLE, Kind.APPLICATION_HEALTHY, Kind.BACKEND_UP):
        carried = event.kind is Kind.AVAILABLE and any(abs(event.at - at) <= SAME_MOMENT for at in moved)
        if span.start < event.at <= span.end and not carried:
            yield _build_life_sign(event.signal, event.at, event.says, event.ref)
    for name, signal, says in ALIVE:
        readings = _list_readings(timeline, name, span)
        if readings and median(value for _, value in readings) > 0:
            yield _build_life_sign(signal, next(at for at, value in readings if value > 0), says)


def _build_life_sign(signal: Signal, at: datetime, says: str, ref: str | None = None) -> SignalLoss:
    return SignalLoss(signal=signal, strength=Strength.WEAK, interval=Interval(at, None), says=says, ref=ref)


def _list_readings(timeline: Timeline, name: str, span: Window) -> list[tuple[datetime, float]]:
    """What a metric showed in a loss, after its first minutes."""
    series = timeline.series.get(name)
    if series is None:
        return []
    first, after = bisect_left(series.times, span.start + ONSET_EDGE), bisect_right(series.times, span.end)
    return list(zip(series.times[first:after], series.values[first:after], strict=True))
