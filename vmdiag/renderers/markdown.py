"""The report for a wiki, an issue or a mail; must not let a stranger's text become HTML, a link or a table.

One VM gets a page, many get a table and a section for each that is affected.
"""

import re
from collections.abc import Iterable, Iterator
from typing import TextIO

from vmdiag.diagnosis.model import Action, Case, Header, Report, State, Verdict
from vmdiag.diagnosis.traffic_losses import UNITS, figure
from vmdiag.model import Gap
from vmdiag.renderers._markdown_escapes import cell, code, fenced, plain, row
from vmdiag.renderers._whole_report import WholeReport
from vmdiag.wording import (
    evidence_headings,
    narrative,
    other_vms,
    redeploy_instructions,
    redeploy_outcome,
    scenario_texts,
    sparkline,
    support_ticket,
    timeline_rows,
)
from vmdiag.wording.sanitize import name, place
from vmdiag.wording.time_formats import between, iso, stamp

_SIGNS = {Verdict.CONFIRMED: "❌", Verdict.SUSPECTED: "⚠️", Verdict.INCONCLUSIVE: "❔", Verdict.CLEAR: "✅"}
_COLUMNS = ("verdict", "VM", "migrated", "lost since", "state", "explained by", "next")
_CURVE = 72
_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(/[A-Za-z0-9._~/?#=%&+-]*)?")


def open_report(header: Header, out: TextIO) -> WholeReport:
    """A page; the cases are collected, because the affected ones come first."""

    def write(report: Report) -> None:
        out.writelines(line + "\n" for line in _page(report, narrative.in_order(report.cases)))

    return WholeReport(header, write)


def _page(report: Report, cases: list[Case]) -> Iterator[str]:
    header = report.header
    if len(cases) == 1:
        yield from _section(cases[0], "#")
    elif cases:
        yield from _fleet(cases)
    else:
        yield f"# vmdiag: {other_vms.nothing(header).replace('No', 'no', 1)}"
    yield from _gaps(header.gaps, "##")
    yield ""
    for line in other_vms.sentences(report.others):
        yield line
        yield ""
    read = between(header.window.start, header.window.end)
    yield f"Read from {code(header.source)} (cloud: {code(header.cloud)}), {read}."
    note = scenario_texts.note_on_cloud(cases[0], header.cloud) if cases else None
    if note:
        yield ""
        yield plain(note)


def _fleet(cases: list[Case]) -> Iterator[str]:
    counts = ((verdict, sum(case.diagnosis.verdict is verdict for case in cases)) for verdict in Verdict)
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts if count)
    yield f"# vmdiag: {len(cases)} VMs diagnosed, {told}"
    yield ""
    yield row(_COLUMNS)
    yield row("---" for _ in _COLUMNS)
    yield from (row(_cells(case)) for case in cases)
    groups = redeploy_outcome.grouped(cases)
    if groups:
        lines = [
            f"- {', '.join(code(narrative.machine(case)) for case in alike)}: {plain(says)}" for says, alike in groups
        ]
        yield from _headed(f"## Redeploys: {redeploy_outcome.counted(cases)}", lines)
    for case in cases:
        if case.diagnosis.verdict.is_flagged:
            yield ""
            yield from _section(case, "##")
    unclear = [case for case in cases if case.diagnosis.verdict is Verdict.INCONCLUSIVE]
    if unclear:
        yield ""
        yield "## Could not be told"
        yield ""
        yield from (f"- {code(narrative.machine(case))}: {plain(narrative.why(case))}" for case in unclear)


def _cells(case: Case) -> Iterator[str]:
    diagnosis = case.diagnosis
    yield f"{_SIGNS[diagnosis.verdict]} {diagnosis.verdict}"
    yield cell(code(narrative.machine(case)))
    for at in (diagnosis.migrated_at, diagnosis.failed_at):
        yield iso(at) if at else ""
    yield diagnosis.state.value if diagnosis.state else ""
    yield plain(diagnosis.explanation or "")
    done = case.mitigation
    yield (done.status if done is not None else diagnosis.recommendation.action).value


def _section(case: Case, level: str) -> Iterator[str]:
    done = redeploy_outcome.banner(case)
    word = done or f"{_SIGNS[case.diagnosis.verdict]} {case.diagnosis.verdict}"
    yield f"{level} {word}: {plain(narrative.headline(case))}"
    yield ""
    yield row(("", ""))
    yield row(("---", "---"))
    for title, says in narrative.rows(case):
        yield row((title, plain(says)))
    yield row(("Next", plain("".join(narrative.advice(case)))))
    yield row(("Id", cell(code(str(case.vm.id)))))
    if case.is_unknown:
        return
    yield from _guards(case, level + "#")
    yield from _evidence(case, level + "#")
    yield from _gaps(case.gaps, level + "#")
    yield from _timetable(case, level + "#")
    story = list(narrative.story(case))
    if story:
        yield from _headed(f"{level}# What happened", (plain(text) for text in story), gap="\n")
    yield from _way_out(case, level + "#")
    diagnosis = case.diagnosis
    if diagnosis.recommendation.action is Action.ESCALATE and diagnosis.state is not State.RECOVERED:
        lines = [f"{title}: {says}" for title, says in support_ticket.fields(case)]
        yield from _headed(
            f"{level}# For the support ticket",
            fenced([*lines, "Evidence:", *(f"- {says}" for says in support_ticket.evidence(case))]),
        )


def _guards(case: Case, level: str) -> Iterator[str]:
    given = case.mitigation.guards if case.mitigation is not None and redeploy_outcome.is_pending(case) else ()
    lines = [f"- **{guard}** {plain(mark)} {plain(says)}" for mark, guard, says in redeploy_outcome.answers(given)]
    lines += [f"- {plain(line)}" for line in redeploy_outcome.price(case)]
    if lines:
        yield from _headed(f"{level} Redeploy, guard by guard: + passes, - refuses, ? not asked yet", lines)


def _evidence(case: Case, level: str) -> Iterator[str]:
    for title, found in evidence_headings.headed(case):
        lines = (
            f"- **{one.stance}** ({one.signal}{', ' + stamp(one.at) if one.at else ''}): {plain(one.says)}"
            + (f" [{code(place(one.ref))}]" if one.ref else "")
            for one in found
        )
        yield from _headed(f"{level} {title}", lines)


def _gaps(gaps: Iterable[Gap], level: str) -> Iterator[str]:
    lines = [
        f"- {gap.signal}{' (in part)' * gap.partial}, {between(gap.window.start, gap.window.end)}: {plain(gap.reason)}"
        for gap in gaps
    ]
    if lines:
        yield from _headed(f"{level} What could not be seen", lines)


def _timetable(case: Case, level: str) -> Iterator[str]:
    rows, others = timeline_rows.timeline(case)
    if rows:
        lines = [f"- {stamp(one.at)} **{one.what}** {plain(one.says)}".rstrip() for one in rows]
        yield from _headed(f"{level} Timeline", [*lines, *([f"- and {others} more"] if others else [])])
    span = None if case.curve is None else sparkline.span_of(case.curve)
    if case.curve is not None and span is not None:
        pens = sparkline.UNICODE
        top = figure(sparkline.peak(case.curve), UNITS.get(case.curve.name, "B"))
        width = sparkline.columns(case.curve, _CURVE)
        yield ""
        yield from fenced(
            [
                f"{name(case.curve.name)}, {between(span.start, span.end)}, peak {top}",
                sparkline.curve(case.curve, span, width, pens),
                *sparkline.markers(timeline_rows.marks(case), span, width, pens),
            ]
        )


def _way_out(case: Case, level: str) -> Iterator[str]:
    yield from _headed(f"{level} What to do", map(plain, narrative.way_out(case)), gap="\n")
    if case.diagnosis.recommendation.action is Action.REDEPLOY:
        command = redeploy_instructions.command(case.vm)
        yield ""
        yield from [redeploy_instructions.STRANGE_ID] if command is None else fenced([command], "sh")
    links = [f"- {title}: {_address(url)}" for title, url in narrative.links(case)]
    if links:
        yield ""
        yield from links


def _address(url: str) -> str:
    """A link only where the address can be nothing else."""
    return f"<{url}>" if _ADDRESS.fullmatch(url) else code(url)


def _headed(title: str, lines: Iterable[str], gap: str = "") -> Iterator[str]:
    yield ""
    yield title
    yield ""
    for number, line in enumerate(lines):
        yield f"{gap if number else ''}{line}"
