"""The exit code of a run from its cases and what was done about them, in the contract's order."""

from collections.abc import Collection, Iterable
from enum import StrEnum

from vmdiag.diagnosis.model import Case, Verdict
from vmdiag.errors import Interrupted, SourceError
from vmdiag.mitigation import Mitigation, Status


class FailOn(StrEnum):
    """Which flagged losses make the run fail."""

    OPEN = "open"
    ANY = "any"
    NEVER = "never"


# The worst first: where several apply, the first one wins (contract, exit codes).
WORST_FIRST = (6, 5, 1, Interrupted.exit_code, SourceError.exit_code, 3, 0)


def pick_worst_code(codes: Collection[int]) -> int:
    """The one exit code for all of them; 0 for none."""
    return next((code for code in WORST_FIRST if code in codes), 0)


def compute_exit_code(cases: Iterable[Case], fail_on: FailOn = FailOn.OPEN) -> int:
    """The run's exit code from its cases, in the contract's order."""
    return pick_worst_code({_compute_case_code(case, fail_on) for case in cases})


def _compute_case_code(case: Case, fail_on: FailOn) -> int:
    if case.mitigation is not None:
        return compute_mitigation_code(case.mitigation)
    flagged = case.diagnosis.verdict.is_flagged
    if fail_on is not FailOn.NEVER and flagged and (fail_on is FailOn.ANY or case.is_affected):
        return 1
    return 3 if case.diagnosis.verdict is Verdict.INCONCLUSIVE else 0


def compute_mitigation_code(mitigation: Mitigation) -> int:
    """The exit code for what was done: 6 it did not help, 5 it was not allowed, 1 it is still to come, 0 it helped."""
    match mitigation.status:
        case Status.FAILED | Status.UNKNOWN:
            return 6
        case Status.REFUSED | Status.DECLINED:
            return 5
        case Status.PLANNED | Status.STARTED:
            return 1
        case Status.SUCCEEDED:
            return 6 if mitigation.reachable_again is False else 0
