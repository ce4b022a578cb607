"""Rows of the Log Analytics table `Heartbeat`: the agent's sign of life, one a minute; must not judge a silence.

Source: "Azure Monitor Logs reference: Heartbeat".
"""

from collections.abc import Iterator

from vmdiag.model import Signal, VirtualMachine
from vmdiag.sources._items import Item, Known, Row, Sampled
from vmdiag.sources.archive._fields import columns, table, text
from vmdiag.sources.archive._ids import resource, vm_itself
from vmdiag.sources.archive._times import first

SIGNALS = (Signal.HEARTBEAT,)

# Columns that, beside a computer and a time, no other table of a workspace has.
OWN = frozenset({"computerenvironment", "isgatewayinstalled", "oscategory", "scagentchannel"})
AGENTS = frozenset({"azure monitor agent", "direct agent", "scom agent", "scom management server"})
SYSTEMS = frozenset({"linux", "windows"})


def recognises(row: Row) -> bool:
    """A row says its table in `Type`; where that was left out, its agent or a column of its own tells."""
    names = columns(row)
    if "computer" not in names or "timegenerated" not in names:
        return False
    if "type" in names:
        return text(row[names["type"]]).lower() == "heartbeat"
    category = text(row[names["category"]]).lower() if "category" in names else ""
    return category in AGENTS or not OWN.isdisjoint(names)


def items(row: Row, ref: str) -> Iterator[Item]:
    """One beat, and the operating system; nothing for a computer that is no VM of Azure."""
    del ref  # beats are too many to cite each
    cells = table(row)
    written = (cells.get("_resourceid"), cells.get("resourceid"))
    if not any(map(text, written)) and text(cells.get("computerenvironment")).lower() == "non-azure":
        return
    vm = vm_itself(resource(*written))
    if vm is None:
        return
    at = first(vm, cells.get("timegenerated"))
    system = text(cells.get("ostype")).lower()
    if system in SYSTEMS:
        yield Known(VirtualMachine(id=vm, os=system))
    yield Sampled(vm=vm, name="Heartbeat", signal=Signal.HEARTBEAT, times=(at,), values=(1.0,))
