"""The report as one page for a browser: it fetches nothing, and obeys nothing that a stranger wrote.

Jinja escapes every text; before it does, `sanitize_value` cuts and neutralises what it is given. The page's policy lets
no style and no script run but the two whose digests it names, as the W3C's "Content Security Policy Level 3" has it.
"""

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any, TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from vmdiag.diagnosis.model import Action, Case, State, Verdict
from vmdiag.model import Gap
from vmdiag.renderers import Report
from vmdiag.renderers._timeline_chart import WIDTH, build_chart
from vmdiag.wording import evidence, fleet_texts, narrative, redeploy_texts, timeline_view
from vmdiag.wording.plain_text import (
    SAFE_LINK,
    escape_controls,
    format_instant,
    format_iso,
    format_vm_name,
    format_window,
    shorten_name,
    shorten_sentence,
    shorten_source_ref,
    truncate_text,
)

if TYPE_CHECKING:
    from vmdiag.identity import VmId

_SIGNS = {Verdict.CONFIRMED: "✖", Verdict.SUSPECTED: "▲", Verdict.INCONCLUSIVE: "?", Verdict.CLEAR: "✔"}
# For a VM that is clear of what was asked about and down for another reason: no tick.
_DOWN = ("▼", "down")
_MAX_LENGTH = 4000
_MAX_GAPS = 12
# Stories beyond so many letters make a page that opens slowly; the table holds every VM.
_MAX_STORY_LETTERS = 1_600_000


def write_report(report: Report, out: TextIO) -> None:
    """Write the page; the affected VMs come first."""
    environment = make_environment()
    header = report.header
    told, counted = fleet_texts.split_told_cases(header, report.cases)
    cases = told + counted
    stories: list[Markup] = []
    anchors: dict[VmId, int] = {}
    eventful = [case for case in told if fleet_texts.is_eventful(case) or len(cases) == 1]
    for case in eventful:
        story = _tell_story(environment, case, len(stories), is_alone=len(cases) == 1)
        if sum(map(len, stories)) + len(story) > _MAX_STORY_LETTERS:
            break
        anchors[case.vm.id] = len(stories)
        stories.append(Markup(story))  # noqa: S704 - a template escaped it
    states = {case.diagnosis.state for case in told}
    title = f"{len(cases)} VMs diagnosed" if cases else fleet_texts.describe_empty_report(header, report.others)
    style, script = _read_part(environment, "page.css"), _read_part(environment, "page.js")
    page = environment.get_template("page.html").stream(
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src {make_digest(style)}; script-src {make_digest(script)}; "
        "base-uri 'none'; form-action 'none'",
        header=header,
        title=narrative.write_headline(cases[0]) if len(cases) == 1 else title,
        is_alone=len(cases) == 1,
        counts=[(verdict, _SIGNS[verdict], *counts) for verdict, *counts in fleet_texts.count_cases_by_verdict(cases)],
        columns=_list_columns(told),
        rows=(dict(_describe_row(case), anchor=anchors.get(case.vm.id)) for case in told),
        verdicts=[verdict for verdict in Verdict if any(case.diagnosis.verdict is verdict for case in told)],
        states=[word for state, word in fleet_texts.STATE_WORDS.items() if state in states],
        total=len(cases),
        is_listed=len(cases) > 1 and bool(told),
        rest=fleet_texts.describe_counted_cases(counted),
        stories=stories,
        untold=len(eventful) - len(stories),
        redeploys=redeploy_texts.count_statuses(cases),
        outcomes=[
            (redeploy_texts.join_first_names([format_vm_name(case.vm.id) for case in alike]), says)
            for says, alike in redeploy_texts.group_by_outcome(cases)
        ],
        gaps=_describe_gaps(header.gaps),
        others=list(fleet_texts.describe_other_vms(report.others)),
        notes=evidence.list_cloud_notes(cases, header.cloud),
        read=format_window(header.window.start, header.window.end),
        generated=format_iso(header.generated_at),
    )
    out.writelines(page)
    out.write("\n")


@cache
def make_environment() -> Environment:
    """Where the templates lie, and that whatever they are given becomes text."""
    environment = Environment(
        autoescape=True,
        finalize=sanitize_value,
        loader=PackageLoader("vmdiag.renderers", "_html"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["instant"] = lambda at: format_instant(at).removesuffix(" UTC") if at else ""
    environment.filters["sentence"] = shorten_sentence
    environment.filters["is_link"] = lambda url: SAFE_LINK.fullmatch(url) is not None
    return environment


def sanitize_value(value: Any) -> Any:  # noqa: ANN401 - whatever a template shows
    """A stranger's text or ours, short enough and without controls; Jinja escapes it afterwards."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return escape_controls(truncate_text(value, _MAX_LENGTH))


def _read_part(environment: Environment, name: str) -> Markup:
    """The style or the script, which are ours and stand in the page as they are."""
    loader = environment.loader
    return Markup(loader.get_source(environment, name)[0] if loader is not None else "")  # noqa: S704


def make_digest(text: str) -> str:
    """What the policy calls a style or script by; a browser counts a line's end as one character."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _list_columns(cases: list[Case]) -> list[tuple[str, str]]:
    """Name and title of each column of the table; those that would say nothing are left out."""
    columns = [("verdict", "verdict"), ("vm", "VM")]
    if len({case.vm.id.subscription.lower() for case in cases}) > 1:
        columns.append(("subscription", "subscription"))
    columns += [
        ("migrated_at", "migrated"), ("failed_at", "lost since"), ("recovered_at", "back"), ("state", "state"),
        ("explanation", "explained by"), ("action", "next"),
    ]  # fmt: skip
    return columns + [("mitigation", "redeploy")] * any(case.mitigation is not None for case in cases)


def _describe_row(case: Case) -> dict[str, Any]:
    found = case.diagnosis
    sign, look = _choose_sign(case)
    instants = {"migrated_at": found.migrated_at, "failed_at": found.failed_at, "recovered_at": found.recovered_at}
    return {
        "sign": sign,
        "look": look,
        "order": list(Verdict).index(found.verdict),
        "verdict": found.verdict,
        "vm": format_vm_name(case.vm.id),
        "subscription": shorten_name(case.vm.id.subscription),
        **{name: format_instant(at).removesuffix(" UTC") if at else "" for name, at in instants.items()},
        "state": fleet_texts.STATE_WORDS[found.state] if found.state else "",
        "explanation": shorten_name(found.explanation or ""),
        "action": found.recommendation.action,
        "mitigation": case.mitigation.status if case.mitigation else "",
    }


def _choose_sign(case: Case) -> tuple[str, str]:
    """A sign for the verdict, and the name of its colour."""
    found = case.diagnosis
    if found.verdict is Verdict.CLEAR and found.state is State.OPEN:
        return _DOWN
    return _SIGNS[found.verdict], found.verdict.value


def _tell_story(environment: Environment, case: Case, number: int, *, is_alone: bool) -> str:
    sign, look = _choose_sign(case)
    done = case.mitigation
    if redeploy_texts.get_banner_word(case) is not None:
        helped = done is not None and done.reachable_again is True
        sign, look = ("✔", "clear") if helped else ("✖", "confirmed")
    wants_redeploy = case.diagnosis.recommendation.action is Action.REDEPLOY
    commands = [(says, [*map(" ".join, lines)]) for says, lines in narrative.list_commands(case)]
    rows, others = timeline_view.build_timeline_rows(case)
    return environment.get_template("story.html").render(
        anchor=number,
        is_alone=is_alone,
        is_known=not case.is_unknown,
        sign=sign,
        look=look,
        word=redeploy_texts.get_banner_word(case) or case.diagnosis.verdict.value,
        vm=format_vm_name(case.vm.id),
        id=str(case.vm.id),
        headline=narrative.write_headline(case),
        summary=list(narrative.list_summary_rows(case)),
        step=narrative.describe_next_step(case),
        first_command=next(iter(commands[0][1]), None) if wants_redeploy else None,
        chart=None if case.is_unknown else build_chart(case),
        chart_width=WIDTH,
        guards=list(redeploy_texts.format_pending_guards(case)),
        guards_heading=redeploy_texts.GUARDS_HEADING,
        impact=list(redeploy_texts.describe_impact(case)),
        evidence=[
            (title, [(evidence.STANCE_SIGNS[one.stance], one, shorten_source_ref(one.ref or "")) for one in found])
            for title, found in evidence.group_evidence(case)
        ],
        gaps=_describe_gaps(case.gaps),
        timeline=rows,
        others=others,
        paragraphs=list(narrative.write_narrative(case)),
        steps=list(narrative.write_next_steps(case)),
        commands=commands,
        links=list(narrative.list_links(case)),
        ticket=[*evidence.list_ticket_fields(case)] if evidence.needs_ticket(case) else [],
        ticket_evidence=list(evidence.format_evidence(case)),
    )


def _describe_gaps(gaps: tuple[Gap, ...]) -> list[tuple[str, str, str]]:
    """Signal, when, and why it was not read; the last line counts what is left out."""
    told = [
        (
            f"{gap.signal}{', in part' * gap.partial}",
            format_window(gap.window.start, gap.window.end),
            shorten_sentence(gap.reason),
        )
        for gap in gaps[:_MAX_GAPS]
    ]
    more = len(gaps) - _MAX_GAPS
    return [*told, ("", "", f"and {more} more: see the JSON report")] if more > 0 else told
