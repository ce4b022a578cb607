"""Rows that wait until their column is understood: in memory while they are few, else in an unnamed temporary file."""

import json
import tempfile
from collections.abc import Iterator

from vmdiag.sources._items import Malformed
from vmdiag.sources.archive._documents import Cut

MOST_IN_MEMORY = 8 << 20


class HeldRows:
    """Given back in the order in which they came, once."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=MOST_IN_MEMORY)  # noqa: SIM115 - it outlives this call
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def hold(self, cut: Cut) -> None:
        """One more."""
        row = cut.row.reason if isinstance(cut.row, Malformed) else cut.row
        self._file.write(json.dumps((cut.line, row, cut.listing)).encode() + b"\n")
        self._count += 1

    def release(self) -> Iterator[Cut]:
        """All of them, and forget them."""
        if not self._count:
            return
        self._file.seek(0)
        for _ in range(self._count):
            line, row, listing = json.loads(self._file.readline())
            yield Cut(line, Malformed(row) if isinstance(row, str) else row, listing)
        self._file.seek(0)
        self._file.truncate()
        self._count = 0

    def close(self) -> None:
        """Give the file back."""
        self._file.close()
