"""Records that cannot matter, left out in bulk: many are decoded at once, and only what may say more becomes a row.

A record is left out where it is complete JSON with a form's known members and no others, and the form says that such a
record tells nothing but that its feed was read. Everything else is read as if there were no screen. In what is left
out, a number beyond a double's range and a character cut in half are not told.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import product
from operator import attrgetter, methodcaller
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from vmdiag import plugins
from vmdiag.completeness import MalformedRow, Row
from vmdiag.sources import formats
from vmdiag.sources.decoding.envelopes import check_record
from vmdiag.sources.files.memory_rows import RowResult, ScreenedRecords, decode_json
from vmdiag.sources.files.record_blocks import RecordLines, RecordObjects, Text
from vmdiag.sources.files.text_cursor import TextCursor
from vmdiag.sources.items import Item, ObservedTime

if TYPE_CHECKING:
    from vmdiag.sources.formats import RecordScreen

# Small enough that text and records stay in a processor's cache.
BLOCK_SIZE = 1 << 18
# Of a block with a record of another kind so much less is tried next, down to a record.
SHRINK = 8
# After so many that could not be decoded in a row the text is of another form.
MISSES_LIMIT = 50
# Of so many resources it is remembered what they show; a fleet has some thousand.
RESOURCES_LIMIT = 1 << 15
# What is longer is meant to fill memory, and not remembered.
LONGEST_NAME = 2_048
# No instant outside these is one of Azure's; such a record must be told, too.
FIRST_TIME, LAST_TIME = datetime(2010, 1, 2, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)
# So much a time may lie off that was decoded in bulk: digits beyond a microsecond are rounded there, elsewhere cut.
TIME_RESOLUTION = timedelta(microseconds=1)
BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Rows = list[RowResult]
Decoder = Callable[[bytes | memoryview], Sequence[Any]]
split_name = methodcaller("rpartition", "/")
get_time, get_line_decoder, get_list_decoder = map(attrgetter, ("time", "decode_lines", "decode_list"))


class ScreenedLines(NamedTuple):
    """The rows of so many lines, and where those end."""

    rows: Rows
    lines: int
    end: int


class RowScreen:
    """The screens of some forms over one text."""

    def __init__(self, screens: "Sequence[FormScreen]", current: int = 0) -> None:
        self._screens = screens
        self._current = current
        self.newest = FIRST_TIME
        # The newest record, whose time is to be known to the digit.
        self._newest_text: tuple[FormScreen, Callable[[], bytes]] | None = None
        self._told: set[str] = set()
        self._reach = BLOCK_SIZE
        self._misses = 0

    def make_next(self) -> "RowScreen":
        """A screen for the next text, which is probably of the same form."""
        return RowScreen(self._screens, self._current)

    def read_lines(self, text: TextCursor) -> Rows | None:
        """The rows of as many lines at the cursor as can be decoded at once; `None` where the first cannot be."""
        if text.data.find(b"\n", text.pos) < 0 and not text.read_more():
            return None
        found = self.screen_lines(text.line, text.data, text.pos, len(text.data))
        if found is None:
            return None
        text.skip_lines(found.lines, found.end)
        return found.rows

    def screen_lines(self, line: int, data: Text, start: int, stop: int) -> ScreenedLines | None:
        """As many lines as can be decoded at once, of which the first has this number; `None` where it cannot be."""
        while self._misses < MISSES_LIMIT:
            end = data.rfind(b"\n", start, min(stop, start + self._reach)) + 1 or data.find(b"\n", start, stop) + 1
            if not end:
                return None
            block = RecordLines(data, start, end)
            records = self._decode_records(get_line_decoder, memoryview(data)[start:end])
            # Where lines are empty the places of the others are not told by counting.
            rows = self._select_rows(line, records, block) if records and len(records) == block.count else None
            if rows is not None:
                self._note_hit()
                return ScreenedLines(rows, block.count, end)
            if block.count == 1:
                self._misses += 1
                return None
            self._reach = (end - start) // SHRINK
        return None

    def read_elements(self, text: TextCursor, boundary: bytes) -> Rows | None:
        """The rows of as many objects of a list as can be decoded at once, where `boundary` parts one from the next.

        It begins with the brace that ends one and holds the brace that begins the other. The cursor then stands behind
        the last of them.
        """
        if text.data.find(boundary, text.pos) < 0 and not text.read_more():
            return None
        data, start = text.data, text.pos
        while self._misses < MISSES_LIMIT:
            first = data.find(boundary, start) + 1
            end = data.rfind(boundary, start, start + self._reach) + 1 or first
            if not end:
                return None
            rows = self.screen_list(text.line, memoryview(data)[start:end])
            if rows is not None:
                text.pos = end
                self._note_hit()
                return rows
            if end == first:
                self._misses += 1
                return None
            self._reach = (end - start) // SHRINK
        return None

    def screen_list(self, line: int, text: memoryview) -> Rows | None:
        """The rows of objects with commas between, if all can be decoded at once."""
        block = RecordObjects(b"".join((b"[", text, b"]")))
        records = self._decode_records(get_list_decoder, block.text)
        return self._select_rows(line, records, block) if records else None

    def take_newest(self, known: datetime = FIRST_TIME) -> Iterator[RowResult]:
        """When the newest of the records was made that were left out, if it is newer than what is `known`."""
        if self._newest_text is not None and self.newest > known:
            (screen, get_text), self._newest_text = self._newest_text, None
            newest = screen.read_time(get_text())
            if newest is None or abs(newest - self.newest) > TIME_RESOLUTION:
                newest = self.newest  # of lines that are not a record each the text is another's
            yield RowResult(0, ScreenedRecords(screen.form, screen.list_coverage, newest=newest))

    def _select_rows(self, line: int, records: Sequence[Any], block: RecordLines | RecordObjects) -> Rows | None:
        """The rows of the records that may say more, and what the others show; `None` where one has no usable time."""
        screen = self._screens[self._current]
        times = list(map(get_time, records))
        if max(times) > LAST_TIME or min(times) < FIRST_TIME:
            return None
        scopes = screen.find_scopes(records)
        if scopes is None:
            return None
        telling, rows = screen.find_telling(records, scopes), Rows()
        silent: Sequence[int] = range(len(records))
        if telling and not block.has_record_each():
            return None
        if telling:
            for at in telling:
                rows.append(RowResult(line + block.count_lines(at), check_record(decode_json(block.get_text(at)))))
            if any(isinstance(row.row, MalformedRow) for row in rows):
                return None
            silent = sorted(set(silent).difference(telling))
            times, scopes = [times[at] for at in silent], [scopes[at] for at in silent]
        if not silent:
            return rows
        if (newest := max(times)) > self.newest:
            self.newest = newest
            self._newest_text = screen, block.hold_text(silent[times.index(newest)])
        untold = tuple(set(scopes) - self._told)
        self._told.update(untold)
        left_out = ScreenedRecords(screen.form, screen.list_coverage, len(silent), untold)
        return [RowResult(line, left_out), *rows]

    def _decode_records(
        self, get_decoder: "Callable[[FormScreen], Decoder]", text: bytes | memoryview
    ) -> Sequence[Any]:
        """The records, by the screen that knew the last ones or else by another; none where none knows them all."""
        for place in sorted(range(len(self._screens)), key=lambda place: place != self._current):
            try:
                records = get_decoder(self._screens[place])(text)
            except BROKEN:
                continue
            self._current = place
            return records
        return ()

    def _note_hit(self) -> None:
        self._reach, self._misses = min(BLOCK_SIZE, self._reach * SHRINK), 0


class FormScreen:
    """The screen of one form, and what it said of resources and kinds, for all texts of a process."""

    def __init__(self, form: str) -> None:
        module = plugins.load(formats, form)
        screen: RecordScreen = module.build_screen()
        self.form = form
        self.get_resource, self.list_coverage = screen.get_resource, screen.list_coverage
        record: Any = screen.record
        self.decode_lines: Decoder = msgspec.json.Decoder(record).decode_lines
        self.decode_list: Decoder = msgspec.json.Decoder(list[record]).decode
        self._decode_row: Callable[[Row, str], Iterator[Item]] = module.decode_row
        self._get_kind, self._find_silent_parent = attrgetter(*screen.kind), screen.find_silent_parent
        self._find_silent_scope = lru_cache(RESOURCES_LIMIT)(lambda resource: screen.find_silent_scope(resource) or "")
        self._get_action, self._get_class = map(attrgetter, screen.kind)
        self._is_silent_kind = screen.is_silent_kind
        self._silent_kinds: set[tuple[str, ...]] = set()
        self._scopes: dict[str, str] = {}

    def find_scopes(self, records: Sequence[Any]) -> list[str] | None:
        """The scope that each record shows to be read, none where it may say more; `None` where a name is endless."""
        resources = list(map(self.get_resource, records))
        if max(map(len, resources)) > LONGEST_NAME:
            return None
        # A fleet has some thousand resources, below some hundred parents: these stay in a processor's cache.
        parents, _, names = zip(*map(split_name, resources), strict=True)
        scopes = list(map(self._scopes.get, parents))
        if None in set(scopes):
            if len(self._scopes) > RESOURCES_LIMIT:
                self._scopes.clear()
            for parent in set(parents).difference(self._scopes):
                # One text for each scope, however many parents are in it.
                self._scopes[parent] = intern(self._find_silent_parent(parent) or "")
            scopes = list(map(self._scopes.get, parents))
        joined = "/".join(names)
        if "//" in f"/{joined}/" or joined.split() != [joined]:
            return list(map(self._find_silent_scope, resources))
        if "" in set(scopes):
            return [scope or self._find_silent_scope(each) for scope, each in zip(scopes, resources, strict=True)]
        return scopes  # type: ignore[return-value]  # none is missing

    def find_telling(self, records: Sequence[Any], scopes: Sequence[str]) -> Sequence[int]:
        """The places of records that may say more than that their feed was read, by kind or for want of a scope."""
        classes = set(map(self._get_class, records))
        # Nearly all have one class: a text is looked up in less time than a pair is made.
        is_single = len(classes) == 1
        kinds = product(set(map(self._get_action, records)), classes) if is_single else map(self._get_kind, records)
        fresh = set(kinds) - self._silent_kinds
        telling = {kind for kind in fresh if max(map(len, kind)) > LONGEST_NAME or not self._is_silent_kind(*kind)}
        if len(self._silent_kinds) > RESOURCES_LIMIT:
            self._silent_kinds.clear()
        self._silent_kinds |= fresh - telling
        if not telling and "" not in set(scopes):
            return ()
        return [place for place, record in enumerate(records) if not scopes[place] or self._get_kind(record) in telling]

    def read_time(self, text: bytes) -> datetime | None:
        """The time of a silent record, to the digit."""
        row = decode_json(text)
        try:
            found = list(self._decode_row(row, "")) if isinstance(row, dict) else []
        except MalformedRow:
            return None
        return next((item.at for item in found if isinstance(item, ObservedTime)), None)


@lru_cache(maxsize=4)
def load_screens(forms: tuple[str, ...]) -> tuple[FormScreen, ...]:
    """The screens of some forms, the same for every text."""
    return tuple(map(FormScreen, forms))


def make_screen(forms: Iterable[str]) -> RowScreen:
    """The screen of some forms, for one text."""
    return RowScreen(load_screens(tuple(forms)))
