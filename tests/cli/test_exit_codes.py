"""Every exit code of the contract, from the installed command."""

import json
from pathlib import Path

import pytest

from tests.cli import story
from tests.conftest import Runner


def test_a_vm_that_is_affected_now_gives_1(vmdiag: Runner, tmp_path: Path) -> None:
    ran = vmdiag("check", "--source", story.write_log(tmp_path, story.make_affected_log()), "-o", "json")

    assert ran.code == 1, ran
    assert json.loads(ran.out)["cases"][0]["verdict"] == "suspected"


def test_a_vm_that_recovered_gives_0(vmdiag: Runner, tmp_path: Path) -> None:
    assert vmdiag("check", "--source", story.write_log(tmp_path, story.make_recovered_log())).code == 0


def test_a_vm_that_recovered_gives_1_when_any_loss_counts(vmdiag: Runner, tmp_path: Path) -> None:
    assert (
        vmdiag("check", "--source", story.write_log(tmp_path, story.make_recovered_log()), "--fail-on", "any").code == 1
    )


@pytest.mark.parametrize("entries", [story.make_affected_log(), story.make_recovered_log(), story.make_stopped_log()])
def test_no_loss_counts_when_asked_so(vmdiag: Runner, tmp_path: Path, entries: list[story.Entry]) -> None:
    assert vmdiag("check", "--source", story.write_log(tmp_path, entries), "--fail-on", "never").code == 0


def test_a_stop_by_the_owner_gives_0(vmdiag: Runner, tmp_path: Path) -> None:
    assert vmdiag("check", "--source", story.write_log(tmp_path, story.make_stopped_log())).code == 0


def test_a_migration_whose_effect_cannot_be_seen_gives_3(vmdiag: Runner, tmp_path: Path) -> None:
    assert vmdiag("check", "--source", story.write_log(tmp_path, story.make_inconclusive_log())).code == 3


def test_an_affected_vm_outweighs_an_unclear_one(vmdiag: Runner, tmp_path: Path) -> None:
    entries = [*story.make_inconclusive_log("db-01"), *story.make_affected_log("web-01")]

    assert vmdiag("check", "--source", story.write_log(tmp_path, entries)).code == 1


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


def test_a_vm_that_is_not_in_the_archive_gives_4(vmdiag: Runner, tmp_path: Path) -> None:
    ran = vmdiag("check", "web-02", "--source", story.write_log(tmp_path, story.make_affected_log()))

    assert ran.code == 4, ran
    assert "web-01" in ran.err


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
