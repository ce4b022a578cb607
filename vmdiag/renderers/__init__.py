"""The formats of a report, one a file.

`write_report(report, out)` writes one that begins with what only the end knows. Any other has
`open_report(header, out)`, and is given the cases one by one: with `STREAMS` as they are known, without in the order in
which they were asked for.
"""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple, Protocol, TextIO, cast

if TYPE_CHECKING:
    from vmdiag.diagnosis.model import Case, Header, OtherVms


class Renderer(Protocol):
    """A report on its way out; raises `OSError` where it cannot be written."""

    def add_case(self, case: "Case") -> None:
        """One more VM."""
        ...

    def finish(self, others: "OtherVms") -> None:
        """All VMs are known; `others` were seen and are no case."""
        ...


class Report(NamedTuple):
    """A run at its end: its cases, and how many VMs there are besides."""

    header: "Header"
    cases: "tuple[Case, ...]"
    others: "OtherVms"


class WholeReport:
    """A `Renderer` for formats that begin with what only the end knows: it writes nothing before."""

    def __init__(self, header: "Header", write: Callable[[Report], None]) -> None:
        self._header = header
        self._write = write
        self._cases: list[Case] = []

    def add_case(self, case: "Case") -> None:
        """One more VM."""
        self._cases.append(case)

    def finish(self, others: "OtherVms") -> None:
        """Write the report."""
        self._write(Report(header=self._header, cases=tuple(self._cases), others=others))


def begin_report(form: ModuleType, header: "Header", out: TextIO) -> Renderer:
    """What takes the cases of a report in a format, and writes it."""
    if hasattr(form, "write_report"):
        return WholeReport(header, partial(form.write_report, out=out))
    return cast("Renderer", form.open_report(header, out))
