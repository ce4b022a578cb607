"""Where reports go: a file appears whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from vmdiag.cli.streams import open_output
from vmdiag.errors import SourceError, UsageError


def test_a_file_is_seen_once_all_is_written_whatever_the_text(tmp_path: Path) -> None:
    with open_output(str(tmp_path / "report.txt")) as out:
        out.write("näive\n\ud800")
        out.flush()
        assert not (tmp_path / "report.txt").exists()

    assert (tmp_path / "report.txt").read_bytes() == "näive\n\\ud800".encode()


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


@pytest.mark.parametrize(
    ("before", "after", "is_private"), [(0o640, 0o640, False), (0o666, 0o600, True), (None, 0o600, True)]
)
def test_a_replaced_file_keeps_its_rights_and_a_private_one_is_its_owners_alone(
    tmp_path: Path, before: int | None, after: int, *, is_private: bool
) -> None:
    file = tmp_path / "kept.jsonl"
    if before:
        file.write_text("before")
        file.chmod(before)
    with open_output(str(file), is_private=is_private) as out:
        (part,) = (entry for entry in tmp_path.iterdir() if entry.name.endswith(".part"))
        assert not is_private or stat.S_IMODE(part.stat().st_mode) == 0o600
        out.write("after")

    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("after", after)


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
