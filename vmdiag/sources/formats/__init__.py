"""The wire forms of Azure's feeds, one a module: what a row looks like and what it says.

A form is added as one file with `SIGNALS`, `SIGNATURES` and `decode_row`; it may also have `identify_signals(row)`: to
which of its feeds a row belongs, as far as the row tells; and, where files of millions of rows come in this form,
`build_screen()`: which of them say nothing; it then stands in `SCREENED_FORMS`.
"""

import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, NamedTuple, Protocol

from vmdiag.completeness import Row
from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import find_text, fold_column_names
from vmdiag.sources.items import FeedCoverage, Item
from vmdiag.values import Struct

# Files of millions of rows come in these forms.
SCREENED_FORMS = ("activity-log", "exported-records")
EVENT_TYPE_KEYS = ("eventType", "type")  # where Event Grid's own schema and CloudEvents name the type


class Signature(Struct, frozen=True, kw_only=True):
    """What rows of a form have in common; all that is given must be so.

    Of the keys of a row `all_of`, at least one of `one_of` and none of `none_of`; in a table (`is_folded`) the first
    two are column names as `fold_column_names` gives them. `kind` matches the first of `kind_keys` that holds a text,
    and the empty text where none does. `condition` is for what keys and kind cannot tell: it is asked last.
    """

    all_of: AbstractSet[str] = frozenset()
    one_of: AbstractSet[str] = frozenset()
    none_of: AbstractSet[str] = frozenset()
    is_folded: bool = False
    kind: re.Pattern[str] | None = None
    kind_keys: tuple[str, ...] = ("type",)
    condition: Callable[[Row], bool] | None = None


class RecordScreen(NamedTuple):
    """Which records of a form can be left out unread: of a silent resource, and of a silent kind.

    `record` is a msgspec struct that forbids unknown members and has an aware `time`. Of what `get_resource` takes from
    it, `find_silent_scope` tells the scope that such a record shows to be read, where that is all it says; `None` where
    it may say more; `find_silent_parent` tells it of what stands before the last slash, where it is the same whichever
    single word comes behind. `is_silent_kind` takes the members `kind`. `list_coverage` says what is read of a scope.
    """

    record: type
    get_resource: Callable[[Any], str]
    kind: tuple[str, str]
    find_silent_parent: Callable[[str], str | None]
    find_silent_scope: Callable[[str], str | None]
    is_silent_kind: Callable[..., bool]
    list_coverage: Callable[[str], tuple[FeedCoverage, ...]]


class InputFormat(Protocol):
    """A module of this folder."""

    SIGNALS: tuple[Signal, ...]
    """The feeds that come in this form: what is not heard where a row of it is lost."""

    SIGNATURES: tuple[Signature, ...]
    """A row of this form has one of them, a row of another form none."""

    def decode_row(self, row: Row, ref: str) -> Iterator[Item]:
        """What a row says; raises `MalformedRow` when it cannot be used."""
        ...


def recognises_row(form: InputFormat, row: Row) -> bool:
    """Whether a row is of this form, by its content alone."""
    return any(map(partial(matches_signature, row), form.SIGNATURES))


def matches_signature(row: Row, signature: Signature) -> bool:
    """Whether a row has all that a signature names."""
    keys = fold_column_names(row).keys() if signature.is_folded else row.keys()
    return (
        keys >= signature.all_of
        and not (signature.one_of and keys.isdisjoint(signature.one_of))
        and row.keys().isdisjoint(signature.none_of)
        and (signature.kind is None or signature.kind.fullmatch(find_text(row, *signature.kind_keys)) is not None)
        and (signature.condition is None or signature.condition(row))
    )
