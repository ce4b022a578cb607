"""Scalar functions of Kusto: what each takes, gives and does; must not know the tree of a query."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.arm.kql.errors import KqlError, refuse_types, unresolved
from tests.arm.kql.table import Kind, Row
from tests.arm.kql.values import moment_of, real, text, truth, whole

Kinds = frozenset[Kind]

ANY: Kinds = frozenset(Kind)
TEXTS: Kinds = frozenset({Kind.STRING, Kind.DYNAMIC})
NUMBERS: Kinds = frozenset({Kind.LONG, Kind.REAL})
_SPOKEN: Kinds = ANY - {Kind.BOOL}
"""What has one text: of a bool it is told as `true` and as `True`."""
_STRING: Kinds = frozenset({Kind.STRING})
_LONG: Kinds = frozenset({Kind.LONG})
_DYNAMIC: Kinds = frozenset({Kind.DYNAMIC})
_BOOL: Kinds = frozenset({Kind.BOOL})


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression whose columns and types are known: its kind, and its value for a row."""

    kind: Kind
    value: Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class _Function:
    takes: tuple[Kinds, ...]
    gives: Kind
    does: Callable[..., Any]
    optional: int = 0
    more: bool = False
    """Whether the last kind may be given any number of times."""


def call(name: str, arguments: list[Compiled], now: datetime) -> Compiled:
    """The function of this name on these arguments."""
    if name in _FORMS:
        return _FORMS[name](arguments, now)
    function = _FUNCTIONS.get(name)
    if function is None:
        raise unresolved(name, "function")
    _check(name, function, arguments)
    does = function.does
    values = [argument.value for argument in arguments]
    return Compiled(function.gives, lambda row: does(*(value(row) for value in values)))


def _check(name: str, function: _Function, arguments: list[Compiled]) -> None:
    least, most = len(function.takes) - function.optional, len(function.takes)
    if len(arguments) < least or (len(arguments) > most and not function.more):
        message = f"{name}(): takes {most} arguments, was given {len(arguments)}"
        raise KqlError(message, code="InvalidArguments", token=name)
    for number, argument in enumerate(arguments):
        allowed = function.takes[min(number, most - 1)]
        if argument.kind not in allowed:
            refuse_types(f"{name}(): argument {number + 1} must be {' or '.join(sorted(allowed))}")


def _iff(arguments: list[Compiled], _: datetime) -> Compiled:
    return _case(arguments, _) if len(arguments) == 3 else _refuse("iff")


def _case(arguments: list[Compiled], _: datetime) -> Compiled:
    """`case(condition, value, ..., otherwise)`."""
    *pairs, otherwise = arguments
    if len(pairs) % 2 or not pairs or any(condition.kind != Kind.BOOL for condition in pairs[::2]):
        _refuse("case")
    kind = _common("case", [*pairs[1::2], otherwise])
    choices = [(pairs[n].value, pairs[n + 1].value) for n in range(0, len(pairs), 2)]

    def chosen(row: Row) -> Any:
        return next((value for condition, value in choices if condition(row)), otherwise.value)(row)

    return Compiled(kind, chosen)


def _coalesce(arguments: list[Compiled], _: datetime) -> Compiled:
    kind = _common("coalesce", arguments)
    values = [argument.value for argument in arguments]

    def first(row: Row) -> Any:
        found = (value(row) for value in values)
        return next((value for value in found if value not in (None, "")), "" if kind == Kind.STRING else None)

    return Compiled(kind, first)


def _common(name: str, arguments: list[Compiled]) -> Kind:
    kinds = {argument.kind for argument in arguments}
    if len(kinds) != 1:
        refuse_types(f"{name}(): all values must be of one type, not {' and '.join(sorted(kinds))}")
    return kinds.pop()


def _refuse(name: str) -> Compiled:
    message = f"{name}(): wrong arguments"
    raise KqlError(message, code="InvalidArguments", token=name)


def _now(arguments: list[Compiled], now: datetime) -> Compiled:
    return _refuse("now") if arguments else Compiled(Kind.DATETIME, lambda _: now)


def _ago(arguments: list[Compiled], now: datetime) -> Compiled:
    if [argument.kind for argument in arguments] != [Kind.TIMESPAN]:
        refuse_types("ago(): a value of type timespan expected")
    back = arguments[0].value
    return Compiled(Kind.DATETIME, lambda row: now - back(row))


def _bin(arguments: list[Compiled], _: datetime) -> Compiled:
    if len(arguments) != 2:
        _refuse("bin")
    value, size = arguments
    if value.kind == Kind.DATETIME and size.kind == Kind.TIMESPAN:
        return Compiled(Kind.DATETIME, lambda row: _floor(value.value(row), size.value(row)))
    if not {value.kind, size.kind} <= NUMBERS:
        refuse_types("bin(): a datetime and a timespan, or numbers")
    return Compiled(value.kind, lambda row: value.value(row) // size.value(row) * size.value(row))


_FIRST = datetime(1, 1, 1, tzinfo=UTC)
"""Bins of times are counted from here."""


def _floor(at: datetime | None, size: timedelta) -> datetime | None:
    return None if at is None else at - (at - _FIRST) % size


_FORMS: dict[str, Callable[[list[Compiled], datetime], Compiled]] = {
    "iff": _iff,
    "iif": _iff,
    "case": _case,
    "coalesce": _coalesce,
    "now": _now,
    "ago": _ago,
    "bin": _bin,
}
"""Functions whose type depends on their arguments, or whose value on the time."""


def _split(value: Any, separator: str, index: int | None = None) -> Any:
    parts = text(value).split(separator)
    return parts if index is None else parts[index : index + 1]


def _extract(pattern: str, group: int, value: Any) -> str:
    found = re.search(pattern, text(value))
    return (found.group(group) or "") if found else ""


def _bag(*pairs: Any) -> dict[str, Any]:
    return {text(key): value for key, value in zip(pairs[::2], pairs[1::2], strict=True)}


def _array(*values: Any) -> list[Any]:
    return list(values)


def _parsed(value: Any) -> Any:
    """`parse_json()`: a text that is no JSON stays a text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _is_empty(value: Any) -> bool:
    return value is None or value == ""


def _is_null(value: Any) -> bool:
    return value is None


_PACK = _Function((_STRING, ANY), Kind.DYNAMIC, _bag, more=True)
_FUNCTIONS = {
    "not": _Function((_BOOL,), Kind.BOOL, lambda value: None if value is None else not value),
    "tolower": _Function((TEXTS,), Kind.STRING, lambda value: text(value).lower()),
    "toupper": _Function((TEXTS,), Kind.STRING, lambda value: text(value).upper()),
    "tostring": _Function((_SPOKEN,), Kind.STRING, text),
    "todatetime": _Function((TEXTS | {Kind.DATETIME},), Kind.DATETIME, moment_of),
    "toint": _Function((ANY - {Kind.DATETIME},), Kind.LONG, whole),
    "tolong": _Function((ANY - {Kind.DATETIME},), Kind.LONG, whole),
    "toreal": _Function((ANY - {Kind.DATETIME},), Kind.REAL, real),
    "todouble": _Function((ANY - {Kind.DATETIME},), Kind.REAL, real),
    "tobool": _Function((ANY,), Kind.BOOL, truth),
    "split": _Function((TEXTS, _STRING, _LONG), Kind.DYNAMIC, _split, optional=1),
    "isempty": _Function((TEXTS,), Kind.BOOL, _is_empty),
    "isnotempty": _Function((TEXTS,), Kind.BOOL, lambda value: not _is_empty(value)),
    "isnull": _Function((ANY,), Kind.BOOL, _is_null),
    "isnotnull": _Function((ANY,), Kind.BOOL, lambda value: not _is_null(value)),
    "strcat": _Function((_SPOKEN,), Kind.STRING, lambda *values: "".join(map(text, values)), more=True),
    "strlen": _Function((TEXTS,), Kind.LONG, lambda value: len(text(value))),
    "substring": _Function((TEXTS, _LONG, _LONG), Kind.STRING, lambda v, at, n=None: text(v)[at:][:n], optional=1),
    "replace_string": _Function((TEXTS, _STRING, _STRING), Kind.STRING, lambda v, old, new: text(v).replace(old, new)),
    "extract": _Function((_STRING, _LONG, TEXTS), Kind.STRING, _extract),
    "array_length": _Function((_DYNAMIC,), Kind.LONG, lambda v: len(v) if isinstance(v, list) else None),
    "parse_json": _Function((TEXTS,), Kind.DYNAMIC, _parsed),
    "todynamic": _Function((TEXTS,), Kind.DYNAMIC, _parsed),
    "pack": _PACK,
    "pack_array": _Function((ANY,), Kind.DYNAMIC, _array, more=True),
    "bag_pack": _PACK,
}
"""Conversions give null or nothing for what they cannot read, as in Kusto."""
