"""The report as one JSON document (`vmdiag.report/1`); must not know how the facts were found."""

from textwrap import indent
from typing import TYPE_CHECKING, TextIO

from vmdiag import report as form
from vmdiag.case_report import describe_case, describe_gaps, summarize
from vmdiag.diagnosis import Report, Verdict
from vmdiag.renderers import _lore
from vmdiag.renderers._dumps import dumps

if TYPE_CHECKING:
    from vmdiag.mitigation import Status

_INDENT = 2


def render(report: Report, out: TextIO) -> None:
    """Write the document; cases are kept as text only, because the summary comes before them."""
    verdicts: list[Verdict] = []
    statuses: list[Status] = []
    cases: list[str] = []
    notes: dict[str, None] = {}
    for case in report.cases:
        note = _lore.note_on_cloud(case, report.cloud)
        notes |= {note: None} if note else {}
        verdicts.append(case.diagnosis.verdict)
        statuses += [case.mitigation.status] if case.mitigation is not None else []
        cases.append(indent(dumps(form.to_plain(describe_case(case)), _INDENT), " " * 2 * _INDENT))
    told = form.Report(
        generated_at=report.generated_at,
        source=report.source,
        cloud=report.cloud,
        window=form.Window(report.window.start, report.window.end),
        summary=summarize(verdicts, statuses, report.others),
        gaps=describe_gaps(report.gaps),
        notes=tuple(notes),
    )
    out.write(dumps(form.to_plain(told), _INDENT).removesuffix("]\n}"))
    out.writelines(f"{',' if number else ''}\n{text}" for number, text in enumerate(cases))
    out.write("\n  ]\n}\n" if cases else "]\n}\n")
