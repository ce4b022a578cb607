"""recommend(): the next step for a diagnosed VM and why; must not judge."""

from collections.abc import Collection

from vmdiag.diagnosis import Action, Finding, Recommendation, State, Verdict
from vmdiag.mitigation import Mitigation, Status
from vmdiag.model import Interval, Kind, Timeline

LINUX = "https://learn.microsoft.com/troubleshoot/azure/virtual-machines/linux/redeploy-to-new-node-linux"
WINDOWS = "https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/redeploy-to-new-node-windows"
SUPPORT = "https://learn.microsoft.com/azure/azure-portal/supportability/how-to-create-azure-support-request"
HEALTH = "https://learn.microsoft.com/azure/service-health/resource-health-overview"

ESCALATION = Recommendation(
    action=Action.ESCALATE,
    says="The VM was redeployed and still cannot be reached: open a support request, do not redeploy again.",
    links=(SUPPORT,),
)


def recommend(
    timeline: Timeline, finding: Finding, state: State | None, explanation: str | None, loss: Interval | None
) -> Recommendation:
    """What to do next; `loss` is the one that the verdict is about, `explanation` what explains the latest one."""
    if finding.wait:
        return Recommendation(
            action=Action.WAIT,
            says="Too early to tell: look again 30 minutes after the migration.",
        )
    if finding.verdict.is_flagged:
        return _for_affected(timeline, finding, state, loss)
    if finding.verdict is Verdict.INCONCLUSIVE:
        return Recommendation(action=Action.INVESTIGATE, says=_what_would_tell(timeline, finding))
    if state is State.OPEN:
        known = "another cause is likelier" if explanation != "unexplained" else "nothing that was read explains it"
        return Recommendation(
            action=Action.INVESTIGATE,
            says=f"The VM is cut off, but {known}: {explanation}. A redeploy is not advised.",
            links=(HEALTH,),
        )
    return Recommendation(action=Action.NONE, says="Nothing to do.")


def advise_after(mitigation: Mitigation, hint: str) -> Recommendation:
    """What to do next once a redeploy was asked for; `hint` is what to do about its failure."""
    resume = "'vmdiag mitigations --resume' finds out how it ended, without asking for another one."
    match mitigation.status, mitigation.reachable_again:
        case Status.STARTED, _:
            return Recommendation(action=Action.WAIT, says=f"Azure still works on it: {resume}")
        case Status.UNKNOWN, _:
            return Recommendation(action=Action.WAIT, says=f"Do not redeploy again: {resume}")
        case Status.SUCCEEDED, True:
            return Recommendation(action=Action.NONE, says="Nothing to do: the VM can be reached again.")
        case Status.SUCCEEDED, False:
            return ESCALATION
        case Status.SUCCEEDED, None:
            says = "Try to connect. If the VM cannot be reached, open a support request, do not redeploy again."
            return Recommendation(action=Action.ESCALATE, says=says, links=(SUPPORT,))
        case _:
            return Recommendation(action=Action.INVESTIGATE, says=hint or "Look at the VM, then run again.")


def advise_refused(guards: Collection[str], *, redeployed: bool) -> Recommendation | None:
    """What to do where these guards refuse; `None` where the advice stays. `redeployed`: since this loss began."""
    if redeployed:
        return ESCALATION
    if "storm" in guards:
        says = "Many VMs are hit at once, by one event perhaps: look at Service Health, and redeploy none before that."
        return Recommendation(action=Action.INVESTIGATE, says=says, links=(HEALTH,))
    return None


def _for_affected(timeline: Timeline, finding: Finding, state: State | None, loss: Interval | None) -> Recommendation:
    if state is not State.OPEN or loss is None:
        return Recommendation(action=Action.NONE, says="Nothing to do: the VM can be reached again.")
    if any(event.at >= loss.start for event in timeline.of(Kind.REDEPLOY)):
        return ESCALATION
    if _is_off(timeline):
        return Recommendation(
            action=Action.INVESTIGATE,
            says="The VM is off now. If it was deallocated, a start puts it on a new host, as a redeploy would.",
        )
    doubt = "" if finding.verdict is Verdict.CONFIRMED else " Weigh what speaks against it first."
    links = {"linux": (LINUX,), "windows": (WINDOWS,)}.get((timeline.vm.os or "").lower(), (LINUX, WINDOWS))
    return Recommendation(
        action=Action.REDEPLOY,
        says=f"Redeploy the VM: it moves to a new host and reboots.{doubt}",
        links=links,
    )


def _is_off(timeline: Timeline) -> bool:
    states = timeline.of(
        Kind.POWER_RUNNING, Kind.POWER_STOPPED, Kind.POWER_DEALLOCATED, Kind.STOP, Kind.DEALLOCATE, Kind.START
    )
    return bool(states) and states[-1].kind in (
        Kind.POWER_STOPPED, Kind.POWER_DEALLOCATED, Kind.STOP, Kind.DEALLOCATE
    )  # fmt: skip


def _what_would_tell(timeline: Timeline, finding: Finding) -> str:
    if finding.cause_at is not None:
        return (
            "Whether the VM lost connectivity cannot be told: add its traffic metrics or heartbeats, "
            "or say --unreachable-since when it cannot be reached."
        )
    if timeline.gaps:
        return "Whether the VM was live-migrated cannot be told: add its health history from Resource Graph."
    return "Nothing that was read can tell."
