"""Reads the times and numbers of a column alike, in every row of a file.

Whether the day or the month comes first, or a comma separates decimals or thousands, is a column's, not a cell's: rows
wait until one of them tells. A time that says it is local gets its offset here, or stays marked as being none.
"""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from vmdiag.completeness import MalformedRow, Row
from vmdiag.sources.decoding.fields import UNIT_SUFFIX
from vmdiag.sources.decoding.timestamps import LocalTime, parse_numeric_date
from vmdiag.sources.files.memory_rows import RowResult

if TYPE_CHECKING:
    from vmdiag.sources.archive._column_conventions import DateColumn, NumberColumn

# Columns that are followed; a hostile file may have others in every record.
COLUMN_LIMIT = 200
MEASURE_COLUMNS = frozenset({"average", "count", "maximum", "minimum", "total", "val", "value"})
TIME_COLUMN = re.compile(r"time|date")
NOT_TIME_COLUMN = re.compile(r"duration|grain|span|zone|update[sd]?\b|updated?by")
UTC_UNITS = frozenset({"utc", "gmt", "z", "utc+0", "utc+00:00", "utc±00:00"})
UTC_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])([0-9]{1,2})(?::?([0-9]{2}))?", re.IGNORECASE)
QUANTITY_UNIT = re.compile(r"[mun]?s|sec.*|min.*|h|hours?|days?|count|bytes?|%", re.IGNORECASE)
MEMORY_LIMIT = 8 << 20
# Of what waits and is no record so much is kept as it is.
OTHERS_LIMIT = 10_000


class _ColumnPlan(NamedTuple):
    """Which columns of a row are times, whether they are local ones, and at which offset; and which are measures."""

    times: tuple[tuple[str, bool, timedelta | None], ...]
    measures: tuple[str, ...]


class PendingRows:
    """Rows that wait: in memory while they are few, else in an unnamed temporary file; given back once, in order."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=MEMORY_LIMIT)  # noqa: SIM115 - it outlives this call
        self._others: dict[int, RowResult] = {}
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def add_row(self, cut: RowResult) -> None:
        """One more."""
        if not isinstance(cut.row, dict) and len(self._others) < OTHERS_LIMIT:
            self._others[self._count] = cut
        else:
            written = cut if isinstance(cut.row, dict) else (cut.line, str(cut.row))
            self._file.write(json.dumps(written).encode() + b"\n")
        self._count += 1

    def drain_rows(self) -> Iterator[RowResult]:
        """All of them, and forget them."""
        self._file.seek(0)
        for place in range(self._count):
            if place in self._others:
                yield self._others.pop(place)
            else:
                line, row, *listing = json.loads(self._file.readline())
                yield RowResult(line, row if isinstance(row, dict) else MalformedRow(row), *listing)
        self._file.seek(0)
        self._file.truncate()
        self._count = 0

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


class TableColumns:
    """The rows of one text; `doubts` are sentences, complete when all rows were given out."""

    def __init__(self, cuts: Iterator[RowResult], utc_offset: timedelta | None) -> None:
        self.doubts: list[str] = []
        self._cuts = cuts
        self._utc_offset = utc_offset
        self._pending = PendingRows()
        self._dates: dict[str, DateColumn] = {}
        self._numbers: dict[str, NumberColumn] = {}

    def __iter__(self) -> Iterator[RowResult]:
        for cut in self._cuts:
            if isinstance(cut.row, dict):
                self._learn_from_row(cut.row)
            is_in_doubt = any(one.is_in_doubt for columns in (self._dates, self._numbers) for one in columns.values())
            if not is_in_doubt and not self._pending:
                yield self._convert_row(cut)
                continue
            self._pending.add_row(cut)
            if not is_in_doubt:
                yield from map(self._convert_row, self._pending.drain_rows())
        for columns in (self._dates, self._numbers):
            self.doubts.extend(doubt for column in columns.values() for doubt in column.decide_meaning())
        yield from map(self._convert_row, self._pending.drain_rows())
        self._pending.close()

    def _learn_from_row(self, row: Row) -> None:
        # Imported where it is needed: nearly all cells of nearly all archives can be read in one way only.
        plan = _plan_columns(tuple(row))
        for key, *_ in plan.times:
            cell = row[key]
            if not isinstance(cell, str):
                continue
            if (
                key not in self._dates
                and len(self._dates) < COLUMN_LIMIT
                and cell[4:5] != "-"
                and parse_numeric_date(cell.strip())
            ):
                from vmdiag.sources.archive._column_conventions import DateColumn

                self._dates[key] = DateColumn(key)
            if key in self._dates:
                self._dates[key].learn_from_cell(cell)
        for key in plan.measures:
            cell = row[key]
            if isinstance(cell, str) and not cell.isdecimal() and len(self._numbers) < COLUMN_LIMIT:
                if key not in self._numbers:
                    from vmdiag.sources.archive._column_conventions import NumberColumn

                    self._numbers[key] = NumberColumn(key)
                self._numbers[key].learn_from_cell(cell)

    def _convert_row(self, cut: RowResult) -> RowResult:
        if not isinstance(cut.row, dict):
            return cut
        plan = _plan_columns(tuple(cut.row))
        changed: dict[str, object] = {}
        for key, is_local, offset in plan.times:
            cell = cut.row[key]
            if isinstance(cell, str) and (is_local or key in self._dates):
                zone = offset if offset is not None else self._utc_offset
                changed[key] = self._convert_time(key, cell.strip(), zone, is_local=is_local)
        for key in plan.measures:
            cell = cut.row[key]
            if isinstance(cell, str) and key in self._numbers:
                changed[key] = self._numbers[key].normalise_cell(cell)
        return cut._replace(row={**cut.row, **changed}) if changed else cut

    def _convert_time(self, key: str, written: str, offset: timedelta | None, *, is_local: bool) -> str:
        """The cell as ISO 8601 with an offset; as it was where it is no time, or says itself that it is UTC."""
        at = self._dates[key].parse_cell(written) if key in self._dates else None
        if isinstance(at, str):
            return at
        with suppress(ValueError, OverflowError):
            at = at or datetime.fromisoformat(written)
            if at.tzinfo is not None or not is_local:
                return at.isoformat()
            return LocalTime(written) if offset is None else (at - offset).replace(tzinfo=UTC).isoformat()
        return written


@lru_cache(maxsize=64)  # the rows of a table share their columns
def _plan_columns(keys: tuple[str, ...]) -> _ColumnPlan:
    times, measures = [], []
    for key in keys:
        name = UNIT_SUFFIX.sub("", key).strip("\ufeff ").lower()
        if TIME_COLUMN.search(name) and not NOT_TIME_COLUMN.search(name):
            unit = UNIT_SUFFIX.search(key)
            times.append((key, *(_parse_heading_zone(unit[0].strip(" []")) if unit else (False, None))))
        elif name in MEASURE_COLUMNS:
            measures.append(key)
    return _ColumnPlan(tuple(times), tuple(measures))


def _parse_heading_zone(unit: str) -> tuple[bool, timedelta | None]:
    """Whether a heading names another zone than UTC, and its offset; without one it is somebody's local time."""
    if unit.lower() in UTC_UNITS or QUANTITY_UNIT.fullmatch(unit):
        return False, None
    found = UTC_OFFSET.fullmatch(unit)
    if found is None:
        return True, None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return True, -offset if found[1] == "-" else offset
