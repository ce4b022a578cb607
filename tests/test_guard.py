"""The guards: each alone refuses, names its limit and the value found, and nobody else makes an order."""

import ast
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.guarded import BLOCKED, HOUR, LOST, NOW, OTHER, Asked, incident, ready, struck, told
from tests.stories import case
from vmdiag import guard
from vmdiag.guard import GUARDS, Order, Refusal, review
from vmdiag.plan import Consent, Population, Unfinished

WAYS = [(name, way) for name, ways in BLOCKED.items() for way in ways]
# Since when is not known: it counts for the share, and for no quarter of an hour.
UNDATED = replace(struck(1)[0], since=None)


def reviewed(asked: Asked) -> Order | Refusal:
    (one,) = review([asked.plan], asked.policy, asked.population, asked.now)
    return one


def refusing(asked: Asked) -> list[str]:
    one = reviewed(asked)
    return [] if isinstance(one, Order) else [answer.guard for answer in one.against]


def test_a_vm_that_passes_every_guard_gets_an_order() -> None:
    order = reviewed(ready())

    assert isinstance(order, Order)
    assert [answer.passes for answer in order.answers] == [True] * len(GUARDS)
    assert order.plan == ready().plan


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_each_guard_alone_refuses_and_names_its_limit_and_the_value_found(name: str, way: str) -> None:
    refusal = reviewed(BLOCKED[name][way]())

    assert isinstance(refusal, Refusal)
    assert [answer.guard for answer in refusal.against] == [name]
    (answer,) = refusal.against
    assert refusal.says == f"{name}: {answer.found} (limit: {answer.limit})"
    assert answer.found
    assert answer.limit


def test_every_guard_has_something_that_makes_it_refuse() -> None:
    order = reviewed(ready())

    assert {answer.guard for answer in order.answers} == BLOCKED.keys()


def test_several_guards_refuse_together() -> None:
    asked = ready().facts(ephemeral=True, power="deallocated").rules(consent=Consent.NOBODY)

    assert refusing(asked) == ["state", "data", "consent"]


@pytest.mark.parametrize("topic", ["vm", "log", "incidents", "scheduled"])
def test_what_could_not_be_read_is_no_good_news(topic: str) -> None:
    refusal = reviewed(ready().facts(unread={topic: "403"}))

    assert isinstance(refusal, Refusal)
    assert all("could not be read" in answer.found for answer in refusal.against)


def test_locks_and_rights_that_cannot_be_read_count_as_none_known() -> None:
    order = reviewed(ready().facts(locks=None, may_redeploy=None, scheduled=None))

    assert isinstance(order, Order)
    found = " ".join(answer.found for answer in order.answers)
    assert "locks could not be read" in found
    assert "could not be read; the request will tell" in found
    assert "this cloud does not tell what is scheduled" in found


def test_without_a_second_look_and_without_consent_there_is_no_order_and_no_refusal_yet() -> None:
    asked = ready().rules(consent=Consent.ASKABLE)
    pending = reviewed(replace(asked, plan=replace(asked.plan, again=None)))

    assert isinstance(pending, Refusal)
    assert (pending.against, pending.says) == ((), "")
    assert [answer.guard for answer in pending.answers if answer.passes is None] == ["persistence", "consent"]


def test_what_was_not_looked_at_is_not_answered() -> None:
    asked = ready()
    pending = reviewed(replace(asked, plan=replace(asked.plan, facts=None)))

    assert isinstance(pending, Refusal)
    assert pending.against == ()
    assert {answer.guard for answer in pending.answers if answer.passes is None} == {
        "state", "data", "owner", "permission", "service event", "repeat", "grace"
    }  # fmt: skip


def test_the_operator_may_want_suspected_vms_and_accept_the_loss_of_data() -> None:
    suspected = BLOCKED["verdict"]["suspected"]()

    assert refusing(suspected.rules(include_suspected=True)) == []
    assert refusing(ready().facts(ephemeral=True).rules(allow_data_loss=True)) == []


@pytest.mark.parametrize(
    "asked",
    [
        ready().facts(power="stopped"),
        ready().facts(redeploys=(NOW - 7 * HOUR,)),
        ready().facts(redeploys=(NOW - 7 * HOUR, NOW - 7 * HOUR - timedelta(minutes=9))),  # log and journal, one deed
        ready().facts(redeploys=(NOW - 7 * HOUR, NOW - 8 * 24 * HOUR)),
        ready().facts(writes=((NOW - timedelta(minutes=30), "start/action"),)),
        ready().facts(tags={"Vmdiag-protected": "no"}),
        ready().rules(unfinished=(Unfinished(vm=replace(OTHER, subscription="another"), since=NOW - HOUR),)),
        replace(ready(), now=NOW + timedelta(minutes=14)),
        replace(ready(), population=Population(vms=10, struck=struck(2), candidates=1)),
        replace(ready(), population=Population(vms=15, struck=struck(3), candidates=1)),
        replace(ready(), population=Population(vms=500, struck=struck(10, apart=timedelta()), candidates=1)),
        replace(ready(), population=Population(vms=500, struck=(UNDATED,) * 11, candidates=1)),
    ],
)
def test_at_the_limit_a_guard_still_lets_pass(asked: Asked) -> None:
    assert refusing(asked) == []


@pytest.mark.parametrize("asked", [incident("eastus"), incident(ended=NOW - timedelta(minutes=5))])
def test_an_incident_that_has_ended_and_one_of_another_region_do_not_refuse(asked: Asked) -> None:
    assert refusing(asked) == []


def test_another_loss_at_the_second_look_is_not_the_one_that_was_planned_for() -> None:
    again = case("12:00 live-migration\n12:28 traffic-lost\ncpu active\nuntil 14:00")
    base = ready()

    assert "persistence" in refusing(replace(base, plan=replace(base.plan, again=again)))


def test_a_second_redeploy_for_one_loss_is_escalated_however_long_ago_the_first_was() -> None:
    asked = told(f"{LOST}\n12:30 redeploy")
    refusal = reviewed(replace(asked, now=NOW))

    assert isinstance(refusal, Refusal)
    assert [answer.guard for answer in refusal.against] == ["repeat"]
    assert "escalate instead" in refusal.says


def test_nobody_but_review_makes_an_order() -> None:
    order = reviewed(ready())
    assert isinstance(order, Order)

    with pytest.raises(TypeError, match="review alone"):
        Order(plan=order.plan, answers=order.answers)
    with pytest.raises((TypeError, ValueError)):
        replace(order, plan=order.plan)
    calls = {
        path.name
        for path in Path(guard.__file__).parent.parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Order"
    }
    assert calls == {"__init__.py"}
