"""Every exit code of the contract, from the installed command."""

from pathlib import Path

import pytest

from tests.cli import story
from tests.conftest import Runner

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


def test_a_path_that_is_not_there_gives_4(vmdiag: Runner) -> None:
    ran = vmdiag("check", "--source", "archive:nowhere.json")

    assert ran.code == 4, ran
    assert ran.err.startswith("error: ")
    assert "\nhint: " in ran.err
    assert ran.out == ""


def test_a_file_in_no_known_format_gives_4(vmdiag: Runner, tmp_path: Path) -> None:
    odd = tmp_path / "odd.json"
    odd.write_text('{"hello": "world"}')

    assert vmdiag("check", "--source", odd).code == 4


@pytest.mark.parametrize("arguments", [[], ["chek"], ["check", "--sinse", "1d"], ["check", "--fail-on", "often"]])
def test_a_command_line_that_makes_no_sense_gives_2(vmdiag: Runner, arguments: list[str]) -> None:
    ran = vmdiag(*arguments)

    assert ran.code == 2, ran
    assert ran.out == ""


def test_live_azure_without_a_name_gives_2_and_says_how_to_name_some(vmdiag: Runner) -> None:
    ran = vmdiag("check")

    assert ran.code == 2
    assert "no VM is named" in ran.err
    assert "vmdiag check --resource-group prod" in ran.err
    assert "vmdiag check --source FOLDER" in ran.err
