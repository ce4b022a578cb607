"""What became of a VM's redeploy as a case: what was done, how things stand, and what to do next; pure."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from vmdiag.diagnosis.model import Action, Case, Diagnosis, Recommendation, State
from vmdiag.diagnosis.recommendation import BACK, ESCALATION, HEALTH, OFF, SETTLES, SETTLING, SUPPORT, UNDER_WAY
from vmdiag.mitigation import GuardResult, Mitigation, Status
from vmdiag.redeploy.context import FollowedRedeploy
from vmdiag.redeploy.guards import Order, Refusal, is_rebuilt
from vmdiag.redeploy.model import Plan, Preflight


def recommend_after_redeploy(mitigation: Mitigation, hint: str, now: datetime) -> Recommendation:
    """What to do next once a redeploy was asked for; `hint` is what to do about its failure, `now` the last look."""
    resume = "'vmdiag mitigations --resume' finds out how it ended, without asking for another one."
    is_fresh = mitigation.finished_at is not None and now - mitigation.finished_at < SETTLES
    connect = "Try to connect. If the VM cannot be reached, open a support request, do not redeploy again."
    match mitigation.status, mitigation.reachable_again:
        case Status.STARTED, _:
            return Recommendation(action=Action.WAIT, says=f"Azure still works on it: {resume}")
        case Status.UNKNOWN, _:
            return Recommendation(action=Action.WAIT, says=f"Do not redeploy again: {resume}")
        case Status.SUCCEEDED, True:
            return BACK
        case Status.SUCCEEDED, None:
            unproven = Recommendation(action=Action.ESCALATE, says=connect, links=(SUPPORT,))
            return SETTLING if is_fresh else unproven
        case Status.SUCCEEDED, False:
            return ESCALATION
        case _:
            return Recommendation(action=Action.INVESTIGATE, says=hint or "Look at the VM and its activity log.")


def recommend_after_refusal(
    guards: Collection[str], facts: Preflight | None, *, redeployed: bool, is_fresh: bool = False
) -> Recommendation | None:
    """What to do where these guards refuse; `None` where the advice stays.

    `redeployed`: since this loss began; `is_fresh`: it ended less than 10 minutes ago.
    """
    if redeployed:
        if facts is not None and facts.provisioning == "updating":
            return UNDER_WAY
        if facts is not None and facts.power == "deallocated":
            return OFF
        return SETTLING if is_fresh else ESCALATION
    if "storm" not in guards:
        return None
    says = "Many VMs are hit at once, by one event perhaps: look at Service Health, and redeploy none before that."
    if facts is not None and "recent" in facts.unread:
        says = "Redeploys nearby could not be read, so many VMs may be hit at once: look at Service Health first."
    return Recommendation(action=Action.INVESTIGATE, says=says, links=(HEALTH,))


def build_outcome(order: Order, followed: FollowedRedeploy, now: datetime) -> Case:
    """The case as it was seen last, with what was done about it and what to do now."""
    done = replace(followed.entry.mitigation, guards=order.answers, loses=order.plan.loses, risks=order.plan.risks)
    seen = followed.case
    case = seen if seen is not None and seen.diagnosis.verdict.is_flagged else order.plan.latest
    advice = recommend_after_redeploy(done, followed.hint, now)
    return replace(case, mitigation=done, diagnosis=replace(_keep_verdict(order, case, done), recommendation=advice))


def _keep_verdict(order: Order, case: Case, done: Mitigation) -> Diagnosis:
    """How things stand now, under the verdict that was acted on: what is read afterwards is not about that loss alone.

    A loss that was proven to be over has ended, also one that comes and goes, of which a report waits for half an hour.
    """
    acted, now = order.plan.latest.diagnosis, case.diagnosis
    kept = replace(
        now,
        verdict=acted.verdict,
        finding=acted.finding,
        findings=acted.findings,
        explanation=acted.explanation,
        migrated_at=acted.migrated_at,
        failed_at=acted.failed_at,
    )
    if now.loss is None:
        return kept
    began, loss = now.loss.interval.start, now.loss
    if done.started_at is None or began <= done.started_at:
        loss = replace(loss, explained_by=acted.explanation)
    if done.reachable_again and now.state is State.OPEN:
        ended = max(done.finished_at or case.window.end, began)
        loss = replace(loss, interval=replace(loss.interval, end=ended))
        kept = replace(kept, state=State.REDEPLOYED, recovered_at=ended)
    return replace(kept, losses=(*now.losses[:-1], loss))


def build_refused_case(one: Refusal) -> Case:
    """The case of a VM that guards keep from being redeployed, with what to do instead."""
    case, seen = add_mitigation(one.plan, Status.REFUSED, one.says, one.answers), one.plan.latest.diagnosis
    # A redeploy that left the VM down began for the loss before: what is lost since is its doing.
    lost = min(filter(None, (seen.failed_at, *(blame.loss.start for blame in seen.finding.blames))), default=None)
    facts, now = one.plan.preflight, one.plan.latest.window.end
    since = [at for at in facts.redeploys if lost is not None and at >= lost] if facts is not None else []
    if facts is not None and facts.changed_at is not None and (since or is_rebuilt(facts, lost)):
        # The provisioning state tells when it ended.
        since.append(facts.changed_at)
    is_fresh = any(now - at < SETTLES for at in since)
    advice = recommend_after_refusal(
        [answer.guard for answer in one.against], facts, redeployed=bool(since), is_fresh=is_fresh
    )
    if advice is None:
        return case
    return replace(case, diagnosis=replace(case.diagnosis, recommendation=advice))


def build_planned_case(one: Refusal, says: str) -> Case:
    """The case of a VM that qualifies, or qualified, and was not touched."""
    return add_mitigation(one.plan, Status.PLANNED, says, one.answers)


def add_mitigation(one: Plan, status: Status, says: str, answers: tuple[GuardResult, ...] = ()) -> Case:
    """The case with what was decided about it."""
    done = Mitigation(status=status, says=says, guards=answers, loses=one.loses, risks=one.risks)
    return replace(one.case, mitigation=done)
