"""A query as a tree; must not know columns or types."""

from collections.abc import Callable

from tests.arm.kql.syntax import (
    Aggregate,
    Among,
    Binary,
    Call,
    Columns,
    Expand,
    Expression,
    Extend,
    Join,
    Limit,
    Member,
    Name,
    Operator,
    Order,
    Project,
    Query,
    Summarize,
    Where,
)
from tests.arm.kql.tokens import Cursor, KqlError


def parse(query: str) -> Query:
    """The tree of a whole query."""
    cursor = Cursor(query)
    found = _parse_query(cursor)
    if cursor.next_token.kind != "end":
        cursor.expect("|")
    return found


def _parse_query(cursor: Cursor) -> Query:
    table, operators = cursor.parse_name(), list[Operator]()
    while cursor.skip("|"):
        token = cursor.advance()
        if token.kind != "word" or token.text not in _OPERATORS:
            message = f"Query operator expected, found '{token.text}'"
            raise KqlError(message, code="ParserFailure", token=token.text, line=token.line)
        operators.append(_OPERATORS[token.text](cursor))
    return Query(table, tuple(operators))


def _parse_columns(cursor: Cursor) -> Columns:
    return cursor.parse_list(lambda: _parse_column(cursor))


def _parse_column(cursor: Cursor) -> tuple[str, Expression]:
    name = cursor.parse_name()
    return name, _parse_expression(cursor) if cursor.skip("=") else Name(name)


def _parse_join(cursor: Cursor) -> Join:
    # Without one it would be Kusto's `innerunique`, which drops rows: nobody wants that unsaid.
    cursor.expect("kind")
    cursor.expect("=")
    kind = cursor.expect("inner", "leftouter")
    cursor.expect("(")
    right = _parse_query(cursor)
    cursor.expect(")")
    cursor.expect("on")
    return Join(kind, right, cursor.parse_name())


def _parse_summarize(cursor: Cursor) -> Summarize:
    aggregates = cursor.parse_list(lambda: _parse_aggregate(cursor))
    cursor.expect("by")
    return Summarize(aggregates, _parse_columns(cursor))


def _parse_aggregate(cursor: Cursor) -> Aggregate:
    name = cursor.parse_name()
    cursor.expect("=")
    function = cursor.expect("count", "make_list", "make_set", "max", "min")
    cursor.expect("(")
    expression = None if function == "count" else _parse_expression(cursor)
    cursor.expect(")")
    return Aggregate(name, function, expression)


def _parse_order(cursor: Cursor) -> Order:
    cursor.expect("by")
    column = cursor.parse_name()
    # Without it Kusto sorts downwards, and pages would come backwards.
    cursor.expect("asc")
    return Order(column)


def _parse_expand(cursor: Cursor) -> Expand:
    name, expression = _parse_column(cursor)
    return Expand(name, expression, cursor.parse_number()) if cursor.skip("limit") else Expand(name, expression)


_OPERATORS: dict[str, Callable[[Cursor], Operator]] = {
    "where": lambda cursor: Where(_parse_expression(cursor)),
    "extend": lambda cursor: Extend(_parse_columns(cursor)),
    "project": lambda cursor: Project(_parse_columns(cursor)),
    "summarize": _parse_summarize,
    "order": _parse_order,
    "take": lambda cursor: Limit(cursor.parse_number()),
    "mv-expand": _parse_expand,
    "join": _parse_join,
}


def _parse_expression(cursor: Cursor) -> Expression:
    """`or` binds loosest, then `and`, then comparisons."""
    return _parse_chain(cursor, "or", lambda: _parse_chain(cursor, "and", lambda: _parse_comparison(cursor)))


def _parse_chain(cursor: Cursor, sign: str, operand: Callable[[], Expression]) -> Expression:
    left = operand()
    while cursor.skip(sign):
        left = Binary(sign, left, operand())
    return left


def _parse_comparison(cursor: Cursor) -> Expression:
    left = _parse_path(cursor)
    if cursor.skip("in~"):
        cursor.expect("(")
        choices = cursor.parse_list(cursor.parse_string)
        cursor.expect(")")
        return Among(left, choices)
    if not cursor.is_at("=~", "!~", "<=", ">=", "contains", "matches"):
        return left
    sign = cursor.advance().text
    if sign == "matches":
        cursor.expect("regex")
    return Binary(sign, left, _parse_path(cursor))


def _parse_path(cursor: Cursor) -> Expression:
    found = _parse_primary(cursor)
    while cursor.is_at(".", "["):
        if cursor.advance().text == ".":
            found = Member(found, cursor.parse_name())
        else:
            found = Member(
                found, cursor.parse_string() if cursor.next_token.kind == "string" else cursor.parse_number()
            )
            cursor.expect("]")
    return found


def _parse_primary(cursor: Cursor) -> Expression:
    if literal := cursor.parse_literal():
        return literal
    if cursor.skip("("):
        inner = _parse_expression(cursor)
        cursor.expect(")")
        return inner
    name = cursor.parse_name()
    if not cursor.skip("("):
        return Name(name)
    arguments = () if cursor.is_at(")") else cursor.parse_list(lambda: _parse_expression(cursor))
    cursor.expect(")")
    return Call(name, arguments)
