"""The report as one JSON document (`vmdiag.report/1`); must not know how the facts were found."""

from textwrap import indent
from typing import TYPE_CHECKING, TextIO

from vmdiag import report
from vmdiag.case_report import count_verdicts, describe_case, describe_gaps
from vmdiag.diagnosis.model import Case, Header, OtherVms, Verdict
from vmdiag.report import dump_json
from vmdiag.wording.evidence import describe_unpublished_cloud

if TYPE_CHECKING:
    from vmdiag.mitigation import Status

_INDENT = 2


def open_report(header: Header, out: TextIO) -> "Document":
    """A document, written at its end."""
    return Document(header, out)


class Document:
    """A `Renderer` that keeps cases as text alone, because the summary comes before them."""

    def __init__(self, header: Header, out: TextIO) -> None:
        self._header = header
        self._out = out
        self._verdicts: list[Verdict] = []
        self._statuses: list[Status] = []
        self._cases: list[str] = []
        self._notes: dict[str, None] = {}

    def add_case(self, case: Case) -> None:
        """Keep its text, and what the summary counts."""
        note = describe_unpublished_cloud(case, self._header.cloud)
        self._notes |= {note: None} if note else {}
        self._verdicts.append(case.diagnosis.verdict)
        self._statuses += [case.mitigation.status] if case.mitigation is not None else []
        self._cases.append(indent(dump_json(report.to_plain(describe_case(case)), _INDENT), " " * 2 * _INDENT))

    def finish(self, others: OtherVms) -> None:
        """Write the document."""
        header = self._header
        told = report.Report(
            generated_at=header.generated_at,
            source=header.source,
            cloud=header.cloud,
            window=report.Window(header.window.start, header.window.end),
            summary=count_verdicts(self._verdicts, self._statuses, others),
            gaps=describe_gaps(header.gaps),
            notes=tuple(self._notes),
        )
        self._out.write(dump_json(report.to_plain(told), _INDENT).removesuffix("]\n}"))
        self._out.writelines(f"{',' if number else ''}\n{text}" for number, text in enumerate(self._cases))
        self._out.write("\n  ]\n}\n" if self._cases else "]\n}\n")
