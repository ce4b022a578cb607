"""A cursor over a stream of text: moves on, counts lines, finds where a JSON value ends.

Only what lies between the cursor (or the mark) and the newest chunk is in memory.
"""

import re
from collections.abc import Iterator

# A record larger than this, unpacked, is skipped. A fortnight of one metric by the minute is 2 MiB, an event with the
# largest request body 4 MiB (Resource Manager's own limit); whoever sends more sends a bomb.
RECORD_LIMIT = 32 << 20
# Azure's records nest about ten deep; the decoder's own limit is Python's, 1,000 frames, and some are in use.
DEPTH_LIMIT = 500
# After a record that never ends, the next one is looked for over a shorter reach, so that many cost no more than one.
SHORTEST_REACH = 1 << 20
# What is kept behind the cursor, to see how a line is indented, and, while searching, before the end of the text at
# hand: longer than any indent, and than the blanks, comma and key between two records.
OVERLAP = 1024

_STRING = rb'"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+'
# A string must be followed by what may follow one: so a quote too few is noticed at once, not at the end of the file.
_PLAIN = rb'(?:[^"{}\[\]]++|' + _STRING + rb'"(?=\s*[:,\]}]))*+'
BRACKET = re.compile(_PLAIN + rb"(?:([{\[])|([}\]])(?=\s*([,\]}])?))")
OPENING_GROUP, LAST_GROUP = 1, 2  # groups of BRACKET; the third matches when more may follow the closing bracket
PAIR_DISTANCE = 2  # `[` and `]`, `{` and `}` lie two apart in ASCII
# As far as text is without fault, even if it ends in the middle of something.
FAULTLESS_TEXT = re.compile(_PLAIN + rb"(?:" + _STRING + rb'(?:\\|"\s*)?|[}\]]\s*)?')
# A mark in the middle of a file comes from files joined by hand, a record separator from RFC 7464.
BLANK = re.compile(rb"\s*+(?:(?:\x1e|\xef\xbb\xbf)\s*+)*+")
INDENT = re.compile(rb"(?:\A|\n)([ \t]*)\Z")

NOT_JSON = "not valid JSON"
CUT_SHORT = "the file ends inside a record"
TOO_DEEP = f"nested more than {DEPTH_LIMIT} deep"


class BrokenText(Exception):  # noqa: N818 - it is the text that is broken, not the program
    """The text at the cursor is not what it began to be."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TextCursor:
    """The cursor is at `data[pos]`; what lies before it goes with the next `read_more`, unless a `mark` holds it."""

    def __init__(self, chunks: Iterator[bytes], line: int = 1) -> None:
        self.data = b""
        self.pos = 0
        self.mark: int | None = None
        self._chunks = chunks
        self._line = line
        self._counted = 0
        self._reach = RECORD_LIMIT

    @property
    def line(self) -> int:
        """The number of the line that the cursor is in."""
        self._line += self.data.count(b"\n", self._counted, self.pos)
        self._counted = max(self.pos, self._counted)
        return self._line

    @property
    def indent(self) -> bytes | None:
        """The blanks before the cursor when it is the first thing in its line."""
        found = INDENT.search(self.data[max(0, self.pos - OVERLAP) : self.pos])
        return found[1] if found else None

    def read_more(self) -> bool:
        """Read on; false at the end of the text. Offsets from the cursor stay true, positions do not."""
        held = self.pos if self.mark is None else self.mark
        size = len(self.data) - held
        if size > self._reach:
            reason = f"no end within {self._reach >> 20} MiB, the most that is read of one record"
            self._reach = max(SHORTEST_REACH, self._reach // 4)
            raise BrokenText(reason)
        fresh = []
        # As much again as is held: a large record must not be copied once a chunk.
        while size >= 0 and (chunk := next(self._chunks, None)) is not None:
            fresh.append(chunk)
            size -= max(1, len(chunk))
        if not fresh:
            return False
        dropped = max(0, held - OVERLAP)
        _ = self.line  # the lines of what goes are counted before
        self.data = b"".join((self.data[dropped:], *fresh))
        self.pos -= dropped
        self._counted -= dropped
        self.mark = None if self.mark is None else self.mark - dropped
        return True

    def peek_byte(self) -> bytes:
        """The byte at the cursor once blanks are skipped; empty at the end of the text."""
        while True:
            if (blank := BLANK.match(self.data, self.pos)) is not None:
                self.pos = blank.end()
            # A byte order mark may lie across two chunks.
            if self.pos + 3 <= len(self.data) or not self.read_more():
                return self.data[self.pos : self.pos + 1]

    def iter_items(self, closing: bytes) -> Iterator[bytes]:
        """The first byte of each item of the list or object at the cursor, which in the end stands behind it."""
        self.pos += 1
        while (first := self.peek_byte()) != closing:
            if first == b",":
                self.pos += 1  # one too many, as in Microsoft's own samples, loses nothing
            else:
                yield first
        self.pos += 1

    def find_line_end(self) -> int:
        """Where the cursor's line ends; -1 when the line is long and its end is not at hand."""
        found = self.data.find(b"\n", self.pos)
        if found >= 0:
            return found
        if self.read_more():
            return self.data.find(b"\n", self.pos)
        return len(self.data)

    def take_bytes(self, length: int) -> bytes:
        """So many bytes from the cursor on, and move behind them."""
        taken = self.data[self.pos : self.pos + length]
        self.pos += length
        return taken

    def skip_lines(self, lines: int, end: int) -> None:
        """Move behind so many lines, which end there, without counting them again; `line` was asked before."""
        self._line += lines
        self.pos = self._counted = end

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        """A match at the cursor, reading on while the text at hand ends inside it; raises `BrokenText` without one."""
        while True:
            found = pattern.match(self.data, self.pos)
            if found is not None and found.end() < len(self.data):
                return found
            if found is None and not self._is_faultless(self.pos):
                raise BrokenText(NOT_JSON)
            if not self.read_more():
                if found is None:
                    raise BrokenText(CUT_SHORT)
                return found

    def seek_match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Move to the next match, however far; to the end of the text when there is none."""
        self.mark = None
        while True:
            found = pattern.search(self.data, self.pos)
            end = len(self.data)
            if found is None:
                self.pos = max(self.pos, end - OVERLAP)
            else:
                self.pos = found.start()
            if (found is not None and found.end() < end) or not self.read_more():
                self.pos = self.pos if found else end
                return found

    def measure_value(self) -> int:
        """The length of the object or array at the cursor; raises `BrokenText` when it has no end."""
        stack = bytearray()
        end = self.pos
        while True:
            # Not `finditer`: inside a string without an end it would look for a match at every byte of it.
            while (token := BRACKET.match(self.data, end)) is not None:
                bracket = self.data[token.end() - 1]
                if token.lastindex == OPENING_GROUP:
                    stack.append(bracket)
                    if len(stack) > DEPTH_LIMIT:
                        raise BrokenText(TOO_DEEP)
                elif token.lastindex == LAST_GROUP and len(stack) > 1:
                    break
                elif bracket - stack.pop() != PAIR_DISTANCE:
                    raise BrokenText(NOT_JSON)
                elif not stack:
                    return token.end() - self.pos
                end = token.end()
            if not self._is_faultless(end):
                raise BrokenText(NOT_JSON)
            length = end - self.pos
            if not self.read_more():
                raise BrokenText(CUT_SHORT)
            end = self.pos + length

    def _is_faultless(self, start: int) -> bool:
        found = FAULTLESS_TEXT.match(self.data, start)
        return found is None or found.end() == len(self.data)
