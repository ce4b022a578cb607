"""Records that cannot matter, left out in bulk: many are decoded at once, and only what may say more becomes a row.

A record is left out where it is complete JSON with a form's known members and no others, and the form says that such a
record tells nothing but that its feed was read. Everything else is read as if there were no screen. In what is left
out, a number beyond a double's range and a character cut in half are not told.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import msgspec

from vmdiag import plugins
from vmdiag.sources import formats
from vmdiag.sources.decoding.envelopes import check_record
from vmdiag.sources.files.memory_rows import RowResult, ScreenedRecords, decode_json
from vmdiag.sources.files.text_cursor import TextCursor
from vmdiag.sources.formats import RecordScreen
from vmdiag.sources.items import FeedCoverage, MalformedRow

# Small enough to stay in a processor's cache.
BLOCK_SIZE = 1 << 18
# Of a block with a record of another kind so much less is tried next, down to a record.
SHRINK = 8
# After so many that could not be decoded in a row the text is of another form.
MISSES_LIMIT = 50
# No instant outside these is one of Azure's; such a record must be told, too.
FIRST_TIME, LAST_TIME = datetime(2010, 1, 2, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)
BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Decoder = Callable[[bytes], Sequence[Any]]
Coverage = tuple[FeedCoverage, ...]
Rows = list[RowResult]


class RowScreen:
    """The screens of some forms over one text."""

    def __init__(self, screens: Sequence[tuple[str, RecordScreen]]) -> None:
        self._screens = screens
        self._current = 0
        structs = [screen.record for _, screen in screens]
        self._line_decoders: list[Decoder] = [msgspec.json.Decoder(struct).decode_lines for struct in structs]
        self._list_decoders: list[Decoder] = [msgspec.json.Decoder(list[struct]).decode for struct in structs]  # type: ignore[valid-type]
        self._newest = FIRST_TIME
        self._told: set[Coverage] = set()
        self._reach = BLOCK_SIZE
        self._misses = 0

    def read_lines(self, text: TextCursor) -> Rows | None:
        """The rows of as many lines at the cursor as can be decoded at once; `None` where the first cannot be."""
        while self._misses < MISSES_LIMIT:
            end = text.data.rfind(b"\n", text.pos, text.pos + self._reach) + 1
            end = end or text.data.find(b"\n", text.pos) + 1
            if not end:
                return None
            rows = self.screen_lines(text.line, text.data[text.pos : end])
            if rows is not None:
                text.pos = end
                self._note_hit()
                return rows
            if text.data.find(b"\n", text.pos) + 1 == end:
                self._misses += 1
                return None
            self._reach = (end - text.pos) // SHRINK
        return None

    def read_elements(self, text: TextCursor, boundary: bytes) -> Rows | None:
        """The rows of as many objects of a list as can be decoded at once, where `boundary` parts one from the next.

        It begins with the brace that ends one and holds the brace that begins the other. The cursor then stands behind
        the last of them.
        """
        if self._misses >= MISSES_LIMIT:
            return None
        end = text.data.rfind(boundary, text.pos, text.pos + self._reach) + 1
        rows = self._screen_elements(text.line, text.data[text.pos : end], boundary) if end else None
        if rows is not None:
            text.pos = end
            self._note_hit()
        elif self._reach > SHRINK:
            self._reach //= SHRINK
        else:
            self._misses += 1
        return rows

    def screen_lines(self, line: int, block: bytes) -> Rows | None:
        """The rows of whole lines, of which the first has this number; `None` where one is of another form."""
        records = self._decode_records(self._line_decoders, block)
        # Where lines are empty the places of the others are not told by counting.
        if records is None or len(records) != block.count(b"\n"):
            return None

        def pick_lines(places: Sequence[int]) -> Iterator[tuple[int, bytes]]:
            if places == [len(records) - 1]:
                yield places[0], block[block.rfind(b"\n", 0, -1) + 1 :]
            elif places:
                lines = block.split(b"\n")
                yield from ((place, lines[place]) for place in places)

        return self._select_rows(line, records, pick_lines)

    def _screen_elements(self, line: int, block: bytes, boundary: bytes) -> Rows | None:
        records = self._decode_records(self._list_decoders, b"[%b]" % block)
        parts = block.split(boundary)
        if records is None or len(parts) != len(records):
            return None
        beginning = boundary[boundary.index(b"{") :]

        def pick_elements(places: Sequence[int]) -> Iterator[tuple[int, bytes]]:
            start, at = 0, 0
            for place in places:
                start += sum(len(part) + len(boundary) for part in parts[at:place])
                at = place
                head, tail = beginning if place else b"", b"}" if place < len(parts) - 1 else b""
                yield block.count(b"\n", 0, start - len(head)) if place else 0, head + parts[place] + tail

        return self._select_rows(line, records, pick_elements)

    def _select_rows(
        self, line: int, records: Sequence[Any], pick_texts: Callable[[Sequence[int]], Iterator[tuple[int, bytes]]]
    ) -> Rows | None:
        """The rows of the records that may say more, and what the others show; `None` where one has no usable time."""
        form, screen = self._screens[self._current]
        telling: list[int] = []
        shown: dict[int, Coverage] = {}
        newest, newest_place, oldest = self._newest, -1, LAST_TIME
        for place, record in enumerate(records):
            if record.time > newest:
                newest, newest_place = record.time, place
            elif record.time < oldest:
                oldest = record.time
            coverage = screen.find_coverage(*screen.get_subject(record))
            if coverage is None:
                telling.append(place)
            else:
                shown[id(coverage)] = coverage
        if newest > LAST_TIME or oldest < FIRST_TIME:
            return None
        if newest_place >= 0:
            # The newest is read whole, so that its time is known to the digit.
            telling = sorted({*telling, newest_place})
        rows = [RowResult(line + below, check_record(decode_json(text))) for below, text in pick_texts(telling)]
        if any(isinstance(row.row, MalformedRow) for row in rows):
            return None
        if len(records) > len(telling):
            untold = [each for each in shown.values() if each not in self._told]
            screened = ScreenedRecords(form, len(records) - len(telling), tuple(chain.from_iterable(untold)))
            rows.insert(0, RowResult(line, screened))
            self._told.update(untold)
        self._newest = newest
        return rows

    def _decode_records(self, decoders: Sequence[Decoder], text: bytes) -> Sequence[Any] | None:
        """The records, by the screen that knew the last ones or else by another; `None` where none knows them all."""
        for place in sorted(range(len(decoders)), key=lambda place: place != self._current):
            try:
                records = decoders[place](text)
            except BROKEN:
                continue
            self._current = place
            return records
        return None

    def _note_hit(self) -> None:
        self._reach, self._misses = min(BLOCK_SIZE, self._reach * SHRINK), 0


def make_screen(forms: Iterable[str]) -> RowScreen:
    """The screen of some forms, for one file."""
    return RowScreen([(form, plugins.load(formats, form).build_screen()) for form in forms])
