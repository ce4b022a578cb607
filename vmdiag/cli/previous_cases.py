"""The finished cases of an earlier ndjson report, with `--resume`; must not know how a case was found."""

from collections.abc import Iterable

from vmdiag.case_report import NotACaseError, read_case
from vmdiag.cli.progress import StatusConsole
from vmdiag.diagnosis.model import Case
from vmdiag.model import UNKNOWN_VM

# Why a VM may be unread that a later run can read: those are asked for again, and what was not there may be there now.
REREAD_REASONS = ("interrupted before", "not read when the run's time was over", *UNKNOWN_VM)


def read_previous_cases(lines: Iterable[str], watch: StatusConsole) -> tuple[Case, ...]:
    """The cases that need not be diagnosed again, each VM once."""
    cases: dict[object, Case] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            case = read_case(line)
        except NotACaseError:
            # A run that was killed leaves half a line at the end.
            watch.warn(f"line {number} of the earlier report is no case; its VM is diagnosed again")
            continue
        if not any(gap.reason.startswith(REREAD_REASONS) for gap in case.gaps):
            cases[case.vm.id] = case
    watch.note(f"cases taken from the earlier report: {len(cases)}")
    return tuple(cases.values())
