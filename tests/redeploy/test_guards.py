"""The guards: each alone refuses, names its limit and the value found, and nobody else makes an order."""

import ast
import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.redeploy.guard_cases import (
    HOUR,
    LOST_STORY,
    NOW,
    OTHER,
    PASSING,
    REFUSED_CASES,
    GuardCase,
    build_case,
    build_recent_loss,
    build_service_incident,
    make_affected_vms,
    make_recent_redeploys,
)
from tests.timeline_builders import make_case
from vmdiag.model import Signal
from vmdiag.redeploy import guards
from vmdiag.redeploy.guards import GUARDS, Order, Refusal, review_plans
from vmdiag.redeploy.model import Consent, Hardware, KnownRedeploy, Policy, Population
from vmdiag.values import replace

WAYS = [(name, way) for name, ways in REFUSED_CASES.items() for way in ways]
# Since when is not known: it counts for the share, and for no quarter of an hour.
UNDATED = replace(make_affected_vms(1)[0], since=None)


def reviewed(asked: GuardCase) -> Order | Refusal:
    (one,) = review_plans([asked.plan], asked.policy, asked.population, asked.now)
    return one


def refusing(asked: GuardCase) -> list[str]:
    one = reviewed(asked)
    return [] if isinstance(one, Order) else [answer.guard for answer in one.against]


def test_a_vm_that_passes_every_guard_gets_an_order_and_each_has_something_that_makes_it_refuse() -> None:
    order = reviewed(PASSING)

    assert isinstance(order, Order)
    assert [answer.passes for answer in order.answers] == [True] * len(GUARDS)
    assert order.plan == PASSING.plan
    assert {answer.guard for answer in order.answers} == REFUSED_CASES.keys()


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_each_guard_alone_refuses_and_names_its_limit_and_the_value_found(name: str, way: str) -> None:
    refusal = reviewed(REFUSED_CASES[name][way])

    assert isinstance(refusal, Refusal)
    assert [answer.guard for answer in refusal.against] == [name]
    (answer,) = refusal.against
    assert refusal.says == f"{name}: {answer.found} (limit: {answer.limit})"
    assert answer.found
    assert answer.limit


def test_several_guards_refuse_together() -> None:
    asked = PASSING.with_facts(ephemeral=True, power="deallocated").with_policy(consent=Consent.NOBODY)

    assert refusing(asked) == ["state", "data", "consent"]


@pytest.mark.parametrize("topic", ["vm", "log", "incidents", "scheduled"])
def test_what_could_not_be_read_is_no_good_news(topic: str) -> None:
    refusal = reviewed(PASSING.with_facts(unread={topic: "403"}))

    assert isinstance(refusal, Refusal)
    assert all("could not be read" in answer.found for answer in refusal.against)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"locks": None}, "locks could not be read"),
        ({"may_redeploy": None}, "could not be read; the request will tell"),
        ({"scheduled": None}, "this cloud does not tell what is scheduled"),
        (
            {"locks": (), "unread_locks": ("subscription",)},
            "no lock known; those of the subscription could not be read",
        ),
        ({"untold": ("managedBy",)}, "this cloud does not tell managedBy"),
        ({"announces": False}, "scheduled events are not opted in"),
        ({"recent_unread": "refused"}, "others' redeploys: refused"),
    ],
)
def test_what_is_not_told_and_does_not_refuse_is_said(facts: dict[str, Any], said: str) -> None:
    order = reviewed(PASSING.with_facts(**facts))

    assert isinstance(order, Order)
    assert said in " ".join(answer.found for answer in order.answers)


def test_an_order_is_good_for_a_minute_after_its_last_look() -> None:
    order, blind = reviewed(PASSING.with_plan(looked_at=1000.0)), reviewed(PASSING)

    assert isinstance(order, Order)
    assert isinstance(blind, Order)
    assert [order.check_expiry(clock).passes for clock in (1000.0, 1060.0, 1060.1, 999.0)] == [True, True, False, False]
    assert order.check_expiry(1090.4).found == "the last look is 90 s old"
    assert blind.check_expiry(1000.0).passes is False


def test_without_a_second_look_and_without_consent_there_is_no_order_and_no_refusal_yet() -> None:
    pending = reviewed(PASSING.with_policy(consent=Consent.ASKABLE).with_plan(again=None))

    assert isinstance(pending, Refusal)
    assert (pending.against, pending.says) == ((), "")
    assert [answer.guard for answer in pending.answers if answer.passes is None] == ["persistence", "consent"]


def test_what_was_not_looked_at_is_not_answered() -> None:
    pending = reviewed(PASSING.with_plan(preflight=None))

    assert isinstance(pending, Refusal)
    assert pending.against == ()
    assert {answer.guard for answer in pending.answers if answer.passes is None} == {
        "state", "data", "owner", "permission", "service event", "repeat", "grace"
    }  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [
        PASSING.with_facts(power="stopped"),
        PASSING.with_facts(redeploys=(NOW - 7 * HOUR,)),
        PASSING.with_facts(
            redeploys=(NOW - 7 * HOUR, NOW - 7 * HOUR - timedelta(minutes=9))
        ),  # log and journal, one deed
        PASSING.with_facts(redeploys=(NOW - 7 * HOUR, NOW - 8 * 24 * HOUR)),
        PASSING.with_facts(writes=((NOW - timedelta(minutes=30), "start/action"),)),
        PASSING.with_facts(tags={"Vmdiag-protected": "no"}),
        PASSING.with_facts(changed_at=NOW - 3 * HOUR),
        PASSING.with_facts(changed_at=NOW - HOUR, writes=((NOW - HOUR + timedelta(minutes=3), "write"),)),
        PASSING.with_facts(changed_at=None, hardware=Hardware()),
        PASSING.with_policy(skew=timedelta(minutes=4, seconds=59)),
        PASSING.with_facts(recent=make_recent_redeploys(1)),
        PASSING.with_affected(1, of=1).with_facts(recent=make_recent_redeploys(2, region="East US")),
        PASSING.with_affected(1, of=1).with_facts(recent=make_recent_redeploys(2, ago=timedelta(minutes=61))),
        PASSING.with_affected(1, of=1).with_facts(recent=make_recent_redeploys(2)).with_policy(storm=100),
        PASSING.with_affected(1, of=15).with_facts(recent=make_recent_redeploys(2)),
        PASSING.with_affected(3, of=15).with_facts(
            recent=tuple(replace(make_recent_redeploys(1)[0], vm=one.vm) for one in make_affected_vms(3))
        ),
        PASSING.with_affected(1, of=10_000).with_facts(recent=make_recent_redeploys(9)),
        PASSING.with_policy(unfinished=(KnownRedeploy(vm=replace(OTHER, subscription="another"), at=NOW - HOUR),)),
        dataclasses.replace(PASSING, now=NOW + timedelta(minutes=14)),
        build_recent_loss(22),
        PASSING.with_gap(Signal.TRAFFIC, 60, reason="by nature", partial=True),
        PASSING.with_gap(Signal.ACTIVITY, 60, reason="since then"),
        PASSING.with_gap(Signal.CPU, 180, reason="decides nothing", cut=True),
        PASSING.with_affected(2, of=10),
        PASSING.with_affected(3, of=15),
        PASSING.with_affected(10, of=500, apart=timedelta()),
        dataclasses.replace(PASSING, population=Population(vms=500, affected=(UNDATED,) * 11, candidates=1)),
        # An incident of another region, and one that has ended.
        build_service_incident("eastus"),
        build_service_incident(ended=NOW - timedelta(minutes=5)),
        # The operator may want suspected VMs, and accept the loss of data.
        REFUSED_CASES["verdict"]["suspected"].with_policy(include_suspected=True),
        PASSING.with_plan(normal=("beats come",)).with_policy(include_suspected=True),
        PASSING.with_facts(ephemeral=True).with_policy(allow_data_loss=True),
    ],
)
def test_at_the_limit_a_guard_still_lets_pass(asked: GuardCase) -> None:
    assert refusing(asked) == []


def test_the_operators_word_alone_needs_the_option_and_a_measurement_since() -> None:
    word = build_case("12:00 live-migration\n12:03 unreachable\nuntil 14:00")
    fresh = build_case("13:25 live-migration\n13:50 unreachable\nuntil 14:00")

    assert refusing(word) == ["verdict", "persistence"]
    assert "only the operator's word shows" in reviewed(word).answers[0].found
    assert "118 min old" in reviewed(word).answers[0].found
    assert "persistence" in refusing(fresh.with_policy(include_suspected=True))


def test_who_qualifies_is_a_matter_of_the_verdict_and_the_option() -> None:
    suspected = REFUSED_CASES["verdict"]["suspected"]

    assert guards.is_candidate(PASSING.plan.case, Policy())
    assert not guards.is_candidate(suspected.plan.case, Policy())
    assert guards.is_candidate(suspected.plan.case, Policy(include_suspected=True))


def test_another_loss_at_the_second_look_is_not_the_one_that_was_planned_for() -> None:
    again = make_case("12:00 live-migration\n12:28 traffic-lost\ncpu active\nuntil 14:00")

    assert "persistence" in refusing(PASSING.with_plan(again=again))


def test_a_proof_counts_as_fresh_evidence_and_what_the_next_one_finds_loosens_nothing() -> None:
    # Suspected for want of a second channel, but for the pair of looks.
    moved, pair = "12:00 live-migration\n12:03 traffic-lost\n", "13:58 inside-reached\n13:58 peered-unreached\n"
    proved = build_case(f"{moved}{pair}until 14:00")
    stale = {Signal.TRAFFIC: NOW - timedelta(minutes=40)}

    assert refusing(proved) == []
    for found in (
        "",
        "13:59 inside-unreached\n13:59 peered-unreached\n",
        "13:59 rule-denies\n",
        "13:59 outside-reached\n",
    ):
        assert "verdict" in refusing(proved.with_plan(again=make_case(f"{moved}{found}until 14:00")))
    for story, refused in ((f"{LOST_STORY}\n", ["verdict"]), (f"{moved}{pair}until 14:00", [])):
        case = replace(make_case(story), latest=stale)
        assert refusing(PASSING.with_plan(case=case, again=case)) == refused


def test_a_second_redeploy_for_one_loss_is_escalated_however_long_ago_the_first_was() -> None:
    asked = dataclasses.replace(build_case(f"{LOST_STORY}\n12:30 redeploy"), now=NOW)
    refusal = reviewed(asked)

    assert isinstance(refusal, Refusal)
    assert refusing(asked) == ["repeat"]
    assert "escalate instead" in refusal.says


def test_nobody_but_review_makes_an_order() -> None:
    order = reviewed(PASSING)
    assert isinstance(order, Order)

    with pytest.raises(TypeError, match="review_plans alone"):
        Order(plan=order.plan, answers=order.answers)
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(order, plan=order.plan)
    calls = {
        path.name
        for path in Path(guards.__file__).parent.parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Order"
    }
    assert calls == {"__init__.py"}
