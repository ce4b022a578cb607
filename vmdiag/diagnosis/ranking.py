"""diagnose(): every scenario judges alone, then their findings compete for each loss; must not know any one scenario.

The scenario that was asked for keeps its verdict unless a rival explains the same loss better; the best explanation of
the VM's latest loss is told whatever the verdict.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from vmdiag.diagnosis.losses import find_connectivity_losses, find_silent_agents
from vmdiag.diagnosis.model import Attribution, Diagnosis, Evidence, Finding, Loss, Scenario, Stance, State, Verdict
from vmdiag.diagnosis.recommendation import recommend_action
from vmdiag.diagnosis.signals import MIGRATIONS
from vmdiag.model import Interval, Kind, Timeline

UNEXPLAINED = "unexplained"
# A rival's cause that came this long before the asked one's is history: then only nearness to the onset counts.
EARLIER = timedelta(minutes=5)
# Recovery is seen a few minutes after the redeploy that brought it.
SOON = timedelta(minutes=5)
RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


def diagnose(timeline: Timeline, asked: Scenario, rivals: Sequence[Scenario] = ()) -> Diagnosis:
    """The answer for one VM: the asked scenario's verdict after the competition, and what explains each loss."""
    alone = asked.detect(timeline)
    others = [rival.detect(timeline) for rival in rivals if rival.id != asked.id]
    finding = _compete(alone, others)
    findings = tuple(sorted((finding, *others), key=lambda one: (RANK[one.verdict], one.scenario)))
    losses = tuple(_explain_loss(loss, findings, asked.id) for loss in find_connectivity_losses(timeline))
    finding = _settle_verdict(finding, losses)
    findings = tuple(finding if one.scenario == asked.id else one for one in findings)
    return _build_diagnosis(timeline, finding, findings, losses)


def _build_diagnosis(
    timeline: Timeline, finding: Finding, findings: tuple[Finding, ...], losses: tuple[Loss, ...]
) -> Diagnosis:
    """The latest loss says how things stand now, whichever loss the verdict is about."""
    latest = losses[-1] if losses else None
    state = _find_state(timeline, latest.interval) if latest is not None else None
    explanation = latest.explained_by if latest is not None else None
    if explanation == UNEXPLAINED and finding.verdict is Verdict.INCONCLUSIVE:
        explanation = None
    silent = [one.interval.start for one in find_silent_agents(timeline) if one.interval.is_open]
    return Diagnosis(
        verdict=finding.verdict,
        finding=finding,
        findings=findings,
        losses=losses,
        explanation=explanation,
        state=state,
        migrated_at=_find_migration_time(timeline, finding),
        failed_at=latest.interval.start if latest is not None else None,
        recovered_at=latest.interval.end if latest is not None else None,
        recommendation=recommend_action(timeline, finding, state, latest),
        silent_since=max(silent, default=None),
    )


def _compete(asked: Finding, others: Iterable[Finding]) -> Finding:
    """The asked finding after its rivals: a better explanation takes a loss away, a possible one casts doubt on it."""
    kept: list[Attribution] = []
    told: list[Evidence] = []
    for blame in asked.blames:
        rivals = [(rival, theirs) for rival in others for theirs in rival.blames if theirs.loss == blame.loss]
        rank = {id(theirs): _rank_rival(rival, theirs, blame) for rival, theirs in rivals}
        doubts = [piece for _, theirs in rivals for piece in _turn_evidence(theirs, blame)]
        better = [theirs for _, theirs in rivals if rank[id(theirs)] is Rank.BETTER]
        told += [*blame.evidence, *doubts]
        if any(theirs.verdict is Verdict.CONFIRMED for theirs in better):
            continue
        possible = bool(better) or any(rank[id(theirs)] is Rank.EQUAL for _, theirs in rivals)
        kept.append(_lower_attribution(blame) if possible else blame)
    if not asked.blames:
        return asked
    if not kept:
        return replace(asked, verdict=Verdict.CLEAR, evidence=tuple(told), blames=(), wait=False)
    last = kept[-1]
    wait = asked.wait and last.loss == asked.blames[-1].loss
    extra = tuple(piece for piece in asked.evidence if piece not in told)
    evidence = (*told, *extra)
    return replace(
        asked, verdict=last.verdict, evidence=evidence, blames=tuple(kept), cause_at=last.cause_at, wait=wait
    )


class Rank(StrEnum):
    """How a rival's explanation of a loss stands beside the asked scenario's."""

    BETTER = "better"
    EQUAL = "equal"
    FARTHER = "farther"


def _rank_rival(rival: Finding, theirs: Attribution, ours: Attribution) -> Rank:
    """A rival explains a loss better by nearness to the onset, or because it came with or after our cause."""
    onset = ours.loss.start
    distance, own = abs(onset - theirs.cause_at), abs(onset - ours.cause_at)
    if rival.scenario in BY_NEARNESS:
        # What happened farther away is cited, and takes nothing from the verdict.
        if distance > own + SAME_MOMENT:
            return Rank.FARTHER
        return Rank.BETTER if distance < own - SAME_MOMENT else Rank.EQUAL
    later = theirs.cause_at >= ours.cause_at - EARLIER
    if distance < own or later or rival.scenario in ALWAYS:
        return Rank.BETTER
    return Rank.EQUAL if theirs.verdict is Verdict.SUSPECTED else Rank.FARTHER


# Contract: of a network change and a migration the nearer one is blamed, and within so much of one another both may be.
SAME_MOMENT = timedelta(minutes=3)
BY_NEARNESS = frozenset({"network-change"})
# An incident is dated roughly and goes on: its begin says little about nearness.
ALWAYS = frozenset({"service-incident", "platform-network"})


def _turn_evidence(rival: Attribution, ours: Attribution) -> tuple[Evidence, ...]:
    """A rival's evidence, as it speaks against the asked scenario; a record that speaks for it does not do both."""
    known = {(piece.signal, piece.at, piece.ref) for piece in ours.evidence}
    return tuple(
        replace(piece, stance=Stance.AGAINST)
        for piece in rival.evidence
        if piece.stance is Stance.FOR and (piece.signal, piece.at, piece.ref) not in known
    )


def _lower_attribution(blame: Attribution) -> Attribution:
    return replace(blame, verdict=Verdict.SUSPECTED) if blame.verdict is Verdict.CONFIRMED else blame


def _explain_loss(loss: Loss, findings: Sequence[Finding], asked: str) -> Loss:
    """The loss with its best explanation: the firmest, of equals the asked scenario, then the nearest cause."""
    blames = [(one.scenario, blame) for one in findings for blame in one.blames if blame.loss == loss.interval]
    if not blames:
        return replace(loss, explained_by=UNEXPLAINED)
    onset = loss.interval.start
    scenario, _ = min(
        blames,
        key=lambda pair: (
            pair[0] != asked,
            RANK[pair[1].verdict],
            abs(onset - pair[1].cause_at),
            pair[0],
        ),
    )
    return replace(loss, explained_by=scenario)


def _settle_verdict(finding: Finding, losses: Sequence[Loss]) -> Finding:
    """Where the asked trigger may only be unheard, an explanation of every loss makes the case clear all the same."""
    if finding.verdict is not Verdict.INCONCLUSIVE or finding.cause_at is not None or not losses:
        return finding
    if any(loss.explained_by == UNEXPLAINED for loss in losses):
        return finding
    return replace(finding, verdict=Verdict.CLEAR)


def _find_state(timeline: Timeline, loss: Interval) -> State:
    if loss.end is None:
        return State.OPEN
    redeploys = [event.at for event in timeline.list_events(Kind.REDEPLOY)]
    stops = [event.at for event in timeline.list_events(Kind.DEALLOCATE) if event.at >= loss.start]
    starts = [event.at for event in timeline.list_events(Kind.START) if stops and event.at > stops[0]]
    moved = any(loss.start <= at <= loss.end + SOON for at in (*redeploys, *starts))
    return State.REDEPLOYED if moved else State.RECOVERED


def _find_migration_time(timeline: Timeline, finding: Finding) -> datetime | None:
    """The migration that the finding is about, else the last of the window; `None` where its time is not known."""
    migrations = [event for event in timeline.list_events(*MIGRATIONS) if "undated" not in event.facts]
    if finding.cause_at is not None:
        for event in reversed(migrations):
            if event.at <= finding.cause_at <= event.ended:
                return event.at
    inside = [event.at for event in migrations if event.ended >= timeline.window.start]
    return inside[-1] if inside else None
