"""One case a line as JSON, each as soon as it is known; must not collect the cases."""

from typing import TextIO

from vmdiag.case_report import describe_case
from vmdiag.diagnosis import Report
from vmdiag.renderers._dumps import dumps
from vmdiag.report import to_plain

# Cases are wanted as they are known, not in the order asked for.
STREAMS = True


def render(report: Report, out: TextIO) -> None:
    """Write and flush case by case, so that a reader at the other end of a pipe never waits for the run's end."""
    for case in report.cases:
        out.write(dumps(to_plain(describe_case(case))) + "\n")
        out.flush()
