"""Which files an address means: one, a folder's, a glob's, or standard input; must not know what is in them."""

import glob
import os
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vmdiag.errors import BadArchive

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read: its name for people, its size on disk where it has one, and how to open it."""

    name: str
    size: int | None
    open: Callable[[], BinaryIO]


def find_files(address: str) -> tuple[InputFile, ...]:
    """The files an address means, always in the same order; raises `BadArchive` when it means none."""
    if address == STANDARD_INPUT:
        return (InputFile("standard input", None, lambda: sys.stdin.buffer),)
    # A path that exists is meant as it is written, even when it holds a `*` or a `[`.
    roots = [address] if os.path.lexists(address) else sorted(glob.glob(address, recursive=True))  # noqa: PTH207
    if not roots:
        raise _make_missing_error(address)
    named = [root for root in roots if not Path(root).is_dir()]
    inside = [path for root in roots if Path(root).is_dir() for path in _walk_folder(root)]
    unique = dict.fromkeys([*named, *inside])
    if not unique:
        message = f"{_display_path(address)} holds no file"
        raise BadArchive(message, "name a file, or a folder with at least one export in it")
    return tuple(_make_input_file(path) for path in unique)


def _make_missing_error(address: str) -> BadArchive:
    if glob.has_magic(address):
        return BadArchive(
            f"no file matches {_display_path(address)}", "check the pattern; quote it so that the shell leaves it"
        )
    return BadArchive(f"there is no file {_display_path(address)}", "check the path; `-` reads standard input")


def _walk_folder(root: str) -> Iterator[str]:
    """The plain files of a folder and of the folders in it, by name; a folder reached twice through links is one."""
    seen: set[tuple[int, int]] = set()
    closed: list[str] = []
    for folder, inner, files in os.walk(root, followlinks=True, onerror=lambda error: closed.append(error.filename)):
        found = Path(folder).stat()
        if (found.st_dev, found.st_ino) in seen:
            inner.clear()
            continue
        seen.add((found.st_dev, found.st_ino))
        inner.sort()
        # A pipe or a device met in a folder would block for ever; named outright it is meant.
        yield from (path for name in sorted(files) if _is_plain_file(path := str(Path(folder) / name)))
    yield from closed  # reading them fails, with the system's own reason


def _is_plain_file(path: str) -> bool:
    try:
        return stat.S_ISREG(Path(path).stat().st_mode)
    except OSError:
        return True  # what cannot be looked at is reported when it is opened


def _make_input_file(path: str) -> InputFile:
    try:
        found = Path(path).stat()
    except OSError:
        size = None
    else:
        size = found.st_size if stat.S_ISREG(found.st_mode) else None
    return InputFile(_display_path(path), size, lambda: Path(path).open("rb", buffering=0))


def _display_path(path: str) -> str:
    """The path as text that can be written anywhere: a name on disk need not be UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")
