"""A migration that no loss begins with: clear where connectivity was seen to be normal, else it cannot be told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from vmdiag.diagnosis.losses import connectivity_losses, denied, habits, pauses, silent_agents, weak
from vmdiag.diagnosis.model import Channel, Evidence, Finding, Loss, Stance, Strength, Verdict
from vmdiag.diagnosis.scenarios._causes import cited
from vmdiag.diagnosis.scenarios._migration import judgements, shown, unread
from vmdiag.diagnosis.signal_state import Hearing, Judgement
from vmdiag.diagnosis.signals import ONSET_AFTER, SAME_MOMENT, onset_of
from vmdiag.model import Event, Signal, Timeline, Window

SCENARIO_ID = "live-migration-datapath"
# Three falls of minutes within two hours of a migration are no healthy one (contract, section 3).
FALLS, FALLS_WITHIN = 3, timedelta(hours=2)


def judge_without_loss(timeline: Timeline, event: Event) -> Finding:
    """The finding for the latest migration, which no loss begins with."""
    judged = dict(judgements(timeline, event))
    onset = onset_of(event)
    short = [loss for loss in pauses(timeline) if loss.interval.start in onset]
    elsewhere = [loss for loss in connectivity_losses(timeline) if _covers(timeline, loss, onset)]
    unclear = tuple(_unclear(timeline, event, onset))
    told = (
        *(shown(Stance.FOR, one) for one in denied(timeline) if one.signal is Signal.HEALTH and _overlaps(one, onset)),
        *(shown(Stance.AGAINST, channel) for loss in short for channel in loss.channels),
        *_normal(judged, event),
        *(shown(Stance.AGAINST, channel) for loss in elsewhere for channel in loss.channels),
        *unread(timeline, event),
    )
    wait = timeline.window.end < event.ended + ONSET_AFTER
    if elsewhere:
        return _finding(Verdict.CLEAR, event, told)
    if unclear:
        silent_alone = all(one.signal is Signal.HEARTBEAT for one in unclear)
        found = _finding(Verdict.INCONCLUSIVE, event, (*unclear, *told), wait=wait)
        return replace(found, if_shared=Verdict.CLEAR) if silent_alone else found
    paused = any(one.strength is Strength.STRONG for loss in short for one in loss.channels)
    heard = judged[Signal.TRAFFIC].hearing
    if heard is Hearing.NORMAL or (paused and heard is Hearing.UNJUDGED and not _is_falling(timeline, short)):
        return _finding(Verdict.CLEAR, event, told, wait=wait)
    hints = tuple(shown(Stance.FOR, one) for one in weak(timeline, Window(event.at, timeline.window.end)))
    return _finding(Verdict.INCONCLUSIVE, event, (*hints, *told, *_early(wait=wait)), wait=wait)


def _finding(verdict: Verdict, event: Event, evidence: tuple[Evidence, ...], *, wait: bool = False) -> Finding:
    return Finding(
        scenario=SCENARIO_ID,
        verdict=verdict,
        evidence=(cited(Stance.FOR, event), *evidence),
        cause_at=event.at,
        wait=wait,
    )


def _unclear(timeline: Timeline, event: Event, onset: Window) -> Iterator[Evidence]:
    """What keeps normal traffic, or its absence, from being an answer."""
    if "undated" in event.facts:
        says = "when Azure live-migrated the VM is not known, so no loss can be looked for"
        yield Evidence(stance=Stance.MISSING, signal=event.signal, says=says)
    for one in habits(timeline):
        if one.interval.start in onset:
            says = f"{one.says}, but its traffic falls at this hour on other days, too"
            yield Evidence(stance=Stance.MISSING, signal=one.signal, says=says, at=one.interval.start)
    for one in silent_agents(timeline):
        if one.interval.start in onset:
            says = f"{one.says} although its traffic stayed normal; they go to an address outside"
            yield Evidence(stance=Stance.FOR, signal=one.signal, says=says, at=one.interval.start)
    for one in denied(timeline):
        if one.signal is Signal.OPERATOR:
            says = f"{one.says}, but nothing that was measured shows a loss"
            yield Evidence(stance=Stance.FOR, signal=one.signal, says=says, at=one.interval.start)
    falls = _falls_after(timeline, onset)
    if len(falls) >= FALLS:
        yield from (shown(Stance.FOR, one) for one in falls)


def _falls_after(timeline: Timeline, onset: Window) -> list[Channel]:
    """The falls of minutes that follow one another from the onset window on."""
    falls = [one for loss in pauses(timeline) for one in loss.channels if one.signal is Signal.TRAFFIC]
    first = min((one.interval.start for one in falls if one.interval.start in onset), default=None)
    if first is None:
        return []
    told: list[Channel] = []
    for one in sorted(falls, key=lambda fall: fall.interval.start):
        # The metrics date one fall a minute or two apart.
        fresh = not told or one.interval.start - told[-1].interval.start > SAME_MOMENT
        if fresh and first <= one.interval.start <= first + FALLS_WITHIN:
            told.append(one)
    return told


def _normal(judged: dict[Signal, Judgement], event: Event) -> Iterator[Evidence]:
    for signal, one in judged.items():
        if one.hearing is Hearing.NORMAL:
            yield Evidence(stance=Stance.AGAINST, signal=signal, says=one.says, at=event.at)


def _is_falling(timeline: Timeline, short: list[Loss]) -> bool:
    """Whether what is too short for a loss still goes on."""
    return any(loss.interval.within(timeline.window.end).end >= timeline.window.end for loss in short)


def _early(*, wait: bool) -> Iterator[Evidence]:
    if wait:
        says = "too early to tell: a loss can begin up to 30 minutes after a migration"
        yield Evidence(stance=Stance.MISSING, signal=Signal.TRAFFIC, says=says)


def _covers(timeline: Timeline, loss: Loss, onset: Window) -> bool:
    """Whether a loss covers the onset without being the migration's: it began before, or the port was rebuilt first."""
    return loss.interval.within(timeline.window.end).overlaps(onset)


def _overlaps(channel: Channel, onset: Window) -> bool:
    return channel.interval.within(onset.end).overlaps(onset)
