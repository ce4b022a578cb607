"""From the tree of an expression to its value for a row; every name and type is checked before."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.arm.kql.errors import refuse_types, unresolved
from tests.arm.kql.functions import NUMBERS, TEXTS, Compiled, call
from tests.arm.kql.syntax import Among, Between, Binary, Call, Expression, Literal, Member, Name, Negative
from tests.arm.kql.table import Kind, Row
from tests.arm.kql.values import TEXT_TESTS, member, real, text

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SUMS: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub}
_PRODUCTS: dict[str, Callable[[Any, Any], Any]] = {"*": operator.mul, "/": operator.truediv, "%": operator.mod}
_TIMES = frozenset({Kind.DATETIME, Kind.TIMESPAN})
_SUM_KINDS = {
    ("+", Kind.DATETIME, Kind.TIMESPAN): Kind.DATETIME,
    ("-", Kind.DATETIME, Kind.TIMESPAN): Kind.DATETIME,
    ("-", Kind.DATETIME, Kind.DATETIME): Kind.TIMESPAN,
    ("+", Kind.TIMESPAN, Kind.TIMESPAN): Kind.TIMESPAN,
    ("-", Kind.TIMESPAN, Kind.TIMESPAN): Kind.TIMESPAN,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may name, and the time."""

    columns: Mapping[str, Kind]
    now: datetime


def compiled(expression: Expression, scope: Scope) -> Compiled:
    """The expression, ready to be computed for each row."""
    return _COMPILERS[type(expression)](expression, scope)


def condition(expression: Expression, scope: Scope) -> Callable[[Row], Any]:
    """The same, where it must be true or false."""
    found = compiled(expression, scope)
    if found.kind != Kind.BOOL:
        refuse_types("The expression must have the type bool")
    return found.value


def _kind_of(value: object) -> Kind:
    kinds = {bool: Kind.BOOL, int: Kind.LONG, float: Kind.REAL, datetime: Kind.DATETIME, timedelta: Kind.TIMESPAN}
    return kinds.get(type(value), Kind.STRING)


def _literal(tree: Literal, _: Scope) -> Compiled:
    value = tree.value
    return Compiled(_kind_of(value), lambda _: value)


def _column(tree: Name, scope: Scope) -> Compiled:
    if tree.name not in scope.columns:
        raise unresolved(tree.name)
    return Compiled(scope.columns[tree.name], operator.itemgetter(tree.name))


def _member(tree: Member, scope: Scope) -> Compiled:
    of, key = compiled(tree.of, scope), tree.key
    if of.kind != Kind.DYNAMIC:
        refuse_types(f"A value of type {of.kind} has no member '{key}'")
    whole = of.value
    return Compiled(Kind.DYNAMIC, lambda row: member(whole(row), key))


def _call(tree: Call, scope: Scope) -> Compiled:
    if tree.star:
        refuse_types("* stands only in arg_max() and arg_min()")
    return call(tree.function, [compiled(each, scope) for each in tree.arguments], scope.now)


def _negative(tree: Negative, scope: Scope) -> Compiled:
    of = compiled(tree.of, scope)
    if of.kind not in NUMBERS | {Kind.TIMESPAN}:
        refuse_types(f"A value of type {of.kind} cannot be negative")
    return Compiled(of.kind, lambda row: -of.value(row))


def _two(tree: Binary, scope: Scope) -> Compiled:
    return _binary(tree.sign, compiled(tree.left, scope), compiled(tree.right, scope))


def _binary(sign: str, left: Compiled, right: Compiled) -> Compiled:
    if sign in ("and", "or"):
        return _logical(sign, left, right)
    if sign in ("==", "!="):
        return _equality(left, right, denied=sign == "!=")
    if sign in _ORDER:
        return _relation(sign, left, right)
    if sign in _SUMS or sign in _PRODUCTS:
        return _arithmetic(sign, left, right)
    return _text_test(sign, left, right)


def _logical(sign: str, left: Compiled, right: Compiled) -> Compiled:
    _demand(left.kind == right.kind == Kind.BOOL, sign, left, right)
    one, other = left.value, right.value
    if sign == "and":
        return Compiled(Kind.BOOL, lambda row: one(row) and other(row))
    return Compiled(Kind.BOOL, lambda row: one(row) or other(row))


def _equality(left: Compiled, right: Compiled, *, denied: bool) -> Compiled:
    """Null equals nothing; a dynamic value is compared as what stands on the other side."""
    kinds = {left.kind, right.kind}
    fits = len(kinds) == 1 or kinds <= NUMBERS or (Kind.DYNAMIC in kinds and not kinds & _TIMES)
    _demand(fits, "!=" if denied else "==", left, right)
    one, other = left.value, right.value
    if kinds == {Kind.STRING, Kind.DYNAMIC}:
        return Compiled(Kind.BOOL, lambda row: (_texts(one(row)) == _texts(other(row))) != denied)
    return Compiled(Kind.BOOL, lambda row: _equal(one(row), other(row)) != denied)


def _texts(value: Any) -> str | None:
    return None if value is None else text(value)


def _equal(one: Any, other: Any) -> bool:
    return one is not None and isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _relation(sign: str, left: Compiled, right: Compiled) -> Compiled:
    """Times with times, numbers with numbers; texts have no order, and a dynamic is at best a number."""
    kinds = {left.kind, right.kind}
    fits = kinds in ({Kind.DATETIME}, {Kind.TIMESPAN}) or (kinds <= NUMBERS | {Kind.DYNAMIC} and bool(kinds & NUMBERS))
    _demand(fits, sign, left, right)
    one, other = (_number(side) for side in (left, right))
    compares = _ORDER[sign]

    def holds(row: Row) -> bool:
        a, b = one(row), other(row)
        return a is not None and b is not None and compares(a, b)

    return Compiled(Kind.BOOL, holds)


def _number(side: Compiled) -> Callable[[Row], Any]:
    return (lambda row: real(side.value(row))) if side.kind == Kind.DYNAMIC else side.value


def _between(tree: Between, scope: Scope) -> Compiled:
    value, negated = compiled(tree.value, scope), tree.negated
    above = _relation(">=", value, compiled(tree.low, scope)).value
    below = _relation("<=", value, compiled(tree.high, scope)).value
    return Compiled(Kind.BOOL, lambda row: (above(row) and below(row)) != negated)


def _arithmetic(sign: str, left: Compiled, right: Compiled) -> Compiled:
    kind = _SUM_KINDS.get((sign, left.kind, right.kind))
    if kind is None:
        _demand({left.kind, right.kind} <= NUMBERS, sign, left, right)
        kind = Kind.LONG if left.kind == right.kind == Kind.LONG else Kind.REAL
    computes = operator.floordiv if sign == "/" and kind == Kind.LONG else (_SUMS | _PRODUCTS)[sign]

    def value(row: Row) -> Any:
        a, b = left.value(row), right.value(row)
        return None if a is None or b is None or (sign in "/%" and not b) else computes(a, b)

    return Compiled(kind, value)


def _text_test(sign: str, left: Compiled, right: Compiled) -> Compiled:
    _demand({left.kind, right.kind} <= TEXTS, sign, left, right)
    denied = sign.startswith("!")
    holds = TEXT_TESTS["=~" if sign == "!~" else sign.removeprefix("!")]
    one, other = left.value, right.value
    return Compiled(Kind.BOOL, lambda row: holds(text(one(row)), text(other(row))) != denied)


def _among(tree: Among, scope: Scope) -> Compiled:
    """`in` as `==`, `in~` as `=~`, `has_any` and `has_all` as `has`."""
    sign, value, choices = tree.sign, compiled(tree.value, scope), tree.choices
    word = sign.removeprefix("!")
    words = [choice.value for choice in choices if isinstance(choice, Literal) and isinstance(choice.value, str)]
    if word in ("in", "in~") and value.kind in TEXTS and len(words) == len(choices):
        return _in_words(value, words, folds=word == "in~", denied=word != sign)
    tests = {"in": "==", "in~": "=~", "has_any": "has", "has_all": "has"}
    holds = [_binary(tests[word], value, compiled(choice, scope)).value for choice in choices]
    every = all if word == "has_all" else any
    return Compiled(Kind.BOOL, lambda row: every(each(row) for each in holds) == (word == sign))


def _in_words(value: Compiled, words: list[str], *, folds: bool, denied: bool) -> Compiled:
    """The usual case, quick for hundreds of ids."""
    whole = value.value
    if folds:
        folded = frozenset(word.lower() for word in words)
        return Compiled(Kind.BOOL, lambda row: (text(whole(row)).lower() in folded) != denied)
    exact = frozenset(words)
    return Compiled(Kind.BOOL, lambda row: (_texts(whole(row)) in exact) != denied)


def _demand(fits: bool, sign: str, left: Compiled, right: Compiled) -> None:  # noqa: FBT001 - reads as a sentence
    if not fits:
        refuse_types(f"The operator '{sign}' is not defined for the operand types {left.kind} and {right.kind}")


_COMPILERS: dict[type, Callable[[Any, Scope], Compiled]] = {
    Literal: _literal,
    Name: _column,
    Member: _member,
    Call: _call,
    Negative: _negative,
    Binary: _two,
    Among: _among,
    Between: _between,
}
