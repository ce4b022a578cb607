"""Points of platform metrics: the table `AzureMetrics` and exported metric records.

Sources: "Azure Monitor Logs reference: AzureMetrics", "Diagnostic settings: metrics" (records with `metricName`, whose
members come as `average` and as `Average`). There is one a row, but that queries that are pushed down gather those of a
VM, metric and day as `points`, pairs of a time and the value of the aggregation that is read.
"""

from collections.abc import Iterator

from vmdiag.completeness import MalformedRow, Row
from vmdiag.model import Signal, VirtualMachine
from vmdiag.sources.decoding.fields import (
    find_resource_id,
    find_text,
    fold_columns,
    parse_vm_id,
    to_list,
    to_number,
    to_text,
)
from vmdiag.sources.decoding.metric_names import (
    METRIC_SIGNALS,
    find_metric,
    list_metric_signals,
    parse_duration,
    warn_coarse_grain,
)
from vmdiag.sources.decoding.timestamps import parse_time, require_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import Item, MetricPoints, VmInventory

SIGNALS = METRIC_SIGNALS
# Not measured, in whatever words of the tool that made a table of it.
ABSENT_VALUES = frozenset({"", "nan", "null", "none"})
SHOWN_LENGTH = 40  # characters of a cell that is shown
SIGNATURES = (
    Signature(all_of={"metricname"}, one_of={"timegenerated", "time"}, is_folded=True),
    Signature(all_of={"_resourceid", "metricname", "points"}, is_folded=True),
)


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """What the row's metric tells of; nothing for one that is not read."""
    return list_metric_signals(to_text(fold_columns(row).get("metricname")))


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The point, where the metric is one that is read and it was measured."""
    cells = fold_columns(row)
    vm = parse_vm_id(find_resource_id(cells.get("_resourceid"), cells.get("resourceid")))
    metric = find_metric(find_text(cells, "metricname"))
    if "points" in cells and vm is not None:
        yield VmInventory(VirtualMachine(id=vm))
    if vm is None or metric is None:
        return
    grain = parse_duration(find_text(cells, "timegrain"))
    if "points" in cells:
        points = to_list(cells.get("points"))
        pairs = [pair for pair in map(to_list, points) if len(pair) == 2]  # noqa: PLR2004 - a time and a value
        found = [(parse_time(at), to_number(value)) for at, value in pairs if value is not None]
        measured = {at: value for at, value in found if at is not None and value is not None}
        times = tuple(sorted(measured))
        values = tuple(map(measured.__getitem__, times))
        yield MetricPoints(vm=vm, name=metric.name, signal=metric.signal, times=times, values=values)
        if len(pairs) < len(points) or any(None in pair for pair in found):
            message = f"points of {metric.name} that cannot be read"
            raise MalformedRow(message, vm)
        yield from warn_coarse_grain(vm, metric, grain, ref)
        return
    at = require_time(vm, cells.get("timegenerated"), cells.get("time"))
    values = ()
    for cell in map(cells.get, metric.aggregations):
        value = to_number(cell)
        if value is not None:
            values = (value,)
            break
        if to_text(cell).lower() not in ABSENT_VALUES:  # no other aggregation compares
            message = f"no number: {to_text(cell)[:SHOWN_LENGTH]!r}"
            raise MalformedRow(message, vm)
    yield MetricPoints(vm=vm, name=metric.name, signal=metric.signal, times=(at,) * len(values), values=values)
    yield from warn_coarse_grain(vm, metric, grain, ref)
