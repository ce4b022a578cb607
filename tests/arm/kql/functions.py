"""Scalar functions of Kusto: what each takes, gives and does; must not know the tree of a query."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.arm.kql.errors import KqlError, build_unresolved, refuse_types
from tests.arm.kql.table import Kind, Row
from tests.arm.kql.values import to_bool, to_datetime, to_long, to_real, to_text

Kinds = frozenset[Kind]

ANY: Kinds = frozenset(Kind)
TEXTS: Kinds = frozenset({Kind.STRING, Kind.DYNAMIC})
NUMBERS: Kinds = frozenset({Kind.LONG, Kind.REAL})
_PRINTABLE: Kinds = ANY - {Kind.BOOL}
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
    argument_kinds: tuple[Kinds, ...]
    result_kind: Kind
    compute: Callable[..., Any]
    optional: int = 0
    is_variadic: bool = False
    """Whether the last kind may be given any number of times."""


def compile_call(name: str, arguments: list[Compiled], now: datetime) -> Compiled:
    """The function of this name on these arguments."""
    if name in _SPECIAL_FUNCTIONS:
        return _SPECIAL_FUNCTIONS[name](arguments, now)
    function = _FUNCTIONS.get(name)
    if function is None:
        raise build_unresolved(name, "function")
    _check_arguments(name, function, arguments)
    does = function.compute
    values = [argument.value for argument in arguments]
    return Compiled(function.result_kind, lambda row: does(*(value(row) for value in values)))


def _check_arguments(name: str, function: _Function, arguments: list[Compiled]) -> None:
    least, most = len(function.argument_kinds) - function.optional, len(function.argument_kinds)
    if len(arguments) < least or (len(arguments) > most and not function.is_variadic):
        message = f"{name}(): takes {most} arguments, was given {len(arguments)}"
        raise KqlError(message, code="InvalidArguments", token=name)
    for number, argument in enumerate(arguments):
        allowed = function.argument_kinds[min(number, most - 1)]
        if argument.kind not in allowed:
            refuse_types(f"{name}(): argument {number + 1} must be {' or '.join(sorted(allowed))}")


def _compile_iff(arguments: list[Compiled], _: datetime) -> Compiled:
    return _compile_case(arguments, _) if len(arguments) == 3 else _refuse_arguments("iff")


def _compile_case(arguments: list[Compiled], _: datetime) -> Compiled:
    """`case(condition, value, ..., otherwise)`."""
    *pairs, otherwise = arguments
    if len(pairs) % 2 or not pairs or any(condition.kind != Kind.BOOL for condition in pairs[::2]):
        _refuse_arguments("case")
    kind = _require_common_kind("case", [*pairs[1::2], otherwise])
    choices = [(pairs[n].value, pairs[n + 1].value) for n in range(0, len(pairs), 2)]

    def choose_value(row: Row) -> Any:
        return next((value for condition, value in choices if condition(row)), otherwise.value)(row)

    return Compiled(kind, choose_value)


def _compile_coalesce(arguments: list[Compiled], _: datetime) -> Compiled:
    kind = _require_common_kind("coalesce", arguments)
    values = [argument.value for argument in arguments]

    def find_first(row: Row) -> Any:
        found = (value(row) for value in values)
        return next((value for value in found if value not in (None, "")), "" if kind == Kind.STRING else None)

    return Compiled(kind, find_first)


def _require_common_kind(name: str, arguments: list[Compiled]) -> Kind:
    kinds = {argument.kind for argument in arguments}
    if len(kinds) != 1:
        refuse_types(f"{name}(): all values must be of one type, not {' and '.join(sorted(kinds))}")
    return kinds.pop()


def _refuse_arguments(name: str) -> Compiled:
    message = f"{name}(): wrong arguments"
    raise KqlError(message, code="InvalidArguments", token=name)


def _compile_now(arguments: list[Compiled], now: datetime) -> Compiled:
    return _refuse_arguments("now") if arguments else Compiled(Kind.DATETIME, lambda _: now)


def _compile_ago(arguments: list[Compiled], now: datetime) -> Compiled:
    if [argument.kind for argument in arguments] != [Kind.TIMESPAN]:
        refuse_types("ago(): a value of type timespan expected")
    back = arguments[0].value
    return Compiled(Kind.DATETIME, lambda row: now - back(row))


def _compile_bin(arguments: list[Compiled], _: datetime) -> Compiled:
    if len(arguments) != 2:
        _refuse_arguments("bin")
    value, size = arguments
    if value.kind == Kind.DATETIME and size.kind == Kind.TIMESPAN:
        return Compiled(Kind.DATETIME, lambda row: _floor_time(value.value(row), size.value(row)))
    if not {value.kind, size.kind} <= NUMBERS:
        refuse_types("bin(): a datetime and a timespan, or numbers")
    return Compiled(value.kind, lambda row: value.value(row) // size.value(row) * size.value(row))


_BIN_ORIGIN = datetime(1, 1, 1, tzinfo=UTC)
"""Bins of times are counted from here."""


def _floor_time(at: datetime | None, size: timedelta) -> datetime | None:
    return None if at is None else at - (at - _BIN_ORIGIN) % size


_SPECIAL_FUNCTIONS: dict[str, Callable[[list[Compiled], datetime], Compiled]] = {
    "iff": _compile_iff,
    "iif": _compile_iff,
    "case": _compile_case,
    "coalesce": _compile_coalesce,
    "now": _compile_now,
    "ago": _compile_ago,
    "bin": _compile_bin,
}
"""Functions whose type depends on their arguments, or whose value on the time."""


def _split_text(value: Any, separator: str, index: int | None = None) -> Any:
    parts = to_text(value).split(separator)
    return parts if index is None else parts[index : index + 1]


def _extract_group(pattern: str, group: int, value: Any) -> str:
    found = re.search(pattern, to_text(value))
    return (found.group(group) or "") if found else ""


def _pack_bag(*pairs: Any) -> dict[str, Any]:
    return {to_text(key): value for key, value in zip(pairs[::2], pairs[1::2], strict=True)}


def _pack_array(*values: Any) -> list[Any]:
    return list(values)


def _parse_json(value: Any) -> Any:
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


_PACK = _Function((_STRING, ANY), Kind.DYNAMIC, _pack_bag, is_variadic=True)
_FUNCTIONS = {
    "not": _Function((_BOOL,), Kind.BOOL, lambda value: None if value is None else not value),
    "tolower": _Function((TEXTS,), Kind.STRING, lambda value: to_text(value).lower()),
    "toupper": _Function((TEXTS,), Kind.STRING, lambda value: to_text(value).upper()),
    "tostring": _Function((_PRINTABLE,), Kind.STRING, to_text),
    "todatetime": _Function((TEXTS | {Kind.DATETIME},), Kind.DATETIME, to_datetime),
    "toint": _Function((ANY - {Kind.DATETIME},), Kind.LONG, to_long),
    "tolong": _Function((ANY - {Kind.DATETIME},), Kind.LONG, to_long),
    "toreal": _Function((ANY - {Kind.DATETIME},), Kind.REAL, to_real),
    "todouble": _Function((ANY - {Kind.DATETIME},), Kind.REAL, to_real),
    "tobool": _Function((ANY,), Kind.BOOL, to_bool),
    "split": _Function((TEXTS, _STRING, _LONG), Kind.DYNAMIC, _split_text, optional=1),
    "isempty": _Function((TEXTS,), Kind.BOOL, _is_empty),
    "isnotempty": _Function((TEXTS,), Kind.BOOL, lambda value: not _is_empty(value)),
    "isnull": _Function((ANY,), Kind.BOOL, _is_null),
    "isnotnull": _Function((ANY,), Kind.BOOL, lambda value: not _is_null(value)),
    "strcat": _Function((_PRINTABLE,), Kind.STRING, lambda *values: "".join(map(to_text, values)), is_variadic=True),
    "strlen": _Function((TEXTS,), Kind.LONG, lambda value: len(to_text(value))),
    "substring": _Function((TEXTS, _LONG, _LONG), Kind.STRING, lambda v, at, n=None: to_text(v)[at:][:n], optional=1),
    "replace_string": _Function(
        (TEXTS, _STRING, _STRING), Kind.STRING, lambda v, old, new: to_text(v).replace(old, new)
    ),
    "extract": _Function((_STRING, _LONG, TEXTS), Kind.STRING, _extract_group),
    "array_length": _Function((_DYNAMIC,), Kind.LONG, lambda v: len(v) if isinstance(v, list) else None),
    "parse_json": _Function((TEXTS,), Kind.DYNAMIC, _parse_json),
    "todynamic": _Function((TEXTS,), Kind.DYNAMIC, _parse_json),
    "pack": _PACK,
    "pack_array": _Function((ANY,), Kind.DYNAMIC, _pack_array, is_variadic=True),
    "bag_pack": _PACK,
}
"""Conversions give null or nothing for what they cannot read, as in Kusto."""
