"""Remembers what was computed of a value that is too large to be compared or hashed; must not know what it is."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Generic, TypeVar

Value = TypeVar("Value")
Result = TypeVar("Result")


class _Same(Generic[Value]):
    """A value as a key: the same object, not one that is equal."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value


def cache_by_identity(most: int) -> Callable[[Callable[[Value], Result]], Callable[[Value], Result]]:
    """The same function, which computes its answer for a frozen value once while that is among the last `most`."""

    def decorate(function: Callable[[Value], Result]) -> Callable[[Value], Result]:
        @lru_cache(maxsize=most)
        def answer(key: _Same[Value]) -> Result:
            return function(key.value)

        @wraps(function)
        def cached(value: Value) -> Result:
            return answer(_Same(value))

        return cached

    return decorate
