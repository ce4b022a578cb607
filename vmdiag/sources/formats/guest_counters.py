"""Network counters from inside the guest: the tables `InsightsMetrics` and `Perf`; must not judge them.

Sources: "Azure Monitor Logs reference: InsightsMetrics" and "Perf". An agent counts them and sends them through the
very network that they are about: when it is cut off they end, as heartbeats do, and when they come they say what the
guest saw, not what the host's port let through. So they are kept under names of their own, and are no traffic.
"""

from collections.abc import Iterator, Mapping

from vmdiag.model import Signal, VirtualMachine
from vmdiag.sources.decoding.fields import brief, columns, number, table, text
from vmdiag.sources.decoding.resource_ids import resource, vm_itself
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.items import Item, Known, Lack, Row, Sampled
from vmdiag.sources.unplaced_vms import vm_by_computer

SIGNALS = (Signal.AGENT,)
NO_TRAFFIC = "counters from inside the guest show no loss of the host's port: add the platform metric Network In Total"
INSIGHTS = frozenset({"namespace", "name", "val"})
PERF = frozenset({"objectname", "countername", "countervalue"})
ADAPTERS = frozenset({"network", "network adapter", "network interface"})
# By what the tables call them: of Linux's agents some count on, from the start of the guest.
NAMES = {
    "readbytespersecond": "Guest Bytes Received/sec",
    "bytes received/sec": "Guest Bytes Received/sec",
    "writebytespersecond": "Guest Bytes Sent/sec",
    "bytes sent/sec": "Guest Bytes Sent/sec",
    "total bytes received": "Guest Total Bytes Received",
    "total bytes transmitted": "Guest Total Bytes Sent",
}


def recognises(row: Row) -> bool:
    """A row has the columns of one of the two tables."""
    names = columns(row).keys()
    return "timegenerated" in names and (names >= INSIGHTS or names >= PERF)


def items(row: Row, ref: str) -> Iterator[Item]:
    """The reading of a network adapter, and that it is no traffic; of another counter, that there is such a VM."""
    cells = table(row)
    written = (cells.get("_resourceid"), cells.get("resourceid"))
    computer = brief(cells.get("computer"))
    vm = vm_by_computer(computer) if computer and not any(map(text, written)) else vm_itself(resource(*written))
    if vm is None:
        return
    yield Known(VirtualMachine(id=vm))
    name, value = _counter(cells)
    if name and value is not None:
        at = first(vm, cells.get("timegenerated"))
        yield Sampled(vm=vm, name=name, signal=Signal.AGENT, times=(at,), values=(value,))
        place = ref.rpartition(":")[0]
        form = "guest-counters"
        yield Lack(signal=Signal.AGENT, scope=vm.key, form=form, place=place, reason=NO_TRAFFIC, lowers=False)


def _counter(cells: Mapping[str, object]) -> tuple[str, float | None]:
    if "countername" in cells:
        counter, kind, value = cells.get("countername"), cells.get("objectname"), cells.get("countervalue")
    else:
        counter, kind, value = cells.get("name"), cells.get("namespace"), cells.get("val")
    name = NAMES.get(text(counter).lower(), "") if text(kind).lower() in ADAPTERS else ""
    return name, number(value)
