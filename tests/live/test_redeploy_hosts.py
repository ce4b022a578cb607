"""What another host or person did between the looks, or a moment ago, is seen, whatever the log still lacks."""

import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.arm import ArmServer, World
from tests.arm.vm import ComputeState
from tests.live.conftest import (
    AzureStarter,
    build_redeploy,
    build_world,
    list_refusing_guards,
    log_operation,
    wait_until,
)
from tests.live.test_redeploy import Terminal
from tests.redeploy.guard_cases import make_order
from vmdiag.arm.request import AzureSettings
from vmdiag.arm.session import Session
from vmdiag.redeploy.journal import Step
from vmdiag.redeploy.request import HeldError, apply_order, read_boot_seconds

LATE = timedelta(minutes=15)


def redeploy_elsewhere(one: World, *, annotated: bool) -> None:
    """Another host redeploys the VM in vain; the log is late, and the annotation may be, too."""
    one.redeploying = build_redeploy(takes=timedelta(seconds=0.2), cures=False, leap=timedelta())
    one.log_delay = LATE
    (vm,) = one
    before = vm.truth.annotations
    one.start_redeploy(vm)
    if not annotated:
        vm.truth = replace(vm.truth, annotations=before)
    time.sleep(0.3)


@pytest.mark.parametrize("annotated", [True, False])
def test_a_redeploy_by_another_host_shows_before_the_log_has_it(azure: AzureStarter, annotated: bool) -> None:  # noqa: FBT001 - a parameter
    one = build_world()
    redeploy_elsewhere(one, annotated=annotated)
    case = azure(one).refuse_redeploy()

    assert list_refusing_guards(case) == {"repeat"}
    # It ended a moment ago: nothing can be said of it yet.
    assert case["recommendation"]["action"] == "wait"


@pytest.mark.parametrize("in_log", [True, False])
def test_a_provisioning_time_that_the_log_explains_is_no_redeploy(azure: AzureStarter, in_log: bool) -> None:  # noqa: FBT001 - a parameter
    one, ago = build_world(), timedelta(minutes=40)
    (vm,) = one
    vm.compute_states.append(ComputeState(one.now() - ago, "running", "Succeeded"))
    if in_log:
        log_operation(one, vm.id, "Microsoft.Compute/virtualMachines/write", ago)
    there = azure(one)
    ran, (case,) = there.redeploy_vms()

    assert (ran.code, there.redeploy_count) == ((0, 1) if in_log else (5, 0))
    assert list_refusing_guards(case) == (set() if in_log else {"repeat"})


def test_an_operation_under_way_is_waited_for(azure: AzureStarter) -> None:
    one = build_world()
    one.redeploying = build_redeploy(takes=timedelta(minutes=10))
    one.log_delay = LATE
    (vm,) = one
    before = vm.truth.annotations
    one.start_redeploy(vm)
    vm.truth = replace(vm.truth, annotations=before)
    vm.state_changes.pop()  # what is measured is late, too
    vm.state_changes.pop()
    case = azure(one).refuse_redeploy()

    assert "state" in list_refusing_guards(case)


def test_a_vm_that_was_made_after_the_loss_began_is_another_one(azure: AzureStarter) -> None:
    one = build_world()
    (vm,) = one
    vm.created_at = one.now() - timedelta(minutes=90)
    case = azure(one).refuse_redeploy()

    assert list_refusing_guards(case) == {"state"}
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
    azure: AzureStarter, member: str, value: object, said: str
) -> None:
    there = azure(build_world())
    terminal = Terminal(there)
    terminal.wait_for("Type yes to go on: ")
    (vm,) = there.arm.world
    with there.arm.world.lock:
        vm.machine = replace(vm.machine, **{member: value})  # type: ignore[arg-type]
    terminal.type_line("yes\n")
    code, done = terminal.wait_for_end()

    assert (code, done["status"], there.redeploy_count) == (5, "refused", 0)
    assert said in str(done["says"])


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ArmServer, Session]]:
    """A session that has signed in already."""
    with ArmServer(build_world()) as arm:
        for name, value in arm.environment.items():
            monkeypatch.setenv(name, value)
        session = Session(AzureSettings(cloud=arm.url), lambda: datetime.now(UTC), threading.Event())
        session.get_token(session.cloud.token_scope, enable_cae=True)
        yield arm, session


@pytest.mark.parametrize("age", [61.0, None])
def test_an_order_that_has_grown_old_sends_nothing(door: tuple[ArmServer, Session], age: float | None) -> None:
    arm, session = door
    with pytest.raises(HeldError):
        apply_order(make_order(None if age is None else read_boot_seconds() - age), session)
    assert len(arm.list_posts("/redeploy")) == 0

    apply_order(make_order(read_boot_seconds()), session)
    assert len(arm.list_posts("/redeploy")) == 1


def test_a_run_that_was_asked_to_end_sends_nothing(door: tuple[ArmServer, Session]) -> None:
    arm, session = door
    session.stop.set()

    with pytest.raises(HeldError):
        apply_order(make_order(read_boot_seconds()), session)
    assert len(arm.list_posts("/redeploy")) == 0


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_stopped_behind_its_intent_and_ended_sends_nothing(
    azure: AzureStarter, ending: signal.Signals
) -> None:
    there = azure(build_world())
    with there.start_redeploy() as running:
        wait_until(running, there.journal.path.exists)
        running.send_signal(signal.SIGSTOP)
        before = there.redeploy_count
        running.send_signal(ending)
        running.send_signal(signal.SIGCONT)
        running.communicate(timeout=60)

    assert before == 0, "the request left sooner than anybody could look"
    assert (running.returncode, there.redeploy_count) == (130, 0)
    (deed,) = there.journal.read_entries(pytest.fail)
    assert deed.step is Step.VOID
