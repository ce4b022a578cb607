"""Many VMs on a terminal: the counts, a line a VM, a short story for those that matter; must not judge.

Used by `terminal` only.
"""

from datetime import datetime

from rich.cells import cell_len
from rich.text import Text

from vmdiag.diagnosis import Action, Case, State, Verdict
from vmdiag.renderers import _redeploy, _story
from vmdiag.renderers._marks import label, sign, style
from vmdiag.renderers._page import BOLD, Page
from vmdiag.renderers._times import iso

# More stories than these nobody reads at 3 a.m.; the table holds every VM.
STORIES = 25
_WIDE = 110
_COLUMN = 12
_GAP = 1
_STATE = {State.OPEN: "still lost", State.RECOVERED: "recovered", State.REDEPLOYED: "redeployed"}


def draw(cases: list[Case], page: Page) -> None:
    """The whole answer for a fleet, but for what concerns the run."""
    _counts(cases, page)
    page.blank()
    _table(cases, page)
    flagged = [case for case in cases if case.diagnosis.verdict.is_flagged]
    for case in flagged[:STORIES]:
        _tell(case, page)
    if len(flagged) > STORIES:
        page.heading(f"{len(flagged) - STORIES} more affected VMs are told in the table only.")
    _unclear([case for case in cases if case.diagnosis.verdict is Verdict.INCONCLUSIVE], page)
    _how(flagged, page)


def _counts(cases: list[Case], page: Page) -> None:
    page.line(page.text(f"{len(cases)} VMs diagnosed", BOLD))
    for verdict in Verdict:
        found = [case for case in cases if case.diagnosis.verdict is verdict]
        if found:
            lost = sum(case.is_affected for case in found)
            page.line("  ", label(verdict, page, f"{len(found):>5} {verdict}"), f", {lost} still lost" if lost else "")


def _table(cases: list[Case], page: Page) -> None:
    titles = ["verdict", "VM", "migrated", "lost since", "state", "explained by", "next"]
    lines = [_cells(case) for case in cases]
    widths = [max(map(len, column)) for column in zip(titles, *lines, strict=True)]
    shown = [0, 1, 2, 3, 4, 5, 6]
    if page.width < _WIDE:
        # Narrow screens: the state goes where the explanation says no more than the verdict does.
        titles[4] = "state or cause"
        lines = [[*line[:4], _state_or_cause(case), *line[5:]] for case, line in zip(cases, lines, strict=True)]
        widths[4] = min(14, max(len(titles[4]), *(len(line[4]) for line in lines)))
        shown.remove(5)
    taken = sum(widths[number] + _GAP for number in shown if number != 1)
    widths[1] = max(8, min(widths[1], page.width - taken - _GAP))
    page.cells([page.text(titles[number], BOLD) for number in shown], [widths[number] for number in shown])
    for case, line in zip(cases, lines, strict=True):
        line[1] = _fitting(case, widths[1], page)
        texts = [page.text(line[number]) for number in shown]
        texts[0] = Text(texts[0].plain, style=style(case.diagnosis.verdict))
        page.cells(texts, [widths[number] for number in shown])


def _cells(case: Case) -> list[str]:
    diagnosis = case.diagnosis
    action = diagnosis.recommendation.action
    return [
        diagnosis.verdict.value,
        _story.machine(case),
        _brief(diagnosis.migrated_at),
        _brief(diagnosis.failed_at),
        _STATE[diagnosis.state] if diagnosis.state else "-",
        diagnosis.explanation or "-",
        "-" if action is Action.NONE else action.value,
    ]


def _state_or_cause(case: Case) -> str:
    diagnosis = case.diagnosis
    if diagnosis.explanation and not diagnosis.verdict.is_flagged:
        return diagnosis.explanation
    return _STATE[diagnosis.state] if diagnosis.state else "-"


def _brief(at: datetime | None) -> str:
    """Month, day, hour, minute: windows are shorter than a year."""
    return "-" if at is None else iso(at)[5:16].replace("T", " ")


def _fitting(case: Case, width: int, page: Page) -> str:
    """The VM as `group/name`; where that is too long the group gives way, not the name."""
    full = _story.machine(case)
    if cell_len(full) <= width:
        return full
    tail = full.rpartition("/")[2]
    room = width - cell_len(tail) - len(page.ellipsis) - 1
    return f"{full[: max(room, 0)]}{page.ellipsis}/{tail}" if room >= 0 else tail


def _tell(case: Case, page: Page) -> None:
    page.blank()
    verdict = label(case.diagnosis.verdict, page)
    page.beside(verdict, page.text(_story.headline(case), BOLD), len(verdict) + 2, 2)
    for title, says in _story.rows(case):
        page.beside(page.text(f"  {title}", BOLD), page.text(says), _COLUMN, 3)
    word, says = _story.advice(case)
    page.beside(page.text("  Next", BOLD), Text.assemble(page.text(word, BOLD), page.text(says)), _COLUMN, 4)


def _unclear(cases: list[Case], page: Page) -> None:
    if not cases:
        return
    page.heading(f"{sign(Verdict.INCONCLUSIVE, page)} Could not be told ({len(cases)})")
    for case in cases[:STORIES]:
        page.beside("  -", page.text(f"{_story.machine(case)}: {_story.why(case)}"), 4, 3)
    if len(cases) > STORIES:
        page.line(f"  and {len(cases) - STORIES} more: see the table")


def _how(flagged: list[Case], page: Page) -> None:
    """The instructions once for all."""
    wanted = [case for case in flagged if case.diagnosis.recommendation.action is Action.REDEPLOY]
    if wanted:
        page.heading("How to redeploy")
        page.paragraph(_redeploy.COST)
        for os, url in dict.fromkeys(pair for case in wanted for pair in _redeploy.instructions(case.vm.os)):
            page.line(f"  {os}")
            page.address(url)
    if flagged:
        page.blank()
        page.paragraph("Name one VM to see its evidence, its timeline and what to paste into a support ticket.")
