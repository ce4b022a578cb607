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
from vmdiag.sources.archive._pending_rows import HeldRows
from vmdiag.sources.decoding.fields import UNIT
from vmdiag.sources.decoding.numeric_dates import dated
from vmdiag.sources.decoding.timestamps import Local
from vmdiag.sources.files.memory_rows import Cut
from vmdiag.sources.items import Row

# Columns that are followed; a hostile file may have others in every record.
MOST_COLUMNS = 200
MEASURES = frozenset({"average", "count", "maximum", "minimum", "total", "val", "value"})
TIMES = re.compile(r"time|date")
SPANS = re.compile(r"duration|grain|span|zone|update[sd]?\b|updated?by")
UNIVERSAL = frozenset({"utc", "gmt", "z", "utc+0", "utc+00:00", "utc±00:00"})
OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])([0-9]{1,2})(?::?([0-9]{2}))?", re.IGNORECASE)
QUANTITY = re.compile(r"[mun]?s|sec.*|min.*|h|hours?|days?|count|bytes?|%", re.IGNORECASE)


class _Zone(NamedTuple):
    """A heading's zone that is not UTC; without an `offset` it is somebody's local time."""

    offset: timedelta | None


class _Plan(NamedTuple):
    """Which columns of a row are times, and in which zone; and which are measures."""

    times: tuple[tuple[str, _Zone | None], ...]
    measures: tuple[str, ...]


class Columns:
    """The rows of one text; `doubts` are sentences, complete when all rows were given out."""

    def __init__(self, cuts: Iterator[Cut], utc_offset: timedelta | None) -> None:
        self.doubts: list[str] = []
        self._cuts = cuts
        self._utc_offset = utc_offset
        self._dates: dict[str, DateColumn] = {}
        self._numbers: dict[str, NumberColumn] = {}

    def __iter__(self) -> Iterator[Cut]:
        held = HeldRows()
        try:
            for cut in self._cuts:
                if isinstance(cut.row, dict):
                    self._look(cut.row)
                if held or self._is_in_doubt():
                    held.hold(cut)
                    if not self._is_in_doubt():
                        yield from map(self._read, held.release())
                else:
                    yield self._read(cut)
            for columns in (self._dates, self._numbers):
                self.doubts.extend(doubt for column in columns.values() for doubt in column.conclude())
            yield from map(self._read, held.release())
        finally:
            held.close()

    def _is_in_doubt(self) -> bool:
        return any(column.is_in_doubt for columns in (self._dates, self._numbers) for column in columns.values())

    def _look(self, row: Row) -> None:
        plan = _plan(tuple(row))
        for key, _ in plan.times:
            cell = row[key]
            if isinstance(cell, str) and (column := self._date_column(key, cell)) is not None:
                column.look(cell)
        for key in plan.measures:
            cell = row[key]
            if isinstance(cell, str) and not cell.isdecimal() and len(self._numbers) < MOST_COLUMNS:
                self._numbers.setdefault(key, NumberColumn(key)).look(cell)

    def _date_column(self, key: str, cell: str) -> DateColumn | None:
        """The column, once any of its cells is a date whose order must be known: nearly always none is."""
        column = self._dates.get(key)
        if column is None and cell[4:5] != "-" and len(self._dates) < MOST_COLUMNS:
            date = dated(cell.strip())
            if date is not None:
                column = self._dates[key] = DateColumn(key)
        return column

    def _read(self, cut: Cut) -> Cut:
        if not isinstance(cut.row, dict):
            return cut
        plan = _plan(tuple(cut.row))
        changed: dict[str, object] = {}
        for key, zone in plan.times:
            cell = cut.row[key]
            if isinstance(cell, str) and (zone is not None or key in self._dates):
                changed[key] = self._time(key, cell.strip(), zone)
        for key in plan.measures:
            cell = cut.row[key]
            if isinstance(cell, str) and key in self._numbers:
                changed[key] = self._numbers[key].read(cell)
        return cut._replace(row={**cut.row, **changed}) if changed else cut

    def _time(self, key: str, written: str, zone: _Zone | None) -> str:
        """The cell as ISO 8601 with an offset; as it was where it is no time, or says itself that it is UTC."""
        at = self._dates[key].read(written) if key in self._dates else None
        if isinstance(at, str):
            return at
        try:
            at = at or datetime.fromisoformat(written)
        except ValueError:
            return written
        if at.tzinfo is not None or zone is None:
            return at.isoformat()
        offset = self._utc_offset if zone.offset is None else zone.offset
        return Local(written) if offset is None else _in_utc(at, offset, written)


def _in_utc(at: datetime, offset: timedelta, written: str) -> str:
    try:
        return (at - offset).replace(tzinfo=UTC).isoformat()
    except OverflowError:
        return written


@lru_cache(maxsize=64)  # the rows of a table share their columns
def _plan(keys: tuple[str, ...]) -> _Plan:
    times, measures = [], []
    for key in keys:
        name = UNIT.sub("", key).strip("\ufeff ").lower()
        if TIMES.search(name) and not SPANS.search(name):
            unit = UNIT.search(key)
            times.append((key, _zone(unit[0].strip(" []")) if unit else None))
        elif name in MEASURES:
            measures.append(key)
    return _Plan(tuple(times), tuple(measures))


def _zone(unit: str) -> _Zone | None:
    if unit.lower() in UNIVERSAL or QUANTITY.fullmatch(unit):
        return None
    found = OFFSET.fullmatch(unit)
    if found is None:
        return _Zone(None)
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return _Zone(-offset if found[1] == "-" else offset)
