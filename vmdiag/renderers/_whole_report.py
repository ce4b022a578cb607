"""Collects the cases for formats that begin with what only the end knows; must not know a format."""

from collections.abc import Callable
from dataclasses import dataclass, field

from vmdiag.diagnosis.model import Case, Header, OtherVms


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A run at its end: its cases, and how many VMs there are besides."""

    header: Header
    cases: tuple[Case, ...]
    others: OtherVms = field(default_factory=OtherVms)


class WholeReport:
    """A `Renderer` that writes nothing before it has finished."""

    def __init__(self, header: Header, write: Callable[[Report], None]) -> None:
        self._header = header
        self._write = write
        self._cases: list[Case] = []

    def add_case(self, case: Case) -> None:
        """One more VM."""
        self._cases.append(case)

    def finish(self, others: OtherVms) -> None:
        """Write the report."""
        self._write(Report(header=self._header, cases=tuple(self._cases), others=others))
