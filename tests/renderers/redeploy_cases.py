"""Cases of VMs that were to be redeployed; must not depend on how a redeploy is made."""

from datetime import timedelta

from tests.renderers.cases import END, make_confirmed_case, make_escalated_case, make_machine, make_recovered_case
from vmdiag.diagnosis.model import Action, Case, Recommendation
from vmdiag.mitigation import GuardResult, Mitigation, Status
from vmdiag.values import replace

OPERATION = "https://management.azure.com/subscriptions/1/providers/Microsoft.Compute/locations/westeurope/operations/2"
LOSES = ("what is in memory: it is a reboot", "everything on the temporary disk and on other disks of the host")
RISKS = ("Azure may find no room for the VM on another host: then it stays down",)
AGE_LIMIT = "confirmed, evidence at most 15 min old"
GUARDS = (
    GuardResult(guard="verdict", passes=True, limit=AGE_LIMIT, found="confirmed, 1 min old"),
    GuardResult(guard="persistence", passes=None, limit="the loss goes on at a second look", found="is read again"),
    GuardResult(guard="count", passes=True, limit="at most 1 (--max)", found="1 candidate among 6 VMs"),
)
COUNT_REFUSAL = GuardResult(guard="count", passes=False, limit="at most 1 (--max)", found="3 candidates among 6 VMs")


def add_mitigation(case: Case, status: Status, says: str, **facts: object) -> Case:
    """The case with what was done about it."""
    done = Mitigation(status=status, says=says, guards=GUARDS, loses=LOSES, risks=RISKS)
    return replace(case, mitigation=replace(done, **facts))


def make_planned_case() -> Case:
    """A plan that changes nothing."""
    return add_mitigation(make_confirmed_case(), Status.PLANNED, "it qualifies; --dry-run changes nothing")


def make_refused_case(name: str = "web-01") -> Case:
    """A guard says no."""
    says = f"count: {COUNT_REFUSAL.found} (limit: {COUNT_REFUSAL.limit})"
    case = replace(make_confirmed_case(), vm=make_machine(name))
    return add_mitigation(case, Status.REFUSED, says, guards=(*GUARDS[:2], COUNT_REFUSAL))


def make_redeployed_case() -> Case:
    """Redeployed and seen to be back."""
    says = "the VM can be reached again: traffic is back since 09:01Z"
    return add_mitigation(
        make_recovered_case(), Status.SUCCEEDED, says, started_at=END - timedelta(minutes=62),
        finished_at=END - timedelta(minutes=60), operation=OPERATION, reachable_again=True, correlation="c0ffee",
        request="0ddba11",
    )  # fmt: skip


def make_ineffective_case() -> Case:
    """Redeployed and still dead."""
    says = "the redeploy succeeded, and the VM still cannot be reached: traffic is still lost"
    begun = END - timedelta(minutes=30)
    return add_mitigation(
        make_escalated_case(), Status.SUCCEEDED, says, started_at=begun, finished_at=END, operation=OPERATION,
        reachable_again=False, correlation="c0ffee", request="0ddba11",
    )  # fmt: skip


def make_unproven_case() -> Case:
    """Redeployed, and nobody can say whether it helped."""
    case = make_ineffective_case()
    done = case.mitigation
    assert done is not None
    return replace(case, mitigation=replace(done, says="it could not be measured", reachable_again=None))


def make_failed_case() -> Case:
    """No room elsewhere: the VM is down."""
    says = "the redeploy failed (AllocationFailed): Allocation failed. We do not have sufficient capacity"
    advice = Recommendation(
        action=Action.INVESTIGATE, says="Azure found no room for the VM, which is probably down now"
    )
    case = replace(make_confirmed_case(), diagnosis=replace(make_confirmed_case().diagnosis, recommendation=advice))
    return add_mitigation(case, Status.FAILED, says, started_at=END - timedelta(minutes=9), operation=OPERATION)


CASE_BUILDERS = {
    "planned": make_planned_case,
    "refused": make_refused_case,
    "redeployed": make_redeployed_case,
    "in-vain": make_ineffective_case,
    "unproven": make_unproven_case,
    "failed": make_failed_case,
}


def make_redeployed_fleet() -> list[Case]:
    """Several, three of them refused for one reason."""
    return [
        *(make_refused_case(f"web-0{number}") for number in range(1, 4)),
        make_redeployed_case(),
        make_ineffective_case(),
        make_planned_case(),
    ]
