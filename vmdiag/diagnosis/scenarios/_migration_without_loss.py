"""A migration that no loss begins with: clear where connectivity was seen to be normal, else it cannot be told."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from vmdiag.diagnosis.losses import search_losses
from vmdiag.diagnosis.model import Evidence, Finding, Loss, SignalLoss, Stance, Strength, Verdict
from vmdiag.diagnosis.scenarios._migration import Judgements, cite_judged_signals, cite_signal_loss
from vmdiag.diagnosis.signals import (
    ONSET_AFTER,
    SAME_MOMENT,
    SignalState,
    cite_event,
    find_onset_window,
    find_weak_signals,
)
from vmdiag.diagnosis.traffic_drops import BASELINE
from vmdiag.diagnosis.witnesses import cite_witnesses, find_weak_witnesses
from vmdiag.model import Event, Signal, Timeline, Window, subtract_span

# Three falls of minutes within two hours of a migration are no healthy one (contract, section 3).
FALLS, FALLS_WITHIN = 3, timedelta(hours=2)


def judge_without_loss(timeline: Timeline, event: Event, judged: Judgements, scenario: str) -> Finding:
    """The finding for the latest migration, which no loss begins with."""
    found, onset, now = search_losses(timeline), find_onset_window(event), timeline.window.end
    denied = [one for one in found.denied if one.signal is not Signal.OPERATOR]
    weak = find_weak_witnesses(timeline, Window(event.ended, now)) if event.ended <= now else []
    short = [loss for loss in found.pauses if loss.interval.start in onset]
    # Losses over the onset that are not the migration's: they began before, or the port was rebuilt first.
    elsewhere = [loss for loss in found.losses if loss.interval.clip_to(now).overlaps_window(onset)]
    told = [
        *(
            cite_signal_loss(Stance.FOR, one)
            for one in denied
            if one.interval.clip_to(onset.end).overlaps_window(onset)
        ),
        *(cite_signal_loss(Stance.AGAINST, channel) for loss in short for channel in loss.channels),
        *(cite_signal_loss(Stance.FOR, one) for one in weak),
        *(cite_signal_loss(Stance.AGAINST, one) for one in cite_witnesses(timeline, Window(event.ended, now))),
        *cite_judged_signals(judged, SignalState.NORMAL, Stance.AGAINST, event.at),
        *(cite_signal_loss(Stance.AGAINST, channel) for loss in elsewhere for channel in loss.channels),
        *cite_judged_signals(judged, SignalState.UNJUDGED, Stance.MISSING, None),
    ]
    verdict, if_shared, wait = Verdict.INCONCLUSIVE, None, now < event.ended + ONSET_AFTER
    unclear = list(_explain_unclear(timeline, elsewhere, event, onset))
    # What paused, and is back, need not be judged.
    paused = any(one.strength is Strength.STRONG for loss in short for one in loss.channels)
    is_over = all(loss.interval.clip_to(now).end < now for loss in short)
    clear = {SignalState.NORMAL, SignalState.UNJUDGED} if paused and is_over else {SignalState.NORMAL}
    if elsewhere:
        verdict, wait = verdict if unclear else Verdict.CLEAR, False
    elif unclear:
        if_shared = Verdict.CLEAR if all(one.signal is Signal.HEARTBEAT for one in unclear) else None
    elif judged[Signal.TRAFFIC].hearing in clear:
        verdict = Verdict.CLEAR
    else:
        hints = find_weak_signals(timeline, Window(event.at, now))
        unclear = [cite_signal_loss(Stance.FOR, one) for one in hints]
        if wait:
            says = "too early to tell: a loss can begin up to 30 minutes after a migration"
            told.append(Evidence(stance=Stance.MISSING, signal=Signal.TRAFFIC, says=says))
    evidence = (cite_event(Stance.FOR, event), *unclear, *told)
    return Finding(
        scenario=scenario, verdict=verdict, evidence=evidence, cause_at=event.at, wait=wait, if_shared=if_shared
    )


def _explain_unclear(timeline: Timeline, elsewhere: Sequence[Loss], event: Event, onset: Window) -> Iterator[Evidence]:
    """What keeps normal traffic, its absence, or a loss that is not the migration's from being an answer."""
    for loss in elsewhere:
        begin = loss.interval.start
        # What was measured outweighs the time that the operator states (contract, section 3), where it was read.
        is_stated = all(one.signal is Signal.OPERATOR or one.interval.start > begin for one in loss.channels)
        span = Window(subtract_span(min(begin, onset.start), BASELINE), onset.end)
        unread = [one for one in (Signal.TRAFFIC, Signal.HEARTBEAT) if timeline.is_unread(one, span)]
        if is_stated and unread:
            says = f"when the loss began is only stated: {' and '.join(unread)} would tell, not read whole"
            yield Evidence(stance=Stance.MISSING, signal=unread[0], says=says)
    if elsewhere:
        return
    found = search_losses(timeline)
    if "undated" in event.facts:
        says = "when Azure live-migrated the VM is not known, so no loss can be looked for"
        yield Evidence(stance=Stance.MISSING, signal=event.signal, says=says)
    habit = "but its traffic falls at this hour on other days, too"
    silence = "although its traffic stayed normal; they go to an address outside"
    word = "but nothing that was measured shows a loss"
    told = [
        *((Stance.MISSING, one, f", {habit}") for one in found.habits if one.interval.start in onset),
        *((Stance.FOR, one, f" {silence}") for one in found.silent if one.interval.start in onset),
        *((Stance.FOR, one, f", {word}") for one in found.denied if one.signal is Signal.OPERATOR),
    ]
    for stance, one, says in told:
        yield Evidence(stance=stance, signal=one.signal, says=f"{one.says}{says}", at=one.interval.start)
    pieces = [one for loss in found.pauses for one in loss.channels if one.signal is Signal.TRAFFIC]
    first = min((one.interval.start for one in pieces if one.interval.start in onset), default=None)
    falls: list[SignalLoss] = []
    for one in sorted(pieces, key=lambda piece: piece.interval.start):
        start = one.interval.start
        # The metrics date one fall a minute or two apart.
        is_next = not falls or start - falls[-1].interval.start > SAME_MOMENT
        if is_next and first is not None and first <= start <= first + FALLS_WITHIN:
            falls.append(one)
    if len(falls) >= FALLS:
        yield from (cite_signal_loss(Stance.FOR, one) for one in falls)
