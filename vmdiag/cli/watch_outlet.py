"""The outlet of `vmdiag watch`: its source, standard output, people, systemd, the state file and the metrics."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from vmdiag.changes import Change
from vmdiag.cli.console_prompt import ConsolePrompt
from vmdiag.cli.notices import Recipients, ServiceManager
from vmdiag.cli.source_options import OpenedSource
from vmdiag.cli.streams import StatusConsole, open_output
from vmdiag.errors import SourceError, UsageError, VmdiagError
from vmdiag.redeploy.guards import Refusal
from vmdiag.report import dump_json
from vmdiag.sources.azure import AzureSource
from vmdiag.sources.protocol import Source
from vmdiag.values import replace
from vmdiag.watching.health import Health, describe_health, write_health
from vmdiag.watching.memory import Memory
from vmdiag.watching.memory_file import read_memory, write_memory
from vmdiag.watching.rounds import CaseWorkflow

# Of what a round says on standard error; more than this is said again with the next one.
MOST_REMEMBERED = 1_000


class WatchConsole(StatusConsole):
    """A console that says in a round nothing that it said in the former one, too, and gives signs of life."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        super().__init__(quiet=quiet, verbose=verbose)
        self.show_life: Callable[[], None] = lambda: None
        self._former: set[str] = set()
        self._fresh: set[str] = set()

    def begin_round(self) -> None:
        """What is said from here on belongs to another round."""
        self._former, self._fresh = self._fresh, set()

    def warn(self, text: str) -> None:
        """Print a warning, unless it is of a reading that was told to end."""
        if not self.stop.is_set():
            super().warn(text)

    def print_line(self, text: str) -> None:
        """Print a line that is new."""
        self.show_life()
        if len(self._fresh) < MOST_REMEMBERED:
            self._fresh.add(text)
        if text not in self._former:
            super().print_line(text)

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Something was read."""
        self.show_life()
        super().progress(what, done, total)


class RoundPrompt(ConsolePrompt):
    """A prompt that shows refusals anew only where other guards refuse, or other VMs are refused."""

    _shown: frozenset[tuple[object, ...]] = frozenset()

    def show_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Show what is not done, and why, unless the former round did."""
        found = frozenset((one.plan.vm, *(answer.guard for answer in one.against)) for one in refusals)
        if found != self._shown:
            super().show_refusals(refusals)
        self._shown = found


@dataclass(slots=True, kw_only=True)
class CommandOutlet:
    """The `Outlet` of the command."""

    opened: OpenedSource
    connect: Callable[[], Source]
    console: WatchConsole
    out: TextIO
    every: timedelta
    recipients: Recipients
    metrics: str | None
    build_workflow: Callable[[OpenedSource], CaseWorkflow] | None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    wait: Callable[[float], object] | None = None
    manager: ServiceManager = field(init=False)
    _shown_at: float = field(default=0.0, init=False)
    _is_broken: bool = field(default=False, init=False)
    _state: Path = field(default=Path(), init=False)

    def __post_init__(self) -> None:
        self.manager = ServiceManager(os.environ)
        self.console.show_life = self.show_life

    @property
    def is_live(self) -> bool:
        """Whether Azure itself is read."""
        return isinstance(self.opened.source, AzureSource)

    def is_over(self) -> bool:
        """Whether a signal asked for the end."""
        return self.console.stop.is_set()

    def show_life(self) -> None:
        """A sign of life for systemd, where it is time for one."""
        interval, now = self.manager.interval, time.monotonic()
        if interval is not None and now - self._shown_at >= interval / 2:
            self._shown_at = now
            self.manager.send_state("WATCHDOG=1")

    def pause(self, seconds: float) -> None:
        """Wait, with signs of life, until the time is over or a signal comes."""
        wait = self.wait or self.console.stop.wait
        while not self.is_over():
            self.show_life()
            part = min(seconds, self.manager.interval or seconds)
            wait(part)
            seconds -= part
            if seconds <= 0:
                return

    def begin_round(self) -> None:
        """Another round begins."""
        self.console.begin_round()

    def open_source(self) -> Source:
        """The source, with all its time before it; another one where the former could not read."""
        source = self.opened.source
        if isinstance(source, AzureSource) and not self._is_broken:
            source.session.restart_deadline()
        else:
            self.opened, self._is_broken = self.opened._replace(source=self.connect()), False
        return self.opened.source

    def tell_changes(self, changes: Sequence[Change]) -> None:
        """A line of JSON each, on its way at once."""
        self.console.remove_bar()
        self.out.writelines(f"{dump_json(change)}\n" for change in changes)
        self.out.flush()

    def tell_people(self, memory: Memory, lines: Sequence[str]) -> Memory:
        """Send them; who cannot be reached gets them with a later round."""
        unsent, errors = self.recipients.send_lines(memory.unsent, lines)
        for error in errors:
            self.console.warn(error)
        return replace(memory, unsent=unsent)

    def warn(self, text: str) -> None:
        """On standard error."""
        self.console.warn(text)

    def tell_failure(self, error: VmdiagError, *, is_new: bool) -> None:
        """Warn of it once, as long as it stays the same; what follows is read from a source that is opened anew."""
        self._is_broken = isinstance(error, SourceError)
        if is_new:
            self.console.warn(f"this round failed: {error.message} ({error.hint})")

    def prepare_workflow(self) -> CaseWorkflow | None:
        """What redeploys affected VMs, over a source that has all its time before it; `None` where nothing does."""
        if self.build_workflow is None:
            return None
        self.open_source()
        return self.build_workflow(self.opened._replace(now=self.now()))

    def load_memory(self, state: Path) -> Memory:
        """What an earlier watch wrote down; a file that was spoilt is set aside, for whoever wants to look."""
        self._state = state
        try:
            content = self._state.read_bytes()
        except FileNotFoundError:
            return Memory()
        except OSError as error:
            message = f"the state file {self._state} cannot be read: {error.strerror}"
            raise UsageError(message, "Give another one with --state FILE.") from error
        memory = read_memory(content, str(self._state), self.console.warn)
        if memory.tells_old_news:
            aside = self._state.with_name(f"{self._state.name}.spoilt")
            self._state.replace(aside)
            self.console.warn(f"it is kept as {aside}")
        return memory

    def save_memory(self, memory: Memory) -> None:
        """Whole or not at all; the watch goes on where that fails."""
        try:
            with open_output(str(self._state), is_private=True) as out:
                write_memory(memory, out)
        except UsageError as error:
            self.console.print_line(
                f"warning: the state is not saved, so a restart repeats what was told: {error.message}"
            )

    def show_health(self, health: Health, memory: Memory) -> None:
        """In systemd's status and in the metrics."""
        self.console.remove_bar()
        self.manager.send_state("WATCHDOG=1", f"STATUS={describe_health(health, memory)}")
        self.console.note(describe_health(health, memory))
        if self.metrics is None:
            return
        try:
            with open_output(self.metrics) as out:
                write_health(health, memory, self.opened.address, self.every, out)
        except UsageError as error:
            self.console.warn(f"the metrics are not written: {error.message}")
