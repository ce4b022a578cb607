"""The report for a wiki, an issue or a mail: no stranger's text becomes HTML, a link or a table.

One VM gets a page, many get a table and a section for each that is affected. What strangers wrote was checked against
CommonMark and the extensions of GitHub (tables, bare links, strike-through).
"""

import re
from collections.abc import Iterable, Iterator
from typing import TextIO

from vmdiag.diagnosis.model import Case, State, Verdict
from vmdiag.model import Gap
from vmdiag.renderers import Report
from vmdiag.wording import evidence, fleet_texts, narrative, redeploy_texts, timeline_view
from vmdiag.wording.plain_text import (
    SAFE_LINK,
    escape_controls,
    format_instant,
    format_iso,
    format_vm_name,
    format_window,
    shorten_source_ref,
    truncate_text,
)

_VERDICT_SIGNS = {Verdict.CONFIRMED: "❌", Verdict.SUSPECTED: "⚠️", Verdict.INCONCLUSIVE: "❔", Verdict.CLEAR: "✅"}
# For a VM that is clear of what was asked about and down for another reason.
_DOWN_SIGN = "🔻"
_COLUMNS = ("verdict", "VM", "migrated", "lost since", "state", "explained by", "next")
_GAPS_HEADING = "What could not be seen"
_SPARKLINE_WIDTH = 72
_MAX_LENGTH = 4000
_SPECIAL_CHARACTER = re.compile(r"([\\`*_{}\[\]<>&|~#!$^])")
# Words that some readers make links or mentions of, whatever is escaped around them: they become code.
_LINK_LIKE_WORD = re.compile(r"(\S*(?:@|:/|www\.|mailto:|xmpp:)\S*)", re.IGNORECASE)
# What makes a block at the beginning of a line.
_BLOCK_START = re.compile(r"^(\s*)([-+=>])")
_LIST_NUMBER = re.compile(r"^(\s*)(\d)(?=\d*[.)])")
_FENCE = re.compile(r"`{3,}")


def write_report(report: Report, out: TextIO) -> None:
    """Write the page; the affected VMs come first."""
    header = report.header
    told, counted = fleet_texts.split_told_cases(header, report.cases)
    cases = told + counted
    if len(cases) == 1:
        lines = [*_write_section(cases[0], "#")]
    elif cases:
        lines = [*_write_fleet(told, counted)]
    else:
        lines = [f"# vmdiag: {fleet_texts.describe_empty_report(header, report.others).replace('No', 'no', 1)}"]
    lines += [*_write_titled_lines(f"## {_GAPS_HEADING}", _format_gaps(header.gaps)), ""]
    for line in fleet_texts.describe_other_vms(report.others):
        lines += [line, ""]
    read = format_window(header.window.start, header.window.end)
    lines.append(f"Read from {format_code(header.source)} (cloud: {format_code(header.cloud)}), {read}.")
    for note in evidence.list_cloud_notes(cases, header.cloud):
        lines += ["", escape_text(note)]
    out.writelines(f"{line}\n" for line in lines)


def _write_fleet(told: list[Case], counted: list[Case]) -> Iterator[str]:
    cases = told + counted
    answer = ", ".join(f"{count} {verdict}" for verdict, count, _ in fleet_texts.count_cases_by_verdict(cases) if count)
    yield f"# vmdiag: {len(cases)} VMs diagnosed, {answer}"
    yield ""
    if told:
        yield format_row(_COLUMNS)
        yield format_row("---" for _ in _COLUMNS)
        yield from (format_row(_format_cells(case)) for case in told)
    rest = fleet_texts.describe_counted_cases(counted)
    if rest is not None:
        yield from ("", escape_text(rest))
    done = [
        f"- {', '.join(format_code(format_vm_name(case.vm.id)) for case in alike)}: {escape_text(says)}"
        for says, alike in redeploy_texts.group_by_outcome(cases)
    ]
    yield from _write_titled_lines(f"## Redeploys: {redeploy_texts.count_statuses(cases)}", done)
    for case in cases:
        if case.diagnosis.verdict.is_flagged:
            yield ""
            yield from _write_section(case, "##")
    unclear = [
        f"- {format_code(format_vm_name(case.vm.id))}: {escape_text(narrative.explain_verdict(case))}"
        for case in cases
        if case.diagnosis.verdict is Verdict.INCONCLUSIVE
    ]
    yield from _write_titled_lines("## Could not be told", unclear)


def _format_cells(case: Case) -> Iterator[str]:
    diagnosis = case.diagnosis
    yield _format_verdict(case)
    yield escape_cell(format_code(format_vm_name(case.vm.id)))
    for at in (diagnosis.migrated_at, diagnosis.failed_at):
        yield format_iso(at) if at else ""
    yield diagnosis.state.value if diagnosis.state else ""
    yield escape_text(diagnosis.explanation or "")
    done = case.mitigation
    yield (done.status if done is not None else diagnosis.recommendation.action).value


def _format_verdict(case: Case) -> str:
    found = case.diagnosis
    is_down = found.verdict is Verdict.CLEAR and found.state is State.OPEN
    return f"{_DOWN_SIGN if is_down else _VERDICT_SIGNS[found.verdict]} {found.verdict}"


def _write_section(case: Case, level: str) -> Iterator[str]:
    done = redeploy_texts.get_banner_word(case)
    yield f"{level} {done or _format_verdict(case)}: {escape_text(narrative.write_headline(case))}"
    yield ""
    yield format_row(("", ""))
    yield format_row(("---", "---"))
    for title, says in narrative.list_summary_rows(case):
        yield format_row((title, escape_text(says)))
    yield format_row(("Next", escape_text("".join(narrative.describe_next_step(case)))))
    yield format_row(("Id", escape_cell(format_code(str(case.vm.id)))))
    if case.is_unknown:
        return
    level += "#"
    for title, lines in _list_grounds(case):
        yield from _write_titled_lines(f"{level} {title}", lines)
    curve = timeline_view.draw_curve(case, _SPARKLINE_WIDTH, timeline_view.UNICODE)
    if curve:
        yield ""
        yield from format_code_block(curve)
    story = map(escape_text, narrative.write_narrative(case))
    yield from _write_titled_lines(f"{level} What happened", story, gap="\n")
    yield from _write_titled_lines(f"{level} What to do", map(escape_text, narrative.write_next_steps(case)), gap="\n")
    for number, (says, commands) in enumerate(narrative.list_commands(case)):
        yield from () if number else ("",)
        yield from (f"{says}:", "", *format_code_block(map(" ".join, commands), "sh"), "") if commands else (says,)
    links = list(narrative.list_links(case))
    if links:
        yield ""
    yield from (f"- {title}: {f'<{url}>' if SAFE_LINK.fullmatch(url) else format_code(url)}" for title, url in links)
    if evidence.needs_ticket(case):
        ticket = [f"{title}: {says}" for title, says in evidence.list_ticket_fields(case)]
        ticket += ["Evidence:", *(f"- {says}" for says in evidence.format_evidence(case))]
        yield from _write_titled_lines(f"{level} For the support ticket", format_code_block(ticket))


def _list_grounds(case: Case) -> Iterator[tuple[str, list[str]]]:
    """Headings and lines: what the guards say, the evidence, the gaps, the timeline."""
    guards = [
        f"- **{guard}** {escape_text(mark)} {escape_text(says)}"
        for mark, guard, says in redeploy_texts.format_pending_guards(case)
    ]
    guards += [f"- {escape_text(line)}" for line in redeploy_texts.describe_impact(case)]
    yield redeploy_texts.GUARDS_HEADING, guards
    for title, found in evidence.group_evidence(case):
        reasons = [
            f"- **{one.stance}** ({one.signal}{', ' + format_instant(one.at) if one.at else ''}): "
            f"{escape_text(one.says)}" + (f" [{format_code(shorten_source_ref(one.ref))}]" if one.ref else "")
            for one in found
        ]
        yield title, reasons
    yield _GAPS_HEADING, _format_gaps(case.gaps)
    rows, others = timeline_view.build_timeline_rows(case)
    happened = [f"- {format_instant(one.at)} **{one.label}** {escape_text(one.says)}".rstrip() for one in rows]
    yield "Timeline", [*happened, *([f"- and {others} more"] if others else [])]


def _format_gaps(gaps: Iterable[Gap]) -> list[str]:
    return [
        f"- {gap.signal}{' (in part)' * gap.partial}, {format_window(gap.window.start, gap.window.end)}: "
        f"{escape_text(gap.reason)}"
        for gap in gaps
    ]


def _write_titled_lines(title: str, lines: Iterable[str], gap: str = "") -> Iterator[str]:
    """A heading and what stands below it; nothing where that is nothing."""
    for number, line in enumerate(lines):
        if number == 0:
            yield from ("", title, "")
        yield f"{gap if number else ''}{line}"


def escape_text(text: str) -> str:
    """Text with every character escaped that could mean something; fit for a paragraph, a list item or a cell."""
    words = _LINK_LIKE_WORD.split(escape_controls(truncate_text(text, _MAX_LENGTH)).strip())
    written = "".join(
        escape_cell(format_code(word)) if number % 2 else _SPECIAL_CHARACTER.sub(r"\\\1", word)
        for number, word in enumerate(words)
    )
    # A digit cannot be escaped with a backslash.
    return _LIST_NUMBER.sub(lambda found: f"{found[1]}&#{ord(found[2])};", _BLOCK_START.sub(r"\1\\\2", written))


def format_code(text: str) -> str:
    """A code span; a backtick in it becomes an apostrophe, because no fence is safe in a table."""
    shown = escape_controls(truncate_text(text, _MAX_LENGTH)).replace("`", "'")
    return f"`{shown}`" if shown.strip() else "` `"


def escape_cell(text: str) -> str:
    """The same, with bars that do not end a cell."""
    return text.replace("|", "\\|")


def format_row(cells: Iterable[str]) -> str:
    """One line of a table; the cells are written already."""
    return f"| {' | '.join(cells)} |"


def format_code_block(lines: Iterable[str], language: str = "text") -> Iterator[str]:
    """A block of code whose lines cannot end it."""
    shown = [escape_controls(truncate_text(line, _MAX_LENGTH)).rstrip() for line in lines]
    longest = max((len(run) for line in shown for run in _FENCE.findall(line)), default=2)
    fence = "`" * (longest + 1)
    yield from (fence + language, *shown, fence)
