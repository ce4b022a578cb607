"""Joins of two tables on equal keys; must not know where the tables come from."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.arm.kql.errors import build_unresolved, refuse_types
from tests.arm.kql.table import Kind, Row, Table

Keys = tuple[tuple[str, str], ...]
Key = tuple[Any, ...]


def join_tables(kind: str, left: Table, right: Table, keys: Keys) -> Table:
    """Both tables' columns; one of the right that the left has as well gets a 1 behind its name."""
    _check_keys(left, right, keys)
    renamed = {name: f"{name}1" if name in left.columns else name for name in right.columns}
    columns = {**left.columns, **{renamed[name]: column for name, column in right.columns.items()}}
    return Table(columns, _pair_rows(kind, left, right, keys, renamed))


def _check_keys(left: Table, right: Table, keys: Keys) -> None:
    for one, other in keys:
        for table, name in ((left, one), (right, other)):
            if name not in table.columns:
                raise build_unresolved(name)
            if table.columns[name] == Kind.DYNAMIC:
                refuse_types(f"join: the key '{name}' is of type dynamic; use tostring()")
        if left.columns[one] != right.columns[other]:
            refuse_types(f"join: the keys '{one}' and '{other}' are of different types")


def _pair_rows(kind: str, left: Table, right: Table, keys: Keys, renamed: dict[str, str]) -> Iterator[Row]:
    by_key: dict[Key, list[Row]] = defaultdict(list)
    for row in right.rows:
        by_key[_get_key(row, keys, 1)].append({renamed[name]: value for name, value in row.items()})
    nothing = {renamed[name]: "" if column == Kind.STRING else None for name, column in right.columns.items()}
    for row in left.rows:
        partners = by_key.get(_get_key(row, keys, 0), [nothing] if kind == "leftouter" else [])
        yield from ({**row, **partner} for partner in partners)


def _get_key(row: Row, keys: Keys, side: int) -> Key:
    return tuple(row[pair[side]] for pair in keys)
