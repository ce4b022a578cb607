"""What to do next once a redeploy was asked for, or was refused; pure."""

from collections.abc import Collection
from datetime import datetime

from vmdiag.diagnosis.model import Action, Recommendation
from vmdiag.diagnosis.recommendation import BACK, ESCALATION, HEALTH, OFF, SETTLES, SETTLING, SUPPORT, UNDER_WAY
from vmdiag.mitigation import Mitigation, Status
from vmdiag.redeploy.model import Preflight


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
