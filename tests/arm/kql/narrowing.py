"""What the first conditions of a query say of a column, so that a large table need not be built whole.

It is a saving, and no more: the conditions are applied to every row all the same.
"""

from collections.abc import Iterator
from datetime import datetime

from tests.arm.kql.errors import KqlError
from tests.arm.kql.expressions import Scope, compile_expression
from tests.arm.kql.syntax import Among, Binary, Expression, Literal, Name, Query, Where


def find_time_bounds(query: Query, column: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Before and after what times no row is wanted."""
    low: datetime | None = None
    high: datetime | None = None
    for condition in _list_conditions(query):
        match condition:
            case Binary(">" | ">=", Name(name), bound) if name == column:
                low = _compute_constant(bound, now) or low
            case Binary("<" | "<=", Name(name), bound) if name == column:
                high = _compute_constant(bound, now) or high
    return low, high


def find_wanted_values(query: Query, column: str) -> frozenset[str] | None:
    """The values, in lower case, that are wanted at all; None: any."""
    for condition in _list_conditions(query):
        match condition:
            case Binary("==" | "=~", Name(name), Literal(str(value))) if name == column:
                return frozenset({value.lower()})
            case Among("in" | "in~", Name(name), choices) if name == column:
                known = [each.value for each in choices if isinstance(each, Literal) and isinstance(each.value, str)]
                if len(known) == len(choices):
                    return frozenset(value.lower() for value in known)
    return None


def _list_conditions(query: Query) -> Iterator[Expression]:
    """All that must hold of a row before anything else is done with it."""
    for operator in query.operators:
        if not isinstance(operator, Where):
            return
        yield from _split_condition(operator.condition)


def _split_condition(condition: Expression) -> Iterator[Expression]:
    match condition:
        case Binary("and", left, right):
            yield from _split_condition(left)
            yield from _split_condition(right)
        case _:
            yield condition


def _compute_constant(expression: Expression, now: datetime) -> datetime | None:
    try:
        value = compile_expression(expression, Scope({}, now)).value({})
    except KqlError:
        return None
    return value if isinstance(value, datetime) else None
