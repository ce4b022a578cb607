"""Rows that wait until their column is understood: in memory while they are few, else in an unnamed temporary file."""

import json
import tempfile
from collections.abc import Iterator

from vmdiag.sources.files.memory_rows import RowResult
from vmdiag.sources.items import MalformedRow

MEMORY_LIMIT = 8 << 20
# What is no record is kept as it is, as long as there is little of it.
OTHERS_LIMIT = 10_000


class PendingRows:
    """Given back in the order in which they came, once."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=MEMORY_LIMIT)  # noqa: SIM115 - it outlives this call
        self._others: dict[int, RowResult] = {}
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def add_row(self, cut: RowResult) -> None:
        """One more."""
        if isinstance(cut.row, dict):
            self._file.write(json.dumps(cut).encode() + b"\n")
        elif len(self._others) < OTHERS_LIMIT:
            self._others[self._count] = cut
        else:
            self._file.write(json.dumps((cut.line, str(cut.row))).encode() + b"\n")
        self._count += 1

    def drain_rows(self) -> Iterator[RowResult]:
        """All of them, and forget them."""
        if not self._count:
            return
        self._file.seek(0)
        for place in range(self._count):
            yield self._others.pop(place) if place in self._others else _decode_row(self._file.readline())
        self._file.seek(0)
        self._file.truncate()
        self._count = 0

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def _decode_row(written: bytes) -> RowResult:
    line, row, *listing = json.loads(written)
    return RowResult(line, row if isinstance(row, dict) else MalformedRow(row), *listing)
