"""What became of a VM's redeploy as a case: what was done, how things stand, and what to do next; pure."""

from collections.abc import Collection
from datetime import datetime

from vmdiag.diagnosis.model import Action, Case, Recommendation, State
from vmdiag.diagnosis.recommendation import BACK, ESCALATION, HEALTH, OFF, SETTLING, SUPPORT, UNDER_WAY
from vmdiag.mitigation import SETTLES, Mitigation, Status
from vmdiag.redeploy.context import FollowedRedeploy
from vmdiag.redeploy.guards import Order, Refusal, is_rebuilt
from vmdiag.redeploy.model import Preflight
from vmdiag.values import replace


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
    """The case as it was seen last, with what was done about it and what to do now.

    How things stand now is told under the verdict that was acted on: what is read afterwards is not about that loss
    alone. One that was proven to be over has ended, also if it comes and goes, of which a report waits half an hour.
    """
    plan, acted, seen = order.plan, order.plan.latest.diagnosis, followed.case
    done = replace(followed.entry.mitigation, guards=order.answers, loses=plan.loses, risks=plan.risks)
    case = seen if seen is not None and seen.diagnosis.verdict.is_flagged else plan.latest
    last, loss = case.diagnosis, case.diagnosis.loss
    losses, state, recovered_at = last.losses, last.state, last.recovered_at
    if loss is not None:
        began = loss.interval.start
        if done.started_at is None or began <= done.started_at:
            loss = replace(loss, explained_by=acted.explanation)
        if done.reachable_again and state is State.OPEN:
            recovered_at, state = max(done.finished_at or case.window.end, began), State.REDEPLOYED
            loss = replace(loss, interval=replace(loss.interval, end=recovered_at))
        losses = (*losses[:-1], loss)
    diagnosis = replace(
        acted,
        losses=losses,
        state=state,
        recovered_at=recovered_at,
        recommendation=recommend_after_redeploy(done, followed.hint, now),
        silent_since=last.silent_since,
    )
    return replace(case, mitigation=done, diagnosis=diagnosis)


def build_refused_case(one: Refusal) -> Case:
    """The case of a VM that guards keep from being redeployed, with what to do instead."""
    case, seen = add_mitigation(one, Status.REFUSED, one.says), one.plan.latest.diagnosis
    # A redeploy that left the VM down began for the loss before: what is lost since is its doing.
    lost = min(filter(None, (seen.failed_at, *(blame.loss.start for blame in seen.finding.blames))), default=None)
    facts, now = one.plan.preflight, one.plan.latest.window.end
    since = [at for at in facts.redeploys if lost is not None and at >= lost] if facts is not None else []
    if facts is not None and facts.changed_at is not None and (since or is_rebuilt(facts, lost)):
        # The provisioning state tells when it ended.
        since.append(facts.changed_at)
    is_fresh = any(now - at < SETTLES for at in since)
    guards = [answer.guard for answer in one.against]
    advice = recommend_after_refusal(guards, facts, redeployed=bool(since), is_fresh=is_fresh)
    return case if advice is None else replace(case, diagnosis=replace(case.diagnosis, recommendation=advice))


def add_mitigation(one: Order | Refusal, status: Status, says: str) -> Case:
    """The case with what was decided about it."""
    plan = one.plan
    done = Mitigation(status=status, says=says, guards=one.answers, loses=plan.loses, risks=plan.risks)
    return replace(plan.case, mitigation=done)
