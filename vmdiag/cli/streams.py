"""What is said where: the report to standard output or to a file that appears whole, all else to standard error.

Whoever listened at standard error may be gone, with the terminal or the pipe: that ends no run and changes no code.
"""

import io
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

import typer

from vmdiag.errors import SourceError, UsageError, VmdiagError
from vmdiag.wording.plain_text import escape_controls

if TYPE_CHECKING:
    from vmdiag.cli.progress_bar import ProgressBar

STANDARD_OUTPUT = "-"
# What a shell reports for a program that SIGPIPE ended: neither an answer nor an error.
CLOSED_PIPE_EXIT_CODE = 141
# Shorter reads end before a bar is looked at, and Rich costs 100 ms.
BAR_DELAY_SECONDS = 0.5
# Nobody reads a count that changes more often, and thousands of small files would each pay for it.
BAR_PAUSE_SECONDS = 0.1
# What asks a program to end: a person, and whoever supervises it.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Whether errors are for a program to read: where the answer is JSON, they are a line of it, too.
json_errors: ContextVar[bool] = ContextVar("json_errors", default=False)


def print_error(message: str, hint: str) -> None:
    """Print both; line breaks are the message's own, but what a file or VM is called may hold escapes."""
    if json_errors.get():
        import json

        write_stderr(json.dumps({"error": message, "hint": hint}).replace("\x7f", "\\u007f"))
        return
    for label, text in (("error", message), ("hint", hint)):
        write_stderr(f"{label}: " + "\n".join(escape_controls(line) for line in text.split("\n")))


def write_stderr(text: str, end: str = "\n") -> None:
    """Print what is fit to be shown, if anybody can be told."""
    if sys.stderr is None:
        return  # closed before the start; `print` would take standard output instead
    with suppress(OSError, ValueError):
        print(text, end=end, file=sys.stderr, flush=True)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person is at the other end; a stream that was closed before the start is `None`."""
    return stream is not None and not stream.closed and stream.isatty()


class StatusConsole:
    """A `Watcher` that speaks on standard error; use it as a context, so that the bar goes when the run ends."""

    def __init__(
        self, *, quiet: bool = False, verbose: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.is_quiet = quiet
        self.stop = threading.Event()
        self._verbose = verbose
        self._clock = clock
        self._reading_since: float | None = None
        self._shown_at = 0.0
        self._counts: dict[str, tuple[int, int | None]] = {}
        self._bar: ProgressBar | None = None
        self._previous_handlers: dict[signal.Signals, Any] = {}

    def catch_stop_signals(self) -> None:
        """From here on the first Ctrl-C asks for what is known so far, and the second ends the run; so does SIGTERM."""

        def stop_or_interrupt(*_: object) -> None:
            if self.stop.is_set():
                raise KeyboardInterrupt
            self.stop.set()

        if threading.current_thread() is threading.main_thread():
            self._previous_handlers = {each: signal.signal(each, stop_or_interrupt) for each in STOP_SIGNALS}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove_bar()
        for each, former in self._previous_handlers.items():
            signal.signal(each, former)

    def warn(self, text: str) -> None:
        """Print a warning, unless silence was asked for."""
        self.print_line(f"warning: {text}")

    def note(self, text: str) -> None:
        """Print what only `--verbose` wants to know."""
        if self._verbose:
            self._write_line(text)

    def print_line(self, text: str) -> None:
        """Print a line, unless silence was asked for."""
        if not self.is_quiet:
            self._write_line(text)

    def _write_line(self, text: str) -> None:
        if self._bar is None:
            write_stderr(escape_controls(text))
            return
        with suppress(OSError, ValueError):
            self._bar.print_line(escape_controls(text))

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Move the bar; it appears on a terminal, once the reading takes longer than a moment."""
        if self.is_quiet or not is_terminal(sys.stderr):
            return
        self._counts[what] = done, total
        now = self._clock()
        self._reading_since = now if self._reading_since is None else self._reading_since
        if now - self._reading_since < BAR_DELAY_SECONDS or (self._bar and now - self._shown_at < BAR_PAUSE_SECONDS):
            return
        self._shown_at = now
        with suppress(OSError, ValueError):
            if self._bar is None:
                from vmdiag.cli.progress_bar import ProgressBar

                self._bar = ProgressBar(self._clock)
            self._bar.show_counts(self._counts)

    def remove_bar(self) -> None:
        """Take the bar away: what follows may be the report, on the same terminal."""
        if self._bar is not None:
            with suppress(OSError, ValueError):
                self._bar.stop()
            self._bar = None
        self._reading_since = None


@contextmanager
def open_output(path: str = STANDARD_OUTPUT, *, is_private: bool = False) -> Iterator[TextIO]:
    """The stream to write to; `UsageError` where that cannot be done. Only sources' own errors pass through.

    A private file is its owner's alone, whoever could read the one that it takes the place of.
    """
    target = Path(path)
    name = "standard output" if path == STANDARD_OUTPUT else path
    try:
        opened: AbstractContextManager[TextIO]
        if path == STANDARD_OUTPUT:
            opened = _open_standard_output()
        elif target.exists() and not target.is_file():
            # A device or a pipe: replacing it by a file is not what anybody wants.
            opened = target.open("w", encoding="utf-8")
        else:
            opened = _open_replacement(target.resolve(), is_private=is_private)
        with opened as out:
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
    except (OSError, SystemExit) as error:
        # What is left in its buffer goes nowhere: the flush at exit must not complain, nor make the code its own (120).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise
        # Who read the pipe has seen enough. Rich ends the program with 1 for it, which would look like an answer.
        raise typer.Exit(CLOSED_PIPE_EXIT_CODE) from None


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


@contextmanager
def keep_outcome(outweighs_error: Callable[[Exception], bool]) -> Iterator[None]:
    """What was done or found is not hidden by a report of it that breaks off, cannot be written or is not read."""
    try:
        yield
    except (UsageError, SourceError, typer.Exit) as error:
        if not outweighs_error(error):
            raise
        if isinstance(error, VmdiagError):
            print_error(error.message, error.hint)
