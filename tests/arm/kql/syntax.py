"""What a query says, as a tree; must not know what is true of any row."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

Expression: TypeAlias = "Literal | Name | Member | Call | Binary | Among"


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: str | int | datetime | timedelta


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
    """`in~`: one value against several texts in any letter case."""

    value: Expression
    choices: tuple[str, ...]


Columns: TypeAlias = tuple[tuple[str, Expression], ...]
"""`name = expression`, several times; a name alone stands for its own column."""


@dataclass(frozen=True, slots=True)
class Where:
    """Rows of which it is true."""

    condition: Expression


@dataclass(frozen=True, slots=True)
class Extend:
    """Columns besides those there are, or in their place."""

    columns: Columns


@dataclass(frozen=True, slots=True)
class Project:
    """These columns alone."""

    columns: Columns


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`name = function(expression)` over the rows of a group; `count()` has no expression."""

    name: str
    function: str
    expression: "Expression | None"


@dataclass(frozen=True, slots=True)
class Summarize:
    """Aggregates of each group."""

    aggregates: tuple[Aggregate, ...]
    by: Columns


@dataclass(frozen=True, slots=True)
class Order:
    """Sorted by a column, ascending."""

    column: str


@dataclass(frozen=True, slots=True)
class Limit:
    """So many rows at most."""

    count: int


@dataclass(frozen=True, slots=True)
class Expand:
    """`mv-expand`: a row for each element of an array.

    Of more elements than `limit` only the first give a row, in silence; Resource Graph's default is 128, its most 400.
    """

    name: str
    expression: Expression
    limit: int = 128


@dataclass(frozen=True, slots=True)
class Join:
    """Rows of two tables that are equal in the column `key`; `kind` is inner or leftouter."""

    kind: str
    right: "Query"
    key: str


Operator = Where | Extend | Project | Summarize | Order | Limit | Expand | Join


@dataclass(frozen=True, slots=True)
class Query:
    """A table and what is done with it."""

    table: str
    operators: tuple[Operator, ...]
