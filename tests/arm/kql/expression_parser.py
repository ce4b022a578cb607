"""Scalar expressions of a query as trees; must not know columns or types."""

from collections.abc import Callable

from tests.arm.kql.cursor import ALLOWED_AS_MEMBERS, Cursor
from tests.arm.kql.syntax import Among, Binary, Call, Expression, Literal, Member, Name, Named

_COMPARISONS = (
    *("==", "!=", "=~", "!~", "<", "<=", ">", ">="),
    *("has", "!has", "contains", "!contains", "startswith", "!startswith", "endswith", "!endswith"),
    "matches",
)
_AMONG = ("in", "!in", "in~", "!in~")


def parse_expression(cursor: Cursor) -> Expression:
    """`or` binds loosest, then `and`, then comparisons."""
    return _parse_chain(cursor, ("or",), lambda: _parse_chain(cursor, ("and",), lambda: _parse_comparison(cursor)))


def parse_named(cursor: Cursor) -> Named:
    """`name = expression`, or an expression alone."""
    if not cursor.can_parse(lambda: (cursor.parse_name(), cursor.expect("="))):
        return Named("", parse_expression(cursor))
    name = cursor.parse_name()
    cursor.expect("=")
    return Named(name, parse_expression(cursor))


def _parse_chain(cursor: Cursor, signs: tuple[str, ...], operand: Callable[[], Expression]) -> Expression:
    left = operand()
    while cursor.is_at(*signs):
        left = Binary(cursor.advance().text, left, operand())
    return left


def _parse_comparison(cursor: Cursor) -> Expression:
    left = _parse_path(cursor)
    if cursor.is_at(*_AMONG):
        sign = cursor.advance().text
        cursor.expect("(")
        choices = cursor.parse_list(lambda: parse_expression(cursor))
        cursor.expect(")")
        return Among(sign, left, choices)
    if cursor.is_at(*_COMPARISONS):
        sign = cursor.advance().text
        if sign == "matches":
            cursor.expect("regex")
        return Binary(sign, left, _parse_path(cursor))
    return left


def _parse_path(cursor: Cursor) -> Expression:
    found = _parse_primary(cursor)
    while True:
        if cursor.skip_any("."):
            found = Member(found, cursor.parse_name(allowed=ALLOWED_AS_MEMBERS))
        elif cursor.is_at("["):
            found = Member(found, _parse_subscript(cursor))
        else:
            return found


def _parse_subscript(cursor: Cursor) -> str | int:
    if cursor.can_parse(cursor.parse_bracketed):
        return cursor.parse_bracketed()
    cursor.expect("[")
    negative = cursor.skip_any("-")
    index = cursor.next_token.value
    if not isinstance(index, int):
        raise cursor.build_error()
    cursor.advance()
    cursor.expect("]")
    return -index if negative else index


def _parse_primary(cursor: Cursor) -> Expression:
    if cursor.next_token.kind in ("string", "number", "timespan", "datetime"):
        return Literal(cursor.advance().value)
    if cursor.is_at("true", "false"):
        return Literal(cursor.advance().text == "true")
    if cursor.skip_any("("):
        inner = parse_expression(cursor)
        cursor.expect(")")
        return inner
    name = cursor.parse_name(allowed=frozenset({"kind"}))
    return _parse_call(cursor, name) if cursor.is_at("(") else Name(name)


def _parse_call(cursor: Cursor, function: str) -> Call:
    cursor.expect("(")
    arguments = () if cursor.is_at(")") else cursor.parse_list(lambda: parse_expression(cursor))
    cursor.expect(")")
    return Call(function, arguments)
