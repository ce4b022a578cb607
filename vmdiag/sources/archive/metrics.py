"""Answers of Azure Monitor metrics, one metric of a resource a row; must not know what a value means.

Sources: "REST API: Metrics - List" and "Metrics - Batch" (`timeseries[].data[]`), version 2016-09-01 (`data[]`).
A point that has only its time was not measured.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from vmdiag.identity import VmId
from vmdiag.sources.archive._fields import number, objects, text
from vmdiag.sources.archive._ids import resource, vm_itself
from vmdiag.sources.archive._items import Item, Malformed, Row, Sampled
from vmdiag.sources.archive._metric_names import Metric, known
from vmdiag.sources.archive._times import parse

MARKER = "/providers/microsoft.insights/metrics/"


def recognises(row: Row) -> bool:
    """A metric has a name and series of points."""
    return "name" in row and (isinstance(row.get("timeseries"), list) or isinstance(row.get("data"), list))


def items(row: Row, ref: str) -> Iterator[Item]:
    """The points of a metric that is read; none where it was asked for and not measured."""
    del ref  # points are too many to cite each
    metric = known(text(row.get("name")))
    named = text(row.get("id"))
    cut = named.lower().find(MARKER)
    vm = vm_itself(resource(named if cut < 0 else named[:cut]))
    if metric is None or vm is None:
        return
    code = text(row.get("errorCode"))
    if code and code.lower() != "success":
        message = f"Azure could not answer for {metric.name}: {code[:100]}"
        raise Malformed(message, vm)
    lists = [each.get("data") for each in objects(row.get("timeseries"))] or [row.get("data")]
    readings = [_points(metric, list(objects(each)), vm) for each in lists]
    points = readings[0] if len(readings) == 1 else _joined(metric, readings)
    times, values = tuple(at for at, _ in points), tuple(value for _, value in points)
    yield Sampled(vm=vm, name=metric.name, signal=metric.signal, times=times, values=values)


def _points(metric: Metric, data: list[Mapping[str, object]], vm: VmId) -> list[tuple[datetime, float]]:
    """The measured points of one series, all of one aggregation: two of them do not compare."""
    key = next((key for key in metric.aggregations if any(point.get(key) is not None for point in data)), None)
    if key is None:
        return []
    measured = [(parse(point.get("timeStamp")), number(point.get(key))) for point in data]
    points = [(at, value) for at, value in measured if at is not None and value is not None]
    if not points:
        message = f"no point of {metric.name} has a usable time and value"
        raise Malformed(message, vm)
    return points


def _joined(metric: Metric, readings: list[list[tuple[datetime, float]]]) -> list[tuple[datetime, float]]:
    """Several dimensions as one: traffic adds up, availability is as good as the worst."""
    whole: dict[datetime, float] = {}
    for points in readings:
        for at, value in points:
            before = whole.get(at)
            if before is None:
                whole[at] = value
            else:
                whole[at] = before + value if metric.is_summed else min(before, value)
    return sorted(whole.items())
