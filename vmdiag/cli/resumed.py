"""The finished cases of an earlier ndjson report, with `--resume`; must not know how a case was found."""

import json
from pathlib import Path

from vmdiag.cli.watch import Watch
from vmdiag.diagnosis import Case
from vmdiag.errors import UsageError
from vmdiag.renderers._read_back import NotACaseError, case_of

# Why a VM may be unread that a later run can read: those are asked for again.
CUT_SHORT = ("interrupted before", "not read when the run's time was over")


def resumed(path: str, watch: Watch) -> tuple[Case, ...]:
    """The cases that need not be diagnosed again, each VM once; `UsageError` for a file that is no such report."""
    cases: dict[object, Case] = {}
    for number, line in enumerate(_lines(path), 1):
        try:
            case = case_of(json.loads(line))
        except (NotACaseError, ValueError, RecursionError):
            # A run that was killed leaves half a line at the end.
            watch.warn(f"{path}, line {number} is no case of a report; its VM is diagnosed again")
            continue
        if not any(gap.reason.startswith(CUT_SHORT) for gap in case.gaps):
            cases[case.vm.id] = case
    watch.note(f"taken from {path}: {len(cases)} cases")
    return tuple(cases.values())


def _lines(path: str) -> list[str]:
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        message = f"the report {path} cannot be read: {error.strerror}"
        raise UsageError(message, "Give the file that an earlier run wrote with -o ndjson.") from error
    return [line for line in text.splitlines() if line.strip()]
