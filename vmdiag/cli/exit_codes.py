"""The exit code of a run from its cases and what was done about them, in the contract's order."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from vmdiag.diagnosis.model import Case, Verdict
from vmdiag.errors import Interrupted, SourceError
from vmdiag.identity import VmId
from vmdiag.mitigation import Mitigation, Status

UNCLEAR_CODE = 3
# The worst first: where several apply, the first one wins (contract, exit codes).
WORST_FIRST = (6, 5, 1, Interrupted.exit_code, SourceError.exit_code, UNCLEAR_CODE, 0)
# Worse than an interruption: what was done, or was not allowed.
_REDEPLOY_CODES = (6, 5)
# Of these the end is to be found out by a later run.
_UNFINISHED_STATUSES = (Status.STARTED, Status.UNKNOWN)


class FailOn(StrEnum):
    """Which flagged losses make the run fail."""

    OPEN = "open"
    ANY = "any"
    NEVER = "never"


@dataclass(slots=True)
class CaseTally:
    """Counts cases as soon as they are known, whatever becomes of the report, and keeps none of them.

    `known_vms` are those that there are; of the `undecided_vms` a redeploy was asked for and nothing was decided yet.
    """

    fail_on: FailOn
    case_count: int = 0
    exit_codes: set[int] = field(default_factory=set)
    statuses: set[Status] = field(default_factory=set)
    undecided_vms: set[VmId] = field(default_factory=set)
    known_vms: list[VmId] = field(default_factory=list)

    def note_affected_vms(self, cases: Iterable[Case]) -> Iterator[Case]:
        """The same cases, on their way to what may redeploy them."""
        for case in cases:
            if case.is_affected:
                self.undecided_vms.add(case.vm.id)
            yield case

    def count_case(self, case: Case) -> None:
        """One more case, with what was done about it."""
        self.case_count += 1
        self.undecided_vms.discard(case.vm.id)
        if not case.is_unknown:
            self.known_vms.append(case.vm.id)
        self.exit_codes.add(compute_exit_code(case, self.fail_on))
        if case.mitigation is not None:
            self.statuses.add(case.mitigation.status)

    def outweighs_error(self, error: Exception) -> bool:
        """Whether what was found, done or to be done is greater news than what breaks the report off, counted too."""
        if isinstance(error, SourceError):
            self.exit_codes.add(error.exit_code)
            return self.exit_code != error.exit_code
        return bool(self.undecided_vms or self.statuses)

    @property
    def exit_code(self) -> int:
        """The exit code for what was counted so far; an affected VM that was not come to is still affected."""
        return pick_worst_code(self.exit_codes | {1} if self.undecided_vms else self.exit_codes)

    def describe_interruption(self) -> tuple[int, str]:
        """The exit code of a run that was interrupted, and how it is taken up again."""
        hint = "--resume FILE continues an ndjson report."
        if not self.statuses.isdisjoint(_UNFINISHED_STATUSES):
            hint = "The redeploy goes on: 'vmdiag mitigations --resume' finds out how it ended."
        return self.exit_code if self.exit_code in _REDEPLOY_CODES else Interrupted.exit_code, hint


def pick_worst_code(codes: Collection[int]) -> int:
    """The one exit code for all of them; 0 for none."""
    return next((code for code in WORST_FIRST if code in codes), 0)


def compute_exit_code(case: Case, fail_on: FailOn = FailOn.OPEN) -> int:
    """The exit code for one case."""
    if case.mitigation is not None:
        return compute_mitigation_code(case.mitigation)
    flagged = case.diagnosis.verdict.is_flagged
    if fail_on is not FailOn.NEVER and flagged and (fail_on is FailOn.ANY or case.is_affected):
        return 1
    return UNCLEAR_CODE if case.diagnosis.verdict is Verdict.INCONCLUSIVE else 0


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
