"""One case a line as JSON, each as soon as it is known."""

from typing import TextIO

from vmdiag.case_report import describe_case
from vmdiag.diagnosis.model import Case, Header, OtherVms
from vmdiag.report import dump_json

STREAMS = True


def open_report(header: Header, out: TextIO) -> "Lines":
    """Lines without a header."""
    del header
    return Lines(out)


class Lines:
    """A `Renderer` that flushes case by case: a reader at the other end of a pipe never waits for the run's end."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def add_case(self, case: Case) -> None:
        """Write the line."""
        self._out.write(dump_json(describe_case(case)) + "\n")
        self._out.flush()

    def finish(self, others: OtherVms) -> None:
        """No line tells of the whole run."""
