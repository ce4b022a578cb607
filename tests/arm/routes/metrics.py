"""Platform metrics of a VM: what must be asked for, and how; must not know why a VM fell silent."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from tests.arm.call import Answer, ApiCall, refuse_flat
from tests.arm.metric_catalogue import METRIC_DEFINITIONS
from tests.arm.metric_generator import MINUTE
from tests.arm.routes.compute import require_vm
from tests.arm.routing import INSTANCE, VM, Route
from tests.arm.times import parse_time
from tests.arm.versions import METRICS
from tests.arm.vm import Vm
from tests.arm.world import World
from tests.incidents.wire import metrics as wire
from tests.incidents.wire.plain import Json, JsonObject, format_time

KIND = "Microsoft.Compute/virtualMachines"
NAME_LIMIT = 20
MINUTE_SPAN_LIMIT = timedelta(days=30)
RETENTION = timedelta(days=93)
GRAINS = {
    "PT1M": MINUTE,
    "PT5M": 5 * MINUTE,
    "PT15M": 15 * MINUTE,
    "PT30M": 30 * MINUTE,
    "PT1H": 60 * MINUTE,
    "PT6H": 360 * MINUTE,
    "PT12H": 720 * MINUTE,
    "P1D": 1440 * MINUTE,
}
_AGGREGATIONS: Mapping[str, Callable[[list[float]], float]] = {
    "average": lambda values: round(sum(values) / len(values), 6),
    "total": sum,
    "minimum": min,
    "maximum": max,
    "count": len,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsQuery:
    """What is asked for."""

    names: tuple[str, ...]
    start: datetime
    end: datetime
    grain: str
    aggregations: tuple[str, ...]
    """None given: each metric's own."""

    @property
    def step(self) -> timedelta:
        """From one point to the next."""
        return GRAINS[self.grain]

    @property
    def first_time(self) -> datetime:
        """The grain in which the span begins."""
        return self._round_to_grain(self.start)

    @property
    def times(self) -> list[datetime]:
        """Points lie on whole grains: from that in which the span begins to the one before that in which it ends."""
        first, step = self.first_time, self.step
        return [first + number * step for number in range((self._round_to_grain(self.end) - first) // step)]

    def _round_to_grain(self, at: datetime) -> datetime:
        zero = datetime(1970, 1, 1, tzinfo=UTC)
        return zero + (at - zero) // self.step * self.step


def list_metrics(world: World, call: ApiCall) -> Answer:
    """The metrics asked for, each with a point a grain; one without a report has nothing but its time."""
    vm = require_vm(world, call)
    asked = parse_query(call, KIND, list_vm_metrics(world))
    body: JsonObject = {
        "cost": max(0, (asked.end - asked.start) // MINUTE - 1) * len(asked.names),
        "timespan": f"{format_time(asked.start, 0)}/{format_time(asked.end, 0)}",
        "interval": asked.grain,
        "value": describe_metrics(vm, asked, call.now),
        "namespace": KIND,
        "resourceregion": vm.machine.location,
    }
    return Answer(body=body)


def describe_metrics(vm: Vm, asked: MetricsQuery, now: datetime) -> list[Json]:
    """The metrics asked for, as the answers for one resource and for many have them."""
    stamps = [f"{at.isoformat()[:19]}Z" for at in asked.times]
    return [_describe_metric(vm, name, asked, stamps, now) for name in asked.names]


def _describe_metric(vm: Vm, name: str, asked: MetricsQuery, stamps: list[str], now: datetime) -> JsonObject:
    vital = METRIC_DEFINITIONS[name]
    size = asked.step // MINUTE
    meter = vm.metrics.get(name)
    count = len(stamps) * size
    minutes: list[float | None] = [None] * count
    if meter:
        minutes = meter.generate_values(asked.first_time, count, vm.list_state_changes(now), now)
    names = asked.aggregations or (vital.aggregation,)
    return wire.build_metric(vm.id, name, vital.unit, build_points(stamps, minutes, size, names))


def build_points(stamps: list[str], minutes: list[float | None], size: int, names: tuple[str, ...]) -> list[Json]:
    """A point of a single minute has one value, whatever is asked of it: that spares most of the work."""
    if size > 1 or "count" in names:
        grains = (minutes[number * size : (number + 1) * size] for number in range(len(stamps)))
        return [{"timeStamp": at, **_aggregate_point(grain, names)} for at, grain in zip(stamps, grains, strict=True)]
    keys, times = ("timeStamp", *names), len(names)
    pairs = zip(stamps, minutes, strict=True)
    return [{"timeStamp": at} if value is None else dict(zip(keys, (at, *[value] * times))) for at, value in pairs]  # noqa: B905 - as long by construction


def _aggregate_point(minutes: list[float | None], names: tuple[str, ...]) -> JsonObject:
    values = [value for value in minutes if value is not None]
    return {name: _AGGREGATIONS[name](values) for name in names} if values else {}


def parse_query(call: ApiCall, kind: str, known: Iterable[str]) -> MetricsQuery:
    """What a call asks for, of the metrics that are known of a type of resource, or its refusal."""
    start, end = _parse_span(call)
    grain = call.query.get("interval", "PT1M").upper()
    if grain not in GRAINS:
        message = f"Detected invalid time grain input '{grain}', supported ones are {','.join(GRAINS)}"
        refuse_flat(400, "BadRequest", message)
    if grain == "PT1M" and end - start > MINUTE_SPAN_LIMIT:
        refuse_flat(400, "BadRequest", "The requested timespan at a grain of PT1M may not exceed 30 days.")
    return MetricsQuery(
        names=_parse_names(call, kind, known), start=start, end=end, grain=grain, aggregations=_parse_aggregations(call)
    )


def list_vm_metrics(world: World) -> list[str]:
    """The metrics of VMs that this cloud knows."""
    return [name for name in METRIC_DEFINITIONS if name not in world.metrics_absent]


def _parse_names(call: ApiCall, kind: str, listed: Iterable[str]) -> tuple[str, ...]:
    """Names as the service writes them; letter case does not matter, commas stand between."""
    text = call.query.get("metricnames", "")
    if not text:
        refuse_flat(400, "BadRequest", "The metricnames parameter is required.")
    known = {name.lower(): name for name in listed}
    provider, _, resource_type = kind.partition("/")
    names = text.split(",")
    if len(names) > NAME_LIMIT:
        refuse_flat(400, "BadRequest", f"Requested metrics count: {len(names)} bigger than allowed max: {NAME_LIMIT}")
    for name in names:
        if name.strip().lower() not in known:
            message = (
                f"Failed to find metric configuration for provider: {provider}, resource Type: {resource_type},"
                f" metric: {name}, Valid metrics: {','.join(known.values())}"
            )
            refuse_flat(400, "BadRequest", message)
    return tuple(known[name.strip().lower()] for name in names)


def _parse_aggregations(call: ApiCall) -> tuple[str, ...]:
    text = call.query.get("aggregation", "")
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in _AGGREGATIONS]
    if unknown:
        refuse_flat(400, "BadRequest", f"Invalid aggregation type: {','.join(unknown)}")
    return names


def _parse_span(call: ApiCall) -> tuple[datetime, datetime]:
    """`from/to`, both ISO 8601; Azure CLI encodes it once more, and Azure understands."""
    text = unquote(call.query.get("timespan", ""))
    match = re.fullmatch(r"([^/]+)/([^/]+)", text)
    start, end = (parse_time(part) for part in match.groups()) if match else (None, None)
    if start is None or end is None or start >= end:
        refuse_flat(400, "BadRequest", f"Invalid timespan '{text}': start and end, ISO 8601, with a / between")
    if start < call.now - RETENTION:
        refuse_flat(400, "BadRequest", "The start time may not lie more than 93 days back.")
    return start, end


ROUTES = tuple(
    Route(f"{base}/providers/Microsoft.Insights/metrics", list_metrics, "Microsoft.Insights/metrics/read", METRICS)
    for base in (VM, INSTANCE)
)
