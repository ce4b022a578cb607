"""Files into the spool, row by row, and every fault named; must not know what a format says of a row."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import vmdiag.sources.archive
from vmdiag import plugins
from vmdiag.errors import BadArchive
from vmdiag.model import Signal
from vmdiag.reading import Watcher
from vmdiag.sources._items import Format, Malformed, Row
from vmdiag.sources._spool import Spool
from vmdiag.sources.archive._left_out import MOST_KINDS, OTHER, LeftOut, kind_of
from vmdiag.sources.archive._members import Member, members
from vmdiag.sources.archive._paths import Place
from vmdiag.sources.archive._rows import rows
from vmdiag.sources.archive._streams import Stream
from vmdiag.sources.archive._table_columns import Columns
from vmdiag.sources.archive._times import newest_in

# Faults of one file that wait until something in it is known.
MOST_WAITING = 10
# Kinds of useless files that an error names.
MOST_TOLD = 10
# `az monitor activity-log list` stops at this many events unless --max-events says otherwise.
CLI_LIMIT = 50
CLI_FORMAT = "activity-log"


def formats() -> dict[str, Format]:
    """Every format by its name, from the folder's listing."""
    package = vmdiag.sources.archive
    return {name: plugins.load(package, name) for name in plugins.names(package)}


@dataclass(slots=True)
class _Tally:
    """What one file turned out to hold."""

    file: str
    known: int = 0
    unknown: int = 0
    empty: int = 0
    faults: int = 0
    answer: str = ""
    listing: int = 0
    listed: int = 0
    last: str = ""
    kinds: Counter[str] = field(default_factory=Counter)
    # Faults wait until something in the file is known: of a foreign file one word is enough.
    waiting: list[tuple[int, Malformed, Signal]] = field(default_factory=list)

    @property
    def is_readable(self) -> bool:
        """Whether anything in it is of a known format, or it is an export with nothing in it."""
        return self.known > 0 or (self.empty > 0 and self.unknown == self.faults == 0)


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
        self._done = 0
        self._total: int | None = None

    def read(self, files: Iterable[Place]) -> None:
        """All files; raises `BadArchive` when none of them is of a known format."""
        found = list(files)
        sizes = [place.size for place in found]
        self._total = sum(size for size in sizes if size is not None) if None not in sizes else None
        useful = [self._file(place) for place in found]
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
        with file:
            original = file if file.seekable() else None
            for member in members(place.name, Stream(file, self._advance), original):
                is_useful |= self._member(member)
        return is_useful

    def _member(self, member: Member) -> bool:
        """Read one text; whether it was of use."""
        tally = _Tally(member.name)
        if member.refused is not None:
            self._left_out.file(member.name, member.refused.what, member.refused.instead)
        elif member.stream is None:
            self._left_out.file(member.name, member.torn)
        else:
            self._text(tally, member.stream)
            self._finish(tally)
        return tally.is_readable

    def _text(self, tally: _Tally, stream: Stream) -> None:
        columns = Columns(rows(iter(stream)), self._utc_offset)
        for line, row, listing in columns:
            if row is None:
                tally.empty += 1
            elif isinstance(row, Malformed):
                self._fault(tally, line, row)
            else:
                self._row(tally, line, row, listing)
        if stream.broken:
            self._fault(tally, 0, Malformed(stream.broken))
        for doubt in columns.doubts:
            self._watcher.warn(f"{tally.file}: {doubt}")
            self._spool.fault(None, signal_of(tally.last), tally.file, 0, doubt)

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
                tally.kinds[kind_of(row) if len(tally.kinds) < MOST_KINDS else OTHER] += 1
            return
        tally.known += 1
        self._tell_waiting(tally)
        if name == CLI_FORMAT and listing:
            self._listed(tally, listing)
        try:
            for item in self._formats[name].items(row, f"{tally.file}:{line}"):
                self._spool.add(item)
        except Malformed as fault:
            self._fault(tally, line, fault, signal_of(name))
            self.untimed = fault.reason
        if self._spool.newest is None:
            self.newest_seen = max(filter(None, (self.newest_seen, newest_in(row))), default=None)

    def _format_of(self, tally: _Tally, row: Row) -> str | None:
        """The format that takes a row: mostly the one that took the row before."""
        if tally.last and self._formats[tally.last].recognises(row):
            return tally.last
        for name, one in self._formats.items():
            if name != tally.last and one.recognises(row):
                tally.last = name
                return name
        return None

    def _listed(self, tally: _Tally, listing: int) -> None:
        if listing != tally.listing:
            self._warn_of_limit(tally)
            tally.listing, tally.listed = listing, 0
        tally.listed += 1

    def _warn_of_limit(self, tally: _Tally) -> None:
        if tally.listed == CLI_LIMIT:
            self._watcher.warn(
                f"{tally.file} holds exactly {CLI_LIMIT} events, where `az monitor activity-log list` stops by "
                "default: it was probably cut; export it again with a larger --max-events"
            )

    def _fault(self, tally: _Tally, line: int, fault: Malformed, signal: Signal = Signal.ACTIVITY) -> None:
        tally.faults += 1
        if tally.known:
            self._tell(tally, line, fault, signal)
        elif len(tally.waiting) < MOST_WAITING:
            tally.waiting.append((line, fault, signal))

    def _tell(self, tally: _Tally, line: int, fault: Malformed, signal: Signal) -> None:
        where = f"{tally.file}, line {line}" if line else tally.file
        if self._left_out.fault(tally.file, fault.reason):
            self._watcher.warn(f"{where}: {fault.reason}; skipped")
        self._spool.fault(fault.vm, signal, tally.file, line, fault.reason)

    def _tell_waiting(self, tally: _Tally) -> None:
        while tally.waiting:
            self._tell(tally, *tally.waiting.pop(0))

    def _finish(self, tally: _Tally) -> None:
        self._warn_of_limit(tally)
        if not tally.is_readable:
            self._left_out.file(tally.file, _useless(tally))
        if tally.known and tally.unknown:
            for kind, count in tally.kinds.items():
                self._left_out.unknown(tally.file, kind, count)


def signal_of(name: str) -> Signal:
    """The feed that a format mostly carries: what a malformed row of it leaves a gap in."""
    if "metrics" in name:
        return Signal.TRAFFIC
    if name == "heartbeat":
        return Signal.HEARTBEAT
    return Signal.HEALTH if "health" in name or name == "event-grid" else Signal.ACTIVITY


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
    """Why a text was of no use."""
    if tally.answer:
        return f"an error answer of Azure, not data: {tally.answer}"
    if not (tally.unknown or tally.faults):
        return "empty"
    first = tally.waiting[0][1].reason if tally.waiting else next(iter(tally.kinds))
    return f"in no known format ({first})"
