"""Points of platform metrics, one a row: the table `AzureMetrics` and exported metric records; must not judge them.

Sources: "Azure Monitor Logs reference: AzureMetrics", "Diagnostic settings: metrics" (records with `metricName`, whose
members come as `average` and as `Average`).
"""

from collections.abc import Iterator

from vmdiag.identity import VmId
from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import (
    find_resource_id,
    fold_column_names,
    fold_columns,
    parse_vm_id,
    to_number,
    to_text,
)
from vmdiag.sources.decoding.metric_names import find_metric, parse_duration, warn_coarse_grain
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.items import Item, MalformedRow, MetricPoints, Row

# Not measured, in whatever words of the tool that made a table of it.
SHOWN_LENGTH = 40  # characters of a cell that is shown
ABSENT_VALUES = frozenset({"", "nan", "null", "none"})
SIGNALS = (Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK)


def recognises_row(row: Row) -> bool:
    """A row names its metric beside a time."""
    names = fold_column_names(row)
    return "metricname" in names and ("timegenerated" in names or "time" in names)


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """What the row's metric tells of; nothing for one that is not read."""
    name = to_text(fold_columns(row).get("metricname"))
    metric = find_metric(name)
    return SIGNALS if not name else () if metric is None else (metric.signal,)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The point, where the metric is one that is read and it was measured."""
    cells = fold_columns(row)
    vm = parse_vm_id(find_resource_id(cells.get("_resourceid"), cells.get("resourceid")))
    metric = find_metric(to_text(cells.get("metricname")))
    if vm is None or metric is None:
        return
    at = require_time(vm, cells.get("timegenerated"), cells.get("time"))
    values = tuple(_find_measurement(vm, [cells.get(key) for key in metric.aggregations]))
    yield MetricPoints(vm=vm, name=metric.name, signal=metric.signal, times=(at,) * len(values), values=values)
    grain = parse_duration(to_text(cells.get("timegrain")))
    if grain is not None:
        yield from warn_coarse_grain(vm, metric, grain, ref)


def _find_measurement(vm: VmId, cells: list[object]) -> Iterator[float]:
    """The first of the aggregations that is there; raises `MalformedRow` where it is no number: no other compares."""
    for cell in cells:
        value = to_number(cell)
        if value is not None:
            yield value
            return
        if to_text(cell).lower() not in ABSENT_VALUES:
            message = f"no number: {to_text(cell)[:SHOWN_LENGTH]!r}"
            raise MalformedRow(message, vm)
