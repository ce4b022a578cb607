"""How a scenario blames a loss on an event near its onset; shared by them all, must not know which one asks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmdiag.diagnosis.losses import ended_earlier_loss, find_connectivity_losses
from vmdiag.diagnosis.model import Attribution, Evidence, Finding, Loss, Stance, Verdict
from vmdiag.diagnosis.signal_state import was_well
from vmdiag.model import Coverage, Event, Kind, Needs, Signal, Timeline, Window

# The signals that can show a loss: every scenario needs them to have something to explain.
LOSS_SIGNALS = frozenset(
    {Signal.TRAFFIC, Signal.HEARTBEAT, Signal.HEALTH, Signal.POWER, Signal.OPERATOR, Signal.PROBE, Signal.AGENT}
)
# What usually happens at an hour is seen on three earlier days; baselines look an hour back from the first onset, and
# half an hour more covers the causes before it.
MARGIN = timedelta(days=3, minutes=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Which events explain a loss, how far from its onset they may lie, and what takes them back in between.

    `undone_by_life` says that an event explains nothing after which the VM was seen well before the loss began.
    """

    scenario: str
    kinds: tuple[Kind, ...]
    before: timedelta
    after: timedelta
    signals: frozenset[Signal] = frozenset({Signal.HEALTH, Signal.ACTIVITY})
    undone_by: tuple[Kind, ...] = ()
    undone_by_life: bool = False

    @property
    def needs(self) -> Needs:
        """What a scenario of this cause reads."""
        return Needs(signals=self.signals | LOSS_SIGNALS, triggers=frozenset(self.kinds), margin=MARGIN)


def attribute_losses(
    timeline: Timeline, cause: Cause, firm: Callable[[Event, Loss], bool] = lambda event, _: not is_pending(event)
) -> Finding:
    """A cause's finding: each loss goes to the nearest event in reach; `firm` says whether it surely explains it."""
    events = timeline.list_events(*cause.kinds)
    if not events:
        return find_no_cause(timeline, cause)
    blames = tuple(_attribute(timeline, cause, events, firm))
    evidence = tuple(piece for one in blames for piece in one.evidence)
    if not blames:
        evidence = tuple(cite_event(Stance.AGAINST, event, "no loss begins with it") for event in events[-3:])
    return Finding(
        scenario=cause.scenario,
        verdict=blames[-1].verdict if blames else Verdict.CLEAR,
        evidence=evidence,
        blames=blames,
        cause_at=blames[-1].cause_at if blames else events[-1].at,
    )


def find_no_cause(timeline: Timeline, cause: Cause) -> Finding:
    """No event of the cause: clear where a feed that would show it was heard, inconclusive where none was."""
    if any(_was_read(timeline, signal) for signal in cause.signals):
        return Finding(scenario=cause.scenario, verdict=Verdict.CLEAR)
    missing = tuple(
        Evidence(stance=Stance.MISSING, signal=signal, says=f"the {signal} feed that would show it was not read")
        for signal in sorted(cause.signals)
    )
    return Finding(scenario=cause.scenario, verdict=Verdict.INCONCLUSIVE, evidence=missing)


def _was_read(timeline: Timeline, signal: Signal) -> bool:
    """Whether silence of a feed means something: of one that was cut, what is missing may be what is looked for."""
    cut = any(gap.signal is signal and gap.cut and gap.window.overlaps_window(timeline.window) for gap in timeline.gaps)
    return not cut and timeline.measure_coverage(signal, timeline.window) is not Coverage.NONE


def cite_event(stance: Stance, event: Event, says: str = "") -> Evidence:
    """An event as a piece of evidence."""
    text = f"{event.says}: {says}" if says else event.says
    return Evidence(stance=stance, signal=event.signal, says=text, at=event.at, ref=event.ref or None)


def is_pending(event: Event) -> bool:
    """Whether only the begin of an operation was seen."""
    return "pending" in event.facts


def _attribute(
    timeline: Timeline, cause: Cause, events: tuple[Event, ...], firm: Callable[[Event, Loss], bool]
) -> Iterator[Attribution]:
    for loss in find_connectivity_losses(timeline):
        onset = loss.interval.start
        near = [
            event
            for event in events
            if event.ended >= onset - cause.before
            and event.at <= onset + cause.after
            and not any(event.ended < undone.at < onset for undone in timeline.list_events(*cause.undone_by))
            and not ended_earlier_loss(timeline, event, onset)
            and not (cause.undone_by_life and was_well(timeline, Window(event.ended, onset)))
        ]
        if not near:
            continue
        event = min(near, key=lambda event: (measure_distance(event, onset), event.at))
        sure = firm(event, loss)
        verdict = Verdict.CONFIRMED if sure else Verdict.SUSPECTED
        yield Attribution(
            loss=loss.interval,
            verdict=verdict,
            cause_at=find_nearest_instant(event, onset),
            evidence=(_cite_near_onset(event, onset),),
        )


def find_nearest_instant(event: Event, onset: datetime) -> datetime:
    """The instant of an event that lies nearest to an onset."""
    return min(max(onset, event.at), event.ended)


def measure_distance(event: Event, onset: datetime) -> timedelta:
    """How far an event lies from an onset."""
    return abs(find_nearest_instant(event, onset) - onset)


def _cite_near_onset(event: Event, onset: datetime) -> Evidence:
    minutes = round((onset - find_nearest_instant(event, onset)) / timedelta(minutes=1))
    when = f"{abs(minutes)} min {'before' if minutes > 0 else 'after'} the onset" if minutes else "as the loss began"
    return cite_event(Stance.FOR, event, when)
