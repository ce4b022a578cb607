"""What each signal but the traffic shows of a loss, as channels.

Every threshold of a channel stands here once, with its reason. Where no Microsoft page gives a number, the reason says
whose judgement it is.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from vmdiag.diagnosis.model import Evidence, SignalLoss, Stance, Strength
from vmdiag.model import Event, Interval, Kind, Signal, Timeline, Window, subtract_span
from vmdiag.values import Struct, replace

# Azure itself filters Available -> Unavailable -> Available within 35 s out of the activity log.
FLAP = timedelta(seconds=35)
# What announces that the host may fail comes with a status of about the same time.
ANNOUNCED = timedelta(minutes=2)
# Records of one moment from two feeds may differ by so much.
SAME_MOMENT = timedelta(minutes=3)
ANNOTATED = (Kind.ACCELNET_UNHEALTHY, Kind.NETWORK_UNHEALTHY)
FAILING = (Kind.UNAVAILABLE, Kind.DEGRADED, *ANNOTATED)
STOPS = (Kind.STOP, Kind.DEALLOCATE, Kind.EVICTION, Kind.DELETE)
ON = (Kind.START, Kind.RESTART, Kind.REDEPLOY, Kind.POWER_RUNNING, Kind.AVAILABLE)
OFF = (Kind.POWER_STOPPED, Kind.POWER_DEALLOCATED)
# The loss may show a little before the annotation's time: metrics are by the minute. Half an hour after is the end of
# what a session (9 to 26 minutes, the annotation anywhere inside) and late records can shift.
ONSET_BEFORE = timedelta(minutes=2)
ONSET_AFTER = timedelta(minutes=30)
HEARTBEAT = "Heartbeat"
# The agent writes a heartbeat a minute, ingestion takes up to 3; 10 minutes is the usual threshold of Azure Monitor
# workbooks.
HEARTBEAT_GAP = timedelta(minutes=10)
# Only heartbeats that were regular in the hour before can be missed.
REGULAR = timedelta(minutes=60)
HEARTBEATS_NEEDED = 5
# Heartbeats are back when three follow one another at their pace of a minute; ingestion may be 3 minutes late.
BEATS_HELD = 3
BEAT_PACE = timedelta(minutes=3)
# Heartbeats that end earlier than this before the end of a span may only not have arrived.
LATE_BEATS = timedelta(minutes=5)


class SignalState(StrEnum):
    """What a strong channel says of a span: connectivity lost, partly lost, normal, or it cannot be judged."""

    LOST = "lost"
    PARTIAL = "partial"
    NORMAL = "normal"
    UNJUDGED = "unjudged"


class SignalJudgement(Struct, frozen=True):
    """A channel's answer about a span, and why."""

    hearing: SignalState
    says: str


def cite_event(stance: Stance, event: Event, says: str = "") -> Evidence:
    """An event as a piece of evidence."""
    text = f"{event.says}: {says}" if says else event.says
    return Evidence(stance=stance, signal=event.signal, says=text, at=event.at, ref=event.ref or None)


def find_onset_window(event: Event) -> Window:
    """When a loss must begin to be a migration's doing."""
    return Window(subtract_span(event.at, ONSET_BEFORE), event.ended + ONSET_AFTER)


def find_health_losses(timeline: Timeline) -> Iterator[SignalLoss]:
    """The spans in which Resource Health called the VM unavailable or degraded."""
    for begun, interval in _find_state_spans(timeline, FAILING):
        says, end = f"Resource Health reported the VM {begun.kind.value.title()}", interval.end
        yield SignalLoss(
            signal=Signal.HEALTH, strength=Strength.MEDIUM, interval=interval, says=says, well_since=end, ref=begun.ref
        )


def find_weak_signals(timeline: Timeline, span: Window) -> Iterator[SignalLoss]:
    """What hints at a loss in a span without founding one.

    A silent agent, a health state that stays Unknown, or the end alone of a time in which the VM was unavailable.
    """
    unknown = [(*found, "Resource Health stayed Unknown") for found in _find_state_spans(timeline, (Kind.UNKNOWN,))]
    says = "the VM agent does not report (common on healthy VMs)"
    silent = [(event, Interval(event.at, None), says) for event in timeline.list_events(Kind.AGENT_NOT_READY)]
    back = [event for event in timeline.list_events(Kind.AVAILABLE) if "unseen" in event.facts]
    for begun, interval, says in (*unknown, *silent, *((one, Interval(one.at, one.at), one.says) for one in back)):
        if interval.clip_to(timeline.window.end).overlaps_window(span):
            end, ref = interval.end, begun.ref
            yield SignalLoss(
                signal=begun.signal, strength=Strength.WEAK, interval=interval, says=says, well_since=end, ref=ref
            )


def _find_state_spans(timeline: Timeline, kinds: Sequence[Kind]) -> Iterator[tuple[Event, Interval]]:
    """Spans from the first failing state to the next Available, short flaps left out."""
    announced = [event.at for event in timeline.list_events(Kind.PRECURSOR)]
    begun: Event | None = None
    for event in timeline.events:
        if begun is None and event.kind in kinds:
            # A Degraded that only carries the announcement that the host may fail: nothing is lost by it.
            near = event.kind is Kind.DEGRADED and any(abs(at - event.at) <= ANNOUNCED for at in announced)
            begun = None if near else event
        elif begun is not None and event.kind is Kind.AVAILABLE:
            if event.at - begun.at >= FLAP:
                yield begun, Interval(begun.at, event.at)
            elif begun.kind in ANNOTATED:
                continue  # an annotation is not taken back by a status that came along with it
            begun = None
    if begun is not None:
        yield begun, Interval(begun.at, None)


def find_power_losses(timeline: Timeline) -> Iterator[SignalLoss]:
    """Spans in which the VM was off: nobody reaches a VM that does not run."""
    off: Event | None = None
    back: Event | None = None
    spans: list[tuple[Event, datetime | None]] = []
    for event in timeline.events:
        if event.kind in (*STOPS, *OFF) and "pending" not in event.facts:
            if off is not None and back is not None and (event.kind in STOPS or back.kind is not Kind.AVAILABLE):
                spans.append((off, back.at))
                off = event
            # A power state that is off says that the Available in between was late news.
            off, back = off or event, None
        elif off is not None and back is None:
            # Whoever writes a VM that was deleted makes another one of its name.
            is_on = event.kind in ON or (off.kind is Kind.DELETE and event.kind is Kind.CONFIGURE)
            # A status so soon after a stop is of before it.
            is_stale = event.kind is Kind.AVAILABLE and event.at - off.at <= SAME_MOMENT
            back = event if is_on and not is_stale else None
    if off is not None:
        spans.append((off, back.at if back is not None else None))
    for event, end in spans:
        interval, says = Interval(event.at, end), event.says
        yield SignalLoss(signal=Signal.POWER, strength=Strength.STRONG, interval=interval, says=says, ref=event.ref)


def find_operator_statements(timeline: Timeline) -> Iterator[SignalLoss]:
    """What the operator states: since when the VM cannot be reached, up to the next probe that was answered."""
    answered = [event.at for event in timeline.list_events(Kind.PROBE_ANSWERED)]
    for event in timeline.list_events(Kind.UNREACHABLE):
        interval = Interval(event.at, next((at for at in answered if at > event.at), None))
        yield SignalLoss(signal=Signal.OPERATOR, strength=Strength.STRONG, interval=interval, says=event.says)


def find_probe_losses(timeline: Timeline) -> Iterator[SignalLoss]:
    """Probes from here that were not answered: strong where the port had answered before."""
    answered = timeline.list_events(Kind.PROBE_ANSWERED)
    for event in timeline.list_events(Kind.PROBE_FAILED):
        back = next((other.at for other in answered if other.at > event.at), None)
        port = event.facts.get("port")
        before = any(other.at < event.at and other.facts.get("port") == port for other in answered)
        yield SignalLoss(
            signal=Signal.PROBE,
            strength=Strength.STRONG if before else Strength.MEDIUM,
            interval=Interval(event.at, back),
            well_since=back,
            says=event.says,
            ref=event.ref,
        )


@lru_cache(maxsize=1)
def find_heartbeat_gaps(timeline: Timeline) -> tuple[SignalLoss, ...]:
    """The gaps in a regular heartbeat; the end of what was read in part is no gap."""
    times, now = list_heartbeats(timeline), timeline.window.end
    gaps: list[SignalLoss] = []
    reached: datetime | None = None
    for last, following in pairwise((*times, now)):
        is_told = reached is not None and last < reached
        if is_told or following - last < HEARTBEAT_GAP or not has_regular_beats(times, last):
            continue
        reached = find_held_beat(times, following)
        if not timeline.is_unread(Signal.HEARTBEAT, Window(last, reached or now)):
            says, interval = "the agent's heartbeats stopped reaching Log Analytics", Interval(last, reached)
            gap = SignalLoss(signal=Signal.HEARTBEAT, strength=Strength.STRONG, interval=interval, says=says)
            gaps.append(replace(gap, well_since=reached))
        if reached is None:
            break
    return tuple(gaps)


def list_heartbeats(timeline: Timeline) -> Sequence[datetime]:
    """The heartbeats that reached Log Analytics, in order of time; empty where none were read."""
    return timeline.series[HEARTBEAT].times if HEARTBEAT in timeline.series else ()


def find_held_beat(times: Sequence[datetime], since: datetime) -> datetime | None:
    """The first of three heartbeats in a row at or after an instant; `None` where none came."""
    near = times[bisect_left(times, since) :]
    for first, second, third in zip(near, near[1:], near[2:], strict=False):
        if max(second - first, third - second) <= BEAT_PACE:
            return first
    return None


def has_regular_beats(times: Sequence[datetime], until: datetime) -> bool:
    """Whether the heartbeats were regular in the hour up to an instant: only such can be missed."""
    before = bisect_left(times, subtract_span(until, REGULAR))
    return bisect_right(times, until) - before >= HEARTBEATS_NEEDED


def judge_heartbeat(timeline: Timeline, onset: Window) -> SignalJudgement:
    """What the Log Analytics heartbeats say about an onset window."""
    times = list_heartbeats(timeline)
    if not times:
        return SignalJudgement(SignalState.UNJUDGED, "no heartbeats were read")
    if any(gap.interval.start in onset for gap in find_heartbeat_gaps(timeline)):
        return SignalJudgement(SignalState.LOST, "the heartbeats stopped")
    if not has_regular_beats(times, onset.start):
        return SignalJudgement(SignalState.UNJUDGED, "there were no regular heartbeats before")
    if times[-1] < min(onset.end, timeline.window.end) - LATE_BEATS:
        return SignalJudgement(SignalState.UNJUDGED, "the heartbeats end too early to tell")
    return SignalJudgement(SignalState.NORMAL, "the heartbeats went on")
