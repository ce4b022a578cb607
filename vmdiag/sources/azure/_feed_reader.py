"""Asks Azure many things at once and keeps what it says; must not know a feed, nor which VM is of interest."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import product

import msgspec

from vmdiag.arm.session import Session
from vmdiag.completeness import Missing, missing_list, missing_part
from vmdiag.errors import BadAnswer, Interrupted, NotFound, NotUnderstood, OutOfTime, SourceError
from vmdiag.model import Signal
from vmdiag.sources.azure.feed_request import Ask
from vmdiag.sources.azure.worker_pool import Crew, Done, Piece
from vmdiag.sources.coverage import MEASURED
from vmdiag.sources.decoding.extent import vm_named
from vmdiag.sources.items import Covers, Lack, Malformed, Sampled, Snapshot, Whole
from vmdiag.sources.protocol import Watcher
from vmdiag.sources.store import Spool

INTERRUPTED = "interrupted before it was read"
OVER = "not read when the run's time was over (--timeout)"
# Malformed rows of one reading that are told one by one; the gap counts them all.
MOST_TOLD = 3


class Reader:
    """Reads asks into a spool; only the thread that calls it touches the spool.

    `read` are the asks that were answered, `cut` those of them that were not answered whole, `flawed` these and those
    with a row that cannot be used; `failures` are the errors of the others. By VM, group or subscription and
    signal, `asked` is what was asked for at all, `unknown` what Azure does not know (404), `reached` the earliest
    instant heard. `present` says whether a state of now belongs to the window.
    """

    def __init__(self, session: Session, spool: Spool, watcher: Watcher) -> None:
        self._session = session
        self._spool = spool
        self._watcher = watcher
        self._crew: Crew[Ask, list[object]] = Crew(session.access.jobs)
        self._open: dict[Ask, int] = {}  # and how many rows of it were read
        self._waiting: Counter[str] = Counter()
        self._count = 0
        self.present = True
        self.read: set[Ask] = set()
        self.cut: set[Ask] = set()
        self.flawed: set[Ask] = set()
        self._measured: dict[Ask, list[Sampled]] = {}
        self.failures: dict[Ask, SourceError] = {}
        self.asked: set[tuple[str, Signal]] = set()
        self.unknown: set[tuple[str, Signal]] = set()
        self.reached: dict[tuple[str, Signal], datetime] = {}

    def add(self, asks: Iterable[Ask]) -> None:
        """Begin to ask."""
        for ask in asks:
            self._count += 1
            self._open[ask] = 0
            self.asked.update(product(ask.concerns, ask.signals))
            self._waiting.update(ask.concerns)
            self._crew.add(ask, partial(self._pages, ask))

    def finish(self, asks: Iterable[Ask] = ()) -> None:
        """Ask and wait until all that was asked is answered, refused or given up."""
        self.add(asks)
        for _ in self.finished():
            pass

    def finished(self) -> Iterator[str]:
        """The ids in lower case of the VMs, groups and subscriptions of which nothing more is to come, one by one."""
        while self._open and not self._watcher.stop.is_set():
            for result in self._crew.results(self._watcher.stop.is_set):
                if isinstance(result, Piece):
                    self._keep(result.key, result.value)
                else:
                    yield from self._end(result)
        for ask in list(self._open):
            yield from self._end(Done(ask, Interrupted(INTERRUPTED, "")))

    def _pages(self, ask: Ask) -> Iterator[list[object]]:
        """The rows of each page, and behind them why they are not all; in another thread."""
        lack: Missing | None = None
        count, said = 0, dict[str, object]()
        for page in self._session.pages(ask.request):
            unlisted = missing_list(_members(page) or page, ask.holds) if ask.holds else None
            said = _members(page)
            rows = [] if unlisted else list(ask.rows(page))
            count += len(rows)
            if ask.holds and lack is None:
                lack = unlisted or missing_part(said, count, is_followed=True)
            yield rows
        if ask.holds:
            lack = lack or missing_part(said, count)
        yield [lack] if lack else []

    def _keep(self, ask: Ask, rows: list[object]) -> None:
        for row in rows:
            if isinstance(row, Missing):
                self._lack(ask, row.reason)
                continue
            if isinstance(row, Lack):
                self._miss(ask, row)
                continue
            self._open[ask] += 1
            number = self._open[ask]
            try:
                if isinstance(row, Malformed):
                    raise row
                for item in ask.items(row, f"{ask.request.what}, row {number}"):
                    # What is so now says nothing of a window that ended before.
                    if self.present or not isinstance(item, Snapshot):
                        self._spool.add(item)
                    if isinstance(item, Sampled) and item.times:
                        self._measured.setdefault(ask, []).append(item)
            except Malformed as fault:
                fault.part = row if isinstance(row, dict) else fault.part
                self._fault(ask, number, fault)

    def _fault(self, ask: Ask, number: int, fault: Malformed) -> None:
        if number <= MOST_TOLD:
            self._watcher.warn(f"{ask.request.what}, row {number}: {fault.reason}; skipped")
        part = fault.part or {}
        concerned = self._spool.scope_of(fault.vm or vm_named(part))
        if not (ask.lacks or ask.signals):
            # An inventory is no feed: what is lost with its row is told, and takes no signal with it.
            self._spool.fault(fault.vm, Signal.POWER, ask.request.what, number, fault.reason)
            return
        narrowed = ask.signals_of(part) if ask.signals_of else ask.lacks or ask.signals
        for signal, scope in product(narrowed, (concerned,) if concerned else ask.concerns or ("",)):
            self._flaw(ask, signal, scope, fault.reason, line=number)

    def _lack(self, ask: Ask, reason: str) -> None:
        """An answer says, or shows, that it is not whole."""
        self.cut.add(ask)
        self._watcher.warn(f"{ask.request.what}: {reason}; what is missing counts as not read")
        for signal, scope in product(ask.lacks or ask.signals, ask.concerns or ("",)):
            self._flaw(ask, signal, scope, reason)

    def _miss(self, ask: Ask, lack: Lack) -> None:
        """An answer that holds less than was asked for, as can be told by what it holds."""
        self.flawed.add(ask)
        self._watcher.warn(f"{lack.place}: {lack.reason}; what is missing counts as not read")
        self._spool.add(lack)

    def _flaw(self, ask: Ask, signal: Signal, scope: str, reason: str, line: int = 0) -> None:
        self.flawed.add(ask)
        what = ask.request.what
        lack = Lack(signal=signal, scope=scope, form=what, place=what, reason=reason, line=line, is_record=line > 0)
        self._spool.add(lack)

    def _end(self, result: Done[Ask]) -> Iterator[str]:
        ask, error = result.key, result.error
        rows = self._open.pop(ask)
        if isinstance(error, BadAnswer) and ask.instead and not rows:
            self.add(ask.instead)
        elif isinstance(error, SourceError):
            self._refuse(ask, error, partial=rows > 0)
            if rows or (isinstance(error, BadAnswer) and not isinstance(error, NotUnderstood)):
                # What it would have held may be what denies the rest.
                self._lack(ask, reason_of(error).removeprefix(f"{ask.request.what}: "))
        elif error is not None:
            raise error
        else:
            self._hear(ask)
            self.add(ask.then())
        self._watcher.progress(self._count - len(self._open), self._count)
        self._waiting.subtract(ask.concerns)
        yield from (concern for concern in ask.concerns if not self._waiting[concern])

    def _hear(self, ask: Ask) -> None:
        self.read.add(ask)
        for item in ask.heard:
            if not isinstance(item, Covers):
                # Asked for and silent is said only of those whose answer was whole.
                if ask not in self.cut:
                    self._spool.add(item)
            else:
                self._spool.add(replace(item, cut=ask in self.cut))
        if ask not in self.flawed:
            self._tell_whole(ask)
        for concern, signal in product(ask.concerns, ask.signals):
            self.reach(concern, signal, ask.since)

    def _tell_whole(self, ask: Ask) -> None:
        """What another reading of the same may lack is not missing where this one was whole."""
        what = ask.request.what
        for concern, signal in product(ask.concerns, set(ask.signals) - MEASURED):
            self._spool.add(Whole(signal=signal, scope=concern, form=what))
        for item in self._measured.pop(ask, ()):
            first, last = item.times[0], item.times[-1]
            self._spool.add(Whole(signal=item.signal, scope=item.vm.key, form=what, first=first, last=last))

    def reach(self, concern: str, signal: Signal, since: datetime | None) -> None:
        """A signal was heard from then on."""
        if since is not None:
            self.reached[concern, signal] = min(since, self.reached.get((concern, signal), since))

    def _refuse(self, ask: Ask, error: SourceError, *, partial: bool) -> None:
        self.failures[ask] = error
        for concern, signal in product(ask.concerns, ask.signals):
            self._spool.refuse(signal, concern, reason_of(error), partial=partial)
            if isinstance(error, NotFound):
                self.unknown.add((concern, signal))


def _members(page: object) -> dict[str, object]:
    """The members of an answer, however it was decoded."""
    if isinstance(page, msgspec.Struct):
        return msgspec.structs.asdict(page)
    return page if isinstance(page, dict) else {}


def reason_of(error: SourceError) -> str:
    """An error as the reason of a gap."""
    return {Interrupted: INTERRUPTED, OutOfTime: OVER}.get(type(error), error.message)
