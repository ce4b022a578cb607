"""recommend_action(): the next step for a diagnosed VM and why."""

from datetime import datetime, timedelta

from vmdiag.diagnosis.event_words import MIGRATIONS
from vmdiag.diagnosis.model import UNEXPLAINED, Action, Extent, Finding, Loss, Recommendation, Stance, State, Verdict
from vmdiag.diagnosis.witnesses import find_witness_losses
from vmdiag.mitigation import SETTLES, list_instructions
from vmdiag.model import Event, Kind, Signal, Timeline

SUPPORT = "https://learn.microsoft.com/azure/azure-portal/supportability/how-to-create-azure-support-request"
HEALTH = "https://learn.microsoft.com/azure/service-health/resource-health-overview"

EARLY = Recommendation(action=Action.WAIT, says="Too early to tell: look again 30 minutes after the migration.")
NOT_OVER = Recommendation(
    action=Action.WAIT,
    says="Nothing was lost so far; a loss can begin up to 30 minutes after a migration: look again then.",
)
SETTLING = Recommendation(
    action=Action.WAIT,
    says="The VM was moved only minutes ago: look again 10 minutes after the end of its redeploy or start.",
)
SILENT = Recommendation(
    action=Action.INVESTIGATE,
    says="The VM carries its usual traffic, but its monitoring agent is silent: look at the agent, its workspace and "
    "the way there. A redeploy is not advised.",
)
# A guest's firewall or a rule that keeps the probes' source out fails them alone.
PROBED = (
    "No connectivity was lost, but {}. Look at the application on that port, at what the probe asks for, and at what "
    "may keep its source out (the service tag AzureLoadBalancer). A redeploy is not advised."
)
PROBES = "https://learn.microsoft.com/azure/load-balancer/load-balancer-custom-probe-overview"
CUT_OFF = Recommendation(
    action=Action.INVESTIGATE,
    says="The VM is cut off, and nothing that was read explains it. A redeploy is not advised.",
    links=(HEALTH,),
)
PART_LOST = (
    "A part of the VM's traffic is gone since the migration: try to reach it from where it is used (a peered network, "
    "on-premises, the internet), and say --unreachable-since if it cannot be reached from there."
)
CLIENT_SETTINGS = "keepalive, TCP_USER_TIMEOUT, a lifetime for pooled connections"
ANSWERED = (
    "New connections from outside are answered: look at the clients, which may hold connections that died with the "
    f"pause ({CLIENT_SETTINGS}), and at what the VM itself cannot reach."
)
# What a healthy migration leaves behind with clients that never look whether somebody is still there.
WELL_AFTER_MOVE = (
    "Nothing to do. Clients that hang since the migration hold connections that died with its pause: "
    f"{CLIENT_SETTINGS}."
)
BACK = Recommendation(action=Action.NONE, says="Nothing to do: the VM can be reached again.")
ESCALATION = Recommendation(
    action=Action.ESCALATE,
    says="The VM was redeployed and still cannot be reached: open a support request, do not redeploy again.",
    links=(SUPPORT,),
)
# A redeploy takes minutes, and scheduled events in the guest can delay it: one that is older and shows no end is told
# as one that did not help.
LONG = timedelta(hours=1)
# As late as records of the activity log may come.
LATE = timedelta(minutes=15)
UNDER_WAY = Recommendation(
    action=Action.WAIT,
    says="A redeploy is under way: wait for its end, then look again. Where it was begun here, 'vmdiag mitigations "
    "--resume' follows it.",
)
OFF = Recommendation(
    action=Action.INVESTIGATE,
    says="The VM is off now. If it was deallocated, a start puts it on a new host, as a redeploy would.",
)


def recommend_action(
    timeline: Timeline, finding: Finding, state: State | None, loss: Loss | None, *, is_silent: bool
) -> Recommendation:
    """What to do next; `loss` is the latest one, which says how things stand now."""
    if state is State.OPEN and loss is not None:
        return _recommend_for_open_loss(timeline, finding, loss)
    if finding.wait:
        return EARLY if finding.verdict is Verdict.INCONCLUSIVE else NOT_OVER
    if finding.verdict is Verdict.INCONCLUSIVE:
        return Recommendation(action=Action.INVESTIGATE, says=_name_missing_evidence(timeline, finding))
    if finding.verdict.is_flagged:
        return BACK
    return SILENT if is_silent else _recommend_for_well_vm(timeline, state)


def _recommend_for_well_vm(timeline: Timeline, state: State | None) -> Recommendation:
    """What remains to be said of a VM that is not affected."""
    falls = find_witness_losses(timeline) if state is None else ()
    failing = [one.says for one in falls if one.signal is Signal.BALANCER and one.interval.is_open]
    if failing:
        return Recommendation(action=Action.INVESTIGATE, says=PROBED.format(failing[0]), links=(PROBES,))
    # Where an answer was cut nothing is known beyond what was read.
    cut = sorted({gap.signal for gap in timeline.gaps if gap.cut and gap.window.overlaps_window(timeline.window)})
    well = WELL_AFTER_MOVE if timeline.list_events(*MIGRATIONS) and state is None else "Nothing to do."
    says = f"No trouble in what was read: {' and '.join(cut)} was read only in part." if cut else well
    return Recommendation(action=Action.NONE, says=says)


def _recommend_for_open_loss(timeline: Timeline, finding: Finding, loss: Loss) -> Recommendation:
    """The next step for a VM that cannot be reached now."""
    own = loss.explained_by == finding.scenario and bool(finding.blames)
    if own or loss.explained_by == UNEXPLAINED:
        redeployed = _recommend_after_redeploy(timeline, finding, loss)
        if redeployed is not None:
            return redeployed
    if finding.wait and own:
        return EARLY
    if own and finding.verdict.is_flagged:
        doubt = "" if finding.verdict is Verdict.CONFIRMED else " Weigh what speaks against it first."
        says = f"Redeploy the VM: it moves to a new host and reboots.{doubt}"
        links = tuple(page for _, page in list_instructions(timeline.vm.os))
        redeploy = Recommendation(action=Action.REDEPLOY, says=says, links=links)
        return OFF if _is_off(timeline) else redeploy
    if finding.verdict is Verdict.INCONCLUSIVE:
        against = {one.signal for one in finding.evidence if one.stance is Stance.AGAINST}
        partly = PART_LOST if loss.extent is Extent.PARTIAL else _name_missing_evidence(timeline, finding)
        says = ANSWERED if Signal.MONITOR in against else partly
        return Recommendation(action=Action.INVESTIGATE, says=says)
    if loss.explained_by == UNEXPLAINED:
        return CUT_OFF
    return Recommendation(
        action=Action.INVESTIGATE,
        says=f"The VM is cut off, but another cause is likelier: {loss.explained_by}. A redeploy is not advised.",
        links=(HEALTH,),
    )


def _recommend_after_redeploy(timeline: Timeline, finding: Finding, loss: Loss) -> Recommendation | None:
    """What to do where the VM was redeployed, or deallocated and started, since it was first lost; `None` if not."""
    since = min([blame.loss.start for blame in finding.blames], default=loss.interval.start)
    moves = list_moves(timeline, since)
    redeploys = [event for event in moves if event.kind is Kind.REDEPLOY]
    # What only Resource Health tells of, the log may not have yet.
    logged = [event for event in redeploys if event.signal is Signal.ACTIVITY]
    shows_no_end = not logged or "open" in logged[-1].facts
    for event in (logged or redeploys)[-1:]:
        if shows_no_end and timeline.window.end - event.at < (LONG if logged else LATE):
            return UNDER_WAY
    moved = max((event.ended for event in moves), default=None)
    if _is_off(timeline):
        return OFF
    if moved is None:
        return None
    return SETTLING if timeline.window.end - moved < SETTLES else ESCALATION


def list_moves(timeline: Timeline, since: datetime) -> tuple[Event, ...]:
    """What put the VM on another host since an instant: redeploys, and starts after a deallocation."""
    moved = (Kind.REDEPLOY, Kind.DEALLOCATE, Kind.START)
    events = [event for event in timeline.list_events(*moved) if event.at >= since]
    stopped = min((event.at for event in events if event.kind is Kind.DEALLOCATE), default=timeline.window.end)
    redeploys = [event for event in events if event.kind is Kind.REDEPLOY]
    return (*redeploys, *(event for event in events if event.kind is Kind.START and event.at > stopped))


def _is_off(timeline: Timeline) -> bool:
    off = (Kind.POWER_STOPPED, Kind.POWER_DEALLOCATED, Kind.STOP, Kind.DEALLOCATE)
    states = timeline.list_events(*off, Kind.POWER_RUNNING, Kind.START)
    return bool(states) and states[-1].kind in off


def _name_missing_evidence(timeline: Timeline, finding: Finding) -> str:
    if finding.cause_at is not None and timeline.list_events(Kind.UNREACHABLE):
        return "Whether connectivity was lost with the migration cannot be told: add traffic metrics or heartbeats."
    if finding.cause_at is not None:
        return (
            "Whether the VM lost connectivity cannot be told: add its traffic metrics or heartbeats, "
            "or say --unreachable-since when it cannot be reached."
        )
    if timeline.gaps:
        return "Whether the VM was live-migrated cannot be told: add its health history from Resource Graph."
    return "Nothing that was read can tell."
