"""From the tree of an expression to its value for a row; every name and type is checked before."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.arm.kql.errors import build_unresolved, refuse_types
from tests.arm.kql.functions import NUMBERS, TEXTS, Compiled, compile_call
from tests.arm.kql.syntax import Among, Binary, Call, Expression, Literal, Member, Name
from tests.arm.kql.table import Kind, Row
from tests.arm.kql.values import TEXT_TESTS, get_member, to_real, to_text

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TIMES = frozenset({Kind.DATETIME, Kind.TIMESPAN})


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may name, and the time."""

    columns: Mapping[str, Kind]
    now: datetime


def compile_expression(expression: Expression, scope: Scope) -> Compiled:
    """The expression, ready to be computed for each row."""
    return _COMPILERS[type(expression)](expression, scope)


def compile_condition(expression: Expression, scope: Scope) -> Callable[[Row], Any]:
    """The same, where it must be true or false."""
    found = compile_expression(expression, scope)
    if found.kind != Kind.BOOL:
        refuse_types("The expression must have the type bool")
    return found.value


def _get_kind(value: object) -> Kind:
    kinds = {bool: Kind.BOOL, int: Kind.LONG, float: Kind.REAL, datetime: Kind.DATETIME, timedelta: Kind.TIMESPAN}
    return kinds.get(type(value), Kind.STRING)


def _compile_literal(tree: Literal, _: Scope) -> Compiled:
    value = tree.value
    return Compiled(_get_kind(value), lambda _: value)


def _compile_column(tree: Name, scope: Scope) -> Compiled:
    if tree.name not in scope.columns:
        raise build_unresolved(tree.name)
    return Compiled(scope.columns[tree.name], operator.itemgetter(tree.name))


def _compile_member(tree: Member, scope: Scope) -> Compiled:
    of, key = compile_expression(tree.of, scope), tree.key
    if of.kind != Kind.DYNAMIC:
        refuse_types(f"A value of type {of.kind} has no member '{key}'")
    whole = of.value
    return Compiled(Kind.DYNAMIC, lambda row: get_member(whole(row), key))


def _compile_call(tree: Call, scope: Scope) -> Compiled:
    return compile_call(tree.function, [compile_expression(each, scope) for each in tree.arguments], scope.now)


def _compile_binary(tree: Binary, scope: Scope) -> Compiled:
    return _combine_operands(tree.sign, compile_expression(tree.left, scope), compile_expression(tree.right, scope))


def _combine_operands(sign: str, left: Compiled, right: Compiled) -> Compiled:
    if sign in ("and", "or"):
        return _combine_logical(sign, left, right)
    if sign in ("==", "!="):
        return _compare_equal(left, right, denied=sign == "!=")
    if sign in _ORDER:
        return _compare_order(sign, left, right)
    return _compare_text(sign, left, right)


def _combine_logical(sign: str, left: Compiled, right: Compiled) -> Compiled:
    _require_kinds(left.kind == right.kind == Kind.BOOL, sign, left, right)
    one, other = left.value, right.value
    if sign == "and":
        return Compiled(Kind.BOOL, lambda row: one(row) and other(row))
    return Compiled(Kind.BOOL, lambda row: one(row) or other(row))


def _compare_equal(left: Compiled, right: Compiled, *, denied: bool) -> Compiled:
    """Null equals nothing; a dynamic value is compared as what stands on the other side."""
    kinds = {left.kind, right.kind}
    fits = len(kinds) == 1 or kinds <= NUMBERS or (Kind.DYNAMIC in kinds and not kinds & _TIMES)
    _require_kinds(fits, "!=" if denied else "==", left, right)
    one, other = left.value, right.value
    if kinds == {Kind.STRING, Kind.DYNAMIC}:
        return Compiled(Kind.BOOL, lambda row: (_text_or_none(one(row)) == _text_or_none(other(row))) != denied)
    return Compiled(Kind.BOOL, lambda row: _are_equal(one(row), other(row)) != denied)


def _text_or_none(value: Any) -> str | None:
    return None if value is None else to_text(value)


def _are_equal(one: Any, other: Any) -> bool:
    return one is not None and isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _compare_order(sign: str, left: Compiled, right: Compiled) -> Compiled:
    """Times with times, numbers with numbers; texts have no order, and a dynamic is at best a number."""
    kinds = {left.kind, right.kind}
    fits = kinds in ({Kind.DATETIME}, {Kind.TIMESPAN}) or (kinds <= NUMBERS | {Kind.DYNAMIC} and bool(kinds & NUMBERS))
    _require_kinds(fits, sign, left, right)
    one, other = (_convert_number(side) for side in (left, right))
    compares = _ORDER[sign]

    def compare_row(row: Row) -> bool:
        a, b = one(row), other(row)
        return a is not None and b is not None and compares(a, b)

    return Compiled(Kind.BOOL, compare_row)


def _convert_number(side: Compiled) -> Callable[[Row], Any]:
    return (lambda row: to_real(side.value(row))) if side.kind == Kind.DYNAMIC else side.value


def _compare_text(sign: str, left: Compiled, right: Compiled) -> Compiled:
    _require_kinds({left.kind, right.kind} <= TEXTS, sign, left, right)
    denied = sign.startswith("!")
    holds = TEXT_TESTS["=~" if sign == "!~" else sign.removeprefix("!")]
    one, other = left.value, right.value
    return Compiled(Kind.BOOL, lambda row: holds(to_text(one(row)), to_text(other(row))) != denied)


def _compile_among(tree: Among, scope: Scope) -> Compiled:
    """`in` as `==`, `in~` as `=~`."""
    sign, value, choices = tree.sign, compile_expression(tree.value, scope), tree.choices
    word = sign.removeprefix("!")
    words = [choice.value for choice in choices if isinstance(choice, Literal) and isinstance(choice.value, str)]
    if value.kind in TEXTS and len(words) == len(choices):
        return _compile_membership(value, words, folds=word == "in~", denied=word != sign)
    test = "==" if word == "in" else "=~"
    holds = [_combine_operands(test, value, compile_expression(choice, scope)).value for choice in choices]
    return Compiled(Kind.BOOL, lambda row: any(each(row) for each in holds) == (word == sign))


def _compile_membership(value: Compiled, words: list[str], *, folds: bool, denied: bool) -> Compiled:
    """The usual case, quick for hundreds of ids."""
    whole = value.value
    if folds:
        folded = frozenset(word.lower() for word in words)
        return Compiled(Kind.BOOL, lambda row: (to_text(whole(row)).lower() in folded) != denied)
    exact = frozenset(words)
    return Compiled(Kind.BOOL, lambda row: (_text_or_none(whole(row)) in exact) != denied)


def _require_kinds(fits: bool, sign: str, left: Compiled, right: Compiled) -> None:  # noqa: FBT001 - reads as a sentence
    if not fits:
        refuse_types(f"The operator '{sign}' is not defined for the operand types {left.kind} and {right.kind}")


_COMPILERS: dict[type, Callable[[Any, Scope], Compiled]] = {
    Literal: _compile_literal,
    Name: _compile_column,
    Member: _compile_member,
    Call: _compile_call,
    Binary: _compile_binary,
    Among: _compile_among,
}
