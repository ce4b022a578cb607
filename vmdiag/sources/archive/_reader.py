"""Files into the spool, row by row, and every fault named; must not know what a format says of a row."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import vmdiag.sources.archive
from vmdiag import plugins
from vmdiag.completeness import Missing
from vmdiag.errors import BadArchive
from vmdiag.model import Signal
from vmdiag.reading import Watcher
from vmdiag.sources._items import Covers, Format, Malformed, Row
from vmdiag.sources._spool import Spool
from vmdiag.sources.archive._extent import Extent, Loss, vm_named
from vmdiag.sources.archive._lists import Lists
from vmdiag.sources.archive._pages import Pages
from vmdiag.sources.archive._paths import Place
from vmdiag.sources.archive._rows import rows
from vmdiag.sources.archive._streams import Stream
from vmdiag.sources.archive._text import CUT_SHORT
from vmdiag.sources.archive._wrappers import unwrapped

# Faults of one file that are told one by one; the rest is counted.
MOST_TOLD = 10
# Of so many broken records of a file it is looked up what can still be read of them.
MOST_LOOKED_AT = 1_000


def formats() -> dict[str, Format]:
    """Every format by its name, from the folder's listing."""
    package = vmdiag.sources.archive
    return {name: plugins.load(package, name) for name in plugins.names(package)}


@dataclass(slots=True)
class _Tally:
    """What one file turned out to hold."""

    file: str
    extent: Extent
    lists: Lists = field(default_factory=Lists)
    known: int = 0
    unknown: int = 0
    empty: int = 0
    faults: int = 0
    told: int = 0
    answer: str = ""
    last: str = ""
    # Faults wait until something in the file is known: of a foreign file one word is enough.
    waiting: list[Loss] = field(default_factory=list)

    @property
    def is_readable(self) -> bool:
        """Whether anything in it is of a known format, or it is an export with nothing in it."""
        broken = self.unknown or self.faults or self.lists.missing
        return self.known > 0 or (self.empty > 0 and not broken)


class Reader:
    """Reads places one after another and remembers which of them were of no use."""

    def __init__(self, spool: Spool, watcher: Watcher, known: Mapping[str, Format]) -> None:
        self._spool = spool
        self._watcher = watcher
        self._formats = dict(known)
        self._pages = Pages()
        self._unfinished: list[_Tally] = []
        self._done = 0
        self._total: int | None = None

    def read(self, files: Iterable[Place]) -> None:
        """All files; raises `BadArchive` when none of them is of a known format."""
        found = list(files)
        sizes = [place.size for place in found]
        self._total = sum(size for size in sizes if size is not None) if None not in sizes else None
        useless: list[str] = []
        for place in found:
            reason = self._file(place)
            if reason:
                useless.append(reason)
        for tally in self._unfinished:
            self._tell_lacks(tally)
        if len(useless) == len(found):
            hint = f"Formats that were tried: {', '.join(sorted(self._formats))}."
            raise BadArchive(useless[0] if len(useless) == 1 else "\n".join(useless[:MOST_TOLD]), hint)
        for reason in useless:
            self._watcher.warn(f"{reason}; left out")

    def _file(self, place: Place) -> str:
        """Read one file; why it was of no use, or nothing."""
        try:
            file = place.open()
        except OSError as error:
            return f"{place.name} cannot be opened: {error.strerror or error}"
        tally = _Tally(place.name, Extent(place.name))
        with file:
            stream = Stream(file, self._advance)
            for line, row, listing in unwrapped(rows(iter(stream))):
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
        self._finish(tally)
        return "" if tally.is_readable else _useless(tally)

    def _advance(self, size: int) -> None:
        self._done += size
        self._watcher.progress(self._done, self._total)

    def _row(self, tally: _Tally, line: int, row: Row, listing: int) -> None:
        name = self._format_of(tally, row)
        if name is None:
            answer = _error_answer(row)
            if answer:
                tally.answer = answer
                self._fault(tally, line, Malformed(f"an error answer of Azure, not data: {answer}"))
            else:
                tally.unknown += 1
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

    def _format_of(self, tally: _Tally, row: Row) -> str | None:
        """The format that takes a row: mostly the one that took the row before."""
        if tally.last and self._formats[tally.last].recognises(row):
            return tally.last
        for name, one in self._formats.items():
            if name != tally.last and one.recognises(row):
                tally.last = name
                return name
        return None

    def _fault(self, tally: _Tally, line: int, fault: Malformed, name: str = "", *, is_end: bool = False) -> None:
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
        elif len(tally.waiting) < MOST_TOLD:
            tally.waiting.append(loss)

    def _tell(self, tally: _Tally, loss: Loss) -> None:
        where = f"{tally.file}, line {loss.line}" if loss.line else tally.file
        tally.told += 1
        if tally.told <= MOST_TOLD:
            self._watcher.warn(f"{where}: {loss.fault.reason}; skipped")

    def _tell_waiting(self, tally: _Tally) -> None:
        while tally.waiting:
            self._tell(tally, tally.waiting.pop(0))

    def _finish(self, tally: _Tally) -> None:
        self._keep_lacks(tally)
        if not tally.is_readable:
            reason = tally.waiting[0].fault.reason if tally.waiting else "records in no known format"
            self._spool.fault(None, Signal.ACTIVITY, tally.file, 0, f"left out: {reason}")
        elif tally.faults > MOST_TOLD:
            self._watcher.warn(f"{tally.file}: {tally.faults - MOST_TOLD} more malformed records skipped")
        if tally.known and tally.unknown:
            self._watcher.warn(f"{tally.file}: {tally.unknown} records in no known format skipped")
            self._spool.fault(None, Signal.ACTIVITY, tally.file, 0, "records in no known format")

    def _keep_lacks(self, tally: _Tally) -> None:
        """What the file lacks is known at its end; of a page only when it was seen which others there are."""
        tally.lists.end()
        form, lack = next(((form, lack) for form, lack in tally.lists.missing if lack.is_continued), (tally.last, None))
        self._pages.see(tally.file, form, lack)
        if lack is None:
            self._tell_lacks(tally)
        else:
            self._unfinished.append(tally)

    def _tell_lacks(self, tally: _Tally) -> None:
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


def _error_answer(row: Row) -> str:
    """What a failed command wrote where data was expected: `{"error": {...}}`, or `code` and `message` alone."""
    body = row.get("error") if isinstance(row.get("error"), dict) else row
    if not isinstance(body, dict):
        return ""
    words = {str(key).lower(): value for key, value in body.items()}
    code, message = words.get("code"), words.get("message")
    if not (isinstance(code, str) and isinstance(message, str)) or (body is row and len(row) > 3):  # noqa: PLR2004
        return ""
    return f"{code}: {message}"[:500]


def _useless(tally: _Tally) -> str:
    if tally.answer:
        return f"{tally.file} holds an error answer of Azure, not data: {tally.answer}"
    if not (tally.unknown or tally.faults):
        return f"{tally.file} is empty"
    if tally.lists.missing:
        return f"{tally.file} holds no record: {tally.lists.missing[0][1].reason}"
    first = f" ({tally.waiting[0].fault.reason})" if tally.waiting else ""
    return f"{tally.file} is in no known format{first}"
