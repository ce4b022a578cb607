"""Scalar functions of Kusto: what each takes, gives and does; must not know the tree of a query."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.arm.kql.errors import KqlError, build_unresolved, refuse_types
from tests.arm.kql.table import Kind, Row
from tests.arm.kql.values import to_datetime, to_text

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


def _refuse_arguments(name: str) -> Compiled:
    message = f"{name}(): wrong arguments"
    raise KqlError(message, code="InvalidArguments", token=name)


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
    "ago": _compile_ago,
    "bin": _compile_bin,
}
"""Functions whose type depends on their arguments, or whose value on the time."""


def _split_text(value: Any, separator: str, index: int | None = None) -> Any:
    parts = to_text(value).split(separator)
    return parts if index is None else parts[index : index + 1]


def _pack_bag(*pairs: Any) -> dict[str, Any]:
    return {to_text(key): value for key, value in zip(pairs[::2], pairs[1::2], strict=True)}


def _pack_array(*values: Any) -> list[Any]:
    return list(values)


def _is_empty(value: Any) -> bool:
    return value is None or value == ""


_FUNCTIONS = {
    "tolower": _Function((TEXTS,), Kind.STRING, lambda value: to_text(value).lower()),
    "tostring": _Function((_PRINTABLE,), Kind.STRING, to_text),
    "todatetime": _Function((TEXTS | {Kind.DATETIME},), Kind.DATETIME, to_datetime),
    "split": _Function((TEXTS, _STRING, _LONG), Kind.DYNAMIC, _split_text, optional=1),
    "isnotempty": _Function((TEXTS,), Kind.BOOL, lambda value: not _is_empty(value)),
    "pack_array": _Function((ANY,), Kind.DYNAMIC, _pack_array, is_variadic=True),
    "bag_pack": _Function((_STRING, ANY), Kind.DYNAMIC, _pack_bag, is_variadic=True),
}
"""Conversions give null or nothing for what they cannot read, as in Kusto."""
