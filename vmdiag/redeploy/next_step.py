"""What to do next once a redeploy was asked for, or was refused; pure."""

from collections.abc import Collection

from vmdiag.diagnosis.model import Action, Recommendation
from vmdiag.diagnosis.recommendation import BACK, ESCALATION, HEALTH, OFF, SETTLING, SUPPORT, UNDER_WAY
from vmdiag.mitigation import Mitigation, Status
from vmdiag.redeploy.model import Preflight


def recommend_after_redeploy(mitigation: Mitigation, hint: str) -> Recommendation:
    """What to do next once a redeploy was asked for; `hint` is what to do about its failure."""
    resume = "'vmdiag mitigations --resume' finds out how it ended, without asking for another one."
    match mitigation.status, mitigation.reachable_again:
        case Status.STARTED, _:
            return Recommendation(action=Action.WAIT, says=f"Azure still works on it: {resume}")
        case Status.UNKNOWN, _:
            return Recommendation(action=Action.WAIT, says=f"Do not redeploy again: {resume}")
        case Status.SUCCEEDED, True:
            return BACK
        case Status.SUCCEEDED, False:
            return ESCALATION
        case Status.SUCCEEDED, None:
            says = "Try to connect. If the VM cannot be reached, open a support request, do not redeploy again."
            return Recommendation(action=Action.ESCALATE, says=says, links=(SUPPORT,))
        case _:
            return Recommendation(action=Action.INVESTIGATE, says=hint or "Look at the VM and its activity log.")


def recommend_after_refusal(
    guards: Collection[str], facts: Preflight | None, *, redeployed: bool, is_fresh: bool = False
) -> Recommendation | None:
    """What to do where these guards refuse; `None` where the advice stays.

    `redeployed`: since this loss began; `is_fresh`: it ended less than 10 minutes ago.
    """
    if redeployed and facts is not None and facts.provisioning == "updating":
        return UNDER_WAY
    if redeployed and facts is not None and facts.power == "deallocated":
        return OFF
    if redeployed and is_fresh:
        return SETTLING
    if redeployed:
        return ESCALATION
    if "storm" in guards:
        says = "Many VMs are hit at once, by one event perhaps: look at Service Health, and redeploy none before that."
        return Recommendation(action=Action.INVESTIGATE, says=says, links=(HEALTH,))
    return None
