"""What load balancers found of their backends; must not know why a VM fell silent.

Sources: "Azure Load Balancer monitoring data reference" (2024-08-21: the metric and its dimensions), "REST API: Metrics
- List" (2024-02-01: `$filter` splits by the dimensions that it names, `or` stands between values of one of them alone,
`top` is 10 unless it is given). What a balancer of the Basic SKU answers stands on no page; here it has no series.
"""

import re
from datetime import datetime, timedelta

from tests.arm.call import Answer, ApiCall, refuse, refuse_flat
from tests.arm.metric_generator import MINUTE, TrafficState, find_state
from tests.arm.routes.metrics import MetricsQuery, build_points, parse_query
from tests.arm.routing import GROUP, Route
from tests.arm.versions import METRICS
from tests.arm.vm import Vm
from tests.arm.world import World
from tests.incidents.model import BalancerProbe
from tests.incidents.wire.metrics import build_metric
from tests.incidents.wire.plain import Json, JsonObject, format_time

KIND = "Microsoft.Network/loadBalancers"
FRONTEND = "203.0.113.80"
_PLACE = ("FrontendIPAddress", "FrontendPort")
DIMENSIONS = {
    "DipAvailability": ("ProtocolType", "BackendPort", *_PLACE, "BackendIPAddress"),
    "VipAvailability": _PLACE,
}
TOP = 10
REPORT_DELAY = timedelta(seconds=30)
_CLAUSE = re.compile(r"(\w+) eq '([^']*)'")


def list_metrics(world: World, call: ApiCall) -> Answer:
    """The metrics of a balancer, split by the dimensions that the filter names."""
    balancer = _get_balancer_id(call)
    behind = [(vm, probe) for probe in world.probes if (vm := _find_backend(world, probe, balancer)) is not None]
    if not behind:
        refuse(404, "ResourceNotFound", f"The Resource '{KIND}/{call.path_names['balancer']}' was not found.")
    asked = parse_query(call, KIND, DIMENSIONS)
    found: list[Json] = [_describe_metric(call, balancer, name, asked, behind) for name in asked.names]
    body: JsonObject = {
        "cost": 0,
        "timespan": f"{format_time(asked.start, 0)}/{format_time(asked.end, 0)}",
        "interval": asked.grain,
        "value": found,
        "namespace": KIND,
        "resourceregion": behind[0][0].machine.location,
    }
    return Answer(body=body)


def _get_balancer_id(call: ApiCall) -> str:
    return call.path.partition("/providers/Microsoft.Insights/")[0]


def _find_backend(world: World, probe: BalancerProbe, balancer: str) -> Vm | None:
    vm = world.find_vm(probe.vm)
    return vm if vm is not None and vm.machine.balancer.lower() == balancer.lower() else None


def _describe_metric(
    call: ApiCall, balancer: str, name: str, asked: MetricsQuery, behind: list[tuple[Vm, BalancerProbe]]
) -> JsonObject:
    wanted = _parse_filter(call, DIMENSIONS[name])
    stamps = [f"{at.isoformat()[:19]}Z" for at in asked.times]
    size = asked.step // MINUTE
    together: dict[tuple[tuple[str, str], ...], list[list[float | None]]] = {}
    for vm, probe in behind:
        places = {
            "ProtocolType": "6",
            "BackendPort": probe.port,
            "FrontendIPAddress": FRONTEND,
            "FrontendPort": probe.port,
            "BackendIPAddress": vm.machine.address,
        }
        if all(values & {"*", places[dimension]} for dimension, values in wanted.items()):
            key = tuple((dimension.lower(), places[dimension]) for dimension in wanted)
            first = asked.first_time
            minutes = [_probe_vm(call, vm, probe, first + minute * MINUTE) for minute in range(len(stamps) * size)]
            together.setdefault(key, []).append(minutes if name.startswith("Dip") else [100.0] * len(minutes))
    series: list[Json] = [
        {
            "metadatavalues": [
                {"name": {"value": dimension, "localizedValue": dimension}, "value": value} for dimension, value in key
            ],
            "data": build_points(stamps, _average(rows), size, asked.aggregations or ("average",)),
        }
        for key, rows in sorted(together.items())
    ]
    top = int(call.query.get("top", TOP)) if wanted else len(series)
    return {**build_metric(balancer, name, "Count", []), "timeseries": series[:top]}


def _probe_vm(call: ApiCall, vm: Vm, probe: BalancerProbe, at: datetime) -> float | None:
    """Percent of the probes of a minute that were answered; nothing of a VM that is off, or not yet told."""
    state = find_state(vm.list_state_changes(call.now), at)
    if at + MINUTE > call.now - REPORT_DELAY or state == TrafficState.DOWN or at < vm.created_at:
        return None
    if state is None:
        return 0.0 if probe.lost is not None and at >= probe.lost else 100.0
    return 0.0 if state == TrafficState.CUT_OFF else 100.0


def _average(rows: list[list[float | None]]) -> list[float | None]:
    """What a series over several backends or ports holds."""
    columns = ([value for value in column if value is not None] for column in zip(*rows, strict=True))
    return [sum(known) / len(known) if known else None for known in columns]


def _parse_filter(call: ApiCall, known: tuple[str, ...]) -> dict[str, set[str]]:
    """The values that are asked for of each dimension; `*` and nothing mean all."""
    text = call.query.get("$filter", "")
    if "top" in call.query and not text:
        refuse_flat(400, "BadRequest", "The top parameter is valid only if a filter is given.")
    found: dict[str, set[str]] = {}
    names = {name.lower(): name for name in known}
    for clause in text.split(" and ") if text else ():
        pairs = [_CLAUSE.fullmatch(each.strip()) for each in clause.split(" or ")]
        parts = {pair.group(1).lower() if pair else "" for pair in pairs}
        if len(parts) != 1 or not parts <= names.keys() or names[min(parts)] in found:
            refuse_flat(400, "BadRequest", f"The filter '{text}' is invalid: its dimensions are {', '.join(known)}.")
        found[names[min(parts)]] = {pair.group(2) or "*" for pair in pairs if pair}
    return found


_BALANCER = f"{GROUP}/providers/Microsoft.Network/loadBalancers/{{balancer}}"
ROUTES = (
    Route(
        f"{_BALANCER}/providers/Microsoft.Insights/metrics", list_metrics, "Microsoft.Insights/metrics/read", METRICS
    ),
)
