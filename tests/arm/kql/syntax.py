"""What a query says, as a tree; must not know what is true of any row."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

Expression: TypeAlias = "Literal | Name | Member | Call | Binary | Among"


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: str | float | bool | datetime | timedelta


@dataclass(frozen=True, slots=True)
class Name:
    """A column."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a dynamic value: by key, or by index."""

    of: Expression
    key: str | int


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands."""

    sign: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Among:
    """`in` and its like: one value against several."""

    sign: str
    value: Expression
    choices: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """`name = expression`; the name is empty where the query gives none."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class SortKey:
    """A key of `order by`."""

    expression: Expression
    ascending: bool


@dataclass(frozen=True, slots=True)
class Where:
    """Rows of which it is true."""

    condition: Expression


@dataclass(frozen=True, slots=True)
class Extend:
    """Columns besides those there are, or in their place."""

    columns: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """These columns alone."""

    columns: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Summarize:
    """Aggregates of groups."""

    aggregates: tuple[Named, ...]
    by: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """Sorted, descending where nothing else is said."""

    keys: tuple[SortKey, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """So many rows at most."""

    count: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are."""


@dataclass(frozen=True, slots=True)
class Expand:
    """`mv-expand`: a row for each element of each array.

    Of more elements than `limit` only the first give a row, in silence; Resource Graph's default is 128, its most 400.
    """

    columns: tuple[Named, ...]
    limit: int = 128


@dataclass(frozen=True, slots=True)
class Join:
    """Rows of two tables whose keys are equal; the keys are pairs of left and right column."""

    kind: str
    right: "Query"
    keys: tuple[tuple[str, str], ...]


Operator = Where | Extend | Project | Summarize | Order | Limit | Count | Expand | Join


@dataclass(frozen=True, slots=True)
class Query:
    """A table and what is done with it."""

    table: str
    operators: tuple[Operator, ...]
