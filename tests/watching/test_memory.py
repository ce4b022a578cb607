"""What is told of a VM that is looked at again and again: every change once, and nothing that nobody saw."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from tests.renderers import cases
from vmdiag.diagnosis.model import Action, Case, Diagnosis, Finding, Recommendation, State, Verdict
from vmdiag.identity import VmId
from vmdiag.mitigation import GuardResult, Mitigation, Status
from vmdiag.model import Gap, Signal
from vmdiag.values import replace
from vmdiag.watching.memory import FirstSight, FollowedVm, Memory, needs_judgement, update_vm
from vmdiag.watching.rounds import Round, update_memory

EVERY = timedelta(minutes=5)
NOTHING = Recommendation(action=Action.NONE, says="")


def judge(verdict: Verdict, *gaps: Gap) -> Case:
    """A VM of which nothing is known but this."""
    asked = Finding(scenario=cases.SCENARIO.id, verdict=verdict)
    found = Diagnosis(verdict=verdict, finding=asked, findings=(asked,), recommendation=NOTHING)
    return replace(cases.make_clear_case(), vm=cases.make_machine("web-01"), diagnosis=found, gaps=gaps, events=())


AFFECTED = cases.make_confirmed_case()
BACK = replace(cases.make_recovered_case(), vm=AFFECTED.vm)
CALM = judge(Verdict.CLEAR)
BLIND = judge(Verdict.INCONCLUSIVE, Gap(signal=Signal.HEALTH, window=cases.WINDOW, reason="no permission"))
STOPPED = replace(cases.make_clear_case(), vm=AFFECTED.vm)
GONE: Case | None = None


def redeploy(status: Status, says: str, *guards: str) -> Case:
    refusing = tuple(GuardResult(guard=one, passes=False, limit="", found="") for one in guards)
    return replace(AFFECTED, mitigation=Mitigation(status=status, says=says, guards=refusing))


def follow(seen: Iterable[Case | None], every: timedelta = EVERY) -> tuple[list[str], Memory]:
    """What is told of the VM, round after round, of each the round's number, the change and the words."""
    memory, told = Memory(read_until=cases.END), []
    memory = replace(
        memory, followed=update_memory(replace(memory, read_until=None), look([CALM]), cases.END)[0].followed
    )
    for number, case in enumerate(seen, 1):
        memory, changes = update_memory(
            memory, look([case] if case else [], *memory.followed), cases.END + number * every
        )
        told += [f"{number} {change.change}: {change.says}" for change in changes]
    return told, memory


def look(found: list[Case], *known: VmId) -> Round:
    return Round(window=cases.WINDOW, cloud="public", judged=tuple(found), absent=() if found else known)


def head(told: list[str]) -> list[str]:
    return [line.partition(":")[0] for line in told]


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ([BLIND, BLIND, CALM, CALM], []),  # a feed that cannot be read changes no VM
        ([AFFECTED, AFFECTED, AFFECTED], ["1 affected"]),
        ([AFFECTED, BACK, BACK, BACK], ["1 affected", "3 recovered"]),
        ([AFFECTED, BACK, AFFECTED], ["1 affected", "3 changed"]),  # flapping: see below
        ([AFFECTED, BLIND, BLIND, BLIND, AFFECTED], ["1 affected", "3 changed"]),  # told as not judged any more
        ([AFFECTED, BLIND, BACK, BACK], ["1 affected", "4 recovered"]),
        ([AFFECTED, BLIND, BLIND, BACK, BACK], ["1 affected", "3 changed", "5 recovered"]),
        ([STOPPED, CALM, CALM], []),  # one round's truth
        ([STOPPED, STOPPED, CALM, CALM], ["2 changed", "4 changed"]),
        ([GONE, CALM, GONE, CALM], []),  # a list that was short of it
        ([GONE, GONE, GONE], ["2 disappeared"]),
        ([AFFECTED, GONE, GONE], ["1 affected", "3 disappeared"]),
        ([GONE, GONE, AFFECTED], ["2 disappeared", "3 affected"]),
    ],
)
def test_a_change_is_told_once_and_only_when_it_stands(seen: list[Case | None], told: list[str]) -> None:
    assert head(follow(seen)[0]) == told


def test_what_cannot_be_judged_never_counts_as_recovered() -> None:
    told, memory = follow([AFFECTED, *[BLIND] * 50])

    assert head(told) == ["1 affected", "3 changed"]
    assert "does not count as recovered" in told[1]
    assert memory.followed[AFFECTED.vm.id].told.is_affected


def test_a_vm_that_flaps_for_hours_is_told_as_such_once_and_once_when_it_has_settled() -> None:
    told, _ = follow([*[AFFECTED, BACK] * 20, *[BACK] * 30])

    assert head(told) == ["1 affected", "3 changed", "52 recovered"]
    assert "it is flapping, lost or back 3 times" in told[1]
    assert "it has settled, lost or back 40 times" in told[2]


def test_a_vm_that_flaps_slowly_is_told_as_flapping_too_and_no_more_often() -> None:
    told, _ = follow([*[AFFECTED, AFFECTED, BACK, BACK, BACK] * 15, *[AFFECTED] * 30])

    assert head(told) == ["1 affected", "4 recovered", "6 affected", "88 changed"]
    assert "it is flapping" in told[2]
    assert "it has settled" in told[3]


def test_two_losses_a_day_apart_are_told_as_two() -> None:
    told, _ = follow([AFFECTED, BACK, BACK, CALM, AFFECTED, BACK, BACK], timedelta(hours=6))

    assert head(told) == ["1 affected", "3 recovered", "5 affected", "7 recovered"]


def test_a_redeploy_is_told_at_once_and_a_refusal_again_only_where_other_guards_refuse() -> None:
    told, _ = follow(
        [
            redeploy(Status.REFUSED, "verdict: 3 min old", "verdict"),
            redeploy(Status.REFUSED, "verdict: 8 min old", "verdict"),
            redeploy(Status.REFUSED, "budget: 1 by the journal", "budget"),
            redeploy(Status.PLANNED, "it qualifies"),
            redeploy(Status.PLANNED, "it qualifies"),
        ]
    )

    assert head(told) == ["1 affected", "3 changed", "4 changed"]
    assert "redeploy refused: verdict: 3 min old" in told[0]
    assert "redeploy refused: budget" in told[1]


def test_a_vm_that_a_redeploy_brought_back_is_told_once_as_recovered() -> None:
    done = Mitigation(status=Status.SUCCEEDED, says="it is back", reachable_again=True, request="1")
    after = replace(BACK, diagnosis=replace(BACK.diagnosis, state=State.REDEPLOYED))
    told, _ = follow([AFFECTED, replace(AFFECTED, mitigation=done), after, after, after])

    assert head(told) == ["1 affected", "2 recovered"]


def test_a_loss_that_leaves_the_window_is_no_news() -> None:
    later = timedelta(days=20)
    moved = replace(CALM, window=replace(cases.WINDOW, start=cases.WINDOW.start + later, end=cases.END + later))

    assert head(follow([AFFECTED, BACK, BACK, moved, moved])[0]) == ["1 affected", "3 recovered"]


@pytest.mark.parametrize(
    ("first_sight", "case", "is_told"),
    [
        (FirstSight.AFFECTED, BACK, False),
        (FirstSight.AFFECTED, AFFECTED, True),
        (FirstSight.EVENTFUL, BACK, True),
        (FirstSight.EVENTFUL, CALM, False),
        (FirstSight.ALL, CALM, True),
        (FirstSight.ALL, BLIND, False),
    ],
)
def test_of_vms_that_were_never_seen_those_are_told_that_are_news(
    first_sight: FirstSight, case: Case, *, is_told: bool
) -> None:
    assert (update_vm(None, case, cases.END, first_sight)[1] is not None) is is_told


def meet(*seen: Case) -> FollowedVm:
    return follow(seen)[1].followed[AFFECTED.vm.id]


@pytest.mark.parametrize(
    ("known", "seen", "later", "expected"),
    [
        (meet(CALM), CALM, EVERY, False),
        (meet(CALM), STOPPED, EVERY, True),
        (meet(AFFECTED), CALM, EVERY, True),  # a look cannot see a loss that began before it
        (meet(AFFECTED, BACK), CALM, EVERY, True),  # it is still to be told
        (meet(AFFECTED, BACK, BACK), CALM, EVERY, False),
        (meet(BLIND), CALM, EVERY, True),  # it can be read again
        (meet(BLIND), BLIND, EVERY, False),
        (meet(BLIND), BLIND, timedelta(hours=2), True),
        (meet(AFFECTED, BLIND), BLIND, EVERY, True),
        (meet(STOPPED, STOPPED), CALM, EVERY, False),
        (meet(STOPPED, STOPPED), CALM, timedelta(hours=2), True),
        (None, CALM, EVERY, False),
        (None, BLIND, EVERY, True),
    ],
)
def test_a_short_look_suffices_where_nothing_is_new_and_nothing_to_come(
    known: FollowedVm | None, seen: Case, later: timedelta, *, expected: bool
) -> None:
    now: datetime = cases.END + 4 * EVERY + later

    assert bool(needs_judgement(known, seen, now)) is expected


def test_vms_do_not_mix() -> None:
    other = replace(AFFECTED, vm=cases.make_machine("web-02"))
    memory, changes = update_memory(Memory(), look([AFFECTED, replace(CALM, vm=other.vm)]), cases.END)
    _, later = update_memory(memory, look([AFFECTED, other]), cases.END + EVERY)

    names: list[VmId] = [AFFECTED.vm.id, other.vm.id]
    assert [change.vm.id for change in (*changes, *later)] == [str(name) for name in names]
