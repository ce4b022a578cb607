"""Where reports go: a file appears whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from vmdiag.cli.streams import open_output
from vmdiag.errors import SourceError, UsageError


def test_a_file_holds_what_was_written(tmp_path: Path) -> None:
    with open_output(str(tmp_path / "report.txt")) as out:
        out.write("näive\n")

    assert (tmp_path / "report.txt").read_bytes() == "näive\n".encode()


def test_nothing_is_seen_before_all_is_written(tmp_path: Path) -> None:
    with open_output(str(tmp_path / "report.txt")) as out:
        out.write("half")
        out.flush()
        assert not (tmp_path / "report.txt").exists()


def test_an_error_keeps_the_former_file_and_leaves_no_rest(tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    file.write_text("before")
    broken = SourceError("it broke off", "Try again.")

    def fail() -> None:
        with open_output(str(file)) as out:
            out.write("half")
            raise broken

    with pytest.raises(SourceError):
        fail()
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("report.txt", "before")]


def test_a_replaced_file_keeps_its_rights(tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    file.write_text("before")
    file.chmod(0o640)
    with open_output(str(file)) as out:
        out.write("after")

    assert file.read_text() == "after"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.parametrize("existed", [True, False])
def test_a_private_file_is_its_owners_alone_even_where_another_stood_there(tmp_path: Path, *, existed: bool) -> None:
    file = tmp_path / "kept.jsonl"
    if existed:
        file.write_text("before")
        file.chmod(0o666)
    with open_output(str(file), is_private=True) as out:
        (part,) = (entry for entry in tmp_path.iterdir() if entry.name.endswith(".part"))
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
        out.write("after")

    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("after", 0o600)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(tmp_path / "report.txt")
    with open_output(str(tmp_path / "latest")) as out:
        out.write("after")

    assert (tmp_path / "latest").is_symlink()
    assert (tmp_path / "report.txt").read_text() == "after"


def test_a_device_is_written_to_and_not_replaced() -> None:
    with open_output(os.devnull) as out:
        out.write("gone")

    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize("name", ["none/report.txt", "."])
def test_a_place_that_cannot_be_written_is_a_usage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be written") as caught, open_output(str(tmp_path / name)):
        pass

    assert "--out" in caught.value.hint


def test_text_that_is_no_unicode_does_not_end_the_run(tmp_path: Path) -> None:
    with open_output(str(tmp_path / "report.txt")) as out:
        out.write("\ud800")

    assert (tmp_path / "report.txt").read_text() == "\\ud800"
