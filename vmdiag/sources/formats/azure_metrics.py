"""Points of platform metrics, one a row: the table `AzureMetrics` and exported metric records; must not judge them.

Sources: "Azure Monitor Logs reference: AzureMetrics", "Diagnostic settings: metrics" (records with `metricName`, whose
members come as `average` and as `Average`).
"""

from collections.abc import Iterator

from vmdiag.identity import VmId
from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import columns, number, table, text
from vmdiag.sources.decoding.metric_grain import coarse, duration
from vmdiag.sources.decoding.metric_names import known
from vmdiag.sources.decoding.resource_ids import resource, vm_itself
from vmdiag.sources.decoding.timestamps import first
from vmdiag.sources.items import Item, Malformed, Row, Sampled

# Not measured, in whatever words of the tool that made a table of it.
LONGEST = 40  # characters of a cell that is shown
ABSENT = frozenset({"", "nan", "null", "none"})
SIGNALS = (Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK)


def recognises(row: Row) -> bool:
    """A row names its metric beside a time."""
    names = columns(row)
    return "metricname" in names and ("timegenerated" in names or "time" in names)


def signals(row: Row) -> tuple[Signal, ...]:
    """What the row's metric tells of; nothing for one that is not read."""
    name = text(table(row).get("metricname"))
    metric = known(name)
    return SIGNALS if not name else () if metric is None else (metric.signal,)


def items(row: Row, ref: str) -> Iterator[Item]:
    """The point, where the metric is one that is read and it was measured."""
    cells = table(row)
    vm = vm_itself(resource(cells.get("_resourceid"), cells.get("resourceid")))
    metric = known(text(cells.get("metricname")))
    if vm is None or metric is None:
        return
    at = first(vm, cells.get("timegenerated"), cells.get("time"))
    values = tuple(_measured(vm, [cells.get(key) for key in metric.aggregations]))
    yield Sampled(vm=vm, name=metric.name, signal=metric.signal, times=(at,) * len(values), values=values)
    grain = duration(text(cells.get("timegrain")))
    if grain is not None:
        yield from coarse(vm, metric, grain, ref)


def _measured(vm: VmId, cells: list[object]) -> Iterator[float]:
    """The first of the aggregations that is there; raises `Malformed` where it is no number: no other compares."""
    for cell in cells:
        value = number(cell)
        if value is not None:
            yield value
            return
        if text(cell).lower() not in ABSENT:
            message = f"no number: {text(cell)[:LONGEST]!r}"
            raise Malformed(message, vm)
