"""The seam between sources and the rest: what is asked of a source, and what it answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from threading import Event as Flag
from typing import Protocol

from vmdiag.identity import Selector, VmId
from vmdiag.model import Gap, Needs, Transcript, Window, subtract_span
from vmdiag.values import Struct

# What is read reaches back at least so far, however short the window is: a loss that is still open began at any time,
# and its migration, its baseline and what competes lie before that. It is as far as Resource Graph keeps changes, and
# what `--since` is by default, so a short window costs no more requests than the usual one.
LEAST_READ = timedelta(days=14)
# A check that looks at a VM from elsewhere "may take minutes"; what has not ended then is told as a gap.
PROOF_TIME = timedelta(minutes=5)


class VmFilter(Struct, frozen=True):
    """The VMs that a query is about: those with one of the ids or names, in one of the groups; empty means any.

    `patterns` are groups and names with `*` and `?`; groups may hold these, too.
    """

    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    patterns: tuple[tuple[str, str], ...] = ()


class Scope(Struct, frozen=True, kw_only=True):
    """Which VMs and when. `until=None` means now, or an archive's last record; a `since` span counts back from it.

    `utc_offset` is how far ahead of UTC the clocks were where files with local times were made; large files are read by
    as many `processes`, with `exact_scan` each record of them for itself.

    No VM, group, tag and not `everything`: the VMs that had a migration or a loss. What is `finished` is left out.
    `groups` may hold `*` and `?`. With `allow_empty` a scope without VMs is no error; `lists_none` is one that a list
    without VMs made. Where it `screens`, of many VMs only the suspicious are read deeply; where these are looked at
    from elsewhere, that may take so long as `proof_time`. A `time` of day is the latest such one before `until`, which
    itself lies before the end.
    """

    vms: tuple[Selector, ...] = ()
    subscriptions: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    tags: tuple[tuple[str, str], ...] = ()
    everything: bool = False
    finished: frozenset[VmId] = frozenset()
    allow_empty: bool = False
    lists_none: bool = False
    since: timedelta | datetime | time = LEAST_READ
    until: datetime | time | None = None
    utc_offset: timedelta | None = None
    processes: int = 1
    exact_scan: bool = False
    screens: bool = True
    proof_time: timedelta = PROOF_TIME

    @property
    def names_any(self) -> bool:
        """Whether it says which VMs are meant, one by one or by what they have in common."""
        return bool(self.vms or self.groups or self.tags or self.everything or self.lists_none)

    def window(self, end: datetime) -> Window:
        """The window asked for, when `end` is the newest instant the source knows."""
        until = find_latest_time(self.until, end) if isinstance(self.until, time) else self.until or end
        if isinstance(self.since, time):
            return Window(find_latest_time(self.since, until), until)
        if isinstance(self.since, datetime):
            return Window(self.since, until)
        return Window(subtract_span(until, self.since), until)


def reading_span(window: Window, needs: Needs) -> Window:
    """What is read so that every loss that reaches into the window can be judged whole, with what came before it.

    The window says which losses are told; it never says how far back is read.
    """
    least = LEAST_READ if needs.least_read is None else needs.least_read
    start = min(window.start, subtract_span(window.end, least))
    return Window(subtract_span(start, needs.margin), window.end)


def find_latest_time(clock: time, before: datetime) -> datetime:
    """The latest such time of day, in UTC, before an instant."""
    same_day = datetime.combine(before.date(), clock, UTC)
    return same_day if same_day < before else same_day - timedelta(days=1)


class Reading(Struct, frozen=True, kw_only=True):
    """What a source answers: the window it really covers, one transcript a VM, and what concerns the whole run.

    `transcripts` come as they are ready. `vms` are those asked for, in that order: a transcript of another one is there
    to be compared with. `others` counts the VMs that were seen and not told, `quiet` those among them of which no
    record or reading shows a migration or a loss, `unclear` those of which none does because it was read in part;
    `gaps` could not be tied to one VM; `cloud` is `None` where the
    source does not know.
    """

    window: Window
    transcripts: Iterator[Transcript]
    vms: tuple[VmId, ...] = ()
    others: int = 0
    quiet: int = 0
    unclear: int = 0
    gaps: tuple[Gap, ...] = ()
    cloud: str | None = None


class Source(Protocol):
    """Whatever knows about VMs: an archive, Azure itself, a workspace.

    One with a method `begin_reading(scope)` is told what will be asked as soon as it is opened.
    """

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

    def progress(self, what: str, done: int, total: int | None) -> None:
        """How many bytes, files, requests or VMs, whichever is named, of how many are done."""
        ...

    @property
    def stop(self) -> Flag:
        """Set when the person wants the run to end with what is known so far."""
        ...
