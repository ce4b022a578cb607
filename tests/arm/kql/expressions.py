"""From the tree of an expression to its value for a row; every name and type is checked before."""

import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NoReturn

from tests.arm.kql.syntax import Among, Binary, Call, Expression, Literal, Member, Name
from tests.arm.kql.tokens import KqlError
from tests.arm.times import parse_time

Row = dict[str, Any]


class Kind(StrEnum):
    """A type of Kusto. A string is never null; everything else may be None."""

    STRING = "string"
    BOOL = "bool"
    DATETIME = "datetime"
    TIMESPAN = "timespan"
    LONG = "long"
    DYNAMIC = "dynamic"
    INT = "int"


@dataclass(frozen=True, slots=True)
class Table:
    """Columns in their order, and rows that hold a value for each; a source may be read once or again."""

    columns: Mapping[str, Kind]
    rows: Iterable[Row]


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression whose columns and types are known: its kind, and its value for a row."""

    kind: Kind
    value: Callable[[Row], Any]


def build_unresolved(name: str, what: str = "column") -> KqlError:
    """A name that stands for nothing."""
    return KqlError(f"Failed to resolve {what} named '{name}'", code="UnresolvedReference", token=name)


def refuse_types(message: str) -> NoReturn:
    """Operands that do not fit."""
    raise KqlError(message, code="TypeMismatch")


def to_text(value: Any) -> str:
    """`tostring()`: null is empty, a dynamic object its JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list | bool):
        # A time within a dynamic value is its text.
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=to_text)
    if isinstance(value, datetime):
        # An answer may hold tens of thousands: what prints ISO 8601 is much quicker than what prints any form.
        return f"{value.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}0Z"
    return "" if value is None else str(value)


def compile_expression(tree: Expression, columns: Mapping[str, Kind]) -> Compiled:
    """The expression, ready to be computed for each row."""
    match tree:
        case Literal(value):
            return Compiled(_LITERAL_KINDS[type(value)], lambda _: value)
        case Name(name):
            if name not in columns:
                raise build_unresolved(name)
            return Compiled(columns[name], operator.itemgetter(name))
        case Member(of, key):
            return _compile_member(compile_expression(of, columns), key)
        case Call(function, arguments):
            return _compile_call(function, [compile_expression(each, columns) for each in arguments])
        case Among(of, choices):
            return _compile_among(compile_expression(of, columns), choices)
        case Binary(sign, left, right):
            return _compile_binary(sign, compile_expression(left, columns), compile_expression(right, columns))


def compile_condition(tree: Expression, columns: Mapping[str, Kind]) -> Callable[[Row], Any]:
    """The same, where it must be true or false."""
    found = compile_expression(tree, columns)
    if found.kind != Kind.BOOL:
        refuse_types("The expression must have the type bool")
    return found.value


def _compile_member(of: Compiled, key: str | int) -> Compiled:
    """Null where there is none; keys are case-sensitive."""
    if of.kind != Kind.DYNAMIC:
        refuse_types(f"A value of type {of.kind} has no member '{key}'")

    def get_member(row: Row) -> Any:
        whole = of.value(row)
        if isinstance(whole, dict):
            return whole.get(key)
        return whole[key] if isinstance(whole, list) and isinstance(key, int) and key < len(whole) else None

    return Compiled(Kind.DYNAMIC, get_member)


def _compile_among(of: Compiled, choices: tuple[str, ...]) -> Compiled:
    if of.kind not in _TEXTS:
        refuse_types(f"The operator 'in~' is not defined for the operand type {of.kind}")
    whole, folded = of.value, frozenset(choice.lower() for choice in choices)
    return Compiled(Kind.BOOL, lambda row: to_text(whole(row)).lower() in folded)


def _compile_binary(sign: str, left: Compiled, right: Compiled) -> Compiled:
    one, other, kinds = left.value, right.value, {left.kind, right.kind}
    if not any(kinds <= allowed for allowed in _OPERANDS.get(sign, (_TEXTS,))):
        refuse_types(f"The operator '{sign}' is not defined for the operand types {left.kind} and {right.kind}")
    match sign:
        case "and":
            return Compiled(Kind.BOOL, lambda row: one(row) and other(row))
        case "or":
            return Compiled(Kind.BOOL, lambda row: one(row) or other(row))
        case "<=" | ">=":
            # Nothing is before or after null.
            compares = operator.le if sign == "<=" else operator.ge
            return Compiled(Kind.BOOL, lambda row: None not in (a := (one(row), other(row))) and compares(*a))
        case _:
            holds = _TEXT_TESTS[sign]
            return Compiled(Kind.BOOL, lambda row: holds(to_text(one(row)), to_text(other(row))))


def _compile_call(name: str, arguments: list[Compiled]) -> Compiled:
    if name not in _FUNCTIONS:
        raise build_unresolved(name, "function")
    kinds, result, compute = _FUNCTIONS[name]
    times = len(arguments) // len(kinds) if name in _VARIADIC else 1
    if len(arguments) != times * len(kinds):
        message = f"{name}(): takes {len(kinds)} arguments, was given {len(arguments)}"
        raise KqlError(message, code="InvalidArguments", token=name)
    for number, (argument, allowed) in enumerate(zip(arguments, kinds * times, strict=True), 1):
        if argument.kind not in allowed:
            refuse_types(f"{name}(): argument {number} must be {' or '.join(sorted(allowed))}")
    values = [argument.value for argument in arguments]
    # Those of one and two are computed for each of tens of thousands of heartbeats.
    match values:
        case [only]:
            return Compiled(result, lambda row: compute(only(row)))
        case [first, second]:
            return Compiled(result, lambda row: compute(first(row), second(row)))
        case _:
            return Compiled(result, lambda row: compute(*(value(row) for value in values)))


def _floor_time(at: datetime | None, size: timedelta) -> datetime | None:
    """Bins of times are counted from the year 1."""
    return None if at is None else at - (at - _FIRST_DAY) % size


_FIRST_DAY = datetime(1, 1, 1, tzinfo=UTC)
_LITERAL_KINDS = {str: Kind.STRING, int: Kind.LONG, datetime: Kind.DATETIME, timedelta: Kind.TIMESPAN}
_STRING = frozenset({Kind.STRING})
_TEXTS = frozenset({Kind.STRING, Kind.DYNAMIC})
_TIMES = frozenset({Kind.DATETIME})
_BOOL = frozenset({Kind.BOOL})
_NUMBERS = frozenset({Kind.LONG})
_DYNAMIC = frozenset({Kind.DYNAMIC})
_PRINTABLE = _TEXTS | _TIMES | _NUMBERS
"""What has one text: of a bool it is told as `true` and as `True`."""
_OPERANDS = {"and": (_BOOL,), "or": (_BOOL,), "<=": (_TIMES, _NUMBERS), ">=": (_TIMES, _NUMBERS)}
"""Of which kind both sides must be; texts for the rest."""
_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda value, part: part.lower() in value.lower(),
    "matches": lambda value, pattern: re.search(pattern, value) is not None,
    "=~": lambda value, other: value.lower() == other.lower(),
    "!~": lambda value, other: value.lower() != other.lower(),
}
_FUNCTIONS: dict[str, tuple[tuple[frozenset[Kind], ...], Kind, Callable[..., Any]]] = {
    "tolower": ((_TEXTS,), Kind.STRING, lambda value: to_text(value).lower()),
    "tostring": ((_PRINTABLE,), Kind.STRING, to_text),
    "todatetime": ((_TEXTS,), Kind.DATETIME, lambda value: parse_time(to_text(value))),
    "split": ((_TEXTS, _STRING), Kind.DYNAMIC, lambda value, separator: to_text(value).split(separator)),
    "isnotempty": ((_TEXTS,), Kind.BOOL, lambda value: value not in (None, "")),
    "bin": ((_TIMES, frozenset({Kind.TIMESPAN})), Kind.DATETIME, _floor_time),
    "pack_array": ((_PRINTABLE,), Kind.DYNAMIC, lambda *values: list(values)),
    "array_length": ((_DYNAMIC,), Kind.LONG, lambda value: len(value) if isinstance(value, list) else None),
    "iff": ((_BOOL, _DYNAMIC, _DYNAMIC), Kind.DYNAMIC, lambda holds, one, other: one if holds else other),
    "bag_pack": ((_STRING, _PRINTABLE), Kind.DYNAMIC, lambda *pairs: dict(zip(pairs[::2], pairs[1::2], strict=True))),
}
"""What each takes, the kind it gives, and what it computes: null or nothing for what it cannot read, as in Kusto."""
_VARIADIC = ("pack_array", "bag_pack")
"""Whose arguments may be given any number of times."""
