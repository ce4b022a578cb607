"""Collects the cases for formats that begin with what only the end knows; must not know a format."""

from collections.abc import Callable

from vmdiag.diagnosis.model import Case, Header, Others, Report


class WholeReport:
    """A `Renderer` that writes nothing before it has finished."""

    def __init__(self, header: Header, write: Callable[[Report], None]) -> None:
        self._header = header
        self._write = write
        self._cases: list[Case] = []

    def add_case(self, case: Case) -> None:
        """One more VM."""
        self._cases.append(case)

    def finish(self, others: Others) -> None:
        """Write the report."""
        self._write(Report(header=self._header, cases=tuple(self._cases), others=others))
