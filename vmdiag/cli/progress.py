"""Who sits at standard error while a source reads: warnings, notes and a progress bar; must not touch the report."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from vmdiag.cli.error_output import write_stderr
from vmdiag.wording.sanitize import escape_controls

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# Shorter reads end before a bar is looked at, and Rich costs 100 ms.
BAR_DELAY_SECONDS = 0.5
# What asks a program to end: a person, and whoever supervises it.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StatusConsole:
    """A `Watcher` that speaks on standard error; use it as a context, so that the bar goes when the run ends."""

    def __init__(
        self, *, quiet: bool = False, verbose: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._clock = clock
        self._reading_since: float | None = None
        self._bar: tuple[Progress, TaskID] | None = None
        self._previous_handlers: dict[signal.Signals, Any] = {}
        self.stop = threading.Event()

    def catch_stop_signals(self) -> None:
        """From here on the first Ctrl-C asks for what is known so far, and the second ends the run; so does SIGTERM."""
        if threading.current_thread() is threading.main_thread():
            self._previous_handlers = {each: signal.signal(each, self._handle_stop_signal) for each in STOP_SIGNALS}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove_bar()
        for each, former in self._previous_handlers.items():
            signal.signal(each, former)

    def warn(self, text: str) -> None:
        """Print a warning, unless silence was asked for."""
        self.print_line(f"warning: {text}")

    def print_line(self, text: str) -> None:
        """Print a line, unless silence was asked for."""
        if not self._quiet:
            self._write_line(escape_controls(text))

    @property
    def is_quiet(self) -> bool:
        """Whether silence was asked for."""
        return self._quiet

    def note(self, text: str) -> None:
        """Print what only `--verbose` wants to know."""
        if self._verbose:
            self._write_line(escape_controls(text))

    def progress(self, done: int, total: int | None) -> None:
        """Move the bar; it appears on a terminal, once the reading takes longer than a moment."""
        if self._quiet or not is_terminal(sys.stderr):
            return
        now = self._clock()
        self._reading_since = now if self._reading_since is None else self._reading_since
        if self._bar is None and now - self._reading_since >= BAR_DELAY_SECONDS:
            self._bar = _start_bar()
        if self._bar is not None:
            bar, task = self._bar
            bar.update(task, completed=done, total=total)

    def remove_bar(self) -> None:
        """Take the bar away: what follows may be the report, on the same terminal."""
        if self._bar is not None:
            with suppress(OSError, ValueError):
                self._bar[0].stop()
            self._bar = None
        self._reading_since = None

    def _handle_stop_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.stop.is_set():
            raise KeyboardInterrupt
        self.stop.set()

    def _write_line(self, line: str) -> None:
        if self._bar is None:
            write_stderr(line)
            return
        with suppress(OSError, ValueError):
            self._bar[0].console.print(line, markup=False, highlight=False, soft_wrap=True)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person is at the other end; a stream that was closed before the start is `None`."""
    return stream is not None and not stream.closed and stream.isatty()


def _start_bar() -> "tuple[Progress, TaskID]":
    from rich.console import Console
    from rich.progress import Progress

    # Rich would redirect standard output, where the report goes, to the bar's own stream.
    bar = Progress(console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
    task = bar.add_task("reading", total=None)
    bar.start()
    return bar, task
