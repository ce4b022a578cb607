"""`--redeploy` as an operator runs it: planned, agreed to, made once, followed, proven."""

import json
import os
import pty
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.arm import World
from tests.arm.initial_state import InitialState, merge_truths
from tests.arm.metric_generator import StateChange, TrafficState
from tests.arm.single_vm import SingleVm, create_single_vm
from tests.conftest import COMMAND
from tests.live.conftest import AzureStarter, LocalAzure, build_redeploy, build_world, wait_until
from vmdiag.redeploy.journal import Step

LONG = timedelta(minutes=10)


def read_steps(there: LocalAzure) -> list[str]:
    """What the journal holds, line by line."""
    return [json.loads(line)["step"] for line in there.journal.path.read_text().splitlines()]


def test_a_vm_is_redeployed_once_and_it_is_proven_that_it_helped(azure: AzureStarter) -> None:
    there = azure(build_world())
    ran, (case,) = there.redeploy_vms()
    done = case["mitigation"]
    (post,) = there.arm.list_posts("/redeploy")

    assert (ran.code, there.redeploy_count) == (0, 1)
    assert (done["status"], done["reachable_again"]) == ("succeeded", True)
    assert done["says"].startswith("the VM can be reached again: ")
    assert done["started_at"] <= done["finished_at"]
    assert done["operation"].startswith(f"{there.arm.url}/subscriptions/")
    assert post.client_request_id == done["request_id"]
    assert case["verdict"] == "confirmed"
    assert case["state"] in ("recovered", "redeployed")
    assert case["recommendation"]["action"] == "none"
    assert {guard["passes"] for guard in done["guards"]} == {True}
    assert read_steps(there) == ["intended", "accepted", "finished", "verified"]
    for said in ("lost: what is in memory", "203.0.113.10, which is dynamic", "delay it by 10 minutes and more"):
        assert said in ran.err
    assert "open-sesame" not in there.journal.path.read_text()
    assert "eyJ" not in there.journal.path.read_text() + ran.err + ran.out


def test_a_dry_run_shows_the_plan_and_every_guards_answer_and_asks_nothing_but_questions(azure: AzureStarter) -> None:
    there = azure(build_world(availability_set="as-1", zone="2"))
    ran, (case,) = there.redeploy_vms("--dry-run")
    done = case["mitigation"]
    asked = {(seen.method, seen.path.rpartition("/")[2]) for seen in there.arm.requests if seen.method != "GET"}

    assert asked == {("POST", "resources"), ("POST", "token"), ("POST", "query")}
    assert (ran.code, ran.err, done["status"]) == (1, "", "planned")
    assert [guard["passes"] for guard in done["guards"]].count(True) == len(done["guards"]) - 1
    assert {guard["guard"] for guard in done["guards"] if guard["passes"] is None} == {"persistence"}
    assert all(guard["found"] and guard["limit"] for guard in done["guards"])
    risks = " ".join(done["risks"])
    assert "zone 2, the availability set as-1" in risks
    assert "decide in the same seconds neither sees the other" in risks
    # Behind a whole command it still changes nothing.
    text = there.run_command(
        "check", "prod/web-01", "--since", "1d", "--redeploy", "--yes", "--no-wait", "--dry-run"
    ).out
    assert there.redeploy_count == 0
    assert not there.journal.path.exists()
    assert "Redeploy, guard by guard" in text
    assert "? persistence" in text


def test_with_nothing_affected_nothing_is_done_or_said(azure: AzureStarter) -> None:
    ran, (case,) = azure(build_world(lost_ago=None)).redeploy_vms()

    assert (ran.code, ran.err, case["mitigation"]) == (0, "", None)


def test_one_that_does_not_help_is_escalated_with_what_support_needs(azure: AzureStarter) -> None:
    there = azure(build_world(redeploying=build_redeploy(cures=False)))
    ran, (case,) = there.redeploy_vms("--wait-for", "5s")
    done = case["mitigation"]

    assert (ran.code, done["status"], done["reachable_again"]) == (6, "succeeded", False)
    assert "still cannot be reached" in done["says"]
    assert case["recommendation"]["action"] == "escalate"
    again, (second,) = there.redeploy_vms()
    assert (again.code, there.redeploy_count) == (5, 1)
    assert second["recommendation"]["action"] == "escalate"
    assert "escalate instead" in second["mitigation"]["says"]
    for form in ("terminal", "markdown"):
        told = there.run_command("check", "prod/web-01", "--since", "1d", "--redeploy", "--yes", "-o", form)
        assert "support ticket" in told.out
        assert told.code == 5


def test_the_ticket_holds_the_ids_that_support_asks_for(azure: AzureStarter) -> None:
    there = azure(build_world(redeploying=build_redeploy(cures=False)))
    told = there.run_command(
        "check", "prod/web-01", "--since", "1d", "--redeploy", "--yes", "--wait-for", "4s", COLUMNS="200"
    )
    (deed,) = there.journal.read_entries(pytest.fail)

    assert told.code == 6
    ticket = told.out.partition("For the support ticket, ready to paste")[2]
    assert deed.operation
    assert deed.correlation
    operation = deed.operation.partition("?")[0].rpartition("/")[2]
    for said in (operation, deed.correlation, deed.request, "web-01", "live-migrated"):
        assert said in ticket


@pytest.mark.parametrize(("given", "migrated"), [("20h", timedelta(hours=20)), ("115m", timedelta(minutes=115))])
def test_what_only_the_operator_saw_is_as_old_as_it_was_given_and_nothing_measured_shows_it(
    azure: AzureStarter, given: str, migrated: timedelta
) -> None:
    there = azure(build_world(migrated_ago=migrated + timedelta(minutes=2), lost_ago=None, heartbeats=False))
    there.arm.world.metrics_absent |= {"Network In Total", "Inbound Flows"}
    case = there.refuse_redeploy("--unreachable-since", given, "--include-suspected")
    refusing = {guard["guard"]: guard["found"] for guard in case["mitigation"]["guards"] if not guard["passes"]}
    assert refusing
    assert "0 min old" not in str(refusing)


def test_it_can_be_begun_and_followed_later(azure: AzureStarter) -> None:
    there = azure(build_world())
    ran, (case,) = there.redeploy_vms("--no-wait")

    assert (ran.code, case["mitigation"]["status"], read_steps(there)) == (1, "started", ["intended", "accepted"])
    later = there.run_command("mitigations", "--resume", "-o", "json")
    (told,) = json.loads(later.out)["mitigations"]
    assert (later.code, told["status"], told["reachable_again"], told["finished"]) == (0, "succeeded", True, True)
    assert there.redeploy_count == 1


def test_when_the_waiting_is_over_it_is_still_started(azure: AzureStarter) -> None:
    ran, (case,) = azure(build_world(redeploying=build_redeploy(takes=LONG))).redeploy_vms("--wait-for", "3s")

    assert (ran.code, case["mitigation"]["status"]) == (1, "started")
    assert "--wait-for was over" in case["mitigation"]["says"]
    assert case["recommendation"]["action"] == "wait"
    assert "vmdiag mitigations --resume" in case["recommendation"]["says"]
    assert "InProgress" in ran.err


def test_while_it_is_under_way_everybody_is_told_to_wait(azure: AzureStarter) -> None:
    there = azure(build_world(redeploying=build_redeploy(takes=LONG)))
    there.redeploy_vms("--no-wait")
    there.arm.world.skew = timedelta(minutes=5)  # the log has it now
    looked, (seen,) = there.check_vms("prod/web-01")
    again, (refused,) = there.redeploy_vms()

    assert (looked.code, again.code, there.redeploy_count) == (1, 5, 1)
    for case in (seen, refused):
        assert case["recommendation"]["action"] == "wait"
        assert "is under way" in case["recommendation"]["says"]


def test_a_vm_that_a_redeploy_left_down_is_to_be_started(azure: AzureStarter) -> None:
    there = azure(build_world(redeploying=build_redeploy(outcome="Failed", code="AllocationFailed")))
    assert there.redeploy_vms()[0].code == 6
    again, (case,) = there.redeploy_vms()

    assert (again.code, there.redeploy_count) == (5, 1)
    assert "a start puts it on a new host" in case["recommendation"]["says"]


@pytest.mark.parametrize("closed", ["0<&-", "2>&-", "0<&- 2>&-", "2>/dev/full"])
def test_who_is_not_listened_to_does_the_same(azure: AzureStarter, closed: str) -> None:
    there = azure(build_world())
    ran = there.run_in_shell("check prod/web-01 --since 1d -o json --redeploy --yes", closed)
    done = json.loads(ran.stdout)["cases"][0]["mitigation"]

    assert (ran.returncode, done["reachable_again"], there.redeploy_count) == (0, True, 1), ran.stderr
    assert read_steps(there) == ["intended", "accepted", "finished", "verified"]


def test_without_a_place_for_the_report_nothing_is_begun(azure: AzureStarter) -> None:
    there = azure(build_world())
    there.journal.path.parent.mkdir(parents=True)
    into_journal, _ = there.redeploy_vms("--out", str(there.journal.path))
    closed = there.run_in_shell("check prod/web-01 --since 1d --redeploy --yes", ">&-")

    assert (into_journal.code, closed.returncode, there.redeploy_count) == (2, 2, 0)
    assert "the journal" in into_journal.err
    assert "standard output" in closed.stderr


def test_an_archive_refuses_its_affected_vms(azure: AzureStarter, tmp_path: Path) -> None:
    there = azure(build_world())
    archive = tmp_path / "archive.jsonl"
    assert there.run_command("record", "prod/web-01", "--since", "1d", "--out", archive).code == 0
    asked = len(there.arm.requests)
    ran = there.runner("check", "--source", archive, "--redeploy", "--yes", "-o", "json")
    (case,) = json.loads(ran.out)["cases"]

    assert (ran.code, case["mitigation"]["status"]) == (5, "refused")
    assert "an archive cannot be read again" in case["mitigation"]["says"]
    assert len(there.arm.requests) == asked


def test_an_archive_with_nothing_affected_is_as_without(azure: AzureStarter, tmp_path: Path) -> None:
    there = azure(build_world(lost_ago=None))
    archive = tmp_path / "archive.jsonl"
    there.run_command("record", "prod/web-01", "--since", "1d", "--out", archive)
    ran = there.runner("check", "--source", archive, "--redeploy", "--dry-run", "-o", "json", "--all")

    assert (ran.code, json.loads(ran.out)["cases"][0]["mitigation"]) == (0, None)


class Terminal:
    """The command at a terminal of its own."""

    def __init__(self, there: LocalAzure, *arguments: str) -> None:
        ours, theirs = pty.openpty()
        self._ours = ours
        check: list[str | Path] = [COMMAND, "check", "prod/web-01", "--since", "1d", "-o", "json", "--redeploy"]
        self.process = subprocess.Popen(
            [*check, *arguments, "--cloud", there.arm.url],
            env={**os.environ, **there.environment},
            stdin=theirs,
            stderr=theirs,
            stdout=subprocess.PIPE,
        )
        os.close(theirs)
        self.said = ""

    def wait_for(self, words: str) -> None:
        """Wait until it has said that."""
        while words not in self.said:
            self.said += os.read(self._ours, 4096).decode(errors="replace")

    def type_line(self, text: str) -> None:
        """Type a line."""
        os.write(self._ours, text.encode())

    def wait_for_end(self) -> tuple[int, dict[str, object]]:
        """How it ended, and the one case."""
        out, _ = self.process.communicate(timeout=60)
        os.close(self._ours)
        return self.process.returncode, json.loads(out)["cases"][0]["mitigation"]


@pytest.mark.parametrize(
    ("typed", "code", "status"),
    [("yes\n", 0, "succeeded"), ("\n", 5, "declined"), ("no\n", 5, "declined")],
)
def test_at_a_terminal_the_word_yes_is_asked_for(azure: AzureStarter, typed: str, code: int, status: str) -> None:
    there = azure(build_world())
    terminal = Terminal(there)
    terminal.wait_for("Type yes to go on: ")
    assert there.redeploy_count == 0
    terminal.type_line(typed)

    assert terminal.wait_for_end()[0] == code
    assert there.redeploy_count == (status == "succeeded")
    assert "203.0.113.10" in terminal.said


def test_ctrl_c_at_the_question_is_a_no(azure: AzureStarter) -> None:
    there = azure(build_world())
    terminal = Terminal(there, "--quiet")
    terminal.wait_for("Type yes to go on: ")
    terminal.process.send_signal(signal.SIGINT)
    code, done = terminal.wait_for_end()

    assert (code, done["status"], there.redeploy_count) == (5, "declined", 0)
    assert "lost: what is in memory" in terminal.said


def test_a_vm_that_comes_back_before_the_yes_is_left_alone(azure: AzureStarter) -> None:
    there = azure(build_world())
    terminal = Terminal(there)
    terminal.wait_for("Type yes to go on: ")
    (vm,) = there.arm.world
    with there.arm.world.lock:
        vm.state_changes.append(StateChange(there.arm.world.now() - timedelta(minutes=9), TrafficState.NORMAL))
    terminal.type_line("yes\n")
    code, done = terminal.wait_for_end()

    assert (code, done["status"], there.redeploy_count) == (5, "refused", 0)
    assert str(done["says"]).startswith("persistence: at a second look the VM is confirmed, recovered since")


def test_the_intent_is_on_disk_before_the_request_leaves_and_ctrl_c_leaves_it_running(azure: AzureStarter) -> None:
    there = azure(build_world(redeploying=build_redeploy(takes=LONG)), latency=0.3)
    with there.start_redeploy() as running:
        wait_until(running, lambda: there.redeploy_count)
        assert read_steps(there) == ["intended"]
        wait_until(running, lambda: read_steps(there) != ["intended"])
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)

    done = json.loads(out)["cases"][0]["mitigation"]
    assert (running.returncode, done["status"], there.redeploy_count) == (130, "started", 1)
    # Its query may hold a signature.
    assert "?" not in done["operation"]
    assert "vmdiag mitigations --resume" in err
    (deed,) = there.journal.read_entries(pytest.fail)
    assert deed.step is Step.ACCEPTED


def test_a_run_that_redeploys_nothing_does_not_load_what_could(azure: AzureStarter) -> None:
    there = azure()
    code = "import sys; from vmdiag.cli.app import main; main(sys.argv[1:]); print([*sys.modules], file=sys.stderr)"
    for more in ((), ("--redeploy", "--dry-run")):
        ran = subprocess.run(
            [sys.executable, "-c", code, "check", "prod/web-01", "--since", "1d", "--cloud", there.arm.url, *more],
            env={**os.environ, **there.environment},
            capture_output=True,
            check=True,
            text=True,
        )
        loaded = ran.stderr.rpartition("[")[2]
        assert "azure.core" in loaded
        assert "azure.mgmt" not in loaded


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_reading_redeploys_nothing(azure: AzureStarter, ending: signal.Signals) -> None:
    there = azure(build_world(), latency=0.5)
    with there.start_redeploy() as running:
        wait_until(running, lambda: there.count_requests("Microsoft.Authorization/locks"))
        running.send_signal(ending)
        out, err = running.communicate(timeout=30)

    done = json.loads(out)["cases"][0]["mitigation"]
    assert (running.returncode, there.redeploy_count) == (130, 0), err
    assert (done["status"], done["says"]) == ("planned", "not touched: the run was interrupted")


def test_a_vm_of_the_same_name_elsewhere_is_compared_and_neither_told_nor_touched(azure: AzureStarter) -> None:
    """Both are cut off and in one subnet, so the stranger is read as a witness."""
    now = World.with_one_vm().now()
    ours, theirs = (create_single_vm(SingleVm(group=group), now) for group in ("prod", "test"))
    both = merge_truths([ours.truth, theirs.truth])
    subnet = both.machines[0].subnet
    both = replace(both, machines=tuple(replace(machine, subnet=subnet) for machine in both.machines))
    one = World(
        InitialState(
            truth=both,
            traits={**ours.traits, **theirs.traits},
            state_changes={**ours.state_changes, **theirs.state_changes},
        )
    )
    one.redeploying = build_redeploy()
    there = azure(one)
    ran, cases = there.check_vms(
        "web-01", "-g", "prod", "--unreachable-since", "115m", "--redeploy", "--yes", "--max", "2"
    )

    assert ran.code == 0, ran.err
    assert [case["vm"]["resource_group"] for case in cases] == ["prod"]
    assert ["/prod/" in post.path for post in there.arm.list_posts("/redeploy")] == [True]
