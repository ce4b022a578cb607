"""diagnose(): every scenario judges alone, then their findings compete for each loss.

The scenario that was asked for keeps its verdict unless a rival explains the same loss better; the best explanation of
the VM's latest loss is told whatever the verdict.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from vmdiag.diagnosis.event_words import MIGRATIONS
from vmdiag.diagnosis.losses import search_losses
from vmdiag.diagnosis.model import (
    UNEXPLAINED,
    Attribution,
    Diagnosis,
    Evidence,
    Finding,
    Loss,
    Precedence,
    Scenario,
    Stance,
    State,
    Verdict,
)
from vmdiag.diagnosis.recommendation import list_moves, recommend_action
from vmdiag.model import Timeline
from vmdiag.values import replace

# A rival's cause that came this long before the asked one's is history: then only nearness to the onset counts.
EARLIER = timedelta(minutes=5)
# Recovery is seen a few minutes after the redeploy that brought it.
SOON = timedelta(minutes=5)
# Contract: of a network change and a migration the nearer one is blamed, and within so much of one another both may be.
SAME_DISTANCE = timedelta(minutes=3)
RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


def diagnose(timeline: Timeline, asked: Scenario, rivals: Sequence[Scenario] = ()) -> Diagnosis:
    """The answer for one VM: the asked scenario's verdict after the competition, and what explains each loss."""
    found = search_losses(timeline)
    others = [(rival.precedence, rival.detect(timeline)) for rival in rivals if rival.id != asked.id]
    finding = _compete(asked.detect(timeline), others)
    known = sorted((finding, *(other for _, other in others)), key=lambda one: (RANK[one.verdict], one.scenario))
    losses = tuple(_explain_loss(loss, known, asked.id) for loss in found.losses)
    if finding.verdict is Verdict.INCONCLUSIVE and finding.cause_at is None and losses:
        # The asked trigger may only be unheard: an explanation of every loss makes the case clear all the same.
        is_explained = all(loss.explained_by != UNEXPLAINED for loss in losses)
        finding = replace(finding, verdict=Verdict.CLEAR) if is_explained else finding
    # The latest loss says how things stand now, whichever loss the verdict is about.
    latest = losses[-1] if losses else None
    end = None if latest is None else latest.interval.end
    if latest is None:
        state = None
    elif end is None:
        state = State.OPEN
    else:
        is_moved = any(event.at <= end + SOON for event in list_moves(timeline, latest.interval.start))
        state = State.REDEPLOYED if is_moved else State.RECOVERED
    # The migration that the finding is about, else the last of the window.
    migrations = [event for event in timeline.list_events(*MIGRATIONS) if "undated" not in event.facts]
    inside = [event.at for event in migrations if event.ended >= timeline.window.start]
    cause_at = finding.cause_at
    blamed = [event.at for event in migrations if cause_at is not None and event.at <= cause_at <= event.ended]
    migrated_at = next(reversed(blamed or inside), None)
    explanation = None if latest is None else latest.explained_by
    silent_since = max((one.interval.start for one in found.silent if one.interval.is_open), default=None)
    return Diagnosis(
        verdict=finding.verdict,
        finding=finding,
        findings=tuple(finding if one.scenario == asked.id else one for one in known),
        losses=losses,
        explanation=None if (explanation, finding.verdict) == (UNEXPLAINED, Verdict.INCONCLUSIVE) else explanation,
        state=state,
        migrated_at=migrated_at,
        failed_at=None if latest is None else latest.interval.start,
        recovered_at=end,
        recommendation=recommend_action(timeline, finding, state, latest, is_silent=silent_since is not None),
        silent_since=silent_since,
    )


def _compete(asked: Finding, others: Sequence[tuple[Precedence, Finding]]) -> Finding:
    """The asked finding after its rivals: a better explanation takes a loss away, a possible one casts doubt on it."""
    if not asked.blames:
        return asked
    kept: list[Attribution] = []
    told: list[Evidence] = []
    for blame in asked.blames:
        found = [(how, theirs) for how, rival in others for theirs in rival.blames if theirs.loss == blame.loss]
        rivals = [(theirs.precedence or how, theirs) for how, theirs in found]
        ranked = [(_rank_rival(how, theirs, blame), theirs) for how, theirs in rivals]
        # A rival's evidence speaks against the asked scenario; a record that speaks for it does not do both.
        known = {(piece.signal, piece.at, piece.ref) for piece in blame.evidence}
        others_say = [piece for _, theirs in rivals for piece in theirs.evidence if piece.stance is Stance.FOR]
        against = [piece for piece in others_say if (piece.signal, piece.at, piece.ref) not in known]
        told += [*blame.evidence, *(replace(piece, stance=Stance.AGAINST) for piece in against)]
        better = [theirs for rank, theirs in ranked if rank is Rank.BETTER]
        if any(theirs.verdict is Verdict.CONFIRMED for theirs in better):
            continue
        is_doubtful = better or any(rank is Rank.EQUAL for rank, _ in ranked)
        is_lowered = is_doubtful and blame.verdict is Verdict.CONFIRMED
        kept.append(replace(blame, verdict=Verdict.SUSPECTED) if is_lowered else blame)
    if not kept:
        return replace(asked, verdict=Verdict.CLEAR, evidence=tuple(told), blames=(), wait=False)
    last = kept[-1]
    return replace(
        asked,
        verdict=last.verdict,
        evidence=(*told, *(piece for piece in asked.evidence if piece not in told)),
        blames=tuple(kept),
        cause_at=last.cause_at,
        wait=asked.wait and last.loss == asked.blames[-1].loss,
    )


class Rank(StrEnum):
    """How a rival's explanation of a loss stands beside the asked scenario's."""

    BETTER = "better"
    EQUAL = "equal"
    FARTHER = "farther"


def _rank_rival(precedence: Precedence, theirs: Attribution, ours: Attribution) -> Rank:
    onset = ours.loss.start
    distance, own = abs(onset - theirs.cause_at), abs(onset - ours.cause_at)
    if precedence is Precedence.NEARER:
        # What happened farther away is cited, and takes nothing from the verdict.
        if distance > own + SAME_DISTANCE:
            return Rank.FARTHER
        return Rank.BETTER if distance < own - SAME_DISTANCE else Rank.EQUAL
    is_later = theirs.cause_at >= ours.cause_at - EARLIER
    if distance < own or is_later or precedence is Precedence.ALWAYS:
        return Rank.BETTER
    return Rank.EQUAL if theirs.verdict is Verdict.SUSPECTED else Rank.FARTHER


def _explain_loss(loss: Loss, findings: Sequence[Finding], asked: str) -> Loss:
    """The loss with its best explanation: the asked scenario's, else the firmest, of equals the nearest cause."""
    ranked = [
        (one.scenario != asked, RANK[blame.verdict], abs(loss.interval.start - blame.cause_at), one.scenario)
        for one in findings
        for blame in one.blames
        if blame.loss == loss.interval
    ]
    return replace(loss, explained_by=min(ranked)[-1] if ranked else UNEXPLAINED)
