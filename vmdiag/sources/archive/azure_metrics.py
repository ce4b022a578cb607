"""Points of platform metrics, one a row: the table `AzureMetrics` and exported metric records; must not judge them.

Sources: "Azure Monitor Logs reference: AzureMetrics", "Diagnostic settings: metrics" (records with `metricName`, whose
members come as `average` and as `Average`).
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources._items import Item, Malformed, Row, Sampled
from vmdiag.sources.archive._fields import columns, number, table, text
from vmdiag.sources.archive._ids import resource, vm_itself
from vmdiag.sources.archive._metric_names import known
from vmdiag.sources.archive._times import first

SIGNALS = (Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK)

GRAIN = frozenset({"", "pt1m", "00:01:00", "0:01:00"})  # one minute; an hour's sum would look like a flood


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
    del ref  # points are too many to cite each
    cells = table(row)
    vm = vm_itself(resource(cells.get("_resourceid"), cells.get("resourceid")))
    metric = known(text(cells.get("metricname")))
    if vm is None or metric is None:
        return
    grain = text(cells.get("timegrain"))
    if grain.lower() not in GRAIN:
        message = f"only points of a minute can be compared, these are of {grain[:20]}"
        raise Malformed(message, vm)
    at = first(vm, cells.get("timegenerated"), cells.get("time"))
    values = tuple(value for key in metric.aggregations if (value := number(cells.get(key))) is not None)[:1]
    yield Sampled(vm=vm, name=metric.name, signal=metric.signal, times=(at,) * len(values), values=values)
