"""Aggregate functions of `summarize`; must not know how rows were grouped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.arm.kql.errors import KqlError, build_unresolved
from tests.arm.kql.expressions import Scope, compile_expression
from tests.arm.kql.functions import Compiled
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
        case Call(function, arguments) if function in _AGGREGATES:
            return _compile_simple(
                named.name, function, [compile_expression(each, scope) for each in arguments], arguments
            )
        case Call(function, _):
            raise build_unresolved(function, "aggregate function")
        case _:
            message = "summarize: an aggregate function expected"
            raise KqlError(message, code="InvalidQuery")


def _compile_simple(name: str, function: str, arguments: list[Compiled], trees: tuple[Expression, ...]) -> Aggregate:
    takes, kind, computes = _AGGREGATES[function]
    if len(arguments) != takes:
        message = f"{function}(): takes {takes} arguments, was given {len(arguments)}"
        raise KqlError(message, code="InvalidArguments", token=function)
    of = trees[0].name if trees and isinstance(trees[0], Name) else ""
    column = name or f"{function}_{of}"
    values = [argument.value for argument in arguments]

    def compute_row(rows: list[Row]) -> Row:
        return {column: computes([value(row) for row in rows for value in values] if values else rows)}

    return Aggregate({column: kind}, compute_row)


_AGGREGATES: dict[str, tuple[int, Kind, Callable[[list[Any]], Any]]] = {
    "count": (0, Kind.LONG, len),
    "make_list": (1, Kind.DYNAMIC, lambda values: [value for value in values if value is not None]),
}
"""How many arguments each takes, the kind it gives, and what it computes."""
