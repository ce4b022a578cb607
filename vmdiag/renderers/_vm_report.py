"""One VM on a terminal: the answer in a dozen lines, then the grounds, the timeline and the way out; must not judge.

Used by `terminal` only.
"""

from collections.abc import Iterable

from rich.text import Text

from vmdiag.diagnosis.model import Action, Case, Evidence, Stance
from vmdiag.diagnosis.traffic_losses import UNITS, figure
from vmdiag.model import Gap, Window
from vmdiag.renderers._marks import banner
from vmdiag.renderers._page import BOLD, Page, pack
from vmdiag.wording import (
    evidence_headings,
    narrative,
    redeploy_instructions,
    redeploy_outcome,
    sparkline,
    support_ticket,
    timeline_rows,
)
from vmdiag.wording.sanitize import name, place, sentence
from vmdiag.wording.time_formats import Clock, between

ANSWER = 12
_COLUMN = 12
_SIGNAL = 14
_GAPS = 8
_STANCES = {Stance.FOR: "+", Stance.AGAINST: "-", Stance.MISSING: "?"}


def draw(case: Case, page: Page) -> None:
    """The whole answer for one VM, but for what concerns the run."""
    _answer(case, page)
    if case.is_unknown:
        return
    _guards(case, page)
    _evidence(case, page)
    gaps(case.gaps, page, case.window)
    _timetable(case, page)
    _curve(case, page)
    paragraphs = list(narrative.story(case))
    if paragraphs:
        page.heading("What happened")
        _told(paragraphs, page)
    _way_out(case, page)
    if case.diagnosis.recommendation.action is Action.ESCALATE:
        _support(case, page)


def gaps(missed: tuple[Gap, ...], page: Page, window: Window) -> None:
    """What was not heard; of a gap as long as the window only the reason is told."""
    if not missed:
        return
    page.heading("What could not be seen")
    for gap in missed[:_GAPS]:
        partly = "in part: " if gap.partial else ""
        ends = (gap.window.start, gap.window.end)
        when = "" if window.start >= ends[0] and window.end <= ends[1] else f" ({between(*ends)})"
        page.fields(gap.signal, f"{partly}{sentence(gap.reason)}{when}", _SIGNAL + 2)
    if len(missed) > _GAPS:
        page.line(f"  and {len(missed) - _GAPS} more: see the JSON report")


def _answer(case: Case, page: Page) -> None:
    room = page.prose - _COLUMN
    verdict = banner(case, page)
    column = len(verdict) + 2
    head = page.text(narrative.headline(case), BOLD)
    page.beside(verdict, head, column, 2)
    page.blank()
    rows = dict(narrative.rows(case))
    why = page.text(rows.pop("Why"))
    used = len(page.wrapped(head, page.prose - column, 2)) + 1
    for title, says in rows.items():
        text = page.text(says)
        most = 2 if title in {"VM", "Redeploy"} else 1
        used += len(page.wrapped(text, room, most))
        page.beside(page.text(f"  {title}", BOLD), text, _COLUMN, most)
    word, says = narrative.advice(case)
    step = Text.assemble(page.text(word, BOLD), page.text(says))
    left = ANSWER - used
    steps = min(len(page.wrapped(step, room)), left - min(2, len(page.wrapped(why, room))))
    page.beside(page.text("  Why", BOLD), why, _COLUMN, left - steps)
    page.beside(page.text("  Next", BOLD), step, _COLUMN, steps)


def _guards(case: Case, page: Page) -> None:
    found = list(redeploy_outcome.answers(case.mitigation.guards if case.mitigation is not None else ()))
    if not found or not redeploy_outcome.is_pending(case):
        return
    page.heading("Redeploy, guard by guard: + passes, - refuses, ? not asked yet")
    for mark, guard, says in found:
        head = f"  {mark} {guard:<{_SIGNAL}}"
        page.beside(head, page.text(says), len(head))
    for line in redeploy_outcome.price(case):
        page.beside("  ", page.text(line), 2)


def _evidence(case: Case, page: Page) -> None:
    for title, found in evidence_headings.headed(case):
        _pieces(title, found, page)


def _pieces(title: str, found: list[Evidence], page: Page) -> None:
    clock = Clock.among(one.at for one in found if one.at)
    page.heading(f"{title} ({clock.title})")
    for one in found:
        head = f"  {_STANCES[one.stance]} {clock(one.at)}  {one.signal:<{_SIGNAL}}"
        ref = f" [{place(one.ref)}]" if one.ref else ""
        page.beside(head, page.text(sentence(one.says) + ref), len(head))


def _timetable(case: Case, page: Page) -> None:
    rows, others = timeline_rows.timeline(case)
    if not rows:
        return
    clock = Clock.among(row.at for row in rows)
    page.heading(f"Timeline ({clock.title})")
    widest = max(len(row.what) for row in rows)
    for row in rows:
        head = f"  {clock(row.at)}  {row.what:<{widest}}  "
        weight = BOLD if row.what.isupper() else ""
        page.beside(page.text(head, weight), page.text(row.says), len(head))
    if others:
        page.line(f"  and {others} more: see the JSON report")


def _curve(case: Case, page: Page) -> None:
    series = case.curve
    span = None if series is None else sparkline.span_of(series)
    if series is None or span is None:
        return
    width = sparkline.columns(series, max(1, page.prose - sparkline.MARGIN))
    page.blank()
    top = figure(sparkline.peak(series), UNITS.get(series.name, "B"))
    page.drawing(f"{name(series.name)}, {between(span.start, span.end)}, peak {top}", BOLD)
    drawn = sparkline.curve(series, span, width, page.pens)
    page.drawing(drawn)
    for line in sparkline.markers(timeline_rows.marks(case), span, width, page.pens):
        page.drawing(line)
    if page.pens.absent in drawn:
        page.drawing(f"({page.pens.absent.strip() or 'blank'} = not reported)")


def _way_out(case: Case, page: Page) -> None:
    page.heading("What to do")
    _told(narrative.way_out(case), page)
    if case.diagnosis.recommendation.action is Action.REDEPLOY:
        _command(case, page)
    for title, url in narrative.links(case):
        page.line(f"  {title}")
        page.address(url)


def _told(paragraphs: Iterable[str], page: Page) -> None:
    for number, text in enumerate(paragraphs):
        if number:
            page.blank()
        page.paragraph(text)


def _command(case: Case, page: Page) -> None:
    whole = redeploy_instructions.command(case.vm)
    if whole is None:
        page.paragraph(redeploy_instructions.STRANGE_ID)
        return
    lines = pack(list(redeploy_instructions.command_words(case.vm) or (whole,)), page.width - 6, " ")
    page.blank()
    for number, line in enumerate(lines):
        more = " \\" if number < len(lines) - 1 else ""
        # Never wrapped: half a command is worse than a long line.
        page.line(f"    {'  ' * bool(number)}{line}{more}")
    page.blank()


def _support(case: Case, page: Page) -> None:
    page.heading("For the support ticket, ready to paste")
    page.blank()
    for title, says in support_ticket.fields(case):
        page.beside(f"{title}:", page.text(says), 18)
    page.line("Evidence:")
    for says in support_ticket.evidence(case):
        page.beside("-", page.text(says), 2)
