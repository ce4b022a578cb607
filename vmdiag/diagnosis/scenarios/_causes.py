"""How a scenario blames losses on events near their onset, and how it is made of its cause alone."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial

from vmdiag.diagnosis.losses import ended_earlier_loss, search_losses
from vmdiag.diagnosis.model import Attribution, Evidence, Finding, Precedence, Scenario, Stance, Verdict
from vmdiag.diagnosis.signals import BEATS_HELD, cite_event, list_heartbeats
from vmdiag.diagnosis.traffic_drops import NORMAL, find_usual_before, list_readings
from vmdiag.diagnosis.traffic_losses import measure_traffic
from vmdiag.model import Coverage, Event, Kind, Needs, Signal, Timeline, Window, subtract_span
from vmdiag.values import Struct

# What usually happens at an hour is seen on three earlier days; baselines look an hour back from the first onset, and
# half an hour more covers the causes before it.
MARGIN = timedelta(days=3, minutes=90)
WELL_POINTS = 3


class Cause(Struct, frozen=True, kw_only=True):
    """Which events explain a loss, how far from its onset they may lie, and what takes them back in between.

    `undone_by_life` says that an event explains nothing after which the VM was seen well before the loss began;
    `shown_by` are events that are not its begin, and may show it all the same to a judgement of its own.
    """

    scenario: str
    kinds: tuple[Kind, ...]
    before: timedelta
    after: timedelta
    signals: frozenset[Signal] = frozenset({Signal.HEALTH, Signal.ACTIVITY})
    undone_by: tuple[Kind, ...] = ()
    undone_by_life: bool = False
    shown_by: tuple[Kind, ...] = ()


def make_scenario(  # noqa: PLR0913 - a scenario has so many fields
    cause: Cause,
    *,
    page: str,
    title: str = "",
    remedies: tuple[str, ...],
    vm_action: str | None = None,
    examples: tuple[tuple[Verdict, str], ...],
    judge_events: Callable[[Timeline], Finding] | None = None,
    precedence: Precedence = Precedence.NEARER_OR_LATER,
) -> Scenario:
    """The scenario of a cause; without a judgement of its own it blames what begins near one of the cause's events.

    Where there is no event that may show it, nothing is judged. Its title is the page's first sentence unless that says
    more.
    """
    judge = judge_events or partial(attribute_losses, cause=cause)

    def detect(timeline: Timeline) -> Finding:
        shows = timeline.list_events(*cause.kinds, *cause.shown_by)
        return judge(timeline) if shows else find_no_cause(timeline, cause)

    return Scenario(
        id=cause.scenario,
        title=title or page.partition(".\n")[0],
        page=page,
        needs=Needs(triggers=frozenset(cause.kinds), margin=MARGIN),
        detect=detect,
        remedies=remedies,
        vm_action=vm_action,
        examples=examples,
        precedence=precedence,
    )


def attribute_losses(timeline: Timeline, cause: Cause) -> Finding:
    """A cause's finding: each loss goes to the nearest event in reach."""
    events, undoing = timeline.list_events(*cause.kinds), timeline.list_events(*cause.undone_by)
    if not events:
        return find_no_cause(timeline, cause)
    blames: list[Attribution] = []
    for loss in search_losses(timeline).losses:
        onset = loss.interval.start
        near = [
            event
            for event in events
            if event.ended >= onset - cause.before
            and event.at <= onset + cause.after
            and not any(event.ended < undone.at < onset for undone in undoing)
            and not ended_earlier_loss(timeline, event, onset)
            and not (cause.undone_by_life and _was_well(timeline, Window(event.ended, onset)))
        ]
        if not near:
            continue
        event = min(near, key=lambda event: (measure_distance(event, onset), event.at))
        cause_at = find_nearest_instant(event, onset)
        minutes = round((onset - cause_at) / timedelta(minutes=1))
        when = (
            f"{abs(minutes)} min {'before' if minutes > 0 else 'after'} the onset" if minutes else "as the loss began"
        )
        # Of an operation only the begin may have been seen, and of a network change not whether it touches the VM.
        is_sure = "pending" not in event.facts and event.facts.get("relation", "touches") == "touches"
        blame = Attribution(
            loss=loss.interval,
            verdict=Verdict.CONFIRMED if is_sure else Verdict.SUSPECTED,
            cause_at=cause_at,
            evidence=(cite_event(Stance.FOR, event, when),),
        )
        blames.append(blame)
    return build_finding(cause, events[-3:], blames, unless="no loss begins with it")


def build_finding(cause: Cause, events: Sequence[Event], blames: Sequence[Attribution], *, unless: str) -> Finding:
    """The finding of what was blamed on a cause; `unless` says why its events explain nothing."""
    evidence = tuple(piece for one in blames for piece in one.evidence)
    return Finding(
        scenario=cause.scenario,
        verdict=blames[-1].verdict if blames else Verdict.CLEAR,
        evidence=evidence or tuple(cite_event(Stance.AGAINST, event, unless) for event in events),
        blames=tuple(blames),
        cause_at=blames[-1].cause_at if blames else events[-1].at,
    )


def find_no_cause(timeline: Timeline, cause: Cause) -> Finding:
    """No event of the cause: clear where a feed that would show it was heard, inconclusive where none was."""
    is_heard = not cause.signals.isdisjoint(find_heard_signals(timeline))
    return build_silent_finding(cause.scenario, frozenset() if is_heard else cause.signals)


@lru_cache(maxsize=64)  # of a fleet's VMs most have no event at all
def build_silent_finding(scenario: str, unread: frozenset[Signal]) -> Finding:
    """The finding without an event: clear, or inconclusive for want of the feeds that would show it."""
    missing = tuple(
        Evidence(stance=Stance.MISSING, signal=signal, says=f"the {signal} feed that would show it was not read")
        for signal in sorted(unread)
    )
    verdict = Verdict.INCONCLUSIVE if missing else Verdict.CLEAR
    return Finding(scenario=scenario, verdict=verdict, evidence=missing)


@lru_cache(maxsize=1)  # all scenarios judge one VM, then the next
def find_heard_signals(timeline: Timeline) -> frozenset[Signal]:
    """The signals of which something was heard in the window: what they do not show was not.

    Of a feed that was cut, what is missing may be what is looked for.
    """
    near = [gap for gap in timeline.gaps if gap.window.overlaps_window(timeline.window)]
    missed = {gap.signal for gap in near if gap.cut}
    for signal in {gap.signal for gap in near} - missed:
        if timeline.measure_coverage(signal, timeline.window) is Coverage.NONE:
            missed.add(signal)
    return frozenset(Signal) - missed


def _was_well(timeline: Timeline, span: Window) -> bool:
    """Whether a strong channel shows the VM well in a span: three readings, or heartbeats, in it."""
    inside = Window(span.start, subtract_span(span.end, timedelta(seconds=1)))
    if inside.end <= inside.start:
        return False
    for metric in measure_traffic(timeline):
        baseline = find_usual_before(metric.series, span.start, metric.spans)
        readings = list_readings(metric.series, inside)
        if baseline is not None and sum(value > NORMAL * baseline for value in readings) >= WELL_POINTS:
            return True
    return sum(at in inside for at in list_heartbeats(timeline)) > BEATS_HELD


def find_nearest_instant(event: Event, onset: datetime) -> datetime:
    """The instant of an event that lies nearest to an onset."""
    return min(max(onset, event.at), event.ended)


def measure_distance(event: Event, onset: datetime) -> timedelta:
    """How far an event lies from an onset."""
    return abs(find_nearest_instant(event, onset) - onset)
