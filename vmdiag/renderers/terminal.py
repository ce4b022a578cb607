"""The report for a person at a terminal, at 3 a.m.: the answer first, the grounds after; must not judge.

One VM gets a page, many get a table. Colours only repeat what words and signs say.
"""

import os
from typing import TextIO

from rich.console import Console

from vmdiag.diagnosis.model import Case, Header
from vmdiag.renderers import _fleet, _vm_report
from vmdiag.renderers._page import Page
from vmdiag.renderers._whole_report import Report, WholeReport
from vmdiag.wording import narrative, other_vms, scenario_texts
from vmdiag.wording.sanitize import shorten_sentence
from vmdiag.wording.time_formats import format_window

_DEFAULT_WIDTH = 80


def open_report(header: Header, out: TextIO) -> WholeReport:
    """Draw on whatever `out` is: colours and its width on a terminal; plain, 80 columns or `COLUMNS`, elsewhere."""
    console = Console(file=out, highlight=False, markup=False, emoji=False)
    # Where `out` is no terminal, Rich would take the width of the one that standard error still is. COLUMNS is how a
    # person says the width of a pipe, and no renderer is told it otherwise.
    if not console.is_terminal and not os.environ.get("COLUMNS", "").isdigit():  # noqa: TID251
        console.width = _DEFAULT_WIDTH
    return WholeReport(header, lambda report: draw_report(report, console))


def draw_report(report: Report, console: Console) -> None:
    """Draw on a console, which may also be one that records (for an SVG)."""
    page = Page(console)
    cases = narrative.sort_cases(report.cases)
    if len(cases) == 1:
        _vm_report.draw_vm(cases[0], page)
    elif cases:
        _fleet.draw_fleet(cases, page)
    else:
        page.print_paragraph(f"{other_vms.describe_empty_report(report.header)}.")
    _draw_footer(report, cases, page)


def _draw_footer(report: Report, cases: list[Case], page: Page) -> None:
    """What concerns the run and no single VM."""
    header = report.header
    _vm_report.draw_gaps(header.gaps, page, header.window)
    page.print_blank()
    for line in other_vms.describe_other_vms(report.others):
        page.print_paragraph(line)
    read = format_window(header.window.start, header.window.end)
    page.print_paragraph(
        f"Read from {shorten_sentence(header.source)} (cloud: {shorten_sentence(header.cloud)}), {read}."
    )
    note = scenario_texts.describe_unpublished_cloud(cases[0], header.cloud) if cases else None
    if note:
        page.print_paragraph(note)
