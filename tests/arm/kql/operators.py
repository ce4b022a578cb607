"""Tabular operators: from a table to a table; names and types are checked before a row is read."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tests.arm.kql.expressions import (
    Compiled,
    Kind,
    Row,
    Table,
    build_unresolved,
    compile_condition,
    compile_expression,
    refuse_types,
)
from tests.arm.kql.syntax import (
    Aggregate,
    Columns,
    Expand,
    Extend,
    Join,
    Limit,
    Name,
    Operator,
    Order,
    Project,
    Query,
    Summarize,
    Where,
)
from tests.arm.kql.tokens import KqlError

AGGREGATES: Mapping[str, tuple[Callable[[list[Any]], Any], Kind | None]] = {
    "make_list": (list, Kind.DYNAMIC),
    "make_set": (lambda values: list(dict.fromkeys(values)), Kind.DYNAMIC),
    "max": (lambda values: max(values, default=None), None),
    "min": (lambda values: min(values, default=None), None),
}
"""What each computes of the values of a group, and the kind it gives; None: that of the values."""
FindTable = Callable[[str], Table | None]
"""The table of a name; whether letter case matters is the service's."""


def evaluate(query: Query, find_table: FindTable) -> Table:
    """The table that the query gives. Raises KqlError for what is wrong or unknown, before a row is read."""
    table = find_table(query.table)
    if table is None:
        raise build_unresolved(query.table, "table")
    for each in query.operators:
        table = _apply_operator(each, table, find_table)
    return table


def _apply_operator(step: Operator, table: Table, find_table: FindTable) -> Table:
    rows: Iterable[Row]
    match step:
        case Where(condition):
            rows = filter(compile_condition(condition, table.columns), table.rows)
        case Limit(count):
            rows = itertools.islice(table.rows, count)
        case Order(column):
            _require_key("order by", compile_expression(Name(column), table.columns).kind)
            rows = _sort_rows(table.rows, column)
        case Extend(columns) | Project(columns):
            return _add_columns(table, _compile_columns(columns, table.columns), keeps=isinstance(step, Extend))
        case Expand():
            return _expand_table(step, table)
        case Summarize():
            return _summarize_table(step, table)
        case Join(kind, right, key):
            return _join_tables(kind, table, evaluate(right, find_table), key)
    return Table(table.columns, rows)


def _compile_columns(named: Columns, columns: Mapping[str, Kind]) -> dict[str, Compiled]:
    found: dict[str, Compiled] = {}
    for name, expression in named:
        if name in found:
            message = f"A column with the name '{name}' is already declared"
            raise KqlError(message, token=name)
        found[name] = compile_expression(expression, columns)
        if found[name].kind == Kind.TIMESPAN:
            refuse_types(f"The column '{name}' would be a timespan")
    return found


def _add_columns(table: Table, new: dict[str, Compiled], *, keeps: bool) -> Table:
    """The computed columns, beside those that were there or alone."""
    kinds = {name: each.kind for name, each in new.items()}
    computed = [(name, each.value) for name, each in new.items()]
    rows = ((row if keeps else {}) | {name: value(row) for name, value in computed} for row in table.rows)
    return Table({**table.columns, **kinds} if keeps else kinds, rows)


def _sort_rows(rows: Iterable[Row], column: str) -> Iterator[Row]:
    """Nulls come first."""
    yield from sorted(rows, key=lambda row: (row[column] is not None, row[column]))


def _summarize_table(step: Summarize, table: Table) -> Table:
    keys = _compile_columns(step.by, table.columns)
    for each in keys.values():
        _require_key("summarize by", each.kind)
    values = [each.value for each in keys.values()]
    gathered = {each.name: _compile_aggregate(each, table.columns) for each in step.aggregates}

    def group_rows() -> Iterator[Row]:
        groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
        for row in table.rows:
            groups[tuple([value(row) for value in values])].append(row)
        for key, rows in groups.items():
            yield {
                **dict(zip(keys, key, strict=True)),
                **{name: gather(rows) for name, (_, gather) in gathered.items()},
            }

    kinds = {name: each.kind for name, each in keys.items()} | {name: kind for name, (kind, _) in gathered.items()}
    return Table(kinds, group_rows())


def _compile_aggregate(step: Aggregate, columns: Mapping[str, Kind]) -> tuple[Kind, Callable[[list[Row]], Any]]:
    """Its kind and its value for the rows of a group; nulls are passed over."""
    if step.expression is None:
        return Kind.LONG, len
    of = compile_expression(step.expression, columns)
    compute, kind = AGGREGATES[step.function]
    if kind is None:
        _require_key(step.function, of.kind)
    return kind or of.kind, lambda rows: compute([value for value in map(of.value, rows) if value is not None])


def _expand_table(step: Expand, table: Table) -> Table:
    """A value that is missing leaves one row with null, an empty array none."""
    new = compile_expression(step.expression, table.columns)
    if new.kind != Kind.DYNAMIC:
        refuse_types("mv-expand: the expression must have the type dynamic")
    rows = (
        {**row, step.name: element}
        for row in table.rows
        for element in itertools.islice(_list_elements(new.value(row)), step.limit)
    )
    return Table({**table.columns, step.name: Kind.DYNAMIC}, rows)


def _list_elements(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [{key: member} for key, member in value.items()]
    return value if isinstance(value, list) else [value]


def _join_tables(kind: str, left: Table, right: Table, key: str) -> Table:
    """Both tables' columns; one of the right that the left has as well gets a 1 behind its name."""
    kinds = [compile_expression(Name(key), table.columns).kind for table in (left, right)]
    for each in kinds:
        _require_key("join on", each)
    if kinds[0] != kinds[1]:
        refuse_types(f"join: the keys '{key}' are of different types")
    renamed = {name: f"{name}1" if name in left.columns else name for name in right.columns}
    nothing = {renamed[name]: "" if column == Kind.STRING else None for name, column in right.columns.items()}

    def pair_rows() -> Iterator[Row]:
        by_key: dict[Any, list[Row]] = defaultdict(list)
        for row in right.rows:
            by_key[row[key]].append({renamed[name]: value for name, value in row.items()})
        for row in left.rows:
            yield from ({**row, **each} for each in by_key.get(row[key], [nothing] if kind == "leftouter" else []))

    return Table({**left.columns, **{renamed[name]: column for name, column in right.columns.items()}}, pair_rows())


def _require_key(what: str, kind: Kind) -> None:
    if kind == Kind.DYNAMIC:
        refuse_types(f"{what}: a value of type dynamic is not allowed here; use tostring()")
