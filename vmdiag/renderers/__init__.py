"""The formats of a report, one a file: `open_report(header, out)` begins one, to which cases are given one by one.

With `STREAMS` a format wants the cases as they are known; without, in the order in which they were asked for.
"""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from vmdiag.diagnosis.model import Case, OtherVms


class Renderer(Protocol):
    """A report on its way out; raises `OSError` where it cannot be written."""

    def add_case(self, case: "Case") -> None:
        """One more VM."""
        ...

    def finish(self, others: "OtherVms") -> None:
        """All VMs are known; `others` were seen and are no case."""
        ...
