"""The seam between sources and the rest: what is asked of a source, and what it answers; must not know any source."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from typing import Protocol

from vmdiag.identity import Selector, VmId
from vmdiag.model import Gap, Needs, Transcript, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which VMs and when. `until=None` means now, or an archive's last record; a `since` span counts back from it.

    `utc_offset` is how far ahead of UTC the clocks were where files with local times were made.

    No VM, group, tag and not `everything`: the VMs that had a migration or a loss. What is `finished` is left out.
    """

    vms: tuple[Selector, ...] = ()
    subscriptions: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    tags: tuple[tuple[str, str], ...] = ()
    everything: bool = False
    finished: frozenset[VmId] = frozenset()
    since: timedelta | datetime = timedelta(days=14)
    until: datetime | None = None
    utc_offset: timedelta | None = None

    def window(self, end: datetime) -> Window:
        """The window asked for, when `end` is the newest instant the source knows."""
        until = self.until or end
        if isinstance(self.since, datetime):
            return Window(self.since, until)
        # An absurd clock in a file (year 1) must not underflow.
        room = until - datetime.min.replace(tzinfo=UTC)
        return Window(until - min(self.since, room), until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a source answers: the window it really covers, one transcript a VM, and what concerns the whole run.

    `transcripts` come as they are ready. `vms` are those asked for, in that order: a transcript of another one is there
    to be compared with. `others` counts the VMs that were seen and not told; `gaps` could not be tied to one VM;
    `cloud` is `None` where the source does not know.
    """

    window: Window
    transcripts: Iterator[Transcript]
    vms: tuple[VmId, ...] = ()
    others: int = 0
    gaps: tuple[Gap, ...] = ()
    cloud: str | None = None


class Source(Protocol):
    """Whatever knows about VMs: an archive, Azure itself, a workspace."""

    def read(self, scope: Scope, needs: Needs) -> Reading:
        """One transcript for every VM in scope, lazily; raises `SourceError` only when nothing at all can be read."""
        ...


class Watcher(Protocol):
    """Who is told while a source reads: warnings for a person, progress for a bar."""

    def warn(self, text: str) -> None:
        """Something the person should know, in one sentence; may hold hostile text."""
        ...

    def note(self, text: str) -> None:
        """What only a curious person wants to know; may hold hostile text."""
        ...

    def progress(self, done: int, total: int | None) -> None:
        """How many bytes or steps of how many are done."""
        ...

    @property
    def stop(self) -> Flag:
        """Set when the person wants the run to end with what is known so far."""
        ...
