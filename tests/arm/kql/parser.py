"""A query as a tree of tabular operators; must not know columns or types."""

from collections.abc import Callable

from tests.arm.kql.cursor import Cursor
from tests.arm.kql.errors import KqlError
from tests.arm.kql.expression_parser import expression, named
from tests.arm.kql.syntax import (
    Count,
    Distinct,
    Expand,
    Extend,
    Join,
    Operator,
    Order,
    Project,
    ProjectAway,
    ProjectRename,
    Query,
    Sorted,
    Summarize,
    Take,
    Union,
    Where,
)

JOINS = ("inner", "leftouter", "innerunique", "leftanti", "leftsemi")


def parse(query: str) -> Query:
    """The tree of a whole query."""
    cursor = Cursor(query)
    found = _query(cursor)
    if cursor.token.kind != "end":
        raise cursor.refusal()
    return found


def _query(cursor: Cursor) -> Query:
    if cursor.skips("union"):
        table, operators = None, [_union(cursor)]
    else:
        table, operators = cursor.name(), []
    while cursor.skips("|"):
        operators.append(_operator(cursor))
    return Query(table, tuple(operators))


def _operator(cursor: Cursor) -> Operator:
    reads = _OPERATORS.get(cursor.token.text) if cursor.token.kind == "word" else None
    if reads is None:
        message = f"Query operator expected, found '{cursor.token.text}'"
        raise KqlError(message, code="ParserFailure", token=cursor.token.text, line=cursor.token.line)
    cursor.advance()
    return reads(cursor)


def _union(cursor: Cursor) -> Operator:
    return Union(cursor.listed(lambda: _table_or_query(cursor)))


def _table_or_query(cursor: Cursor) -> Query:
    if not cursor.skips("("):
        return Query(cursor.name(), ())
    inner = _query(cursor)
    cursor.expect(")")
    return inner


def _join(cursor: Cursor) -> Operator:
    kind = "innerunique"
    if cursor.skips("kind"):
        cursor.expect("=")
        kind = cursor.expect(*JOINS).text
    right = _table_or_query(cursor)
    cursor.expect("on")
    return Join(kind, right, cursor.listed(lambda: _key(cursor)))


def _key(cursor: Cursor) -> tuple[str, str]:
    """`name`, or `$left.a == $right.b`."""
    if not cursor.is_at("$left"):
        name = cursor.name()
        return name, name
    left = _column_of(cursor, "$left")
    cursor.expect("==")
    return left, _column_of(cursor, "$right")


def _column_of(cursor: Cursor, side: str) -> str:
    cursor.expect(side)
    cursor.expect(".")
    return cursor.name()


def _summarize(cursor: Cursor) -> Operator:
    aggregates = () if cursor.is_at("by") else cursor.listed(lambda: named(cursor))
    by = cursor.listed(lambda: named(cursor)) if cursor.skips("by") else ()
    return Summarize(aggregates, by)


def _order(cursor: Cursor) -> Operator:
    cursor.expect("by")
    return Order(cursor.listed(lambda: _sorted(cursor)))


def _sorted(cursor: Cursor) -> Sorted:
    key = expression(cursor)
    ascending = cursor.is_at("asc")
    cursor.skips("asc", "desc")
    return Sorted(key, ascending)


def _take(cursor: Cursor) -> Operator:
    count = cursor.token.value
    if not isinstance(count, int):
        raise cursor.refusal()
    cursor.advance()
    return Take(count)


def _expand(cursor: Cursor) -> Operator:
    columns = cursor.listed(lambda: named(cursor))
    kind = ""
    if cursor.skips("to"):
        cursor.expect("typeof")
        cursor.expect("(")
        kind = cursor.advance().text
        cursor.expect(")")
    if not cursor.skips("limit"):
        return Expand(columns, kind)
    return Expand(columns, kind, int(cursor.advance().text))


_OPERATORS: dict[str, Callable[[Cursor], Operator]] = {
    "where": lambda cursor: Where(expression(cursor)),
    "extend": lambda cursor: Extend(cursor.listed(lambda: named(cursor))),
    "project": lambda cursor: Project(cursor.listed(lambda: named(cursor))),
    "project-away": lambda cursor: ProjectAway(cursor.listed(cursor.name)),
    "project-keep": lambda cursor: ProjectAway(cursor.listed(cursor.name), keep=True),
    "project-rename": lambda cursor: ProjectRename(cursor.listed(lambda: named(cursor))),
    "distinct": lambda cursor: Distinct(cursor.listed(lambda: named(cursor))),
    "summarize": _summarize,
    "order": _order,
    "sort": _order,
    "take": _take,
    "limit": _take,
    "count": lambda _: Count(),
    "mv-expand": _expand,
    "join": _join,
    "union": _union,
}
