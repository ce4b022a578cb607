"""The report as one JSON document (`vmdiag.report/1`), written case by case."""

from typing import TextIO

from vmdiag import report
from vmdiag.case_report import count_verdicts, describe_case, describe_gaps
from vmdiag.renderers import Report
from vmdiag.wording.evidence import list_cloud_notes

_INDENT = 2
# Cases stand two levels deep.
_BREAK = "\n" + " " * 2 * _INDENT


def write_report(whole: Report, out: TextIO) -> None:
    """Write the document; the summary comes before the cases."""
    header, cases = whole.header, whole.cases
    head = report.Report(
        generated_at=header.generated_at,
        source=header.source,
        cloud=header.cloud,
        window=report.Window(header.window.start, header.window.end),
        summary=count_verdicts(cases, whole.others),
        gaps=describe_gaps(header.gaps),
        notes=tuple(list_cloud_notes(cases, header.cloud)),
    )
    out.write(report.dump_json(head, _INDENT).removesuffix("]\n}"))
    for number, case in enumerate(cases):
        text = report.dump_json(describe_case(case), _INDENT)
        # A break inside a text is written as an escape, so these are the document's own.
        out.write("," * bool(number) + _BREAK + text.replace("\n", _BREAK))
    out.write("\n  ]\n}\n" if cases else "]\n}\n")
