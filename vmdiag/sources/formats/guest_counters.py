"""Network counters from inside the guest: the tables `InsightsMetrics` and `Perf`; must not judge them.

Sources: "Azure Monitor Logs reference: InsightsMetrics" and "Perf". An agent counts them and sends them through the
very network that they are about: when it is cut off they end, as heartbeats do, and when they come they say what the
guest saw, not what the host's port let through. So they are kept under names of their own, and are no traffic.
"""

from collections.abc import Iterator, Mapping

from vmdiag.model import Signal, VirtualMachine
from vmdiag.sources.decoding.fields import (
    find_resource_id,
    fold_column_names,
    fold_columns,
    parse_vm_id,
    to_number,
    to_short_text,
    to_text,
)
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.items import IncompleteRead, Item, MetricPoints, Row, VmInventory, make_computer_placeholder

SIGNALS = (Signal.AGENT,)
NO_TRAFFIC = "counters from inside the guest show no loss of the host's port: add the platform metric Network In Total"
INSIGHTS_COLUMNS = frozenset({"namespace", "name", "val"})
PERF_COLUMNS = frozenset({"objectname", "countername", "countervalue"})
ADAPTER_OBJECTS = frozenset({"network", "network adapter", "network interface"})
# By what the tables call them: of Linux's agents some count on, from the start of the guest.
COUNTER_NAMES = {
    "readbytespersecond": "Guest Bytes Received/sec",
    "bytes received/sec": "Guest Bytes Received/sec",
    "writebytespersecond": "Guest Bytes Sent/sec",
    "bytes sent/sec": "Guest Bytes Sent/sec",
    "total bytes received": "Guest Total Bytes Received",
    "total bytes transmitted": "Guest Total Bytes Sent",
}


def recognises_row(row: Row) -> bool:
    """A row has the columns of one of the two tables."""
    names = fold_column_names(row).keys()
    return "timegenerated" in names and (names >= INSIGHTS_COLUMNS or names >= PERF_COLUMNS)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The reading of a network adapter, and that it is no traffic; of another counter, that there is such a VM."""
    cells = fold_columns(row)
    written = (cells.get("_resourceid"), cells.get("resourceid"))
    computer = to_short_text(cells.get("computer"))
    vm = (
        make_computer_placeholder(computer)
        if computer and not any(map(to_text, written))
        else parse_vm_id(find_resource_id(*written))
    )
    if vm is None:
        return
    yield VmInventory(VirtualMachine(id=vm))
    name, value = _read_counter(cells)
    if name and value is not None:
        at = require_time(vm, cells.get("timegenerated"))
        yield MetricPoints(vm=vm, name=name, signal=Signal.AGENT, times=(at,), values=(value,))
        place = ref.rpartition(":")[0]
        form = "guest-counters"
        yield IncompleteRead(
            signal=Signal.AGENT, scope=vm.key, form=form, place=place, reason=NO_TRAFFIC, lowers_verdict=False
        )


def _read_counter(cells: Mapping[str, object]) -> tuple[str, float | None]:
    if "countername" in cells:
        counter, kind, value = cells.get("countername"), cells.get("objectname"), cells.get("countervalue")
    else:
        counter, kind, value = cells.get("name"), cells.get("namespace"), cells.get("val")
    name = COUNTER_NAMES.get(to_text(counter).lower(), "") if to_text(kind).lower() in ADAPTER_OBJECTS else ""
    return name, to_number(value)
