"""A run that is killed at any moment, and runs that are started together: never a second request, never a lost one."""

import json
import os
import random
import signal
import time
from contextlib import suppress
from datetime import timedelta
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.arm import World
from tests.live.conftest import AzureStarter, LocalAzure, build_redeploy, build_world, wait_until
from vmdiag.command_answers import MitigationsAnswer
from vmdiag.redeploy.journal import JournalEntry, Step
from vmdiag.report import make_schema

if TYPE_CHECKING:
    from collections.abc import Callable

WHOLE_RUN = 5.0


def resume_redeploys(there: LocalAzure, wait_for: str = "30s") -> tuple[int, list[dict[str, Any]]]:
    """What a later run finds out: its exit code, and the redeploys it took up."""
    ran = there.run_command("mitigations", "--resume", "--wait-for", wait_for, "-o", "json")
    assert "Traceback" not in ran.err
    return ran.code, json.loads(ran.out)["mitigations"]


# How a run can be cut: by force, by whoever supervises it, by a person once or twice, or stopped for a while.
CUTS = (
    (signal.SIGKILL,),
    (signal.SIGTERM,),
    (signal.SIGINT,),
    (signal.SIGINT, signal.SIGINT),
    (signal.SIGSTOP, signal.SIGCONT),
    (signal.SIGSTOP, signal.SIGTERM, signal.SIGCONT),
)


def interrupt_run(there: LocalAzure, chance: random.Random) -> None:
    """Interrupt a run: at some time, or some moment after its intent or its request can be seen."""
    starts: dict[str, Callable[[], bool]] = {
        "at once": lambda: True,
        "intent": there.journal.path.exists,
        "request": lambda: there.redeploy_count > 0,
    }
    start, cut = chance.choice(list(starts)), chance.choice(CUTS)
    moment = chance.uniform(0, WHOLE_RUN if start == "at once" else 0.4 if start == "intent" else 2.5)
    with there.start_redeploy() as running:
        while running.poll() is None and not starts[start]():
            time.sleep(0.002)
        with suppress(TimeoutExpired):
            running.wait(moment)
        for each in cut:
            running.send_signal(each)
            time.sleep(chance.uniform(0, 0.3))
        running.communicate(timeout=100)


@pytest.mark.parametrize("seed", range(int(os.environ.get("VMDIAG_TEST_INTERRUPTIONS", "12"))))
def test_interrupted_at_any_moment_it_is_taken_up_again_without_a_second_request(
    azure: AzureStarter, seed: int
) -> None:
    there = azure(build_world())
    interrupt_run(there, random.Random(seed))  # noqa: S311 - a moment, no secret
    deeds: tuple[JournalEntry, ...] = there.journal.read_entries(pytest.fail)
    posted = [seen.client_request_id for seen in there.arm.list_posts("/redeploy")]

    # Whatever left was written down before.
    assert [deed.request for deed in deeds][: len(posted)] == posted
    assert len(posted) <= 1
    assert len(deeds) <= 1
    if not posted:
        # Only the log can tell that nothing came, once it is complete.
        there.arm.world.skew = timedelta(minutes=20)
    resume_redeploys(there)
    assert there.redeploy_count == len(posted)
    (deed,) = there.journal.read_entries(pytest.fail) or (None,)
    assert (deed is not None) == bool(deeds)
    if deed is not None and posted:
        assert (deed.step, deed.reachable_again) == (Step.VERIFIED, True)
    elif deed is not None:
        assert deed.step is Step.VOID


def test_after_a_crash_the_next_run_redeploys_nothing_before_it_is_known(azure: AzureStarter) -> None:
    there = azure(build_world(redeploying=build_redeploy(takes=timedelta(seconds=5))))
    with there.start_redeploy() as running:
        wait_until(running, lambda: there.redeploy_count)
        running.kill()
        running.communicate()
    ran, (case,) = there.redeploy_vms()

    assert (ran.code, there.redeploy_count) == (5, 1)
    assert "pace: web-01's" in case["mitigation"]["says"]
    assert resume_redeploys(there)[0] == 0
    assert there.redeploy_vms()[0].code == 0
    assert there.redeploy_count == 1


@pytest.mark.parametrize("runs", [2, 4])
def test_of_runs_that_start_together_one_redeploys(azure: AzureStarter, runs: int) -> None:
    there = azure(build_world())
    started = [there.start_redeploy() for _ in range(runs)]
    ended = [(one.communicate(timeout=60), one.returncode) for one in started]

    # Who comes late finds the VM well.
    codes = sorted(code for _, code in ended)
    assert codes[0] == 0
    assert set(codes) <= {0, 5}
    assert there.redeploy_count == 1
    assert [deed.step for deed in there.journal.read_entries(pytest.fail)] == [Step.VERIFIED]


def test_runs_in_two_subscriptions_do_not_wait_for_each_other_and_do_not_mix(azure: AzureStarter) -> None:
    """One journal, two stories at once."""
    there = azure(build_world(redeploying=build_redeploy(takes=timedelta(seconds=2))))
    other = azure(build_world(subscription="7b1e0c2d-7d3b-4f7e-a5c1-0d9c8b7a6f5e"), latency=0.01)
    started = [there.start_redeploy(), other.start_redeploy()]
    ended = [(one.communicate(timeout=60), one.returncode) for one in started]

    assert [code for _, code in ended] == [0, 0]
    assert (there.redeploy_count, other.redeploy_count) == (1, 1)
    deeds = there.journal.read_entries(pytest.fail)
    assert {deed.cloud for deed in deeds} == {there.arm.url, other.arm.url}
    assert [deed.step for deed in deeds] == [Step.VERIFIED] * 2


def test_the_journal_is_listed(azure: AzureStarter) -> None:
    there = azure(build_world())
    empty = there.runner("mitigations", **there.environment)
    there.redeploy_vms("--no-wait")
    text = there.runner("mitigations", **there.environment)
    as_json = there.runner("mitigations", "-o", "json", **there.environment)
    (told,) = json.loads(as_json.out)["mitigations"]

    assert empty.out == "No redeploys.\n"
    assert (text.code, as_json.code) == (0, 0)
    assert "started, unfinished  prod/web-01" in text.out
    assert "1 of 1 redeploys unfinished: 'vmdiag mitigations --resume'" in text.err
    assert (told["status"], told["finished"], told["reachable_again"]) == ("started", False, None)
    jsonschema.validate(json.loads(as_json.out), make_schema(MitigationsAnswer, "mitigations"))
    assert told["failed_at"]
    assert told["operation"].startswith(there.arm.url)


def test_an_unfinished_redeploy_of_another_cloud_is_told_and_left(azure: AzureStarter) -> None:
    there, other = azure(build_world()), azure(World.with_one_vm())
    there.redeploy_vms("--no-wait")
    ran = other.run_command("mitigations", "--resume", "-o", "json")

    (told,) = json.loads(ran.out)["mitigations"]
    assert (ran.code, told["status"], told["finished"]) == (1, "started", False)
    assert f"is in another cloud: give --cloud {there.arm.url}" in ran.err
    assert resume_redeploys(there)[0] == 0


def test_a_redeploy_that_goes_on_is_still_started_after_a_look(azure: AzureStarter) -> None:
    there = azure(build_world(redeploying=build_redeploy(takes=timedelta(minutes=10))))
    there.redeploy_vms("--no-wait")
    code, (told,) = resume_redeploys(there, "2s")

    assert (code, told["status"], told["finished"], there.redeploy_count) == (1, "started", False, 1)


def test_who_cannot_sign_in_is_told_at_once_and_nothing_is_forgotten(azure: AzureStarter) -> None:
    there = azure(build_world())
    there.redeploy_vms("--no-wait")
    before = there.journal.path.read_bytes()
    ran = there.run_command("mitigations", "--resume", AZURE_CLIENT_SECRET="wrong")  # noqa: S106 - not even a secret

    assert (ran.code, ran.out) == (4, "")
    assert there.journal.path.read_bytes() == before
    assert resume_redeploys(there)[0] == 0


@pytest.mark.parametrize("cures", [True, False])
def test_a_look_that_came_too_early_is_told_and_a_later_one_decides(azure: AzureStarter, cures: bool) -> None:  # noqa: FBT001 - a parameter
    there = azure(build_world(redeploying=build_redeploy(cures=cures, leap=timedelta())))
    ran, (case,) = there.redeploy_vms("--wait-for", "3s")
    done = case["mitigation"]
    # Nothing was measured since: no word on whether it helped, and no failure either.
    assert (ran.code, done["status"], done["reachable_again"]) == (0, "succeeded", None)
    assert "warning: web-01: " in ran.err

    there.arm.world.skew = timedelta(minutes=20)
    code, (told,) = resume_redeploys(there, "3s")
    assert (code, told["reachable_again"], told["finished"]) == (0 if cures else 6, cures, True)
    assert resume_redeploys(there) == (0, [])
    assert there.redeploy_count == 1
