"""The sentences: one for every way in which a case can end."""

from typing import Any

import pytest

from tests.renderers import cases
from tests.renderers.gallery import draw_on_terminal, render_report
from tests.timeline_builders import make_case
from vmdiag.diagnosis.model import Action, Case, Evidence, Recommendation, Stance, State, Verdict
from vmdiag.identity import VmId
from vmdiag.model import Gap, Signal
from vmdiag.values import replace
from vmdiag.wording import evidence, narrative


def told(case: Case, **more: Any) -> Case:
    """The case with another diagnosis."""
    return replace(case, diagnosis=replace(case.diagnosis, **more))


def quiet(verdict: Verdict, *evidence: Evidence) -> Case:
    """A migrated VM that was not lost."""
    case = cases.make_confirmed_case()
    finding = replace(case.diagnosis.finding, verdict=verdict, evidence=evidence, blames=())
    return told(
        case, verdict=verdict, finding=finding, findings=(finding,), losses=(), state=None, explanation=None,
        failed_at=None, recommendation=Recommendation(action=Action.NONE, says="Nothing to do."),
    )  # fmt: skip


NORMAL = Evidence(stance=Stance.AGAINST, signal=Signal.TRAFFIC, says="traffic went on as before")


def end_alone() -> Case:
    """A VM of which Resource Health tells only that it is available again."""
    case = make_case("12:40 available\ntraffic normal")
    return replace(case, events=tuple(replace(one, facts={"unseen": "unavailable"}) for one in case.events))


@pytest.mark.parametrize(
    ("case", "headline"),
    [
        (end_alone(), "web-01 was not live-migrated, and of a loss only the end was seen"),
        (cases.make_confirmed_case(), "web-01 lost its network path after a live migration"),
        (cases.make_suspected_case(), "sql-02 probably lost its network path after a live migration"),
        (cases.make_recovered_case(), "api-03 lost its network path after a live migration, and is back"),
        (told(cases.make_recovered_case(), state=State.REDEPLOYED),
         "api-03 lost its network path after a live migration, and a redeploy helped"),
        (
            cases.make_escalated_case(),
            "cache-04 lost its network path after a live migration, and a redeploy did not help",
        ),
        (cases.make_inconclusive_case(), "job-05: too early to tell"),
        (quiet(Verdict.INCONCLUSIVE), "web-01: not enough was seen to tell"),
        (cases.make_clear_case(), "batch-06 was lost for another reason than a live migration"),
        (
            told(cases.make_clear_case(), explanation="unexplained"),
            "batch-06 was lost, and no live migration explains it",
        ),
        (quiet(Verdict.CLEAR), "web-01 was live-migrated and took no harm"),
        (told(quiet(Verdict.CLEAR), migrated_at=None), "web-01 was not live-migrated, and no loss was seen"),
    ],
)  # fmt: skip
def test_the_headline_is_the_answer(case: Case, headline: str) -> None:
    assert narrative.write_headline(case) == headline


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (quiet(Verdict.CLEAR), "no loss of connectivity after a live migration was seen"),
        (quiet(Verdict.CLEAR, NORMAL), "traffic went on as before"),
        (quiet(Verdict.INCONCLUSIVE), "the feeds that would decide were not heard"),
        (told(cases.make_clear_case(), explanation="unexplained"),
         "nothing that was read explains the loss; no live migration of the VM was seen"),
    ],
)  # fmt: skip
def test_why_is_said_even_where_little_was_found(case: Case, why: str) -> None:
    assert narrative.explain_verdict(case) == why


def test_what_shows_the_loss_is_said_before_what_shows_life() -> None:
    case = cases.make_confirmed_case()
    alive = Evidence(stance=Stance.FOR, signal=Signal.CPU, at=cases.MIGRATED.replace(minute=0), says="its CPU works")
    finding = replace(case.diagnosis.finding, evidence=(alive, *case.diagnosis.finding.evidence))

    assert narrative.explain_verdict(told(case, finding=finding)).endswith("its CPU works")


def test_what_speaks_against_a_suspicion_is_said_with_it() -> None:
    case = cases.make_suspected_case()
    finding = replace(case.diagnosis.finding, evidence=(*case.diagnosis.finding.evidence, NORMAL))

    assert narrative.explain_verdict(told(case, finding=finding)).endswith("; but traffic went on as before")


def test_why_to_wait_comes_first() -> None:
    case = cases.make_inconclusive_case()
    late = Evidence(stance=Stance.MISSING, signal=Signal.TRAFFIC, says="too early to tell")
    unread = Evidence(stance=Stance.MISSING, signal=Signal.HEARTBEAT, says="no heartbeats were read")
    finding = replace(case.diagnosis.finding, evidence=(unread, late), wait=True)

    assert narrative.explain_verdict(told(case, finding=finding)) == "too early to tell; no heartbeats were read"


def test_advice_does_not_stammer() -> None:
    assert narrative.describe_next_step(cases.make_confirmed_case())[0] == "Redeploy"
    assert (
        "".join(narrative.describe_next_step(cases.make_clear_case())) == "Investigate: Start the VM if it should run."
    )
    assert "".join(narrative.describe_next_step(quiet(Verdict.CLEAR))) == "Nothing to do."


def test_a_vm_without_a_loss_is_drawn_and_written() -> None:
    bare = replace(quiet(Verdict.CLEAR), events=(), curve=None, gaps=())

    assert "no loss of connectivity is known" in draw_on_terminal(cases.make_report([bare]), 80)
    assert "no loss of connectivity is known" in render_report("markdown", cases.make_report([bare]))
    assert "Timeline" not in draw_on_terminal(cases.make_report([bare]), 80)


def test_gaps_of_the_run_are_told_by_every_page() -> None:
    gap = Gap(signal=Signal.SERVICE, window=cases.WINDOW, reason="service health was not exported")
    many = replace(cases.make_confirmed_case(), gaps=(gap,) * 20)

    assert "and 12 more: see the JSON report" in draw_on_terminal(cases.make_report([many]), 80)
    for form in ("terminal", "markdown", "json"):
        assert gap.reason in render_report(form, cases.make_report([], gaps=(gap,)))


def test_a_ticket_names_the_scale_set() -> None:
    case = cases.make_escalated_case()
    vm = replace(case.vm, id=VmId(subscription="s", resource_group="g", name="3", scale_set="pool"))

    assert "Scale set:        pool" in draw_on_terminal(cases.make_report([replace(case, vm=vm)]), 80)


def test_an_unknown_scenario_is_told_by_its_id() -> None:
    assert evidence.format_scenario_title("no-such") == "no-such"
    assert evidence.format_scenario_title("user-stop") != "user-stop"


def test_the_story_tells_who_reached_the_vm_and_who_did_not() -> None:
    case = make_case("12:00 live-migration\n12:03 outside-lost\ninside normal\nuntil 13:00")
    story = " ".join(narrative.write_narrative(case))

    assert "tcp/443 reached from prod/web-02 in its own virtual network, last at 13:00Z" in story
    assert "tcp/443 is no longer reached from office, outside its virtual network, since 12:03Z" in story
    assert "Who looked at it" not in " ".join(narrative.write_narrative(cases.make_confirmed_case()))
