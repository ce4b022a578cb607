"""Scalar expressions of a query as trees; must not know columns or types."""

from collections.abc import Callable

from tests.arm.kql.cursor import ALLOWED_AS_MEMBERS, Cursor
from tests.arm.kql.syntax import Among, Between, Binary, Call, Expression, Literal, Member, Name, Named, Negative

_COMPARISONS = (
    *("==", "!=", "=~", "!~", "<", "<=", ">", ">="),
    *("has", "!has", "contains", "!contains", "startswith", "!startswith", "endswith", "!endswith"),
    *("has_cs", "contains_cs", "startswith_cs", "endswith_cs", "matches"),
)
_AMONG = ("in", "!in", "in~", "!in~", "has_any", "has_all")


def expression(cursor: Cursor) -> Expression:
    """`or` binds loosest, then `and`, comparisons, sums, products."""
    return _chain(cursor, ("or",), lambda: _chain(cursor, ("and",), lambda: _comparison(cursor)))


def named(cursor: Cursor) -> Named:
    """`name = expression`, or an expression alone."""
    if not cursor.looks_like(lambda: (cursor.name(), cursor.expect("="))):
        return Named("", expression(cursor))
    name = cursor.name()
    cursor.expect("=")
    return Named(name, expression(cursor))


def _chain(cursor: Cursor, signs: tuple[str, ...], operand: Callable[[], Expression]) -> Expression:
    left = operand()
    while cursor.is_at(*signs):
        left = Binary(cursor.advance().text, left, operand())
    return left


def _comparison(cursor: Cursor) -> Expression:
    left = _sum(cursor)
    if cursor.is_at("between", "!between"):
        return _between(cursor, left)
    if cursor.is_at(*_AMONG):
        sign = cursor.advance().text
        cursor.expect("(")
        choices = cursor.listed(lambda: expression(cursor))
        cursor.expect(")")
        return Among(sign, left, choices)
    if cursor.is_at(*_COMPARISONS):
        sign = cursor.advance().text
        if sign == "matches":
            cursor.expect("regex")
        return Binary(sign, left, _sum(cursor))
    return left


def _between(cursor: Cursor, left: Expression) -> Expression:
    negated = cursor.advance().text.startswith("!")
    cursor.expect("(")
    low = _sum(cursor)
    cursor.expect("..")
    high = _sum(cursor)
    cursor.expect(")")
    return Between(left, low, high, negated)


def _sum(cursor: Cursor) -> Expression:
    return _chain(cursor, ("+", "-"), lambda: _chain(cursor, ("*", "/", "%"), lambda: _signed(cursor)))


def _signed(cursor: Cursor) -> Expression:
    return Negative(_signed(cursor)) if cursor.skips("-") else _path(cursor)


def _path(cursor: Cursor) -> Expression:
    found = _primary(cursor)
    while True:
        if cursor.skips("."):
            found = Member(found, cursor.name(allowed=ALLOWED_AS_MEMBERS))
        elif cursor.is_at("["):
            found = Member(found, _subscript(cursor))
        else:
            return found


def _subscript(cursor: Cursor) -> str | int:
    if cursor.looks_like(cursor.bracketed):
        return cursor.bracketed()
    cursor.expect("[")
    negative = cursor.skips("-")
    index = cursor.token.value
    if not isinstance(index, int):
        raise cursor.refusal()
    cursor.advance()
    cursor.expect("]")
    return -index if negative else index


def _primary(cursor: Cursor) -> Expression:
    if cursor.token.kind in ("string", "number", "timespan", "datetime"):
        return Literal(cursor.advance().value)
    if cursor.is_at("true", "false"):
        return Literal(cursor.advance().text == "true")
    if cursor.skips("("):
        inner = expression(cursor)
        cursor.expect(")")
        return inner
    name = cursor.name(allowed=frozenset({"kind"}))
    return _call(cursor, name) if cursor.is_at("(") else Name(name)


def _call(cursor: Cursor, function: str) -> Call:
    cursor.expect("(")
    arguments: list[Expression] = []
    star = False
    while not cursor.skips(")"):
        if arguments:
            cursor.expect(",")
        star = cursor.skips("*")
        if star:
            cursor.expect(")")
            break
        arguments.append(expression(cursor))
    return Call(function, tuple(arguments), star)
