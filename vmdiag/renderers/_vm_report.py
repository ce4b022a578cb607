"""One VM on a terminal: the answer in a dozen lines, then the grounds, the timeline and the way out; must not judge.

Used by `terminal` only.
"""

from collections.abc import Iterable

from rich.text import Text

from vmdiag.diagnosis.model import Action, Case, Evidence, Stance
from vmdiag.diagnosis.traffic_losses import UNITS, format_figure
from vmdiag.model import Gap, Window
from vmdiag.renderers._marks import format_banner
from vmdiag.renderers._page import BOLD, Page, pack_lines
from vmdiag.wording import (
    evidence_headings,
    narrative,
    redeploy_instructions,
    redeploy_outcome,
    sparkline,
    support_ticket,
    timeline_rows,
)
from vmdiag.wording.sanitize import shorten_name, shorten_sentence, shorten_source_ref
from vmdiag.wording.time_formats import ShortTimeFormat, format_window

ANSWER_LINES = 12
_LABEL_WIDTH = 12
_SIGNAL_WIDTH = 14
_MAX_GAPS = 8
_STANCE_SIGNS = {Stance.FOR: "+", Stance.AGAINST: "-", Stance.MISSING: "?"}


def draw_vm(case: Case, page: Page) -> None:
    """The whole answer for one VM, but for what concerns the run."""
    _draw_answer(case, page)
    if case.is_unknown:
        return
    _draw_guards(case, page)
    _draw_evidence(case, page)
    draw_gaps(case.gaps, page, case.window)
    _draw_timeline(case, page)
    _draw_sparkline(case, page)
    paragraphs = list(narrative.write_narrative(case))
    if paragraphs:
        page.print_heading("What happened")
        _draw_paragraphs(paragraphs, page)
    _draw_next_steps(case, page)
    if case.diagnosis.recommendation.action is Action.ESCALATE:
        _draw_support_ticket(case, page)


def draw_gaps(missed: tuple[Gap, ...], page: Page, window: Window) -> None:
    """What was not heard; of a gap as long as the window only the reason is told."""
    if not missed:
        return
    page.print_heading("What could not be seen")
    for gap in missed[:_MAX_GAPS]:
        partly = "in part: " if gap.partial else ""
        ends = (gap.window.start, gap.window.end)
        when = "" if window.start >= ends[0] and window.end <= ends[1] else f" ({format_window(*ends)})"
        page.print_field(gap.signal, f"{partly}{shorten_sentence(gap.reason)}{when}", _SIGNAL_WIDTH + 2)
    if len(missed) > _MAX_GAPS:
        page.print_line(f"  and {len(missed) - _MAX_GAPS} more: see the JSON report")


def _draw_answer(case: Case, page: Page) -> None:
    room = page.prose_width - _LABEL_WIDTH
    verdict = format_banner(case, page)
    column = len(verdict) + 2
    head = page.sanitize_text(narrative.write_headline(case), BOLD)
    page.print_labelled(verdict, head, column, 2)
    page.print_blank()
    rows = dict(narrative.list_summary_rows(case))
    why = page.sanitize_text(rows.pop("Why"))
    used = len(page.wrap_text(head, page.prose_width - column, 2)) + 1
    for title, says in rows.items():
        text = page.sanitize_text(says)
        most = 2 if title in {"VM", "Redeploy"} else 1
        used += len(page.wrap_text(text, room, most))
        page.print_labelled(page.sanitize_text(f"  {title}", BOLD), text, _LABEL_WIDTH, most)
    word, says = narrative.describe_next_step(case)
    step = Text.assemble(page.sanitize_text(word, BOLD), page.sanitize_text(says))
    left = ANSWER_LINES - used
    steps = min(len(page.wrap_text(step, room)), left - min(2, len(page.wrap_text(why, room))))
    page.print_labelled(page.sanitize_text("  Why", BOLD), why, _LABEL_WIDTH, left - steps)
    page.print_labelled(page.sanitize_text("  Next", BOLD), step, _LABEL_WIDTH, steps)


def _draw_guards(case: Case, page: Page) -> None:
    found = list(redeploy_outcome.format_guard_results(case.mitigation.guards if case.mitigation is not None else ()))
    if not found or not redeploy_outcome.is_pending(case):
        return
    page.print_heading("Redeploy, guard by guard: + passes, - refuses, ? not asked yet")
    for mark, guard, says in found:
        head = f"  {mark} {guard:<{_SIGNAL_WIDTH}}"
        page.print_labelled(head, page.sanitize_text(says), len(head))
    for line in redeploy_outcome.describe_impact(case):
        page.print_labelled("  ", page.sanitize_text(line), 2)


def _draw_evidence(case: Case, page: Page) -> None:
    for title, found in evidence_headings.group_evidence(case):
        _draw_evidence_group(title, found, page)


def _draw_evidence_group(title: str, found: list[Evidence], page: Page) -> None:
    clock = ShortTimeFormat.fit_to_times(one.at for one in found if one.at)
    page.print_heading(f"{title} ({clock.title})")
    for one in found:
        head = f"  {_STANCE_SIGNS[one.stance]} {clock(one.at)}  {one.signal:<{_SIGNAL_WIDTH}}"
        ref = f" [{shorten_source_ref(one.ref)}]" if one.ref else ""
        page.print_labelled(head, page.sanitize_text(shorten_sentence(one.says) + ref), len(head))


def _draw_timeline(case: Case, page: Page) -> None:
    rows, others = timeline_rows.build_timeline_rows(case)
    if not rows:
        return
    clock = ShortTimeFormat.fit_to_times(row.at for row in rows)
    page.print_heading(f"Timeline ({clock.title})")
    widest = max(len(row.label) for row in rows)
    for row in rows:
        head = f"  {clock(row.at)}  {row.label:<{widest}}  "
        weight = BOLD if row.label.isupper() else ""
        page.print_labelled(page.sanitize_text(head, weight), page.sanitize_text(row.says), len(head))
    if others:
        page.print_line(f"  and {others} more: see the JSON report")


def _draw_sparkline(case: Case, page: Page) -> None:
    series = case.curve
    span = None if series is None else sparkline.get_time_span(series)
    if series is None or span is None:
        return
    width = sparkline.count_columns(series, max(1, page.prose_width - sparkline.MARKER_MARGIN))
    page.print_blank()
    top = format_figure(sparkline.find_peak(series), UNITS.get(series.name, "B"))
    page.print_drawing(f"{shorten_name(series.name)}, {format_window(span.start, span.end)}, peak {top}", BOLD)
    drawn = sparkline.draw_sparkline(series, span, width, page.glyphs)
    page.print_drawing(drawn)
    for line in sparkline.draw_markers(timeline_rows.list_markers(case), span, width, page.glyphs):
        page.print_drawing(line)
    if page.glyphs.absent in drawn:
        page.print_drawing(f"({page.glyphs.absent.strip() or 'blank'} = not reported)")


def _draw_next_steps(case: Case, page: Page) -> None:
    page.print_heading("What to do")
    _draw_paragraphs(narrative.write_next_steps(case), page)
    if case.diagnosis.recommendation.action is Action.REDEPLOY:
        _draw_command(case, page)
    for title, url in narrative.list_links(case):
        page.print_line(f"  {title}")
        page.print_link(url)


def _draw_paragraphs(paragraphs: Iterable[str], page: Page) -> None:
    for number, text in enumerate(paragraphs):
        if number:
            page.print_blank()
        page.print_paragraph(text)


def _draw_command(case: Case, page: Page) -> None:
    whole = redeploy_instructions.format_command(case.vm)
    if whole is None:
        page.print_paragraph(redeploy_instructions.IMPLAUSIBLE_ID_WARNING)
        return
    lines = pack_lines(list(redeploy_instructions.split_command(case.vm) or (whole,)), page.width - 6, " ")
    page.print_blank()
    for number, line in enumerate(lines):
        more = " \\" if number < len(lines) - 1 else ""
        # Never wrapped: half a command is worse than a long line.
        page.print_line(f"    {'  ' * bool(number)}{line}{more}")
    page.print_blank()


def _draw_support_ticket(case: Case, page: Page) -> None:
    page.print_heading("For the support ticket, ready to paste")
    page.print_blank()
    for title, says in support_ticket.list_ticket_fields(case):
        page.print_labelled(f"{title}:", page.sanitize_text(says), 18)
    page.print_line("Evidence:")
    for says in support_ticket.format_evidence(case):
        page.print_labelled("-", page.sanitize_text(says), 2)
