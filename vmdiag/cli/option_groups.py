"""Lets commands wear sets of options: a parameter that is a dataclass becomes an option for each of its fields.

Must not know any option. Typer reads the signature that this writes.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import typer

_FIELDS = "__dataclass_fields__"


def expand_option_groups(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """The command as Typer is to see it."""
    plain = inspect.signature(command)
    groups: dict[str, type[Any]] = {
        name: each.annotation for name, each in plain.parameters.items() if hasattr(each.annotation, _FIELDS)
    }

    @functools.wraps(command)
    def call_with_groups(**words: Any) -> int | None:  # noqa: ANN401 - whatever Typer parsed
        for name, kind in groups.items():
            words[name] = kind(**{field.name: words.pop(field.name) for field in dataclasses.fields(kind)})
        return command(**words)

    del call_with_groups.__wrapped__  # Typer would look through it
    parameters = [each for one in plain.parameters.values() for each in _expand_parameter(one)]
    call_with_groups.__signature__ = plain.replace(parameters=parameters)  # type: ignore[attr-defined]
    call_with_groups.__annotations__ = {each.name: each.annotation for each in parameters}
    return call_with_groups


def _expand_parameter(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    if not hasattr(parameter.annotation, _FIELDS):
        yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        return
    for field in dataclasses.fields(parameter.annotation):
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        yield inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=field.type)


def list_typed_options(context: typer.Context) -> set[str]:
    """The names of the parameters that stand on the command line; the others are defaults, or the environment's."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"}
