"""Tables of a query: named columns with kinds, and rows; must not know the query."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

Row = dict[str, Any]


class Kind(StrEnum):
    """A type of Kusto. A string is never null; everything else may be None."""

    STRING = "string"
    BOOL = "bool"
    LONG = "long"
    REAL = "real"
    DATETIME = "datetime"
    TIMESPAN = "timespan"
    DYNAMIC = "dynamic"


@dataclass(frozen=True, slots=True)
class Table:
    """Columns in their order, and rows that hold a value for each; a source may be read once or again."""

    columns: Mapping[str, Kind]
    rows: Iterable[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The tables there are, and the time it is; `ignores_case` where letter case of a table's name does not matter."""

    tables: Mapping[str, Callable[[], Table]]
    now: datetime
    ignores_case: bool = False

    def find_table(self, name: str) -> Table | None:
        """The table of this name; nothing is built before it is asked for."""
        found = self.tables.get(name.lower() if self.ignores_case else name)
        return found() if found else None
