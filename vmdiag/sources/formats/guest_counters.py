"""Network counters from inside the guest: the tables `InsightsMetrics` and `Perf`.

Sources: "Azure Monitor Logs reference: InsightsMetrics" and "Perf". An agent counts them and sends them through the
very network that they are about: when it is cut off they end, as heartbeats do, and when they come they say what the
guest saw, not what the host's port let through. So they are kept under names of their own, and are no traffic.
"""

from collections.abc import Iterator

from vmdiag.completeness import Row
from vmdiag.model import Signal, VirtualMachine
from vmdiag.sources.decoding.fields import fold_columns, to_number, to_text
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.formats.heartbeat import find_row_vm
from vmdiag.sources.items import IncompleteRead, Item, MetricPoints, VmInventory

SIGNALS = (Signal.AGENT,)
NO_TRAFFIC = "counters from inside the guest show no loss of the host's port: add the platform metric Network In Total"
SIGNATURES = (
    Signature(all_of={"timegenerated", "namespace", "name", "val"}, is_folded=True),
    Signature(all_of={"timegenerated", "objectname", "countername", "countervalue"}, is_folded=True),
)
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


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The reading of a network adapter, and that it is no traffic; of another counter, that there is such a VM."""
    cells = fold_columns(row)
    vm = find_row_vm(cells)
    if vm is None:
        return
    yield VmInventory(VirtualMachine(id=vm))
    is_perf = "countername" in cells
    kind, counter, value = map(
        cells.get, ("objectname", "countername", "countervalue") if is_perf else ("namespace", "name", "val")
    )
    name, reading = COUNTER_NAMES.get(to_text(counter).lower(), ""), to_number(value)
    if name and reading is not None and to_text(kind).lower() in ADAPTER_OBJECTS:
        at = require_time(vm, cells.get("timegenerated"))
        yield MetricPoints(vm=vm, name=name, signal=Signal.AGENT, times=(at,), values=(reading,))
        yield IncompleteRead(
            signal=Signal.AGENT,
            scope=vm.key,
            form="guest-counters",
            place=ref.rpartition(":")[0],
            reason=NO_TRAFFIC,
            lowers_verdict=False,
        )
