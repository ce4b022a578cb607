"""Many VMs on a terminal: the counts, a line a VM, a short story for those that matter; used by `terminal` only."""

from collections import Counter
from datetime import datetime

from rich.cells import cell_len

from vmdiag.diagnosis.model import Action, Case, Verdict
from vmdiag.mitigation import list_instructions
from vmdiag.renderers._page import BOLD, Page, get_verdict_style
from vmdiag.wording import fleet_texts, narrative, redeploy_texts
from vmdiag.wording.plain_text import format_iso, format_vm_name, shorten_name

# More stories than these nobody reads at 3 a.m.; the table holds every VM that is told.
MAX_SECTIONS = 25
_VM_COLUMN = "VM"
# One column for two where the screen is narrow: the cause of a loss that is not the migration's, else the state.
_MERGED_COLUMN = "state/cause"
_MERGED_WIDTH = 15
# So many columns a name wants, and so many it must have.
_PREFERRED_NAME_WIDTH = 36
_MIN_NAME_WIDTH = 12


def draw_fleet(told: list[Case], counted: list[Case], page: Page) -> None:
    """The whole answer for a fleet, but for what concerns the run."""
    cases = told + counted
    page.print_line(page.sanitize_text(f"{len(cases)} VMs diagnosed", BOLD))
    for verdict, count, lost in fleet_texts.count_cases_by_verdict(cases):
        if count:
            text = page.format_verdict(verdict, f"{count:>5} {verdict}")
            page.print_line("  ", text, f", {lost} still lost" if lost else "")
    page.print_line()
    _draw_table(told, page)
    rest = fleet_texts.describe_counted_cases(counted)
    if rest is not None:
        page.print_paragraph(rest)
    groups = redeploy_texts.group_by_outcome(cases)
    if groups:
        page.print_heading(f"Redeploys: {redeploy_texts.count_statuses(cases)}")
    for says, alike in groups:
        names = redeploy_texts.join_first_names([format_vm_name(case.vm.id) for case in alike])
        page.print_labelled("  -", page.sanitize_text(f"{names}: {says}"), 4)
    flagged = [case for case in cases if case.diagnosis.verdict.is_flagged]
    counts = Counter(map(format_vm_name, {case.vm.id for case in flagged}))
    for case in flagged[:MAX_SECTIONS]:
        page.print_line()
        banner = page.format_banner(case)
        page.print_labelled(banner, page.sanitize_text(narrative.write_headline(case), BOLD), len(banner) + 2, 2)
        for title, says in narrative.list_summary_rows(case):
            is_shared = title == "VM" and counts[format_vm_name(case.vm.id)] > 1
            where = f", subscription {shorten_name(case.vm.id.subscription)}" if is_shared else ""
            page.print_row(title, page.sanitize_text(f"{says}{where}"), 3)
        page.print_row("Next", page.format_lead(*narrative.describe_next_step(case)), 4)
    if len(flagged) > MAX_SECTIONS:
        page.print_heading(f"{len(flagged) - MAX_SECTIONS} more affected VMs are told in the table only.")
    _draw_unclear(told, page)
    _draw_instructions(flagged, page)


def _draw_unclear(cases: list[Case], page: Page) -> None:
    unclear = [case for case in cases if case.diagnosis.verdict is Verdict.INCONCLUSIVE]
    if unclear:
        page.print_heading(f"{page.get_verdict_sign(Verdict.INCONCLUSIVE)} Could not be told ({len(unclear)})")
    for case in unclear[:MAX_SECTIONS]:
        text = page.sanitize_text(f"{format_vm_name(case.vm.id)}: {narrative.explain_verdict(case)}")
        page.print_labelled("  -", text, 4, 3)
    if len(unclear) > MAX_SECTIONS:
        page.print_line(f"  and {len(unclear) - MAX_SECTIONS} more: see the table")


def _draw_table(cases: list[Case], page: Page) -> None:
    if not cases:
        return
    lines = [_format_cells(case) for case in cases]
    widths = {title: max(len(title), *(len(line[title]) for line in lines)) for title in lines[0]}
    # Names may be long: they get what the others leave.
    widths[_VM_COLUMN] = max(cell_len(page.sanitize_text(format_vm_name(case.vm.id)).plain) for case in cases)
    widths[_MERGED_COLUMN] = min(widths[_MERGED_COLUMN], _MERGED_WIDTH)
    # The columns that fit: all, or state and cause as one, and on a narrow screen without what can be spared.
    shown = [title for title in widths if title != _MERGED_COLUMN]
    if _get_name_width(widths, shown, page.width) < min(widths[_VM_COLUMN], _PREFERRED_NAME_WIDTH):
        shown = [title for title in widths if title not in {"state", "explained by"}]
        for title in ("migrated", _MERGED_COLUMN, "next", "lost since"):
            if _get_name_width(widths, shown, page.width) >= min(widths[_VM_COLUMN], _MIN_NAME_WIDTH):
                break
            shown.remove(title)
    widths[_VM_COLUMN] = max(len(_VM_COLUMN), min(widths[_VM_COLUMN], _get_name_width(widths, shown, page.width)))
    page.print_cells([page.sanitize_text(title, BOLD) for title in shown], [widths[title] for title in shown])
    for case, line in zip(cases, lines, strict=True):
        # Where a name is too long the group gives way, not the name.
        full = line[_VM_COLUMN] = format_vm_name(case.vm.id)
        tail = full.rpartition("/")[2]
        room = widths[_VM_COLUMN] - cell_len(tail) - len(page.ellipsis) - 1
        if cell_len(full) > widths[_VM_COLUMN]:
            line[_VM_COLUMN] = f"{full[:room]}{page.ellipsis}/{tail}" if room >= 0 else tail
        texts = [
            page.sanitize_text(line[title], get_verdict_style(case.diagnosis.verdict) if title == "verdict" else "")
            for title in shown
        ]
        page.print_cells(texts, [widths[title] for title in shown])


def _get_name_width(widths: dict[str, int], shown: list[str], room: int) -> int:
    """What is left for the VM's name beside the other columns."""
    return room - sum(widths[title] + 1 for title in shown if title != _VM_COLUMN)


def _format_cells(case: Case) -> dict[str, str]:
    """The columns in order, but for the name."""
    diagnosis, action = case.diagnosis, case.diagnosis.recommendation.action
    state = fleet_texts.STATE_WORDS[diagnosis.state] if diagnosis.state else "-"
    step = "-" if action is Action.NONE else action.value
    return {
        "verdict": diagnosis.verdict.value,
        _VM_COLUMN: "",
        "migrated": _format_short_time(diagnosis.migrated_at),
        "lost since": _format_short_time(diagnosis.failed_at),
        "state": state,
        "explained by": diagnosis.explanation or "-",
        _MERGED_COLUMN: (not diagnosis.verdict.is_flagged and diagnosis.explanation) or state,
        # What was done about it, or else what to do.
        "next": step if case.mitigation is None else case.mitigation.status.value,
    }


def _format_short_time(at: datetime | None) -> str:
    """Month, day, hour, minute: windows are shorter than a year."""
    return "-" if at is None else format_iso(at)[5:16].replace("T", " ")


def _draw_instructions(flagged: list[Case], page: Page) -> None:
    """The instructions once for all."""
    if not flagged:
        return
    wanted = [case for case in flagged if case.diagnosis.recommendation.action is Action.REDEPLOY]
    if wanted:
        page.print_heading("How to redeploy")
        page.print_paragraph(redeploy_texts.REDEPLOY_IMPACT)
    for os, url in dict.fromkeys(pair for case in wanted for pair in list_instructions(case.vm.os)):
        page.print_line(f"  {os}")
        page.print_link(url)
    page.print_line()
    page.print_paragraph("Name one VM to see its evidence, its timeline and what to paste into a support ticket.")
