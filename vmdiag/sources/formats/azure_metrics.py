"""Points of platform metrics, one a row: the table `AzureMetrics` and exported metric records.

Sources: "Azure Monitor Logs reference: AzureMetrics", "Diagnostic settings: metrics" (records with `metricName`, whose
members come as `average` and as `Average`).
"""

from collections.abc import Iterator

from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import find_resource_id, find_text, fold_columns, parse_vm_id, to_number, to_text
from vmdiag.sources.decoding.metric_names import (
    METRIC_SIGNALS,
    find_metric,
    list_metric_signals,
    parse_duration,
    warn_coarse_grain,
)
from vmdiag.sources.decoding.timestamps import require_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import Item, MetricPoints
from vmdiag.sources.rows import MalformedRow, Row

SIGNALS = METRIC_SIGNALS
# Not measured, in whatever words of the tool that made a table of it.
ABSENT_VALUES = frozenset({"", "nan", "null", "none"})
SHOWN_LENGTH = 40  # characters of a cell that is shown
SIGNATURES = (Signature(all_of={"metricname"}, one_of={"timegenerated", "time"}, is_folded=True),)


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """What the row's metric tells of; nothing for one that is not read."""
    return list_metric_signals(to_text(fold_columns(row).get("metricname")))


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The point, where the metric is one that is read and it was measured."""
    cells = fold_columns(row)
    vm = parse_vm_id(find_resource_id(cells.get("_resourceid"), cells.get("resourceid")))
    metric = find_metric(find_text(cells, "metricname"))
    if vm is None or metric is None:
        return
    at = require_time(vm, cells.get("timegenerated"), cells.get("time"))
    values: tuple[float, ...] = ()
    for cell in map(cells.get, metric.aggregations):
        value = to_number(cell)
        if value is not None:
            values = (value,)
            break
        if to_text(cell).lower() not in ABSENT_VALUES:  # no other aggregation compares
            message = f"no number: {to_text(cell)[:SHOWN_LENGTH]!r}"
            raise MalformedRow(message, vm)
    yield MetricPoints(vm=vm, name=metric.name, signal=metric.signal, times=(at,) * len(values), values=values)
    yield from warn_coarse_grain(vm, metric, parse_duration(find_text(cells, "timegrain")), ref)
