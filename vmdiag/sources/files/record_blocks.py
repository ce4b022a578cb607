"""Many records that were decoded at once, and the text of one of them where it is asked for."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

Text = bytes | bytearray
split_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class RecordLines(NamedTuple):
    """Records, a line each, and where each ends."""

    data: Text
    start: int
    ends: Sequence[int]

    def get_text(self, place: int) -> bytes:
        """A record, with the line's end."""
        return bytes(self.data[self.ends[place - 1] if place else self.start : self.ends[place]])

    def hold_text(self, place: int) -> Callable[[], bytes]:
        """What gives the text later, when the data is another's."""
        return partial(bytes, self.get_text(place))

    def count_lines(self, place: int) -> int:
        """How many lines a record lies below the first."""
        return place


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


def find_line_ends(data: Text, start: int, end: int) -> list[int]:
    """Where lines end. Python's `count` looks at every byte by itself, its `find` at sixteen and more at once."""
    ends, find = list[int](), data.find
    while start < end:
        start = find(b"\n", start) + 1
        ends.append(start)
    return ends
