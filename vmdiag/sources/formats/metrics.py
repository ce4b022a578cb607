"""Answers of Azure Monitor metrics, one metric of a resource a row; must not know what a value means.

Sources: "REST API: Metrics - List" and "Metrics - Batch" (`timeseries[].data[]`), version 2016-09-01 (`data[]`), and
"Metrics - List At Subscription Scope", whose series name their resource among the `metadatavalues`.
A point that has only its time was not measured.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise, repeat

import msgspec

from vmdiag.identity import VmId
from vmdiag.model import Signal
from vmdiag.sources.decoding.fields import number, objects, text
from vmdiag.sources.decoding.metric_grain import coarse
from vmdiag.sources.decoding.metric_names import Metric, known
from vmdiag.sources.decoding.resource_ids import SUBSCRIPTION, resource, vm_itself
from vmdiag.sources.decoding.timestamps import parse
from vmdiag.sources.items import Item, Malformed, Row, Sampled

SIGNALS = (Signal.TRAFFIC, Signal.AVAILABILITY, Signal.CPU, Signal.DISK)

ENOUGH = 60  # points from which the distance between any two is told
MARKER = "/providers/microsoft.insights/metrics/"
RESOURCE_ID = "microsoft.resourceid"  # the dimension that names the resource where a whole subscription was asked


def recognises(row: Row) -> bool:
    """A metric has a name and series of points."""
    return "name" in row and (isinstance(row.get("timeseries"), list) or isinstance(row.get("data"), list))


def items(row: Row, ref: str) -> Iterator[Item]:
    """The points of a metric that is read; none where it was asked for and not measured."""
    for owner, lists in _owners(row).items():
        subject = _subject(owner, text(row.get("name")), text(row.get("errorCode")))
        if subject is not None:
            yield from _read(*subject, lists, ref)


def _owners(row: Row) -> dict[str, list[object]]:
    """The lists of points by the resource they are of: a subscription's metric is split by resource, not by id."""
    identifier = text(row.get("id"))
    series = list(objects(row.get("timeseries")))
    if not series:
        return {identifier: [row.get("data")]}
    lists: defaultdict[str, list[object]] = defaultdict(list)
    for each in series:
        said = objects(each.get("metadatavalues"))
        named = next((text(one.get("value")) for one in said if text(one.get("name")).lower() == RESOURCE_ID), "")
        lists[named or identifier].append(each.get("data"))
    return lists


def _read(vm: VmId, metric: Metric, lists: list[object], ref: str) -> Iterator[Item]:
    """The points of all lists as one series, and what is wrong with them."""
    series = [list(objects(each)) for each in lists]
    readings = [_points(vm, metric, points) for points in series]
    yield _sampled(vm, metric, readings)
    grain = min(filter(None, map(_grain, series)), default=None)
    if grain is not None:
        yield from coarse(vm, metric, grain, ref)
    lost = sum(map(_measured, repeat(metric), series)) - sum(map(len, readings))
    if lost:  # what could be read was given out
        message = f"{lost} points of {metric.name} have no usable time or value"
        raise Malformed(message, vm)


def signals(row: Row) -> tuple[Signal, ...]:
    """What the metric tells of, where it is named; nothing for one that is not read."""
    name = text(row.get("name"))
    metric = known(name)
    return SIGNALS if not name else () if metric is None else (metric.signal,)


class Point(msgspec.Struct):
    """A point as it nearly always is."""

    timeStamp: str  # noqa: N815 - Azure's spelling; a text, for msgspec would round the seventh digit of a second
    total: float | None = None
    average: float | None = None
    minimum: float | None = None
    maximum: float | None = None


class Line(msgspec.Struct):
    """One dimension's points."""

    data: list[Point]


class Name(msgspec.Struct):
    """A metric's name; the localized one is not read."""

    value: str


class Typed(msgspec.Struct):
    """A metric of an answer that is as usual: decoded in one go, for a fortnight of one metric has 20,000 points."""

    id: str
    name: Name
    timeseries: list[Line]
    errorCode: str = ""  # noqa: N815 - Azure's spelling


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    """What "Metrics - List" answers: the metrics, and what usually stands beside them.

    With anything else beside them, which may say that they are not all, an answer is read plainly.
    """

    value: list[Typed]
    error: object = None
    nextLink: str | None = None  # noqa: N815 - Azure's spelling
    cost: object = None
    timespan: object = None
    interval: object = None
    namespace: object = None
    resourceregion: object = None


def typed_items(row: Typed) -> Iterator[Sampled]:
    """The same of a metric that is as usual."""
    subject = _subject(row.id, row.name.value, row.errorCode)
    if subject is not None:
        try:
            readings = [_usual(subject[1], line.data) for line in row.timeseries]
        except (ValueError, OverflowError):
            readings = [_points(*subject, msgspec.to_builtins(line.data)) for line in row.timeseries]
        yield _sampled(*subject, readings)


def _subject(identifier: str, name: str, code: str) -> tuple[VmId, Metric] | None:
    """Which metric of which VM; raises `Malformed` where Azure says that it could not answer."""
    metric = known(name)
    cut = identifier.lower().find(MARKER)
    owner = resource(identifier if cut < 0 else identifier[:cut])
    vm = vm_itself(owner)
    if metric is None or (vm is None and not SUBSCRIPTION.fullmatch(owner)):
        return None
    if vm is None:
        message = "metrics of a subscription that are not split by VM: ask with $filter=Microsoft.ResourceId eq '*'"
        raise Malformed(message)
    if code and code.lower() != "success":
        message = f"Azure could not answer for {metric.name}: {code[:100]}"
        raise Malformed(message, vm, {"name": metric.name})
    return vm, metric


def _sampled(vm: VmId, metric: Metric, readings: list[list[tuple[datetime, float]]]) -> Sampled:
    points = readings[0] if len(readings) == 1 else _joined(metric, readings)
    times, values = tuple(at for at, _ in points), tuple(value for _, value in points)
    return Sampled(vm=vm, name=metric.name, signal=metric.signal, times=times, values=values)


def _grain(data: list[Mapping[str, object]]) -> timedelta | None:
    """How far apart the first points lie, measured or not: an answer does not name its grain beside them."""
    times = [at for point in data[:ENOUGH] if (at := parse(point.get("timeStamp"))) is not None]
    return min((gap for at, later in pairwise(times) if (gap := abs(later - at))), default=None)


def _points(vm: VmId, metric: Metric, data: list[Mapping[str, object]]) -> list[tuple[datetime, float]]:
    """The measured points of one series, all of one aggregation: two of them do not compare."""
    try:
        return _usual(metric, msgspec.convert(data, list[Point]))
    except (msgspec.ValidationError, ValueError, OverflowError):
        pass  # looked at one by one: of a time near the calendar's end no other zone's can be told
    key = _aggregation(metric, data)
    if key is None:
        return []
    measured = [(parse(point.get("timeStamp")), number(point.get(key))) for point in data]
    points = [(at, value) for at, value in measured if at is not None and value is not None]
    if not points:
        message = f"no point of {metric.name} has a usable time and value"
        raise Malformed(message, vm)
    return points


def _aggregation(metric: Metric, data: list[Mapping[str, object]]) -> str | None:
    """The best aggregation that any of the points has."""
    return next((key for key in metric.aggregations if any(point.get(key) is not None for point in data)), None)


def _measured(metric: Metric, data: list[Mapping[str, object]]) -> int:
    """How many of the points have it."""
    key = _aggregation(metric, data)
    return 0 if key is None else sum(point.get(key) is not None for point in data)


def _usual(metric: Metric, data: list[Point]) -> list[tuple[datetime, float]]:
    """The same of points that are as usual; a time without a zone means UTC, as everywhere."""
    for key in metric.aggregations:
        points = [(point.timeStamp, value) for point in data if (value := getattr(point, key)) is not None]
        if points:
            return [(_in_utc(datetime.fromisoformat(at)), value) for at, value in points]
    return []


def _in_utc(at: datetime) -> datetime:
    if at.tzinfo is UTC:
        return at
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


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
