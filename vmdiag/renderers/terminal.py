"""The report for a person at a terminal, at 3 a.m.: the answer first, the grounds after; must not judge.

One VM gets a page, many get a table. Colours only repeat what words and signs say.
"""

import os
from typing import TextIO

from rich.console import Console

from vmdiag.diagnosis import Case, Header, Report
from vmdiag.renderers import _fleet, _lore, _others, _single, _story
from vmdiag.renderers._page import Page
from vmdiag.renderers._safe import sentence
from vmdiag.renderers._times import between
from vmdiag.renderers._whole_report import WholeReport

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
    cases = _story.in_order(report.cases)
    if len(cases) == 1:
        _single.draw(cases[0], page)
    elif cases:
        _fleet.draw(cases, page)
    else:
        page.paragraph(f"{_others.nothing(report.header)}.")
    _foot(report, cases, page)


def _foot(report: Report, cases: list[Case], page: Page) -> None:
    """What concerns the run and no single VM."""
    header = report.header
    _single.gaps(header.gaps, page, header.window)
    page.blank()
    for line in _others.sentences(report.others):
        page.paragraph(line)
    read = between(header.window.start, header.window.end)
    page.paragraph(f"Read from {sentence(header.source)} (cloud: {sentence(header.cloud)}), {read}.")
    note = _lore.note_on_cloud(cases[0], header.cloud) if cases else None
    if note:
        page.paragraph(note)
