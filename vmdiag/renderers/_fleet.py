"""Many VMs on a terminal: the counts, a line a VM, a short story for those that matter; must not judge.

Used by `terminal` only.
"""

from datetime import datetime

from rich.cells import cell_len
from rich.text import Text

from vmdiag.diagnosis.model import Action, Case, State, Verdict
from vmdiag.renderers._marks import banner, label, sign, style
from vmdiag.renderers._page import BOLD, Page
from vmdiag.wording import narrative, redeploy_instructions, redeploy_outcome
from vmdiag.wording.time_formats import iso

# More stories than these nobody reads at 3 a.m.; the table holds every VM.
STORIES = 25
_COLUMN = 12
_NAME = "VM"
# One column for two where the screen is narrow: the cause of a loss that is not the migration's, else the state.
_MERGED = "state/cause"
_CAUSE = 15
# So many columns a name wants, and so many it must have.
_READABLE = 36
_NARROW = 12
_STATE = {State.OPEN: "still lost", State.RECOVERED: "recovered", State.REDEPLOYED: "redeployed"}


def draw(cases: list[Case], page: Page) -> None:
    """The whole answer for a fleet, but for what concerns the run."""
    _counts(cases, page)
    page.blank()
    _table(cases, page)
    _redeploys(cases, page)
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
    lines = [_cells(case) for case in cases]
    widths = {title: max(len(title), *(len(line[title]) for line in lines)) for title in lines[0]}
    # Names may be long: they get what the others leave.
    widths[_NAME] = max(cell_len(page.text(narrative.machine(case)).plain) for case in cases)
    widths[_MERGED] = min(widths[_MERGED], _CAUSE)
    shown = _columns(widths, page.width)
    widths[_NAME] = max(len(_NAME), min(widths[_NAME], _left(widths, shown, page.width)))
    page.cells([page.text(title, BOLD) for title in shown], [widths[title] for title in shown])
    for case, line in zip(cases, lines, strict=True):
        line[_NAME] = _fitting(case, widths[_NAME], page)
        texts = [page.text(line[title], style(case.diagnosis.verdict) if title == "verdict" else "") for title in shown]
        page.cells(texts, [widths[title] for title in shown])


def _columns(widths: dict[str, int], room: int) -> list[str]:
    """The columns that fit: all, or state and cause as one, and on a narrow screen without what can be spared."""
    full = [title for title in widths if title != _MERGED]
    if _left(widths, full, room) >= min(widths[_NAME], _READABLE):
        return full
    shown = [title for title in widths if title not in {"state", "explained by"}]
    for title in ("migrated", _MERGED, "next", "lost since"):
        if _left(widths, shown, room) >= min(widths[_NAME], _NARROW):
            break
        shown.remove(title)
    return shown


def _left(widths: dict[str, int], shown: list[str], room: int) -> int:
    """What is left for the VM's name beside the other columns."""
    return room - sum(widths[title] + 1 for title in shown if title != _NAME)


def _cells(case: Case) -> dict[str, str]:
    """The columns in order, but for the name."""
    diagnosis = case.diagnosis
    return {
        "verdict": diagnosis.verdict.value,
        _NAME: "",
        "migrated": _brief(diagnosis.migrated_at),
        "lost since": _brief(diagnosis.failed_at),
        "state": _state(case),
        "explained by": diagnosis.explanation or "-",
        _MERGED: _state_or_cause(case),
        "next": _next(case),
    }


def _next(case: Case) -> str:
    """What was done about it, or else what to do."""
    action = case.diagnosis.recommendation.action
    if case.mitigation is not None:
        return case.mitigation.status.value
    return "-" if action is Action.NONE else action.value


def _state(case: Case) -> str:
    return _STATE[case.diagnosis.state] if case.diagnosis.state else "-"


def _state_or_cause(case: Case) -> str:
    diagnosis = case.diagnosis
    if diagnosis.explanation and not diagnosis.verdict.is_flagged:
        return diagnosis.explanation
    return _state(case)


def _brief(at: datetime | None) -> str:
    """Month, day, hour, minute: windows are shorter than a year."""
    return "-" if at is None else iso(at)[5:16].replace("T", " ")


def _fitting(case: Case, width: int, page: Page) -> str:
    """The VM as `group/name`; where that is too long the group gives way, not the name."""
    full = narrative.machine(case)
    if cell_len(full) <= width:
        return full
    tail = full.rpartition("/")[2]
    room = width - cell_len(tail) - len(page.ellipsis) - 1
    return f"{full[: max(room, 0)]}{page.ellipsis}/{tail}" if room >= 0 else tail


def _tell(case: Case, page: Page) -> None:
    page.blank()
    verdict = banner(case, page)
    page.beside(verdict, page.text(narrative.headline(case), BOLD), len(verdict) + 2, 2)
    for title, says in narrative.rows(case):
        page.beside(page.text(f"  {title}", BOLD), page.text(says), _COLUMN, 3)
    word, says = narrative.advice(case)
    page.beside(page.text("  Next", BOLD), Text.assemble(page.text(word, BOLD), page.text(says)), _COLUMN, 4)


def _redeploys(cases: list[Case], page: Page) -> None:
    """What was done, once for all VMs of which the same is to be said."""
    groups = redeploy_outcome.grouped(cases)
    if groups:
        page.heading(f"Redeploys: {redeploy_outcome.counted(cases)}")
    for says, alike in groups:
        page.beside("  -", page.text(f"{redeploy_outcome.few([narrative.machine(case) for case in alike])}: {says}"), 4)


def _unclear(cases: list[Case], page: Page) -> None:
    if not cases:
        return
    page.heading(f"{sign(Verdict.INCONCLUSIVE, page)} Could not be told ({len(cases)})")
    for case in cases[:STORIES]:
        page.beside("  -", page.text(f"{narrative.machine(case)}: {narrative.why(case)}"), 4, 3)
    if len(cases) > STORIES:
        page.line(f"  and {len(cases) - STORIES} more: see the table")


def _how(flagged: list[Case], page: Page) -> None:
    """The instructions once for all."""
    wanted = [case for case in flagged if case.diagnosis.recommendation.action is Action.REDEPLOY]
    if wanted:
        page.heading("How to redeploy")
        page.paragraph(redeploy_instructions.COST)
        for os, url in dict.fromkeys(
            pair for case in wanted for pair in redeploy_instructions.instructions(case.vm.os)
        ):
            page.line(f"  {os}")
            page.address(url)
    if flagged:
        page.blank()
        page.paragraph("Name one VM to see its evidence, its timeline and what to paste into a support ticket.")
