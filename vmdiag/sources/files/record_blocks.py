"""Many records that were decoded at once, and the text of one of them where it is asked for."""

from collections.abc import Callable
from functools import cached_property, partial
from importlib import import_module
from types import ModuleType

import msgspec

try:
    stringzilla: ModuleType | None = import_module("stringzilla")
except ImportError:
    stringzilla = None

Text = bytes | bytearray
split_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class RecordLines:
    """Records, a line each; where each ends is looked for only if one in their middle is asked for."""

    def __init__(self, data: Text, start: int, end: int) -> None:
        self._data, self._start, self._end = data, start, end
        self.count = count_line_ends(data, start, end) if stringzilla else len(self._ends)

    def get_text(self, place: int) -> bytes:
        """A record, with the line's end."""
        if place == self.count - 1:
            last = self._data.rfind(b"\n", self._start, self._end - 1) + 1
            return bytes(self._data[last or self._start : self._end])
        return bytes(self._data[self._ends[place - 1] if place else self._start : self._ends[place]])

    def hold_text(self, place: int) -> Callable[[], bytes]:
        """What gives the text later, when the data is another's."""
        return partial(bytes, self.get_text(place))

    def count_lines(self, place: int) -> int:
        """How many lines a record lies below the first."""
        return place

    def has_record_each(self) -> bool:
        """Whether each line is one record: writers that meet leave two in one line and an empty line behind it.

        Where all lines begin and end with braces no record goes on in the next, for a comma would stand between.
        """
        return self.count == 1 or all(
            self._data.startswith(b"{", start) and self._data.endswith((b"}\n", b"}\r\n"), start, end)
            for start, end in zip((self._start, *self._ends), self._ends, strict=False)
        )

    @cached_property
    def _ends(self) -> list[int]:
        return find_line_ends(self._data, self._start, self._end)


class RecordObjects:
    """Records of a list; where each begins is looked for only if one is asked for."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._parts: list[tuple[int, int]] = []

    def get_text(self, place: int) -> bytes:
        """A record."""
        start, end = self._find_part(place)
        return self.text[start:end]

    def hold_text(self, place: int) -> Callable[[], bytes]:
        """What gives the text later."""
        return partial(self.get_text, place)

    def has_record_each(self) -> bool:
        """Whether the places of records are known: in a list they always are."""
        return True

    def count_lines(self, place: int) -> int:
        """How many lines a record lies below the first."""
        return self.text.count(b"\n", 0, self._find_part(place)[0])

    def _find_part(self, place: int) -> tuple[int, int]:
        if not self._parts:
            end = 0
            for part in split_list(self.text):
                # All are objects, and nothing but a comma and blanks is before one.
                start = self.text.index(b"{", end)
                end = start + len(bytes(part))
                self._parts.append((start, end))
        return self._parts[place]


def count_line_ends(data: Text, start: int, end: int) -> int:
    """How many lines end; StringZilla, where it is installed, counts at forty gigabytes a second."""
    if stringzilla is None:
        return data.count(b"\n", start, end)
    with memoryview(data)[start:end] as text:
        counted: int = stringzilla.count(text, b"\n")
    return counted


def find_line_ends(data: Text, start: int, end: int) -> list[int]:
    """Where lines end. Python's `count` looks at every byte by itself, its `find` at sixteen and more at once."""
    ends, find = list[int](), data.find
    while start < end:
        start = find(b"\n", start) + 1
        ends.append(start)
    return ends
