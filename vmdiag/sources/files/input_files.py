"""Which files an address means, and the texts in each: those of a container, as if the folder had been given."""

import glob
import io
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO

from vmdiag.errors import BadArchive, UsageError
from vmdiag.sources.files.containers import ContainerFile, DamagedFile, find_container
from vmdiag.sources.files.streams import TextStream, UnsupportedFile
from vmdiag.sources.files.unsupported_files import detect_unsupported_file
from vmdiag.values import Struct

STANDARD_INPUT = "-"
# A tar in a zip in a tar is how far people go; a thousand is an attack.
DEPTH_LIMIT = 3
TOO_DEEP = UnsupportedFile(f"packed more than {DEPTH_LIMIT} deep", "unpack it first")
LONGEST_NAME = 300
# Less is read before other processes have begun.
POOL_SIZE = 48 << 20
# What a shell hands over: standard input, or what `<(...)` writes.
OWN_STREAM = re.compile(r"/dev/stdin|(?:/dev|/proc/(?:self|\d+))/fd/\d+")
# No other text begins like this one: it needs no closer look.
PLAIN_JSON = re.compile(rb"(?:\s*[\[{](?!\\rtf)[^\x00-\x08\x0e-\x1f]*)?")


class InputFile(Struct, frozen=True):
    """A file to read: its name for people, its size on disk where it has one, how to open it, and its path if any."""

    name: str
    size: int | None
    open: Callable[[], BinaryIO]
    path: str = ""


class FileMember(Struct, frozen=True):
    """A text to read; or why it is not read, or what is wrong with the container that `name` names."""

    name: str
    stream: TextStream | None = None
    unsupported: UnsupportedFile | None = None
    damage: str = ""


def find_files(address: str) -> Iterator[InputFile]:
    """The files an address means, always in the same order; raises `BadArchive` when it means none.

    `UsageError` for what is no file, such as a pipe.
    """
    if address == STANDARD_INPUT:
        yield InputFile("standard input", None, lambda: sys.stdin.buffer)
        return
    # A path that exists is meant as it is written, even when it holds a `*` or a `[`.
    roots = [address] if os.path.lexists(address) else sorted(glob.glob(address, recursive=True))  # noqa: PTH207
    name = _display_path(address)
    if not roots and glob.has_magic(address):
        message = f"no file matches {name}"
        raise BadArchive(message, "check the pattern; quote it so that the shell leaves it")
    if not roots:
        message = f"there is no file {name}"
        raise BadArchive(message, "check the path; `-` reads standard input")
    named = {root: _measure_file(root) for root in roots if not Path(root).is_dir()}
    # A pipe or a device would block for ever; what the process was started with is meant, also by its path (`<(...)`).
    special = {root for root, size in named.items() if size is None and not OWN_STREAM.fullmatch(root)}
    if address in special:
        mode = os.stat(address).st_mode  # noqa: PTH116 - as all others here
        kind = "a named pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
        message = f"{name} is {kind}, not a file"
        raise UsageError(message, "Write what comes from there to a file, or give it as standard input: --source -")
    inside = (found for root in roots if root not in named for found in _walk_folder(root))
    known = set[str]()
    for path, size in chain(named.items(), inside):
        if path not in known and path not in special:
            known.add(path)
            yield InputFile(_display_path(path), None if size == -1 else size, partial(io.FileIO, path), path)
    if not known:
        message = f"{name} holds no file"
        raise BadArchive(message, "name a file, or a folder with at least one export in it")


def _walk_folder(root: str) -> Iterator[tuple[str, int]]:
    """The plain files of a folder and of those in it, by name, with their sizes; one reached twice by links is one."""
    seen: set[tuple[int, int]] = set()
    closed, waiting = list[str](), [root]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as listed:
                entries = list(listed)
            found = os.stat(folder)  # noqa: PTH116 - a tree of storage has thousands of folders
        except OSError:
            closed.append(folder)
            continue
        if (found.st_dev, found.st_ino) in seen:
            continue
        seen.add((found.st_dev, found.st_ino))
        inner = list[str]()
        if len(entries) > 1:
            entries.sort(key=attrgetter("name"))
        for entry in entries:
            try:
                is_folder = entry.is_dir()
            except OSError:
                is_folder = False
            if is_folder:
                inner.append(entry.path)
            # What is no file, is left out here as it is among those that match a pattern.
            elif (size := _measure_file(entry.path)) is not None:
                yield entry.path, size
        waiting += reversed(inner)
    yield from ((path, -1) for path in closed)  # reading them fails, with the system's own reason


def _measure_file(path: str) -> int | None:
    """The size of a plain file, -1 where it cannot be looked at (that is reported when it is opened); else `None`."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a tree of storage has thousands of files
    except OSError:
        return -1
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _display_path(path: str) -> str:
    """The path as text that can be written anywhere: a name on disk need not be UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


def iter_members(
    name: str, stream: TextStream, original: BinaryIO | None = None, depth: int = 0
) -> Iterator[FileMember]:
    """The texts one after another, each to be read before the next is asked for.

    `original` is the file itself where it can be read from anywhere.
    """
    head = stream.head
    container = find_container(head) if head else None
    if container is None:
        refused = None if PLAIN_JSON.fullmatch(head) else detect_unsupported_file(head)
        yield FileMember(name, None if refused else stream, refused)
        return
    if depth >= DEPTH_LIMIT:
        yield FileMember(name, unsupported=TOO_DEEP)
        return
    packed = ContainerFile(stream.as_file(), None if stream.is_packed else original, stream.growth)
    try:
        for inner, found in container.read_entries(packed):
            label = f"{name}/{inner[:LONGEST_NAME]}" if inner else name
            if isinstance(found, UnsupportedFile):
                yield FileMember(label, unsupported=found)
            else:
                yield from iter_members(label, TextStream(found, lambda _: None, stream.growth), depth=depth + 1)
            if stream.growth.is_absurd:
                break
    except UnsupportedFile as refused:
        yield FileMember(name, unsupported=refused)
    except DamagedFile as torn:
        yield FileMember(name, damage=stream.damage or str(torn))
    else:
        if stream.damage or stream.growth.is_absurd:
            yield FileMember(name, damage=stream.damage or "it unpacks to absurdly more than it is")
