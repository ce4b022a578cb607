"""What is said after a redeploy: proven by what was measured since, or not at all, and never hidden by the report."""

import re
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from tests.arm.metric_generator import TrafficState
from tests.live.conftest import AzureStarter, build_redeploy, build_world, wait_until
from tests.live.test_redeploy import Terminal, read_steps

SHORT = ("--wait-for", "4s")
CHECK = "check prod/web-01 --since 1d --redeploy --yes --wait-for 4s"


def test_seven_percent_of_the_old_traffic_is_not_reachable_again_and_no_failure_either(azure: AzureStarter) -> None:
    there = azure(build_world(heartbeats=False, redeploying=build_redeploy(mood=TrafficState.FAINT)))
    ran, (case,) = there.redeploy_vms(*SHORT)
    done = case["mitigation"]

    assert (ran.code, done["status"], done["reachable_again"], there.redeploy_count) == (0, "succeeded", None, 1)
    # The server's traffic has its noise.
    assert re.search(r"is at [5-9]% of what it was", done["says"])
    assert "warning: web-01: " in ran.err


@pytest.mark.parametrize(("minutes", "expected"), [(8, None), (12, False)])
def test_that_it_did_not_help_is_not_said_sooner_than_ten_minutes_after(
    azure: AzureStarter,
    minutes: int,
    expected: bool | None,  # noqa: FBT001 - the case's answer
) -> None:
    there = azure(build_world(redeploying=build_redeploy(cures=False, leap=timedelta(minutes=minutes))))
    ran, (case,) = there.redeploy_vms(*SHORT)

    assert (case["mitigation"]["status"], case["mitigation"]["reachable_again"]) == ("succeeded", expected)
    assert ran.code == (0 if expected is None else 6)
    # What was too early is no last word.
    assert (read_steps(there)[-1] == "verified") == (expected is False)
    assert case["recommendation"]["action"] == ("wait" if expected is None else "escalate")


def test_what_goes_on_is_told_with_how_long_and_what_is_next(azure: AzureStarter) -> None:
    there = azure(build_world(redeploying=build_redeploy(takes=timedelta(seconds=4))))
    ran, _ = there.redeploy_vms("--wait-for", "30s")

    for said in (" of at most 30 s)", "Azure says: InProgress", "lost until then: ", "next look in ", "Ctrl-C is safe"):
        assert said in ran.err


def test_the_headline_is_what_is_true_now_and_one_redeploy_is_told_once(azure: AzureStarter) -> None:
    there = azure(build_world())
    ran = there.run_command("check", "prod/web-01", "--since", "1d", "--redeploy", "--yes", COLUMNS="160")

    assert ran.code == 0
    assert "REDEPLOYED  web-01 can be reached again" in ran.out.splitlines()[0]
    timeline = ran.out.partition("\nTimeline")[2].partition("\n\n")[0]
    assert timeline.count(" redeploy ") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
@pytest.mark.parametrize("tail", ["> /dev/full", "--out /dev/full", "| true"])
@pytest.mark.parametrize(("outcome", "code"), [("Succeeded", 0), ("Failed", 6)])
def test_a_report_that_cannot_be_written_does_not_hide_what_was_done(
    azure: AzureStarter, tail: str, outcome: str, code: int
) -> None:
    there = azure(build_world(redeploying=build_redeploy(outcome=outcome, code="Odd" if code else None)))
    ran = there.run_in_shell(CHECK, tail)

    assert (ran.returncode, there.redeploy_count) == (code, 1), ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_report_that_cannot_be_written_leaves_what_goes_on_a_one(azure: AzureStarter) -> None:
    there = azure(build_world(redeploying=build_redeploy(takes=timedelta(minutes=10))))

    assert there.run_in_shell(CHECK, "> /dev/full").returncode == 1
    assert there.run_in_shell("mitigations --resume --wait-for 1s", "> /dev/full").returncode == 1
    assert there.redeploy_count == 1


def test_ctrl_c_while_it_is_followed_says_how_to_take_it_up(azure: AzureStarter) -> None:
    there = azure(build_world(redeploying=build_redeploy(takes=timedelta(minutes=10))))
    with there.start_command("check", "prod/web-01", "--since", "1d", "--redeploy", "--yes") as running:
        wait_until(running, lambda: there.redeploy_count and "accepted" in read_steps(there))
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)

    hint = err[err.rindex("hint: ") :]
    assert running.returncode == 130
    assert "vmdiag mitigations --resume" in hint
    assert "--resume FILE" not in hint


def test_the_question_shows_all_of_it_and_takes_no_word_typed_before_nor_a_short_one(azure: AzureStarter) -> None:
    there = azure(build_world())
    terminal = Terminal(there)
    terminal.type_line("yes\n")
    terminal.wait_for("Type yes to go on: ")
    terminal.type_line("y\n")
    terminal.wait_for("type yes, the whole word")
    assert there.redeploy_count == 0
    terminal.type_line("no\n")
    code, done = terminal.wait_for_end()

    assert (code, done["status"], there.redeploy_count) == (5, "declined", 0)
    guards = ("verdict", "persistence", "state", "data", "owner", "count", "storm", "service event", "repeat", "clock")
    for said in (
        *("confirmed: web-01 lost its network path", "migrated: ", "lost: 20", "now: still unreachable", "why: "),
        *(f" {guard}: " for guard in guards),
        *("lost: what is in memory", "risk: Azure may find no room", "risk: what another machine began"),
    ):
        assert said in terminal.said
