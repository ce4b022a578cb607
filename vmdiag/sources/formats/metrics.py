"""Answers of Azure Monitor metrics, one metric of a resource a row.

Sources: "REST API: Metrics - List" and "Metrics - Batch" (`timeseries[].data[]`), version 2016-09-01 (`data[]`), and
"Metrics - List At Subscription Scope", whose series name their resource among the `metadatavalues`.
A point that has only its time was not measured.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import chain

import msgspec

from vmdiag.completeness import MalformedRow, Row
from vmdiag.identity import VmId
from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import (
    SUBSCRIPTION_ID,
    cut_at,
    find_resource_id,
    find_text,
    iter_objects,
    parse_vm_id,
    to_number,
    to_text,
)
from vmdiag.sources.decoding.metric_names import (
    METRIC_SIGNALS,
    TOTAL_FIRST,
    Metric,
    find_grain,
    find_metric,
    is_balancer_metric,
    list_metric_signals,
    warn_coarse_grain,
)
from vmdiag.sources.decoding.timestamps import parse_known_time, parse_rising_times, parse_time
from vmdiag.sources.formats import Signature
from vmdiag.sources.items import HourlyReadings, Item, MetricPoints, PackedMetricPoints

SIGNALS = METRIC_SIGNALS

MINUTES_AN_HOUR, SECONDS_AN_HOUR = 60, 3_600
METRIC_PROVIDER = "/providers/microsoft.insights/metrics/"
RESOURCE_ID = "microsoft.resourceid"  # the dimension that names the resource where a whole subscription was asked


def has_points(row: Row) -> bool:
    """Whether a metric has a list of series or of points; a balancer's are told by its backends' addresses."""
    has_list = isinstance(row.get("timeseries"), list) or isinstance(row.get("data"), list)
    return has_list and not is_balancer_metric(row)


SIGNATURES = (Signature(all_of={"name"}, one_of={"timeseries", "data"}, condition=has_points),)


def identify_signals(row: Row) -> tuple[Signal, ...]:
    """What the metric tells of, where it is named; nothing for one that is not read."""
    return list_metric_signals(find_text(row, "name"))


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """The points of a metric that is read; none where it was asked for and not measured."""
    identifier = find_text(row, "id")
    # A subscription's metric is split by resource, not by id.
    owners: defaultdict[str, list[object]] = defaultdict(list)
    for each in iter_objects(row.get("timeseries")):
        owners[find_dimension(each.get("metadatavalues")) or identifier].append(each.get("data"))
    for owner, lists in owners.items() or [(identifier, [row.get("data")])]:
        subject = _identify_metric(owner, find_text(row, "name"), find_text(row, "errorCode"))
        if subject is None:
            continue
        vm, metric = subject
        series = [list(iter_objects(each)) for each in lists]
        readings = [_read_points(vm, metric, points) for points in series]
        yield _make_points(vm, metric, readings)
        yield from warn_coarse_grain(vm, metric, find_grain(series), ref)
        lost = -sum(map(len, readings))
        for points in series:
            key = _choose_aggregation(metric, points)
            lost += sum(point.get(key) is not None for point in points) if key else 0
        if lost:  # what could be read was given out
            message = f"{lost} points of {metric.name} have no usable time or value"
            raise MalformedRow(message, vm)


def find_dimension(dimensions: object) -> str:
    """The resource that a series names among its dimensions; empty where it names none."""
    named = (one.get("value") for one in iter_objects(dimensions) if find_text(one, "name").lower() == RESOURCE_ID)
    return to_text(next(named, ""))


class TypedPoint(msgspec.Struct, gc=False):
    """A point as it nearly always is."""

    timeStamp: str  # noqa: N815 - Azure's spelling; a text, for msgspec would round the seventh digit of a second
    total: float | None = None
    average: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    count: float | None = None


class TypedSeries(msgspec.Struct, gc=False):
    """One dimension's points."""

    data: list[TypedPoint]


# What decoding of a part that was left for later may raise.
UNUSUAL = (msgspec.DecodeError, ValueError, RecursionError)
_decode_series = msgspec.json.Decoder(list[TypedSeries]).decode


class TypedName(msgspec.Struct):
    """A metric's name; the localized one is not read."""

    value: str


class TypedMetric(msgspec.Struct):
    """A metric of an answer that is as usual; its points are decoded when their turn comes, and let go.

    All points of an answer at once are ten times as large as their text.
    """

    id: str
    name: TypedName
    timeseries: msgspec.Raw
    errorCode: str = ""  # noqa: N815 - Azure's spelling

    def decode_series(self) -> list[TypedSeries]:
        """The points in one go; raises one of `UNUSUAL` where they are not as usual."""
        return _decode_series(self.timeseries)

    def build_plain_row(self) -> Row:
        """The same as a plain row; raises `MalformedRow` where its points are no JSON."""
        try:
            row: Row = msgspec.json.decode(msgspec.json.encode(self))
        except UNUSUAL as error:
            message = f"its points cannot be read: {error}"
            raise MalformedRow(
                message, parse_vm_id(cut_at(self.id, METRIC_PROVIDER)), {"name": self.name.value}
            ) from error
        return row


class MetricsAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """What "Metrics - List" answers: the metrics, and what usually stands beside them.

    With anything else beside them, which may say that they are not all, an answer is read plainly.
    """

    value: list[TypedMetric]
    error: object = None
    nextLink: str | None = None  # noqa: N815 - Azure's spelling
    cost: object = None
    timespan: object = None
    interval: object = None
    namespace: object = None
    resourceregion: object = None


class BatchedMetrics(MetricsAnswer, forbid_unknown_fields=True, kw_only=True):
    """What "Metrics Batch - Batch" answers of one resource."""

    resourceid: str
    starttime: object = None
    endtime: object = None


class BatchAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """What it answers of all of them."""

    values: list[BatchedMetrics]


def decode_typed_metric(row: TypedMetric) -> Iterator[PackedMetricPoints]:
    """The same, packed, of a metric that is as usual: of one series; raises one of `UNUSUAL` where it is not."""
    subject = _identify_metric(row.id, row.name.value, row.errorCode)
    if subject is None:
        return
    vm, metric = subject
    (line,) = row.decode_series()
    times, values = array("d"), array("d")
    for key in metric.aggregations:
        points = [point for point in line.data if getattr(point, key) is not None]
        if points:
            times = parse_rising_times(tuple([point.timeStamp for point in points]))
            values = array("d", [getattr(point, key) for point in points])
            break
    yield PackedMetricPoints(vm=vm, name=metric.name, signal=metric.signal, times=times, values=values)


def decode_hourly_metric(row: TypedMetric) -> Iterator[HourlyReadings]:
    """The same of a metric that was asked for by the hour, of whose minutes little is told: how many, the extremes.

    Raises one of `UNUSUAL` where an hour is not as usual.
    """
    subject = _identify_metric(row.id, row.name.value, row.errorCode)
    if subject is None:
        return
    vm, metric = subject
    found = HourlyReadings(vm=vm, name=metric.name, signal=metric.signal)
    lines = row.decode_series()
    points = [one for one in (lines[0].data if lines else ()) if one.average is not None or one.total is not None]
    times = parse_rising_times(tuple([point.timeStamp for point in points]))
    found.hours.extend([int(at // SECONDS_AN_HOUR) for at in times])
    for point in points:
        total, mean, least, most, count = point.total, point.average, point.minimum, point.maximum, point.count
        is_told = mean is not None and total is not None and least is not None and most is not None and count
        # The points of a minute that is reported in several pieces add up.
        scale = max(1.0, round((count or 0.0) / MINUTES_AN_HOUR)) if metric.aggregations is TOTAL_FIRST else 1.0
        found.means.append((mean or 0.0) * scale)
        found.least.append((least or 0.0) * scale)
        found.most.append((most or 0.0) * scale)
        # Of several dimensions none tells what they hold together.
        found.counts.append((count or -1.0) if is_told and len(lines) == 1 else -1.0)
    yield found


def decode_hourly_row(row: Row) -> Iterator[HourlyReadings]:
    """The same of an answer that is not as usual; raises `MalformedRow` where it cannot be read."""
    if _identify_metric(find_text(row, "id"), find_text(row, "name"), find_text(row, "errorCode")) is None:
        return
    try:
        yield from decode_hourly_metric(msgspec.json.decode(msgspec.json.encode(row), type=TypedMetric))
    except UNUSUAL as error:
        message = f"its hours cannot be read: {error}"
        raise MalformedRow(message, parse_vm_id(cut_at(find_text(row, "id"), METRIC_PROVIDER)), row) from error


def _identify_metric(identifier: str, name: str, code: str) -> tuple[VmId, Metric] | None:
    """Which metric of which VM; raises `MalformedRow` where Azure says that it could not answer."""
    metric = find_metric(name)
    owner = find_resource_id(cut_at(identifier, METRIC_PROVIDER))
    vm = parse_vm_id(owner)
    if metric is None or (vm is None and not SUBSCRIPTION_ID.fullmatch(owner)):
        return None
    if vm is None:
        message = "metrics of a subscription that are not split by VM: ask with $filter=Microsoft.ResourceId eq '*'"
        raise MalformedRow(message)
    if code and code.lower() != "success":
        message = f"Azure could not answer for {metric.name}: {code[:100]}"
        raise MalformedRow(message, vm, {"name": metric.name})
    return vm, metric


def _make_points(vm: VmId, metric: Metric, readings: list[list[tuple[datetime, float]]]) -> MetricPoints:
    """Several dimensions as one: traffic adds up, availability is as good as the worst."""
    points = readings[0] if len(readings) == 1 else []
    if len(readings) != 1:
        whole: dict[datetime, float] = {}
        for at, value in chain.from_iterable(readings):
            before = whole.get(at)
            whole[at] = value if before is None else before + value if metric.is_summed else min(before, value)
        points = sorted(whole.items())
    times, values = tuple(at for at, _ in points), tuple(value for _, value in points)
    return MetricPoints(vm=vm, name=metric.name, signal=metric.signal, times=times, values=values)


def _read_points(vm: VmId, metric: Metric, data: list[Mapping[str, object]]) -> list[tuple[datetime, float]]:
    """The measured points of one series, all of one aggregation: two of them do not compare."""
    with suppress(msgspec.ValidationError, ValueError):
        typed = msgspec.convert(data, list[TypedPoint])
        for each in metric.aggregations:
            if told := [(point.timeStamp, value) for point in typed if (value := getattr(point, each)) is not None]:
                return [(parse_known_time(at), value) for at, value in told]
    # Looked at one by one.
    key = _choose_aggregation(metric, data)
    if key is None:
        return []
    measured = [(parse_time(point.get("timeStamp")), to_number(point.get(key))) for point in data]
    points = [(at, value) for at, value in measured if at is not None and value is not None]
    if not points:
        message = f"no point of {metric.name} has a usable time and value"
        raise MalformedRow(message, vm)
    return points


def _choose_aggregation(metric: Metric, data: list[Mapping[str, object]]) -> str | None:
    """The best aggregation that any of the points has."""
    return next((key for key in metric.aggregations if any(point.get(key) is not None for point in data)), None)
