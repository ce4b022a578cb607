"""Where a report goes: standard output, or a file that appears whole or not at all; must not know what is written."""

import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import typer

from vmdiag.errors import UsageError

STANDARD_OUTPUT = "-"
# What a shell reports for a program that SIGPIPE ended: neither an answer nor an error.
CLOSED_PIPE_EXIT_CODE = 141


@contextmanager
def open_output(path: str = STANDARD_OUTPUT, *, is_private: bool = False) -> Iterator[TextIO]:
    """The stream to write to; `UsageError` where that cannot be done. Only sources' own errors pass through.

    A private file is its owner's alone, whoever could read the one that it takes the place of.
    """
    target = Path(path)
    name = "standard output" if path == STANDARD_OUTPUT else path
    try:
        if path == STANDARD_OUTPUT:
            with _open_standard_output() as out:
                yield out
        elif target.exists() and not target.is_file():
            # A device or a pipe: replacing it by a file is not what anybody wants.
            with target.open("w", encoding="utf-8") as out:
                yield out
        else:
            with _open_replacement(target.resolve(), is_private=is_private) as out:
                yield out
    except OSError as error:
        message = f"the report cannot be written to {name}: {error.strerror}"
        raise UsageError(message, "Give another place with --out FILE, in a folder that exists.") from error


@contextmanager
def _open_standard_output() -> Iterator[TextIO]:
    if sys.stdout is None:
        raise OSError(None, "it is closed")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # In a narrow locale a name in another script must not end the run.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):
        # Who read the pipe has seen enough. Rich ends the program with 1 for it, which would look like an answer.
        _discard_standard_output()
        raise typer.Exit(CLOSED_PIPE_EXIT_CODE) from None
    except OSError:
        _discard_standard_output()
        raise


def _discard_standard_output() -> None:
    """What is left in its buffer goes nowhere: the flush at exit must not complain, nor make the code its own (120)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _open_replacement(target: Path, *, is_private: bool) -> Iterator[TextIO]:
    # In the same folder, because a rename is atomic only within a file system.
    part = target.with_name(f".vmdiag-{os.getpid()}.part")
    try:
        # Private from its first byte on: a file that is closed to others later may have been opened by then.
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if is_private else 0o666)
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as out:  # noqa: PTH123
            yield out
            out.flush()
            os.fsync(out.fileno())
        if target.exists() and not is_private:
            shutil.copymode(target, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
