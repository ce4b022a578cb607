"""Tabular operators: from a table to a table; names and types are checked before a row is read."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.arm.kql.aggregates import aggregate
from tests.arm.kql.errors import KqlError, refuse_types, unresolved
from tests.arm.kql.expressions import Scope, compiled, condition
from tests.arm.kql.functions import Compiled
from tests.arm.kql.joins import joined
from tests.arm.kql.syntax import (
    Call,
    Count,
    Distinct,
    Expand,
    Expression,
    Extend,
    Join,
    Member,
    Name,
    Named,
    Operator,
    Order,
    Project,
    ProjectAway,
    ProjectRename,
    Query,
    Summarize,
    Take,
    Union,
    Where,
)
from tests.arm.kql.table import Database, Kind, Row, Table
from tests.arm.kql.values import text


def evaluate(query: Query, database: Database) -> Table:
    """The table that the query gives."""
    return _Evaluation(database).of(query)


class _Evaluation:
    """One query against one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def of(self, query: Query) -> Table:
        table = Table({}, ()) if query.table is None else self.source(query.table)
        for operator in query.operators:
            table = self.applied(operator, table)
        return table

    def source(self, name: str) -> Table:
        table = self.database.table(name)
        if table is None:
            raise unresolved(name, "table")
        return table

    def applied(self, operator: Operator, table: Table) -> Table:
        scope = Scope(table.columns, self.database.now)
        match operator:
            case Join(kind, right, keys):
                return joined(kind, table, self.of(right), keys)
            case Union(others):
                return _united([table, *map(self.of, others)])
            case Take(count):
                return Table(table.columns, itertools.islice(table.rows, count))
            case Count():
                return Table({"Count": Kind.LONG}, _counted(table.rows))
            case ProjectAway(names, keep):
                return _without(table, names, keep=keep)
            case _:
                return _COMPUTED[type(operator)](operator, table, scope)


def _counted(rows: Iterable[Row]) -> Iterator[Row]:
    yield {"Count": sum(1 for _ in rows)}


def _where(operator: Where, table: Table, scope: Scope) -> Table:
    holds = condition(operator.condition, scope)
    return Table(table.columns, filter(holds, table.rows))


def _extend(operator: Extend, table: Table, scope: Scope) -> Table:
    new = _columns(operator.columns, scope)
    columns = {**table.columns, **{name: each.kind for name, each in new.items()}}
    computed = [(name, each.value) for name, each in new.items()]
    return Table(columns, ({**row, **{name: value(row) for name, value in computed}} for row in table.rows))


def _project(operator: Project | Distinct, table: Table, scope: Scope) -> Table:
    new = _columns(operator.columns, scope)
    computed = [(name, each.value) for name, each in new.items()]
    columns = {name: each.kind for name, each in new.items()}
    return Table(columns, ({name: value(row) for name, value in computed} for row in table.rows))


def _distinct(operator: Distinct, table: Table, scope: Scope) -> Table:
    found = _project(operator, table, scope)
    _demand_keys("distinct", found.columns.values())
    return Table(found.columns, _first_of_each(found.rows))


def _first_of_each(rows: Iterable[Row]) -> Iterator[Row]:
    yield from {tuple(row.values()): row for row in rows}.values()


def _without(table: Table, names: tuple[str, ...], *, keep: bool) -> Table:
    for name in names:
        if name not in table.columns:
            raise unresolved(name)
    columns = {name: kind for name, kind in table.columns.items() if (name in names) == keep}
    return Table(columns, ({name: row[name] for name in columns} for row in table.rows))


def _rename(operator: ProjectRename, table: Table, scope: Scope) -> Table:
    old_of = {}
    for each in operator.columns:
        if not each.name or not isinstance(each.expression, Name):
            message = "project-rename: new = old expected"
            raise KqlError(message)
        compiled(each.expression, scope)
        old_of[each.expression.name] = each.name
    columns = {old_of.get(name, name): kind for name, kind in table.columns.items()}
    return Table(columns, ({old_of.get(name, name): value for name, value in row.items()} for row in table.rows))


def _summarize(operator: Summarize, table: Table, scope: Scope) -> Table:
    keys = _columns(operator.by, scope)
    _demand_keys("summarize by", (each.kind for each in keys.values()))
    key_of = _key([each.value for each in keys.values()])
    aggregates = [aggregate(each, scope) for each in operator.aggregates]
    columns = {name: each.kind for name, each in keys.items()}
    for each in aggregates:
        columns |= {name: kind for name, kind in each.columns.items() if name not in columns}

    def rows() -> Iterator[Row]:
        groups: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): []}
        for row in table.rows:
            groups.setdefault(key_of(row), []).append(row)
        for key, members in groups.items():
            found: Row = dict(zip(keys, key, strict=True))
            for each in aggregates:
                found |= {name: value for name, value in each.values(members).items() if name not in keys}
            yield found

    return Table(columns, rows())


def _key(values: list[Callable[[Row], Any]]) -> Callable[[Row], tuple[Any, ...]]:
    """All values of a row as one; the usual two without a loop, for it is done for every row."""
    if len(values) == 2:
        one, other = values
        return lambda row: (one(row), other(row))
    return lambda row: tuple([value(row) for value in values])


def _order(operator: Order, table: Table, scope: Scope) -> Table:
    """Nulls come first where it ascends."""
    keys = [(compiled(each.expression, scope), each.ascending) for each in operator.keys]
    _demand_keys("order by", (key.kind for key, _ in keys))

    def rows() -> Iterator[Row]:
        found = list(table.rows)
        for key, ascending in reversed(keys):
            found.sort(key=_sort_key(key), reverse=not ascending)
        yield from found

    return Table(table.columns, rows())


def _sort_key(key: Compiled) -> Callable[[Row], tuple[bool, Any]]:
    def of(row: Row) -> tuple[bool, Any]:
        value = key.value(row)
        return value is not None, value

    return of


def _expand(operator: Expand, table: Table, scope: Scope) -> Table:
    """A value that is missing leaves one row with null, an empty array none."""
    new = _columns(operator.columns, scope)
    if any(each.kind != Kind.DYNAMIC for each in new.values()):
        refuse_types("mv-expand: the expression must have the type dynamic")
    if operator.kind not in ("", "dynamic", "string"):
        raise unresolved(operator.kind, "type")
    as_text = operator.kind == "string"

    def rows() -> Iterator[Row]:
        for row in table.rows:
            arrays = [_elements(each.value(row)) for each in new.values()]
            for values in itertools.islice(itertools.zip_longest(*arrays), operator.limit):
                yield {**row, **dict(zip(new, map(text, values) if as_text else values, strict=True))}

    kind = Kind.STRING if as_text else Kind.DYNAMIC
    return Table({**table.columns, **dict.fromkeys(new, kind)}, rows())


def _elements(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return [{key: member} for key, member in value.items()]
    return [value]


def _united(tables: list[Table]) -> Table:
    """All columns of all tables; of one name and different types there must be none."""
    columns: dict[str, Kind] = {}
    for table in tables:
        for name, kind in table.columns.items():
            if columns.setdefault(name, kind) != kind:
                refuse_types(f"union: column '{name}' has different types")
    empty = {name: "" if kind == Kind.STRING else None for name, kind in columns.items()}
    return Table(columns, ({**empty, **row} for table in tables for row in table.rows))


def _columns(named: tuple[Named, ...], scope: Scope) -> dict[str, Compiled]:
    """The columns asked for under their names; one without a name gets Kusto's."""
    found: dict[str, Compiled] = {}
    nameless = itertools.count(1)
    for each in named:
        name = each.name or _name_of(each.expression) or f"Column{next(nameless)}"
        if name in found:
            message = f"A column with the name '{name}' is already declared"
            raise KqlError(message, token=name)
        found[name] = compiled(each.expression, scope)
    return found


def _name_of(expression: Expression) -> str:
    match expression:
        case Name(name):
            return name
        case Member(of, key):
            return f"{_name_of(of)}_{key}"
        case Call("tostring" | "todatetime" | "toint" | "tolong" | "tobool" | "bin", (of, *_), False):
            return _name_of(of)
        case _:
            return ""


def _demand_keys(what: str, kinds: Iterable[Kind]) -> None:
    if Kind.DYNAMIC in kinds:
        refuse_types(f"{what}: a value of type dynamic is not allowed here; use tostring()")


_COMPUTED: dict[type, Callable[[Any, Table, Scope], Table]] = {
    Where: _where,
    Extend: _extend,
    Project: _project,
    ProjectRename: _rename,
    Distinct: _distinct,
    Summarize: _summarize,
    Order: _order,
    Expand: _expand,
}
