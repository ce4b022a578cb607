"""What another host or person did between the looks, or a moment ago, is seen, whatever the log still lacks."""

import os
import signal
import subprocess
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.arm import Arm, World
from tests.arm.vm import Condition
from tests.conftest import COMMAND
from tests.live.conftest import Azure, Starter, mending, until, world
from tests.live.test_redeploy import Terminal
from tests.live.test_redeploy_guards import logged
from tests.redeploy.guard_cases import ready
from vmdiag.arm.access import Access
from vmdiag.arm.session import Session
from vmdiag.redeploy import boot_clock
from vmdiag.redeploy.guards import Order, review
from vmdiag.redeploy.journal import Step
from vmdiag.redeploy.request import Reception, Sent, apply

LATE = timedelta(minutes=15)


def refusing(case: dict[str, object]) -> set[str]:
    """The guards that refuse."""
    done = case["mitigation"]
    assert isinstance(done, dict)
    return {guard["guard"] for guard in done["guards"] if guard["passes"] is False}


def redeployed_elsewhere(one: World, *, annotated: bool) -> None:
    """Another host redeploys the VM in vain; the log is late, and the annotation may be, too."""
    one.redeploying = mending(takes=timedelta(seconds=0.2), cures=False, leap=timedelta())
    one.log_delay = LATE
    (vm,) = one
    before = vm.truth.annotations
    one.redeploy(vm)
    if not annotated:
        vm.truth = replace(vm.truth, annotations=before)
    time.sleep(0.3)


@pytest.mark.parametrize("annotated", [True, False])
def test_a_redeploy_by_another_host_shows_before_the_log_has_it(azure: Starter, annotated: bool) -> None:  # noqa: FBT001 - a parameter
    one = world()
    redeployed_elsewhere(one, annotated=annotated)
    there = azure(one)
    ran, (case,) = there.redeploy()

    assert (ran.code, there.posts) == (5, 0)
    assert refusing(case) == {"repeat"}
    # It ended a moment ago: nothing can be said of it yet.
    assert case["recommendation"]["action"] == "wait"


@pytest.mark.parametrize("in_log", [True, False])
def test_a_provisioning_time_that_the_log_explains_is_no_redeploy(azure: Starter, in_log: bool) -> None:  # noqa: FBT001 - a parameter
    one, ago = world(), timedelta(minutes=40)
    (vm,) = one
    vm.conditions.append(Condition(one.now() - ago, "running", "Succeeded"))
    if in_log:
        logged(one, "write", ago)
    there = azure(one)
    ran, (case,) = there.redeploy()

    assert (ran.code, there.posts) == ((0, 1) if in_log else (5, 0))
    assert refusing(case) == (set() if in_log else {"repeat"})


def test_an_operation_under_way_is_waited_for(azure: Starter) -> None:
    one = world()
    one.redeploying = mending(takes=timedelta(minutes=10))
    one.log_delay = LATE
    (vm,) = one
    before = vm.truth.annotations
    one.redeploy(vm)
    vm.truth = replace(vm.truth, annotations=before)
    vm.turns.pop()  # what is measured is late, too
    vm.turns.pop()
    there = azure(one)
    ran, (case,) = there.redeploy()

    assert (ran.code, there.posts) == (5, 0)
    assert "state" in refusing(case)


def test_that_two_hosts_cannot_see_each_other_in_the_same_seconds_is_a_risk_that_is_told(azure: Starter) -> None:
    _, (case,) = azure(world()).redeploy("--dry-run")

    assert any("another machine that decides in the same seconds" in risk for risk in case["mitigation"]["risks"])


def test_a_vm_that_was_made_after_the_loss_began_is_another_one(azure: Starter) -> None:
    one = world()
    (vm,) = one
    vm.born = one.now() - timedelta(minutes=90)
    there = azure(one)
    ran, (case,) = there.redeploy()

    assert (ran.code, there.posts) == (5, 0)
    assert refusing(case) == {"state"}
    assert "after the loss began" in case["mitigation"]["says"]


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("guid", "7a1b2c3d-0000-4000-8000-000000000000", "deleted and made again"),
        ("size", "Standard_D8s_v5", "its size was changed from Standard_D4s_v5 to Standard_D8s_v5"),
        ("spot", True, "its priority was changed from none to Spot"),
    ],
)
def test_what_became_another_vm_while_the_question_stood_is_not_redeployed(
    azure: Starter, member: str, value: object, said: str
) -> None:
    there = azure(world())
    terminal = Terminal(there)
    terminal.until("Type yes to go on: ")
    (vm,) = there.arm.world
    with there.arm.world.lock:
        vm.machine = replace(vm.machine, **{member: value})  # type: ignore[arg-type]
    terminal.type("yes\n")
    code, done = terminal.end()

    assert (code, done["status"], there.posts) == (5, "refused", 0)
    assert said in str(done["says"])


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> tuple[Arm, Session]:
    """A session that has signed in already."""
    arm = Arm(world()).__enter__()
    for name, value in arm.environment.items():
        monkeypatch.setenv(name, value)
    session = Session(Access(cloud=arm.url), lambda: datetime.now(UTC), threading.Event())
    session.credential.get_token(session.cloud.scope, enable_cae=True)
    return arm, session


def sent(session: Session, looked_at: float | None) -> Sent:
    asked = ready()
    plan = replace(asked.plan, looked_at=looked_at)
    (order,) = review([plan], asked.policy, asked.population, asked.now)
    assert isinstance(order, Order)
    return apply(order, session)


@pytest.mark.parametrize("age", [61.0, None])
def test_an_order_that_has_grown_old_sends_nothing(door: tuple[Arm, Session], age: float | None) -> None:
    arm, session = door
    told = sent(session, None if age is None else boot_clock.seconds() - age)

    assert (told.reception, len(arm.posts("/redeploy"))) == (Reception.HELD, 0)
    assert sent(session, boot_clock.seconds()).reception is not Reception.HELD
    assert len(arm.posts("/redeploy")) == 1
    arm.__exit__(None, None, None)


def test_a_run_that_was_asked_to_end_sends_nothing(door: tuple[Arm, Session]) -> None:
    arm, session = door
    session.stop.set()

    assert (sent(session, boot_clock.seconds()).reception, len(arm.posts("/redeploy"))) == (Reception.HELD, 0)
    arm.__exit__(None, None, None)


def begun(there: Azure) -> "subprocess.Popen[bytes]":
    arguments = ["check", "prod/web-01", "--since", "1d", "-o", "json", "--redeploy", "--yes", "--cloud", there.arm.url]
    return subprocess.Popen(
        [COMMAND, *arguments],
        env={**os.environ, **there.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_stopped_behind_its_intent_and_ended_sends_nothing(
    azure: Starter, ending: signal.Signals
) -> None:
    there = azure(world())
    with begun(there) as running:
        until(running, there.journal.path.exists)
        running.send_signal(signal.SIGSTOP)
        before = there.posts
        running.send_signal(ending)
        running.send_signal(signal.SIGCONT)
        running.communicate(timeout=60)

    assert before == 0, "the request left sooner than anybody could look"
    assert (running.returncode, there.posts) == (130, 0)
    (deed,) = there.journal.deeds(pytest.fail)
    assert deed.step is Step.VOID
