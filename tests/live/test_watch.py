"""`vmdiag watch` as it runs: signals, systemd, messages to people, metrics, redeploys, and what it refuses."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.arm import ArmServer, Fault, World
from tests.cli import story
from tests.conftest import Runner
from tests.live.conftest import ID, METRICS, AzureStarter, build_redeploy, build_world, wait_until
from tests.live.day import HOUR, MINUTE, Day, migrate_vm
from vmdiag.changes import Change
from vmdiag.cli.redeploy_options import RedeployOptions
from vmdiag.identity import VmId
from vmdiag.redeploy.journal import Journal, JournalEntry, Step
from vmdiag.report import make_schema

if TYPE_CHECKING:
    import subprocess


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Day]:
    """Hours of a local Azure with one VM, `prod/web-01`, that was not migrated yet; a redeploy mends it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    world = World.with_one_vm(migrated_ago=None, lost_ago=None)
    world.redeploying = build_redeploy()
    with ArmServer(world) as arm:
        for name, value in arm.environment.items():
            monkeypatch.setenv(name, value)
        yield Day(arm=arm, state=tmp_path / "state.jsonl", every=20 * MINUTE)


@pytest.fixture
def served() -> Iterator[ExitStack]:
    """Whatever is open while the test runs."""
    with ExitStack() as running:
        yield running


class Inbox(BaseHTTPRequestHandler):
    """Takes messages; while `refuses` it takes none."""

    messages: list[dict[str, Any]]
    refuses = False

    def do_POST(self) -> None:
        """A message comes."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not type(self).refuses:
            type(self).messages.append(json.loads(body))
        self.send_response(500 if type(self).refuses else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def inbox() -> Iterator[tuple[type[Inbox], str]]:
    """Whoever takes messages, and the address in apprise's form, with a password."""
    kind = type("OneInbox", (Inbox,), {"messages": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server, ExitStack() as ending:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ending.callback(server.shutdown)
        yield kind, f"json://ops:hunter2@127.0.0.1:{server.server_port}/"


def listen(path: Path, served: ExitStack) -> list[str]:
    """What is sent to a socket, as it comes: a few messages fill it."""
    states: list[str] = []
    listening = served.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    listening.bind(str(path))

    def read_on() -> None:
        while message := listening.recv(4096):
            states.extend(message.decode().split("\n"))

    reading = threading.Thread(target=read_on)
    reading.start()

    def end() -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", str(path))
        reading.join()

    served.callback(end)
    return states


def stop(running: "subprocess.Popen[str]") -> tuple[int, str, str]:
    running.terminate()
    out, err = running.communicate(timeout=30)
    return running.returncode, out, err


def test_a_watch_tells_systemd_how_it_fares_ends_with_0_on_sigterm_and_repeats_nothing(
    azure: AzureStarter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: ExitStack
) -> None:
    there, path, metrics = azure(), tmp_path / "notify", tmp_path / "vmdiag.prom"
    states = listen(path, served)
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    words = ("watch", "prod/web-01", "--every", "1s", "--state", str(tmp_path / "s"), "--metrics", str(metrics))
    first = there.start_command(*words)
    assert first.stdout is not None
    change = json.loads(first.stdout.readline())
    wait_until(first, lambda: metrics.exists() and "vmdiag_watch_rounds 2" in metrics.read_text())
    # Another one with the same state would tell everything, too.
    rival = there.run_command(*words)
    ended = stop(first)
    first_states = list(states)
    metrics.unlink()
    again = there.start_command(*words)
    wait_until(again, lambda: metrics.exists() and "vmdiag_watch_rounds 2" in metrics.read_text())

    assert (stop(again), ended) == ((0, "", ""), (0, "", ""))
    assert (rival.code, rival.out) == (2, "")
    assert "another watch keeps its state" in rival.err
    jsonschema.validate(change, make_schema(Change, "change"))
    assert (change["change"], change["vm"]["id"], change["before"]) == ("affected", ID, None)
    assert states[0] == "READY=1"
    assert first_states[-2:] == ["STOPPING=1", "STATUS=ending"]
    assert "STATUS=1 of 1 VMs affected; round 1" in states
    assert states.count("WATCHDOG=1") > 8
    families = {one.name: one.samples for one in text_string_to_metric_families(metrics.read_text())}
    assert families["vmdiag_run_success"][0].value == 1
    assert families["vmdiag_open_losses"][0].labels == {"explanation": "live-migration-datapath"}
    assert families["vmdiag_data_timestamp_seconds"][0].value > 1.7e9


def test_sigterm_in_the_middle_of_a_request_ends_it_with_0(azure: AzureStarter) -> None:
    there = azure(Fault(path=METRICS, kind="hang"))
    running = there.start_command("watch", "prod/web-01")
    wait_until(running, lambda: there.count_requests("metrics"))

    code, out, err = stop(running)

    assert (code, out) == (0, ""), err


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # on import, of Python 3.11 alone
def test_people_get_a_message_a_round_and_those_that_could_not_be_sent_later(
    day: Day, inbox: tuple[type[Inbox], str], capfd: pytest.CaptureFixture[str]
) -> None:
    box, address = inbox
    (vm,) = day.world
    day.notify = [address]
    box.refuses = True
    day.story = [
        (10 * MINUTE, lambda: migrate_vm(day.world, vm, harm=True)),
        (70 * MINUTE, lambda: setattr(box, "refuses", False)),
    ]

    day.watch_until(50 * MINUTE)
    assert box.messages == []
    told = [each["change"] for each in day.told]
    # A restart forgets no message, either.
    day.watch_until(1.5 * HOUR)

    assert told[0] == "affected"
    assert [each["message"].partition(": web")[0] for each in box.messages] == [f"{kind}: prod/web-01" for kind in told]
    err = capfd.readouterr().err
    assert err.count("--notify number 1 took no message") == 2
    assert "hunter2" not in err + day.state.read_text()


def test_a_watch_redeploys_under_every_guard_and_within_the_budget_of_a_day_whoever_spent_it(
    day: Day, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    (vm,) = day.world
    # Another run redeployed another VM: 45 minutes more, and that was yesterday.
    other = VmId(subscription="11111111-2222-3333-4444-555555555555", resource_group="x", name="other")
    entry = JournalEntry(id="1", vm=other, cloud=day.arm.url, request="1", at=day.world.now() - 23.25 * HOUR)
    journal.record_intent(entry)
    journal.record_step(entry, Step.VERIFIED, entry.at, reachable_again=True)
    day.every = 30 * MINUTE
    day.redeploying = RedeployOptions(redeploy=True, yes=True, journal=str(journal.path))
    day.story = [(5 * MINUTE, lambda: migrate_vm(day.world, vm, harm=True))]

    told = [(each["change"], each["says"].rpartition("; ")[2]) for each in day.watch_until(1.4 * HOUR)]

    assert [change for change, _ in told] == ["affected", "changed", "recovered"]
    assert told[1][1].startswith("redeploy refused: budget: 1 by the journal")
    assert told[2][1].startswith("redeploy succeeded: ")
    assert len(day.arm.list_posts("/redeploy")) == 1
    assert [one.vm.name for one in journal.read_entries(print, strict=True)] == ["other", "web-01"]


def test_a_redeploy_that_sigterm_leaves_behind_is_followed_to_its_end_by_the_next_watch(
    azure: AzureStarter, tmp_path: Path
) -> None:
    there = azure(build_world(redeploying=build_redeploy(takes=timedelta(seconds=5))))
    words = ("watch", "prod/web-01", "--every", "1s", "--state", str(tmp_path / "s"), "--redeploy", "--yes")
    first = there.start_command(*words)
    wait_until(first, lambda: any(one.step is Step.ACCEPTED for one in there.journal.read_entries(print)))
    code, out, err = stop(first)
    again = there.start_command(*words)
    assert again.stdout is not None
    last = json.loads(again.stdout.readline())

    assert (code, stop(again)[0]) == (0, 0), err
    assert [json.loads(line)["change"] for line in out.splitlines()] == ["affected", "changed"]
    assert "redeploy started" in out
    assert (last["change"], last["after"]["state"]) == ("recovered", "redeployed")
    assert there.redeploy_count == 1
    assert [one.reachable_again for one in there.journal.read_entries(print)] == [True]


def test_a_clock_that_is_hours_behind_azures_hides_no_loss(day: Day) -> None:
    (vm,) = day.world
    day.behind = 3 * HOUR
    day.story = [(25 * MINUTE, lambda: migrate_vm(day.world, vm, harm=True))]

    assert [each["change"] for each in day.watch_until(70 * MINUTE)] == ["affected"]


def test_what_nobody_read_is_told_by_the_next_watch_and_a_vm_that_nobody_knows_is_said_once(
    azure: AzureStarter, tmp_path: Path
) -> None:
    there, state = azure(), tmp_path / "s"
    words = ("watch", "prod/web-01", "prod/nobody", "--every", "1s", "--state", str(state))
    broken = there.run_in_shell(" ".join(words), "| true")
    running = there.start_command(*words)
    assert running.stdout is not None
    change = json.loads(running.stdout.readline())
    begun = there.count_requests("metrics")
    wait_until(running, lambda: there.count_requests("metrics") > begun + 1)
    code, out, err = stop(running)

    assert (broken.returncode, broken.stdout) == (141, "")
    assert (code, out, change["change"]) == (0, "", "affected")
    assert err.count("nobody is not watched: no such VM") == 1


def test_an_archive_is_watched_as_it_is_written(tmp_path: Path, azure: AzureStarter) -> None:
    log = story.write_log(tmp_path, story.make_affected_log())
    running = azure().start_command("watch", "--source", str(log), "--every", "1s", "--state", str(tmp_path / "s"))
    assert running.stdout is not None
    change = json.loads(running.stdout.readline())

    assert stop(running)[:2] == (0, "")
    assert change["change"] in {"affected", "appeared"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--source", "-"], "standard input can be read once"),
        (["web-01", "--until", "1h"], "--until says where to end"),
        (["web-01", "--redeploy"], "nobody is there to be asked"),
        (["web-01", "--budget", "2"], "--redeploy is not given"),
        (["--source", ".", "--redeploy", "--yes"], "an archive is read"),
        (["web-01", "--every", "soon"], "neither a duration nor a time"),
        (["--source", ".", "--notify", "nowhere"], "--notify number 1 (no scheme)"),
        (["--source", ".", "--notify", "zzz://user:hunter2@host"], "--notify number 1 (zzz)"),
    ],
)
def test_what_makes_no_sense_again_and_again_is_refused(vmdiag: Runner, words: list[str], says: str) -> None:
    ran = vmdiag("watch", *words)

    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
    assert "hunter2" not in ran.err


def test_a_scope_that_is_not_there_ends_a_watch_that_has_just_begun(azure: AzureStarter) -> None:
    ran = azure().run_command("watch", "prod/web-1", "--every", "1s")

    assert ran.code == 4, ran.err
    assert "web-01" in ran.err


def test_a_state_that_cannot_be_kept_is_an_error_and_one_that_was_spoilt_is_set_aside(
    azure: AzureStarter, tmp_path: Path
) -> None:
    there, state = azure(), tmp_path / "s"
    state.write_bytes(b'{"schema": "vmdiag.watch/1", "read_')
    ran = there.run_command("watch", "prod/web-01", "--state", str(state / "s"))
    running = there.start_command("watch", "prod/web-01", "--state", str(state))
    assert running.stdout is not None
    change = json.loads(running.stdout.readline())
    code, out, err = stop(running)

    assert (ran.code, ran.out) == (2, "")
    assert (code, out, change["change"]) == (0, "", "affected")
    assert "was cut or spoilt" in err
    assert Path(f"{state}.spoilt").read_bytes().startswith(b'{"schema"')
