"""One question to a table as a value: which rows, in which form they come, and what is not heard without them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from vmdiag.model import Signal, Window
from vmdiag.sources import kql
from vmdiag.values import Struct

# A VM's id, and a group's, at the beginning of an id in lower case.
VM_PATTERN = (
    "^/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft[.]compute/"
    "(virtualmachinescalesets/[^/]+/)?virtualmachines/[^/]+"
)
GROUP_PATTERN = "^/subscriptions/[^/]+/resourcegroups/[^/]+"


class TableQuery(Struct, frozen=True, kw_only=True):
    """What is asked of a table.

    `write` gives the KQL for a part of the span; where the table knows no time (not `is_timed`) there is one part, and
    no table is asked more than `part_limit` times.
    `forms` are the formats that its rows may have; none where they only say how far back the log reaches. `signals` are
    what is not heard where it is not answered. Where a table that was answered tells of every VM there is, whether it
    names it or not, `coverage` says why it may leave something out, and is empty where it does not; `retention` is how
    far back it can tell then. Where `lowers_verdict` is false, what is missing is told and no more; `is_network` is
    what tells of the VMs' networks, `is_optional` what nobody need have: no such table tells that nobody has.
    """

    table: str
    forms: tuple[str, ...]
    signals: tuple[Signal, ...]
    write: Callable[[Window], str]
    is_timed: bool = True
    part_limit: int = 32
    coverage: str | None = None
    retention: timedelta | None = None
    lowers_verdict: bool = True
    is_network: bool = False
    is_optional: bool = False


def write_instant(at: datetime) -> str:
    """An instant as a literal, to the microsecond: what was written in a window's last second belongs to it."""
    return f"datetime({at.astimezone(UTC).isoformat().replace('+00:00', 'Z')})"


def write_span(column: str, span: Window) -> str:
    """The condition that a column's time lies in a span."""
    return f"{column} between ({write_instant(span.start)} .. {write_instant(span.end)})"


def extract_vm(identifier: str) -> str:
    """The expression that cuts a VM's id, in lower case, out of one; empty where it is no VM's."""
    return f"extract({kql.literal(VM_PATTERN)}, 0, tolower({identifier}))"


def extract_group(identifier: str) -> str:
    """The same of its resource group."""
    return f"extract({kql.literal(GROUP_PATTERN)}, 0, tolower({identifier}))"


def match_subscriptions(subscriptions: frozenset[str]) -> str:
    """The condition that the VM of the column `vm` lies in one of them; empty where any will do."""
    return f"tostring(split(vm, '/')[2]) in~ ({kql.list_literals(sorted(subscriptions))})" if subscriptions else ""


def combine_conditions(word: str, *conditions: str) -> str:
    """The conditions that there are, in parentheses where they are several."""
    found = [each for each in conditions if each]
    return f" {word} ".join(f"({each})" for each in found) if len(found) > 1 else "".join(found)
