"""Every exit code of the contract, from the installed command."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli import story
from tests.conftest import COMMAND, Runner

AFFECTED, RECOVERED, STOPPED = story.make_affected_log(), story.make_recovered_log(), story.make_stopped_log()


@pytest.mark.parametrize(
    ("entries", "fail_on", "code"),
    [
        (AFFECTED, "open", 1),
        (RECOVERED, "open", 0),
        (RECOVERED, "any", 1),
        (STOPPED, "open", 0),
        (story.make_inconclusive_log(), "open", 3),
        ([*story.make_inconclusive_log("db-01"), *AFFECTED], "open", 1),
        (AFFECTED, "never", 0),
        (RECOVERED, "never", 0),
        (STOPPED, "never", 0),
    ],
)
def test_the_worst_of_the_losses_that_count_gives_the_code(
    vmdiag: Runner, tmp_path: Path, entries: list[story.Entry], fail_on: str, code: int
) -> None:
    assert vmdiag("check", "--source", story.write_log(tmp_path, entries), "--fail-on", fail_on).code == code


def test_where_nothing_is_named_a_vm_that_cannot_be_told_is_no_all_clear(vmdiag: Runner, tmp_path: Path) -> None:
    quiet = story.make_health_entry("10:00", "web-01", state="Available")
    (tmp_path / "log.json").write_text(json.dumps([quiet, quiet])[:-40])
    ran = vmdiag("check", "--source", "log.json")

    assert ran.code == 3, ran
    assert "No VM is known to have had a live migration" in ran.out


@pytest.mark.parametrize("until", ["2025-03-02", "2026-11-28"])
def test_a_time_of_which_an_archive_holds_nothing_is_no_all_clear(vmdiag: Runner, tmp_path: Path, until: str) -> None:
    ran = vmdiag("check", "web-01", "--source", story.write_log(tmp_path, AFFECTED), "--until", until)

    assert (ran.code, ran.out) == (2, ""), ran
    assert "the archive holds 2026-03-02 08:14 to 2026-03-02 10:00 UTC, and nothing of the time" in ran.err


@pytest.mark.parametrize("source", ["archive:nowhere.json", "odd.json"])
def test_a_path_that_is_not_there_and_a_file_in_no_known_format_give_4(
    vmdiag: Runner, tmp_path: Path, source: str
) -> None:
    (tmp_path / "odd.json").write_text('{"hello": "world"}')
    ran = vmdiag("check", "--source", source)

    assert (ran.code, ran.out) == (4, ""), ran
    assert ran.err.startswith("error: " if source.startswith("archive") else "")
    assert "\nhint: " in ran.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], ()),
        (["chek"], ()),
        (["check", "--sinse", "1d"], ()),
        (["check", "--fail-on", "often"], ()),
        (["check"], ("no VM is named", "vmdiag check --resource-group prod", "vmdiag check --source FOLDER")),
    ],
)
def test_a_command_line_that_makes_no_sense_or_names_no_vm_gives_2(
    vmdiag: Runner, arguments: list[str], told: tuple[str, ...]
) -> None:
    ran = vmdiag(*arguments)

    assert (ran.code, ran.out) == (2, ""), ran
    assert [words for words in told if words not in ran.err] == []


def test_who_interrupts_the_reading_of_files_is_told_that_nothing_was_written() -> None:
    check = [str(COMMAND), "check", "--source", "-"]
    with subprocess.Popen(check, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write(b" " * 1_000_000)  # more than a pipe holds: it is being read
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        out, told = process.communicate(timeout=60)

    assert (process.returncode, out) == (130, b"")
    assert b"interrupted" in told
