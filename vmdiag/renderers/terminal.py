"""The report for a person at a terminal, at 3 a.m.: the answer first, the grounds after; must not judge.

One VM gets a page, many get a table. Colours only repeat what words and signs say.
"""

import os
from typing import TextIO

from rich.console import Console

from vmdiag.diagnosis.model import Case, Header, Report
from vmdiag.renderers import _fleet, _vm_report
from vmdiag.renderers._page import Page
from vmdiag.renderers._whole_report import WholeReport
from vmdiag.wording import narrative, other_vms, scenario_texts
from vmdiag.wording.sanitize import sentence
from vmdiag.wording.time_formats import between

_PIPED = 80


def open_report(header: Header, out: TextIO) -> WholeReport:
    """Draw on whatever `out` is: colours and its width on a terminal; plain, 80 columns or `COLUMNS`, elsewhere."""
    console = Console(file=out, highlight=False, markup=False, emoji=False)
    # Where `out` is no terminal, Rich would take the width of the one that standard error still is. COLUMNS is how a
    # person says the width of a pipe, and no renderer is told it otherwise.
    if not console.is_terminal and not os.environ.get("COLUMNS", "").isdigit():  # noqa: TID251
        console.width = _PIPED
    return WholeReport(header, lambda report: draw(report, console))


def draw(report: Report, console: Console) -> None:
    """Draw on a console, which may also be one that records (for an SVG)."""
    page = Page(console)
    cases = narrative.in_order(report.cases)
    if len(cases) == 1:
        _vm_report.draw(cases[0], page)
    elif cases:
        _fleet.draw(cases, page)
    else:
        page.paragraph(f"{other_vms.nothing(report.header)}.")
    _foot(report, cases, page)


def _foot(report: Report, cases: list[Case], page: Page) -> None:
    """What concerns the run and no single VM."""
    header = report.header
    _vm_report.gaps(header.gaps, page, header.window)
    page.blank()
    for line in other_vms.sentences(report.others):
        page.paragraph(line)
    read = between(header.window.start, header.window.end)
    page.paragraph(f"Read from {sentence(header.source)} (cloud: {sentence(header.cloud)}), {read}.")
    note = scenario_texts.note_on_cloud(cases[0], header.cloud) if cases else None
    if note:
        page.paragraph(note)
