"""Cases of VMs that were to be redeployed; must not depend on how a redeploy is made."""

from dataclasses import replace
from datetime import timedelta

from tests.renderers.cases import END, confirmed, escalate, machine, recovered
from vmdiag.diagnosis.model import Action, Case, Recommendation
from vmdiag.mitigation import Answer, Mitigation, Status

OPERATION = "https://management.azure.com/subscriptions/1/providers/Microsoft.Compute/locations/westeurope/operations/2"
LOSES = ("what is in memory: it is a reboot", "everything on the temporary disk and on other disks of the host")
RISKS = ("Azure may find no room for the VM on another host: then it stays down",)
GUARDS = (
    Answer(guard="verdict", passes=True, limit="confirmed, evidence at most 15 min old", found="confirmed, 1 min old"),
    Answer(guard="persistence", passes=None, limit="the loss goes on at a second look", found="is read again"),
    Answer(guard="count", passes=True, limit="at most 1 (--max)", found="1 candidate among 6 VMs"),
)
MANY = Answer(guard="count", passes=False, limit="at most 1 (--max)", found="3 candidates among 6 VMs")


def treated(case: Case, status: Status, says: str, **facts: object) -> Case:
    """The case with what was done about it."""
    done = Mitigation(status=status, says=says, guards=GUARDS, loses=LOSES, risks=RISKS)
    return replace(case, mitigation=replace(done, **facts))  # type: ignore[arg-type]


def planned() -> Case:
    """A plan that changes nothing."""
    return treated(confirmed(), Status.PLANNED, "it qualifies; --dry-run changes nothing")


def refused(name: str = "web-01") -> Case:
    """A guard says no."""
    says = f"count: {MANY.found} (limit: {MANY.limit})"
    case = replace(confirmed(), vm=machine(name))
    return treated(case, Status.REFUSED, says, guards=(*GUARDS[:2], MANY))


def redeployed() -> Case:
    """Redeployed and seen to be back."""
    return treated(
        recovered(),
        Status.SUCCEEDED,
        "the VM can be reached again: traffic is back since 09:01Z",
        started_at=END - timedelta(minutes=62),
        finished_at=END - timedelta(minutes=60),
        operation=OPERATION,
        reachable_again=True,
        correlation="c0ffee",
        request="0ddba11",
    )


def in_vain() -> Case:
    """Redeployed and still dead."""
    says = "the redeploy succeeded, and the VM still cannot be reached: traffic is still lost"
    begun = END - timedelta(minutes=30)
    return treated(
        escalate(), Status.SUCCEEDED, says, started_at=begun, finished_at=END, operation=OPERATION,
        reachable_again=False, correlation="c0ffee", request="0ddba11",
    )  # fmt: skip


def unproven() -> Case:
    """Redeployed, and nobody can say whether it helped."""
    case = in_vain()
    done = case.mitigation
    assert done is not None
    return replace(case, mitigation=replace(done, says="it could not be measured", reachable_again=None))


def failed() -> Case:
    """No room elsewhere: the VM is down."""
    says = "the redeploy failed (AllocationFailed): Allocation failed. We do not have sufficient capacity"
    advice = Recommendation(
        action=Action.INVESTIGATE, says="Azure found no room for the VM, which is probably down now"
    )
    case = replace(confirmed(), diagnosis=replace(confirmed().diagnosis, recommendation=advice))
    return treated(case, Status.FAILED, says, started_at=END - timedelta(minutes=9), operation=OPERATION)


SINGLE = {
    "planned": planned,
    "refused": refused,
    "redeployed": redeployed,
    "in-vain": in_vain,
    "unproven": unproven,
    "failed": failed,
}


def fleet() -> list[Case]:
    """Several, three of them refused for one reason."""
    return [*(refused(f"web-0{number}") for number in range(1, 4)), redeployed(), in_vain(), planned()]
