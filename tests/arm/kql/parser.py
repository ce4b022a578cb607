"""A query as a tree of tabular operators; must not know columns or types."""

from collections.abc import Callable

from tests.arm.kql.cursor import Cursor
from tests.arm.kql.errors import KqlError
from tests.arm.kql.expression_parser import parse_expression, parse_named
from tests.arm.kql.syntax import (
    Count,
    Expand,
    Extend,
    Join,
    Limit,
    Operator,
    Order,
    Project,
    Query,
    SortKey,
    Summarize,
    Where,
)

JOIN_KINDS = ("inner", "leftouter")


def parse(query: str) -> Query:
    """The tree of a whole query."""
    cursor = Cursor(query)
    found = _parse_query(cursor)
    if cursor.next_token.kind != "end":
        raise cursor.build_error()
    return found


def _parse_query(cursor: Cursor) -> Query:
    table, operators = cursor.parse_name(), list[Operator]()
    while cursor.skip_any("|"):
        operators.append(_parse_operator(cursor))
    return Query(table, tuple(operators))


def _parse_operator(cursor: Cursor) -> Operator:
    reads = _OPERATORS.get(cursor.next_token.text) if cursor.next_token.kind == "word" else None
    if reads is None:
        message = f"Query operator expected, found '{cursor.next_token.text}'"
        raise KqlError(message, code="ParserFailure", token=cursor.next_token.text, line=cursor.next_token.line)
    cursor.advance()
    return reads(cursor)


def _parse_table(cursor: Cursor) -> Query:
    if not cursor.skip_any("("):
        return Query(cursor.parse_name(), ())
    inner = _parse_query(cursor)
    cursor.expect(")")
    return inner


def _parse_join(cursor: Cursor) -> Operator:
    # Without one it would be Kusto's `innerunique`, which drops rows: nobody wants that unsaid.
    cursor.expect("kind")
    cursor.expect("=")
    kind = cursor.expect(*JOIN_KINDS).text
    right = _parse_table(cursor)
    cursor.expect("on")
    return Join(kind, right, cursor.parse_list(lambda: _parse_key(cursor)))


def _parse_key(cursor: Cursor) -> tuple[str, str]:
    """`name`, or `$left.a == $right.b`."""
    if not cursor.is_at("$left"):
        name = cursor.parse_name()
        return name, name
    left = _parse_column(cursor, "$left")
    cursor.expect("==")
    return left, _parse_column(cursor, "$right")


def _parse_column(cursor: Cursor, side: str) -> str:
    cursor.expect(side)
    cursor.expect(".")
    return cursor.parse_name()


def _parse_summarize(cursor: Cursor) -> Operator:
    aggregates = () if cursor.is_at("by") else cursor.parse_list(lambda: parse_named(cursor))
    by = cursor.parse_list(lambda: parse_named(cursor)) if cursor.skip_any("by") else ()
    return Summarize(aggregates, by)


def _parse_order(cursor: Cursor) -> Operator:
    cursor.expect("by")
    return Order(cursor.parse_list(lambda: _parse_sort_key(cursor)))


def _parse_sort_key(cursor: Cursor) -> SortKey:
    key = parse_expression(cursor)
    ascending = cursor.is_at("asc")
    cursor.skip_any("asc", "desc")
    return SortKey(key, ascending)


def _parse_take(cursor: Cursor) -> Operator:
    count = cursor.next_token.value
    if not isinstance(count, int):
        raise cursor.build_error()
    cursor.advance()
    return Limit(count)


def _parse_expand(cursor: Cursor) -> Operator:
    columns = cursor.parse_list(lambda: parse_named(cursor))
    if not cursor.skip_any("limit"):
        return Expand(columns)
    return Expand(columns, int(cursor.advance().text))


_OPERATORS: dict[str, Callable[[Cursor], Operator]] = {
    "where": lambda cursor: Where(parse_expression(cursor)),
    "extend": lambda cursor: Extend(cursor.parse_list(lambda: parse_named(cursor))),
    "project": lambda cursor: Project(cursor.parse_list(lambda: parse_named(cursor))),
    "summarize": _parse_summarize,
    "order": _parse_order,
    "take": _parse_take,
    "count": lambda _: Count(),
    "mv-expand": _parse_expand,
    "join": _parse_join,
}
