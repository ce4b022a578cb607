"""Reads the times and numbers of a column alike, in every row of a file; must not know what a column means.

Whether the day or the month comes first, or a comma separates decimals or thousands, is a column's, not a cell's: rows
wait until one of them tells. A time that says it is local gets its offset here, or stays marked as being none.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from vmdiag.sources.archive._date_columns import DateColumn
from vmdiag.sources.archive._number_columns import NumberColumn
from vmdiag.sources.archive._pending_rows import PendingRows
from vmdiag.sources.decoding.fields import UNIT_SUFFIX
from vmdiag.sources.decoding.timestamps import LocalTime, parse_numeric_date
from vmdiag.sources.files.memory_rows import RowResult
from vmdiag.sources.items import Row

# Columns that are followed; a hostile file may have others in every record.
COLUMN_LIMIT = 200
MEASURE_COLUMNS = frozenset({"average", "count", "maximum", "minimum", "total", "val", "value"})
TIME_COLUMN = re.compile(r"time|date")
NOT_TIME_COLUMN = re.compile(r"duration|grain|span|zone|update[sd]?\b|updated?by")
UTC_UNITS = frozenset({"utc", "gmt", "z", "utc+0", "utc+00:00", "utc±00:00"})
UTC_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])([0-9]{1,2})(?::?([0-9]{2}))?", re.IGNORECASE)
QUANTITY_UNIT = re.compile(r"[mun]?s|sec.*|min.*|h|hours?|days?|count|bytes?|%", re.IGNORECASE)


class _HeadingZone(NamedTuple):
    """A heading's zone that is not UTC; without an `offset` it is somebody's local time."""

    offset: timedelta | None


class _ColumnPlan(NamedTuple):
    """Which columns of a row are times, and in which zone; and which are measures."""

    times: tuple[tuple[str, _HeadingZone | None], ...]
    measures: tuple[str, ...]


class TableColumns:
    """The rows of one text; `doubts` are sentences, complete when all rows were given out."""

    def __init__(self, cuts: Iterator[RowResult], utc_offset: timedelta | None) -> None:
        self.doubts: list[str] = []
        self._cuts = cuts
        self._utc_offset = utc_offset
        self._dates: dict[str, DateColumn] = {}
        self._numbers: dict[str, NumberColumn] = {}

    def __iter__(self) -> Iterator[RowResult]:
        held = PendingRows()
        try:
            for cut in self._cuts:
                if isinstance(cut.row, dict):
                    self._learn_from_row(cut.row)
                if held or self._is_in_doubt():
                    held.add_row(cut)
                    if not self._is_in_doubt():
                        yield from map(self._convert_row, held.drain_rows())
                else:
                    yield self._convert_row(cut)
            for columns in (self._dates, self._numbers):
                self.doubts.extend(doubt for column in columns.values() for doubt in column.decide_meaning())
            yield from map(self._convert_row, held.drain_rows())
        finally:
            held.close()

    def _is_in_doubt(self) -> bool:
        return any(column.is_in_doubt for columns in (self._dates, self._numbers) for column in columns.values())

    def _learn_from_row(self, row: Row) -> None:
        plan = _plan_columns(tuple(row))
        for key, _ in plan.times:
            cell = row[key]
            if isinstance(cell, str) and (column := self._find_date_column(key, cell)) is not None:
                column.learn_from_cell(cell)
        for key in plan.measures:
            cell = row[key]
            if isinstance(cell, str) and not cell.isdecimal() and len(self._numbers) < COLUMN_LIMIT:
                self._numbers.setdefault(key, NumberColumn(key)).learn_from_cell(cell)

    def _find_date_column(self, key: str, cell: str) -> DateColumn | None:
        """The column, once any of its cells is a date whose order must be known: nearly always none is."""
        column = self._dates.get(key)
        if column is None and cell[4:5] != "-" and len(self._dates) < COLUMN_LIMIT:
            date = parse_numeric_date(cell.strip())
            if date is not None:
                column = self._dates[key] = DateColumn(key)
        return column

    def _convert_row(self, cut: RowResult) -> RowResult:
        if not isinstance(cut.row, dict):
            return cut
        plan = _plan_columns(tuple(cut.row))
        changed: dict[str, object] = {}
        for key, zone in plan.times:
            cell = cut.row[key]
            if isinstance(cell, str) and (zone is not None or key in self._dates):
                changed[key] = self._convert_time(key, cell.strip(), zone)
        for key in plan.measures:
            cell = cut.row[key]
            if isinstance(cell, str) and key in self._numbers:
                changed[key] = self._numbers[key].normalise_cell(cell)
        return cut._replace(row={**cut.row, **changed}) if changed else cut

    def _convert_time(self, key: str, written: str, zone: _HeadingZone | None) -> str:
        """The cell as ISO 8601 with an offset; as it was where it is no time, or says itself that it is UTC."""
        at = self._dates[key].parse_cell(written) if key in self._dates else None
        if isinstance(at, str):
            return at
        try:
            at = at or datetime.fromisoformat(written)
        except ValueError:
            return written
        if at.tzinfo is not None or zone is None:
            return at.isoformat()
        offset = self._utc_offset if zone.offset is None else zone.offset
        return LocalTime(written) if offset is None else _shift_to_utc(at, offset, written)


def _shift_to_utc(at: datetime, offset: timedelta, written: str) -> str:
    try:
        return (at - offset).replace(tzinfo=UTC).isoformat()
    except OverflowError:
        return written


@lru_cache(maxsize=64)  # the rows of a table share their columns
def _plan_columns(keys: tuple[str, ...]) -> _ColumnPlan:
    times, measures = [], []
    for key in keys:
        name = UNIT_SUFFIX.sub("", key).strip("\ufeff ").lower()
        if TIME_COLUMN.search(name) and not NOT_TIME_COLUMN.search(name):
            unit = UNIT_SUFFIX.search(key)
            times.append((key, _parse_heading_zone(unit[0].strip(" []")) if unit else None))
        elif name in MEASURE_COLUMNS:
            measures.append(key)
    return _ColumnPlan(tuple(times), tuple(measures))


def _parse_heading_zone(unit: str) -> _HeadingZone | None:
    if unit.lower() in UTC_UNITS or QUANTITY_UNIT.fullmatch(unit):
        return None
    found = UTC_OFFSET.fullmatch(unit)
    if found is None:
        return _HeadingZone(None)
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return _HeadingZone(-offset if found[1] == "-" else offset)
