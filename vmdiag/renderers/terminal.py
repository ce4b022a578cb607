"""The report for a person at a terminal, at 3 a.m.: the answer first, the grounds after.

One VM gets a page, many get a table. Colours only repeat what words and signs say.
"""

import os
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.text import Text

from vmdiag.diagnosis.model import Action, Case
from vmdiag.model import Gap, Window
from vmdiag.renderers import Report, _fleet
from vmdiag.renderers._page import BOLD, LABEL_WIDTH, Page, pack_lines
from vmdiag.wording import evidence, fleet_texts, narrative, redeploy_texts, timeline_view
from vmdiag.wording.plain_text import (
    MAX_SOURCE_REF,
    ShortTimeFormat,
    format_window,
    shorten_sentence,
    shorten_source_ref,
)

ANSWER_LINES = 12
_DEFAULT_WIDTH = 80
_SIGNAL_WIDTH = 14
_MAX_GAPS = 8
_DATED_ROWS = frozenset({"Migrated", "Lost", "Now"})
_GUARD_STYLES = {"-": "bold red", "+": "green"}
_ROW_STYLES = {"LOST": "bold red", "BACK": "bold green", "NOW": BOLD}


def write_report(report: Report, out: TextIO) -> None:
    """Draw on whatever `out` is: colours and its width on a terminal; plain, 80 columns or `COLUMNS`, elsewhere."""
    console = Console(file=out, highlight=False, markup=False, emoji=False)
    # Where `out` is no terminal, Rich would take the width of the one that standard error still is. COLUMNS is how a
    # person says the width of a pipe, and no renderer is told it otherwise.
    if not console.is_terminal and not os.environ.get("COLUMNS", "").isdigit():  # noqa: TID251
        console.width = _DEFAULT_WIDTH
    console.width = console.width or _DEFAULT_WIDTH  # COLUMNS=0 says that nobody knows
    draw_report(report, console, local_times=console.is_terminal)


def draw_report(report: Report, console: Console, *, local_times: bool = False) -> None:
    """Draw on a console, which may also be one that records (for an SVG); with the terminal's own times, too."""
    page, header = Page(console, local_times=local_times), report.header
    cases = report.cases
    if len(cases) == 1:
        draw_vm(cases[0], page)
    elif cases:
        _fleet.draw_fleet(*fleet_texts.split_told_cases(header, cases), page)
    else:
        page.print_paragraph(f"{fleet_texts.describe_empty_report(header, report.others)}.")
    # What concerns the run and no single VM.
    _draw_gaps(header.gaps, page, header.window)
    page.print_line()
    for line in fleet_texts.describe_other_vms(report.others) if report.others.total else ():
        page.print_paragraph(line)
    read = format_window(header.window.start, header.window.end)
    page.print_paragraph(
        f"Read from {shorten_sentence(header.source)} (cloud: {shorten_sentence(header.cloud)}), {read}."
    )
    for note in evidence.list_cloud_notes(cases, header.cloud):
        page.print_paragraph(note)


def draw_vm(case: Case, page: Page) -> None:
    """The whole answer for one VM, but for what concerns the run."""
    _draw_answer(case, page)
    if case.is_unknown:
        return
    _draw_guards(case, page)
    for title, found in evidence.group_evidence(case):
        clock = ShortTimeFormat.fit_to_times(one.at for one in found if one.at)
        page.print_heading(f"{title} ({clock.title})")
        for one in found:
            head = f"  {evidence.STANCE_SIGNS[one.stance]} {clock(one.at)}  {one.signal:<{_SIGNAL_WIDTH}}"
            room = max(2, min(MAX_SOURCE_REF, page.prose_width - len(head) - 2))
            ref = page.sanitize_text(f" [{shorten_source_ref(one.ref, room)}]" if one.ref else "", "dim")
            text = Text.assemble(page.sanitize_text(shorten_sentence(one.says)), ref)
            page.print_labelled(head, text, len(head))
    _draw_gaps(case.gaps, page, case.window)
    _draw_timeline(case, page)
    paragraphs = list(narrative.write_narrative(case))
    if paragraphs:
        page.print_heading("What happened")
        _draw_paragraphs(paragraphs, page)
    page.print_heading("What to do")
    _draw_paragraphs(narrative.write_next_steps(case), page)
    _draw_commands(case, page)
    for title, url in narrative.list_links(case):
        page.print_line(f"  {title}")
        page.print_link(url)
    if evidence.needs_ticket(case):
        page.print_heading("For the support ticket, ready to paste")
        page.print_line()
        for title, says in evidence.list_ticket_fields(case):
            page.print_labelled(f"{title}:", page.sanitize_text(says), 18)
        page.print_line("Evidence:")
        for says in evidence.format_evidence(case):
            page.print_labelled("-", page.sanitize_text(says), 2)


def _draw_gaps(missed: tuple[Gap, ...], page: Page, window: Window) -> None:
    """What was not heard; of a gap as long as the window only the reason is told."""
    if not missed:
        return
    page.print_heading("What could not be seen")
    for gap in missed[:_MAX_GAPS]:
        partly = "in part: " if gap.partial else ""
        ends = (gap.window.start, gap.window.end)
        when = "" if window.start >= ends[0] and window.end <= ends[1] else f" ({format_window(*ends)})"
        text = page.sanitize_text(f"{partly}{shorten_sentence(gap.reason)}{when}")
        page.print_labelled(f"  {gap.signal}", text, _SIGNAL_WIDTH + 2)
    if len(missed) > _MAX_GAPS:
        page.print_line(f"  and {len(missed) - _MAX_GAPS} more: see the JSON report")


def _draw_answer(case: Case, page: Page) -> None:
    room = page.prose_width - LABEL_WIDTH
    verdict = page.format_banner(case)
    column = len(verdict) + 2
    head = page.sanitize_text(narrative.write_headline(case), BOLD)
    page.print_labelled(verdict, head, column, 2)
    page.print_line()
    rows = dict(narrative.list_summary_rows(case))
    why = page.sanitize_text(rows.pop("Why"))
    used = len(page.wrap_text(head, page.prose_width - column, 2)) + 1
    for title, says in rows.items():
        text = page.sanitize_text(page.add_local_times(says) if title in _DATED_ROWS else says)
        most = None if title == "Now" else 2
        used += len(page.wrap_text(text, room, most))
        page.print_row(title, text, most)
    step = page.format_lead(*narrative.describe_next_step(case))
    guarded = redeploy_texts.split_guarded_commands(case.vm)[:1] if _is_redeploy_advised(case) else ()
    # What is true and what to do are never cut; why is told in full below.
    taken = sum(len(_break_command(words, page, LABEL_WIDTH)) for words in guarded)
    left = ANSWER_LINES - used - len(page.wrap_text(step, room)) - taken
    page.print_row("Why", why, max(1, left))
    page.print_row("Next", step)
    for command in guarded:
        _print_command(command, page, LABEL_WIDTH)


def _draw_guards(case: Case, page: Page) -> None:
    rows = list(redeploy_texts.format_pending_guards(case))
    if not rows:
        return
    page.print_heading(redeploy_texts.GUARDS_HEADING)
    for mark, guard, says in rows:
        head = page.sanitize_text(f"  {mark} {guard:<{_SIGNAL_WIDTH}}", _GUARD_STYLES.get(mark, ""))
        page.print_labelled(head, page.sanitize_text(says), len(head))
    for line in redeploy_texts.describe_impact(case):
        page.print_labelled("  ", page.sanitize_text(line), 2)


def _draw_timeline(case: Case, page: Page) -> None:
    rows, others = timeline_view.build_timeline_rows(case)
    if rows:
        clock = ShortTimeFormat.fit_to_times(row.at for row in rows)
        page.print_heading(f"Timeline ({clock.title})")
        widest = max(len(row.label) for row in rows)
        for row in rows:
            head = f"  {clock(row.at)}  {row.label:<{widest}}  "
            page.print_labelled(
                page.sanitize_text(head, _ROW_STYLES.get(row.label, "")), page.sanitize_text(row.says), len(head)
            )
        if others:
            page.print_line(f"  and {others} more: see the JSON report")
    room = max(1, page.prose_width - timeline_view.MARKER_MARGIN)
    curve = timeline_view.draw_curve(case, room, page.glyphs)
    if curve:
        page.print_line()
        page.print_labelled("  ", page.sanitize_text(curve[0], BOLD), 2)
        page.print_drawing(curve[1], timeline_view.find_lost_columns(case, room))
        for line in curve[2:]:
            page.print_drawing(line)
        if page.glyphs.absent in curve[1]:
            page.print_drawing(f"({page.glyphs.absent.strip() or 'blank'} = not reported)")


def _draw_paragraphs(paragraphs: Iterable[str], page: Page) -> None:
    for number, text in enumerate(paragraphs):
        if number:
            page.print_line()
        page.print_paragraph(text)


def _is_redeploy_advised(case: Case) -> bool:
    return case.diagnosis.recommendation.action is Action.REDEPLOY


def _draw_commands(case: Case, page: Page) -> None:
    """The guarded commands first, and the bare one with what it does not do."""
    told = list(narrative.list_commands(case))
    for says, commands in told:
        page.print_line()
        page.print_paragraph(f"{says}:" if commands else says)
        for number, words in enumerate(commands):
            if number == 0:
                page.print_line()
            _print_command(words, page, 4)
    if told:
        page.print_line()


def _break_command(words: tuple[str, ...], page: Page, indent: int) -> list[str]:
    """A command to paste, broken only between its words: half a command is worse than a long line."""
    return pack_lines(list(words), page.width - indent - 2, " ")


def _print_command(words: tuple[str, ...], page: Page, indent: int) -> None:
    lines = _break_command(words, page, indent)
    for number, line in enumerate(lines):
        more = " \\" if number < len(lines) - 1 else ""
        page.print_line(f"{' ' * indent}{'  ' * bool(number)}{line}{more}")
