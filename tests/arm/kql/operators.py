"""Tabular operators: from a table to a table; names and types are checked before a row is read."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.arm.kql.aggregates import compile_aggregate
from tests.arm.kql.errors import KqlError, build_unresolved, refuse_types
from tests.arm.kql.expressions import Scope, compile_condition, compile_expression
from tests.arm.kql.functions import Compiled
from tests.arm.kql.joins import join_tables
from tests.arm.kql.syntax import (
    Call,
    Count,
    Expand,
    Expression,
    Extend,
    Join,
    Limit,
    Member,
    Name,
    Named,
    Operator,
    Order,
    Project,
    Query,
    Summarize,
    Where,
)
from tests.arm.kql.table import Database, Kind, Row, Table


def evaluate(query: Query, database: Database) -> Table:
    """The table that the query gives."""
    return _Evaluation(database).evaluate_query(query)


class _Evaluation:
    """One query against one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def evaluate_query(self, query: Query) -> Table:
        table = self.find_table(query.table)
        for operator in query.operators:
            table = self.apply_operator(operator, table)
        return table

    def find_table(self, name: str) -> Table:
        table = self.database.find_table(name)
        if table is None:
            raise build_unresolved(name, "table")
        return table

    def apply_operator(self, operator: Operator, table: Table) -> Table:
        scope = Scope(table.columns, self.database.now)
        match operator:
            case Join(kind, right, keys):
                return join_tables(kind, table, self.evaluate_query(right), keys)
            case Limit(count):
                return Table(table.columns, itertools.islice(table.rows, count))
            case Count():
                return Table({"Count": Kind.LONG}, _count_rows(table.rows))
            case _:
                return _OPERATORS[type(operator)](operator, table, scope)


def _count_rows(rows: Iterable[Row]) -> Iterator[Row]:
    yield {"Count": sum(1 for _ in rows)}


def _apply_where(operator: Where, table: Table, scope: Scope) -> Table:
    holds = compile_condition(operator.condition, scope)
    return Table(table.columns, filter(holds, table.rows))


def _apply_extend(operator: Extend, table: Table, scope: Scope) -> Table:
    new = _compile_columns(operator.columns, scope)
    columns = {**table.columns, **{name: each.kind for name, each in new.items()}}
    computed = [(name, each.value) for name, each in new.items()]
    return Table(columns, ({**row, **{name: value(row) for name, value in computed}} for row in table.rows))


def _apply_project(operator: Project, table: Table, scope: Scope) -> Table:
    new = _compile_columns(operator.columns, scope)
    computed = [(name, each.value) for name, each in new.items()]
    columns = {name: each.kind for name, each in new.items()}
    return Table(columns, ({name: value(row) for name, value in computed} for row in table.rows))


def _apply_summarize(operator: Summarize, table: Table, scope: Scope) -> Table:
    keys = _compile_columns(operator.by, scope)
    _require_keys("summarize by", (each.kind for each in keys.values()))
    key_of = _build_key_getter([each.value for each in keys.values()])
    aggregates = [compile_aggregate(each, scope) for each in operator.aggregates]
    columns = {name: each.kind for name, each in keys.items()}
    for each in aggregates:
        columns |= {name: kind for name, kind in each.columns.items() if name not in columns}

    def group_rows() -> Iterator[Row]:
        groups: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): []}
        for row in table.rows:
            groups.setdefault(key_of(row), []).append(row)
        for key, members in groups.items():
            found: Row = dict(zip(keys, key, strict=True))
            for each in aggregates:
                found |= {name: value for name, value in each.values(members).items() if name not in keys}
            yield found

    return Table(columns, group_rows())


def _build_key_getter(values: list[Callable[[Row], Any]]) -> Callable[[Row], tuple[Any, ...]]:
    """All values of a row as one; the usual two without a loop, for it is done for every row."""
    if len(values) == 2:
        one, other = values
        return lambda row: (one(row), other(row))
    return lambda row: tuple([value(row) for value in values])


def _apply_order(operator: Order, table: Table, scope: Scope) -> Table:
    """Nulls come first where it ascends."""
    keys = [(compile_expression(each.expression, scope), each.ascending) for each in operator.keys]
    _require_keys("order by", (key.kind for key, _ in keys))

    def sort_rows() -> Iterator[Row]:
        found = list(table.rows)
        for key, ascending in reversed(keys):
            found.sort(key=_build_sort_key(key), reverse=not ascending)
        yield from found

    return Table(table.columns, sort_rows())


def _build_sort_key(key: Compiled) -> Callable[[Row], tuple[bool, Any]]:
    def get_sort_key(row: Row) -> tuple[bool, Any]:
        value = key.value(row)
        return value is not None, value

    return get_sort_key


def _apply_expand(operator: Expand, table: Table, scope: Scope) -> Table:
    """A value that is missing leaves one row with null, an empty array none."""
    new = _compile_columns(operator.columns, scope)
    if any(each.kind != Kind.DYNAMIC for each in new.values()):
        refuse_types("mv-expand: the expression must have the type dynamic")

    def expand_rows() -> Iterator[Row]:
        for row in table.rows:
            arrays = [_list_elements(each.value(row)) for each in new.values()]
            for values in itertools.islice(itertools.zip_longest(*arrays), operator.limit):
                yield {**row, **dict(zip(new, values, strict=True))}

    return Table({**table.columns, **dict.fromkeys(new, Kind.DYNAMIC)}, expand_rows())


def _list_elements(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return [{key: member} for key, member in value.items()]
    return [value]


def _compile_columns(named: tuple[Named, ...], scope: Scope) -> dict[str, Compiled]:
    """The columns asked for under their names; one without a name gets Kusto's."""
    found: dict[str, Compiled] = {}
    nameless = itertools.count(1)
    for each in named:
        name = each.name or _derive_name(each.expression) or f"Column{next(nameless)}"
        if name in found:
            message = f"A column with the name '{name}' is already declared"
            raise KqlError(message, token=name)
        found[name] = compile_expression(each.expression, scope)
    return found


def _derive_name(expression: Expression) -> str:
    match expression:
        case Name(name):
            return name
        case Member(of, key):
            return f"{_derive_name(of)}_{key}"
        case Call("tostring" | "todatetime" | "bin", (of, *_)):
            return _derive_name(of)
        case _:
            return ""


def _require_keys(what: str, kinds: Iterable[Kind]) -> None:
    if Kind.DYNAMIC in kinds:
        refuse_types(f"{what}: a value of type dynamic is not allowed here; use tostring()")


_OPERATORS: dict[type, Callable[[Any, Table, Scope], Table]] = {
    Where: _apply_where,
    Extend: _apply_extend,
    Project: _apply_project,
    Summarize: _apply_summarize,
    Order: _apply_order,
    Expand: _apply_expand,
}
