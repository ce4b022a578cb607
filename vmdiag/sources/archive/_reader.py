"""Files into the spool, row by row, and every fault named; must not know what a format says of a row."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import vmdiag.sources.formats
from vmdiag import plugins
from vmdiag.completeness import Missing
from vmdiag.errors import BadArchive
from vmdiag.model import Signal
from vmdiag.sources.archive._file_contents import Tally, error_answer
from vmdiag.sources.archive._saved_pages import Pages
from vmdiag.sources.archive._table_columns import Columns
from vmdiag.sources.archive._unusable_records import LeftOut
from vmdiag.sources.archive._wrappers import unwrapped
from vmdiag.sources.decoding.extent import LISTS, Extent, Loss, vm_named
from vmdiag.sources.decoding.timestamps import newest_in
from vmdiag.sources.files.members import Member, members
from vmdiag.sources.files.paths import Place
from vmdiag.sources.files.rows import rows
from vmdiag.sources.files.streams import Stream
from vmdiag.sources.files.text_cursor import CUT_SHORT
from vmdiag.sources.items import Covers, Format, Lack, Malformed, Row
from vmdiag.sources.protocol import Watcher
from vmdiag.sources.store import Spool

# Faults of one file that wait until something in it is known.
MOST_WAITING = 10
# Kinds of useless files that an error names.
MOST_TOLD = 10
# Of so many broken records of a file it is looked up what can still be read of them.
MOST_LOOKED_AT = 1_000


def formats() -> dict[str, Format]:
    """Every format by its name, from the folder's listing."""
    package = vmdiag.sources.formats
    return {name: plugins.load(package, name) for name in plugins.names(package)}


class Reader:
    """Reads places one after another and remembers which of them were of no use.

    For an archive that tells nothing: `newest_seen` is the newest time in a record that said nothing of a VM, `untimed`
    why the last of those that could not be used was none.
    """

    def __init__(
        self, spool: Spool, watcher: Watcher, known: Mapping[str, Format], utc_offset: timedelta | None = None
    ) -> None:
        self.newest_seen: datetime | None = None
        self.untimed = ""
        self._spool = spool
        self._watcher = watcher
        self._formats = dict(known)
        self._utc_offset = utc_offset
        self._left_out = LeftOut()
        self._pages = Pages()
        self._unfinished: list[Tally] = []
        self._done = 0
        self._total: int | None = None

    def read(self, files: Iterable[Place]) -> None:
        """All files; raises `BadArchive` when none of them is of a known format."""
        found = list(files)
        sizes = [place.size for place in found]
        self._total = sum(size for size in sizes if size is not None) if None not in sizes else None
        useful = [self._file(place) for place in found]
        for tally in self._unfinished:
            self._tell_lacks(tally)
        if not any(useful):
            tried = f"Formats that were tried: {', '.join(sorted(self._formats))}."
            useless = list(self._left_out.files_told())[:MOST_TOLD]
            raise BadArchive("\n".join(useless), self._left_out.instead or tried)
        for reason in self._left_out.files_told(with_instead=True):
            self._watcher.warn(f"{reason}; left out")
        for told in self._left_out.records_told():
            self._watcher.warn(told)
        for file, reason in self._left_out.faults():
            self._spool.fault(None, Signal.ACTIVITY, file, 0, reason)

    def _file(self, place: Place) -> bool:
        """Read one file, and all in it; whether anything was of use."""
        try:
            file = place.open()
        except OSError as error:
            self._left_out.file(place.name, f"cannot be opened: {error.strerror or error}")
            return False
        is_useful = False
        signals: dict[Signal, None] = {}
        with file:
            original = file if file.seekable() else None
            for member in members(place.name, Stream(file, self._advance), original):
                if member.torn:
                    self._tear(member, signals)
                else:
                    tally = self._member(member)
                    is_useful |= tally.is_readable
                    signals.update((one, None) for known in tally.extent.forms.values() for one in known)
        return is_useful

    def _member(self, member: Member) -> Tally:
        """Read one text."""
        tally = Tally(member.name, Extent(member.name))
        if member.refused is not None:
            self._left_out.file(member.name, member.refused.what, member.refused.instead)
        elif member.stream is not None:
            self._text(tally, member.stream)
            self._finish(tally)
        return tally

    def _tear(self, member: Member, signals: Iterable[Signal]) -> None:
        """A container that ends early: what it lacks may be anything of what it holds."""
        self._left_out.file(member.name, member.torn)
        for signal in tuple(signals) or LISTS:
            self._spool.add(Lack(signal=signal, scope="", form="", place=member.name, reason=member.torn))

    def _text(self, tally: Tally, stream: Stream) -> None:
        columns = Columns(unwrapped(rows(iter(stream))), self._utc_offset)
        for line, row, listing in columns:
            if row is None:
                tally.empty += 1
            elif isinstance(row, Missing):
                tally.lists.lack(row)
            elif isinstance(row, Malformed):
                self._fault(tally, line, row)
            else:
                self._row(tally, line, row, listing)
        if stream.broken:
            self._fault(tally, 0, Malformed(stream.broken), is_end=True)
        for doubt in columns.doubts:
            self._watcher.warn(f"{tally.file}: {doubt}")
            for signal in dict.fromkeys(one for known in tally.extent.forms.values() for one in known):
                self._spool.fault(None, signal, tally.file, 0, doubt)

    def _advance(self, size: int) -> None:
        self._done += size
        self._watcher.progress(self._done, self._total)

    def _row(self, tally: Tally, line: int, row: Row, listing: int) -> None:
        name = self._format_of(tally, row)
        if name is None:
            answer = error_answer(row)
            if answer:
                tally.answer = answer
                self._fault(tally, line, Malformed(f"an error answer of Azure, not data: {answer}"))
            else:
                tally.pass_over(row)
            return
        tally.known += 1
        tally.extent.forms.setdefault(name, self._formats[name].SIGNALS)
        self._tell_waiting(tally)
        tally.lists.count(name, listing)
        try:
            for item in self._formats[name].items(row, f"{tally.file}:{line}"):
                tally.extent.add(item)
                if not isinstance(item, Covers):
                    self._spool.add(item)
        except Malformed as fault:
            fault.part = row
            self._fault(tally, line, fault, name)
            self.untimed = fault.reason
        if self._spool.newest is None:
            self.newest_seen = max(filter(None, (self.newest_seen, newest_in(row))), default=None)

    def _format_of(self, tally: Tally, row: Row) -> str | None:
        """The format that takes a row: mostly the one that took the row before."""
        if tally.last and self._formats[tally.last].recognises(row):
            return tally.last
        for name, one in self._formats.items():
            if name != tally.last and one.recognises(row):
                tally.last = name
                return name
        return None

    def _fault(self, tally: Tally, line: int, fault: Malformed, name: str = "", *, is_end: bool = False) -> None:
        tally.faults += 1
        part, is_end = fault.part, is_end or fault.reason == CUT_SHORT
        if part is not None and not name and tally.faults <= MOST_LOOKED_AT:
            # Half a record may look like one of another format: what the file holds goes before.
            likely = tally.extent.forms or self._formats
            name = next((each for each in likely if self._formats[each].recognises(part)), "")
        signals = None
        if name:
            tally.extent.forms.setdefault(name, self._formats[name].SIGNALS)
            fault.vm = fault.vm or vm_named(part)
            if not self._spool.scope_of(fault.vm):
                fault.vm = None
            signals = signals_of(self._formats[name], part or {})
        fault.part = None
        loss = Loss(line, fault, name, signals, is_end)
        if fault.is_record:
            tally.extent.lose(loss)
        if tally.known:
            self._tell(tally, loss)
        elif len(tally.waiting) < MOST_WAITING:
            tally.waiting.append(loss)

    def _tell(self, tally: Tally, loss: Loss) -> None:
        where = f"{tally.file}, line {loss.line}" if loss.line else tally.file
        if self._left_out.fault(tally.file, loss.fault.reason):
            self._watcher.warn(f"{where}: {loss.fault.reason}; skipped")

    def _tell_waiting(self, tally: Tally) -> None:
        while tally.waiting:
            self._tell(tally, tally.waiting.pop(0))

    def _finish(self, tally: Tally) -> None:
        self._keep_lacks(tally)
        if not tally.is_readable:
            self._left_out.file(tally.file, tally.why_useless)
        if tally.known:
            for kind, count in tally.kinds.items():
                self._left_out.unknown(tally.file, kind, count)

    def _keep_lacks(self, tally: Tally) -> None:
        """What the file lacks is known at its end; of a page only when it was seen which others there are."""
        tally.lists.end()
        form, lack = next(((form, lack) for form, lack in tally.lists.missing if lack.is_continued), (tally.last, None))
        self._pages.see(tally.file, form, lack)
        if lack is None:
            self._tell_lacks(tally)
        else:
            self._unfinished.append(tally)

    def _tell_lacks(self, tally: Tally) -> None:
        """What the file lacks, and what it is whole for."""
        missing = [
            (form, lack)
            for form, lack in tally.lists.missing
            if not (lack.is_continued and self._pages.is_followed(tally.file, form, lack))
        ]
        for _, lack in missing:
            self._watcher.warn(f"{tally.file}: {lack.reason}; what is missing counts as not read")
        lacks = list(tally.extent.lacks(missing))
        for item in (*lacks, *tally.extent.whole(lack.signal for lack in lacks)):
            self._spool.add(item)


def signals_of(one: Format, row: Row) -> tuple[Signal, ...]:
    """The feeds that a row belongs to, as far as its format can tell."""
    narrowed: Callable[[Row], tuple[Signal, ...]] | None = getattr(one, "signals", None)
    return narrowed(row) if narrowed is not None else one.SIGNALS
