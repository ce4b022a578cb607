"""Aggregate functions of `summarize`; must not know how rows were grouped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.arm.kql.errors import KqlError, build_unresolved, refuse_types
from tests.arm.kql.expressions import Scope, compile_expression
from tests.arm.kql.functions import NUMBERS, Compiled
from tests.arm.kql.syntax import Call, Expression, Name, Named
from tests.arm.kql.table import Kind, Row


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Columns that a group of rows gives, and their values."""

    columns: Mapping[str, Kind]
    values: Callable[[list[Row]], Row]


def compile_aggregate(named: Named, scope: Scope) -> Aggregate:
    """`name = count()` and its like."""
    match named.expression:
        case Call("arg_max" | "arg_min" as function, (key, *others), star):
            return _compile_extreme(function, key, tuple(others), scope, star=star)
        case Call(function, arguments, False) if function in _AGGREGATES:
            return _compile_simple(
                named.name, function, [compile_expression(each, scope) for each in arguments], arguments
            )
        case Call(function, _, _):
            raise build_unresolved(function, "aggregate function")
        case _:
            message = "summarize: an aggregate function expected"
            raise KqlError(message, code="InvalidQuery")


def _compile_simple(name: str, function: str, arguments: list[Compiled], trees: tuple[Expression, ...]) -> Aggregate:
    takes, kind, computes = _AGGREGATES[function]
    if len(arguments) != takes:
        message = f"{function}(): takes {takes} arguments, was given {len(arguments)}"
        raise KqlError(message, code="InvalidArguments", token=function)
    if function in ("min", "max") and arguments[0].kind == Kind.DYNAMIC:
        refuse_types(f"{function}(): the argument value must be orderable")
    if function in ("sum", "avg") and arguments[0].kind not in NUMBERS:
        refuse_types(f"{function}(): the argument value must be a number")
    of = trees[0].name if trees and isinstance(trees[0], Name) else ""
    column = name or f"{function}_{of}"
    result = kind or arguments[0].kind
    values = [argument.value for argument in arguments]

    def compute_row(rows: list[Row]) -> Row:
        return {column: computes([value(row) for row in rows for value in values] if values else rows)}

    return Aggregate({column: result}, compute_row)


def _compile_extreme(
    function: str, key: Expression, others: tuple[Expression, ...], scope: Scope, *, star: bool
) -> Aggregate:
    """`arg_max(key, *)` or `arg_max(key, a, b)`: the row in which the key is highest."""
    if not isinstance(key, Name) or not all(isinstance(other, Name) for other in others):
        message = f"{function}(): columns alone are known here"
        raise KqlError(message, code="InvalidArguments", token=function)
    by = compile_expression(key, scope)
    if by.kind == Kind.DYNAMIC:
        refuse_types(f"{function}(): the argument value must be orderable")
    asked = [key.name, *(other.name for other in others if isinstance(other, Name))]
    names = list(scope.columns) if star else asked
    columns = {name: compile_expression(Name(name), scope).kind for name in names}
    chooses = max if function == "arg_max" else min

    def choose_row(rows: list[Row]) -> Row:
        known = [row for row in rows if by.value(row) is not None]
        best = chooses(known, key=by.value) if known else rows[0]
        return {name: best[name] for name in names}

    return Aggregate(columns, choose_row)


def _drop_nulls(values: list[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def _drop_duplicates(values: list[Any]) -> list[Any]:
    return list({repr(value): value for value in _drop_nulls(values)}.values())


_AGGREGATES: dict[str, tuple[int, Kind | None, Callable[[list[Any]], Any]]] = {
    "count": (0, Kind.LONG, len),
    "countif": (1, Kind.LONG, lambda values: sum(bool(value) for value in values)),
    "dcount": (1, Kind.LONG, lambda values: len(_drop_duplicates(values))),
    "min": (1, None, lambda values: min(_drop_nulls(values), default=None)),
    "max": (1, None, lambda values: max(_drop_nulls(values), default=None)),
    "sum": (1, None, lambda values: sum(_drop_nulls(values))),
    "avg": (
        1,
        Kind.REAL,
        lambda values: sum(_drop_nulls(values)) / len(_drop_nulls(values)) if _drop_nulls(values) else None,
    ),
    "make_list": (1, Kind.DYNAMIC, _drop_nulls),
    "make_set": (1, Kind.DYNAMIC, _drop_duplicates),
    "take_any": (1, None, lambda values: values[0]),
}
"""How many arguments each takes, the kind it gives (None: its argument's), and what it computes."""
