"""A migration that no loss begins with: clear where connectivity was seen to be normal, else it cannot be told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from vmdiag.diagnosis.losses import (
    find_connectivity_losses,
    find_denied_signals,
    find_pauses,
    find_recurring_drops,
    find_silent_agents,
    find_weak_signals_in,
)
from vmdiag.diagnosis.model import Evidence, Finding, Loss, SignalLoss, Stance, Strength, Verdict
from vmdiag.diagnosis.scenarios._causes import cite_event
from vmdiag.diagnosis.scenarios._migration import cite_signal_loss, find_unjudged_signals, judge_strong_signals
from vmdiag.diagnosis.signal_state import SignalJudgement, SignalState
from vmdiag.diagnosis.signals import ONSET_AFTER, SAME_MOMENT, find_onset_window
from vmdiag.model import Event, Signal, Timeline, Window

SCENARIO_ID = "live-migration-datapath"
# Three falls of minutes within two hours of a migration are no healthy one (contract, section 3).
FALLS, FALLS_WITHIN = 3, timedelta(hours=2)


def judge_without_loss(timeline: Timeline, event: Event) -> Finding:
    """The finding for the latest migration, which no loss begins with."""
    judged = dict(judge_strong_signals(timeline, event))
    onset = find_onset_window(event)
    short = [loss for loss in find_pauses(timeline) if loss.interval.start in onset]
    elsewhere = [loss for loss in find_connectivity_losses(timeline) if _covers_onset(timeline, loss, onset)]
    unclear = tuple(_explain_unclear(timeline, event, onset))
    told = (
        *(
            cite_signal_loss(Stance.FOR, one)
            for one in find_denied_signals(timeline)
            if one.signal is Signal.HEALTH and _overlaps_onset(one, onset)
        ),
        *(cite_signal_loss(Stance.AGAINST, channel) for loss in short for channel in loss.channels),
        *_cite_normal_signals(judged, event),
        *(cite_signal_loss(Stance.AGAINST, channel) for loss in elsewhere for channel in loss.channels),
        *find_unjudged_signals(timeline, event),
    )
    wait = timeline.window.end < event.ended + ONSET_AFTER
    if elsewhere:
        return _build_finding(Verdict.CLEAR, event, told)
    if unclear:
        silent_alone = all(one.signal is Signal.HEARTBEAT for one in unclear)
        found = _build_finding(Verdict.INCONCLUSIVE, event, (*unclear, *told), wait=wait)
        return replace(found, if_shared=Verdict.CLEAR) if silent_alone else found
    paused = any(one.strength is Strength.STRONG for loss in short for one in loss.channels)
    heard = judged[Signal.TRAFFIC].hearing
    if heard is SignalState.NORMAL or (paused and heard is SignalState.UNJUDGED and not _is_falling(timeline, short)):
        return _build_finding(Verdict.CLEAR, event, told, wait=wait)
    hints = tuple(
        cite_signal_loss(Stance.FOR, one)
        for one in find_weak_signals_in(timeline, Window(event.at, timeline.window.end))
    )
    return _build_finding(Verdict.INCONCLUSIVE, event, (*hints, *told, *_is_too_early(wait=wait)), wait=wait)


def _build_finding(verdict: Verdict, event: Event, evidence: tuple[Evidence, ...], *, wait: bool = False) -> Finding:
    return Finding(
        scenario=SCENARIO_ID,
        verdict=verdict,
        evidence=(cite_event(Stance.FOR, event), *evidence),
        cause_at=event.at,
        wait=wait,
    )


def _explain_unclear(timeline: Timeline, event: Event, onset: Window) -> Iterator[Evidence]:
    """What keeps normal traffic, or its absence, from being an answer."""
    if "undated" in event.facts:
        says = "when Azure live-migrated the VM is not known, so no loss can be looked for"
        yield Evidence(stance=Stance.MISSING, signal=event.signal, says=says)
    for one in find_recurring_drops(timeline):
        if one.interval.start in onset:
            says = f"{one.says}, but its traffic falls at this hour on other days, too"
            yield Evidence(stance=Stance.MISSING, signal=one.signal, says=says, at=one.interval.start)
    for one in find_silent_agents(timeline):
        if one.interval.start in onset:
            says = f"{one.says} although its traffic stayed normal; they go to an address outside"
            yield Evidence(stance=Stance.FOR, signal=one.signal, says=says, at=one.interval.start)
    for one in find_denied_signals(timeline):
        if one.signal is Signal.OPERATOR:
            says = f"{one.says}, but nothing that was measured shows a loss"
            yield Evidence(stance=Stance.FOR, signal=one.signal, says=says, at=one.interval.start)
    falls = _find_falls_after(timeline, onset)
    if len(falls) >= FALLS:
        yield from (cite_signal_loss(Stance.FOR, one) for one in falls)


def _find_falls_after(timeline: Timeline, onset: Window) -> list[SignalLoss]:
    """The falls of minutes that follow one another from the onset window on."""
    falls = [one for loss in find_pauses(timeline) for one in loss.channels if one.signal is Signal.TRAFFIC]
    first = min((one.interval.start for one in falls if one.interval.start in onset), default=None)
    if first is None:
        return []
    told: list[SignalLoss] = []
    for one in sorted(falls, key=lambda fall: fall.interval.start):
        # The metrics date one fall a minute or two apart.
        fresh = not told or one.interval.start - told[-1].interval.start > SAME_MOMENT
        if fresh and first <= one.interval.start <= first + FALLS_WITHIN:
            told.append(one)
    return told


def _cite_normal_signals(judged: dict[Signal, SignalJudgement], event: Event) -> Iterator[Evidence]:
    for signal, one in judged.items():
        if one.hearing is SignalState.NORMAL:
            yield Evidence(stance=Stance.AGAINST, signal=signal, says=one.says, at=event.at)


def _is_falling(timeline: Timeline, short: list[Loss]) -> bool:
    """Whether what is too short for a loss still goes on."""
    return any(loss.interval.clip_to(timeline.window.end).end >= timeline.window.end for loss in short)


def _is_too_early(*, wait: bool) -> Iterator[Evidence]:
    if wait:
        says = "too early to tell: a loss can begin up to 30 minutes after a migration"
        yield Evidence(stance=Stance.MISSING, signal=Signal.TRAFFIC, says=says)


def _covers_onset(timeline: Timeline, loss: Loss, onset: Window) -> bool:
    """Whether a loss covers the onset without being the migration's: it began before, or the port was rebuilt first."""
    return loss.interval.clip_to(timeline.window.end).overlaps_window(onset)


def _overlaps_onset(channel: SignalLoss, onset: Window) -> bool:
    return channel.interval.clip_to(onset.end).overlaps_window(onset)
