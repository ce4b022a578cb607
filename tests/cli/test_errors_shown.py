"""How errors reach a person: two lines, no traceback unless asked for, and never a code that looks like an answer."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import story
from tests.conftest import COMMAND, Runner

BREAKS = """
def open_report(header, out):
    raise RuntimeError("it broke")
"""
# Streams what is found, and then the source is gone.
BREAKS_OFF = """
from vmdiag.errors import SourceError
from vmdiag.renderers import ndjson

class Report(ndjson.Lines):
    def finish(self, others):
        raise SourceError("the disk was taken out", "Put it back.")

def open_report(header, out):
    return Report(out)
"""
RUN_WITH_MORE_RENDERERS = """
import sys, vmdiag.renderers
vmdiag.renderers.__path__.append(sys.argv.pop(1))
from vmdiag.cli.app import main
sys.exit(main())
"""


def _with_renderer(tmp_path: Path, content: str, *more: str) -> subprocess.CompletedProcess[str]:
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "special.py").write_text(content)
    log = story.write_log(tmp_path, story.make_affected_log())
    return subprocess.run(
        [sys.executable, "-c", RUN_WITH_MORE_RENDERERS, folder, "check", "--source", log, "-o", "special", *more],
        capture_output=True,
        check=False,
        text=True,
    )


def test_debug_adds_the_traceback_and_keeps_the_exit_code(vmdiag: Runner) -> None:
    ran = vmdiag("check", "--debug")

    assert ran.code == 2
    assert "Traceback" in ran.err
    assert "error: no VM is named" in ran.err
    assert "Traceback" in vmdiag("check", VMDIAG_DEBUG="1").err


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--source", "nowhere\x1b[31m", "-o", "json"),
        ("check", "-ojson"),
        ("check", "--output=json", "--no-such-option"),
        ("doctor", "--output", "json", "--cloud", "nowhere"),
        ("diff", "old", "new", "-o", "json"),
    ],
)
def test_where_the_answer_is_json_an_error_is_one_line_of_it(vmdiag: Runner, arguments: tuple[str, ...]) -> None:
    ran = vmdiag(*arguments)
    told = json.loads(ran.err)

    assert ran.code in {2, 4}
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert "\x1b" not in ran.err
    assert set(told) == {"error", "hint"}
    assert json.loads(vmdiag("check", VMDIAG_OUTPUT="json").err)["error"].startswith("no VM is named")


@pytest.mark.parametrize("more", [(), ("--debug",)])
def test_a_defect_gives_no_code_of_an_answer_and_its_traceback_when_asked(tmp_path: Path, more: tuple[str]) -> None:
    ran = _with_renderer(tmp_path, BREAKS, *more)

    assert ran.returncode == 70
    assert ("Traceback" in ran.stderr) is bool(more)
    assert "error: unexpected RuntimeError: it broke" in ran.stderr
    assert "--debug" in ran.stderr


@pytest.mark.parametrize(("fail_on", "code"), [("open", 1), ("never", 4)])
def test_what_was_printed_before_an_error_stays_and_an_affected_vm_is_the_greater_news(
    tmp_path: Path, fail_on: str, code: int
) -> None:
    ran = _with_renderer(tmp_path, BREAKS_OFF, "--fail-on", fail_on)

    assert ran.returncode == code
    assert '"web-01"' in ran.stdout
    assert "error: the disk was taken out\nhint: Put it back.\n" in ran.stderr


def test_python_m_is_the_same_command() -> None:
    ran = subprocess.run([sys.executable, "-m", "vmdiag", "check"], capture_output=True, check=False, text=True)

    assert ran.returncode == 2
    assert "error: no VM is named" in ran.stderr


def test_escapes_in_a_name_do_not_reach_the_terminal(vmdiag: Runner) -> None:
    ran = vmdiag("explain", "\x1b[31mred")

    assert ran.code == 2
    assert "\x1b" not in ran.err


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    entries = [entry for number in range(400) for entry in story.make_affected_log(f"web-{number:03}")]
    command: list[str | Path] = [COMMAND, "check", "--source", story.write_log(tmp_path, entries), "-o", "ndjson"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ran:
        assert ran.stdout is not None
        assert ran.stderr is not None
        ran.stdout.readline()
        ran.stdout.close()
        said = ran.stderr.read()

    assert ran.returncode == 141
    assert said == ""


def test_an_interrupt_ends_the_run_with_130(tmp_path: Path) -> None:
    # A pipe that nobody writes to: the command waits for its standard input.
    command: list[str | Path] = [COMMAND, "check", "--source", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, text=True) as ran:
        assert ran.stderr is not None
        _wait_until_it_reads(ran.pid)
        ran.send_signal(signal.SIGINT)
        said = ran.stderr.read()

    assert ran.returncode == 130
    assert "Traceback" not in said


def _wait_until_it_reads(pid: int) -> None:
    """Until the process sleeps in `read` of descriptor 0 (Linux tells), or else for a while."""
    import time

    for _ in range(100):
        time.sleep(0.05)
        try:
            doing = Path(f"/proc/{pid}/syscall").read_text().split()
        except OSError:
            continue
        if doing[:2] == ["0", "0x0"] and os.uname().machine == "x86_64":
            return
