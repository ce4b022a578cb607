"""Azure Monitor metrics as the REST API and the CLI give them."""

import random
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

from tests.incidents.model import BalancerProbe, Machine, Series, WireFile
from tests.incidents.wire.plain import Json, JsonObject, encode_json, format_time, get_group_name, get_resource_name

_PERIODS = {1: "PT1M", 5: "PT5M", 15: "PT15M", 60: "PT1H"}


def write_metrics_files(rng: random.Random, series: list[Series], region: str, grain: int = 1) -> list[WireFile]:
    """One answer a VM with all metrics, or one a metric; a point stands for so many minutes."""
    by_vm: dict[str, list[Series]] = defaultdict(list)
    for each in series:
        by_vm[each.vm].append(each)
    files = []
    for vm, known in by_vm.items():
        apart = rng.random() < 0.3
        for number, group in enumerate([[each] for each in known] if apart else [known]):
            cli = rng.random() < 0.5
            content = encode_json(
                _build_answer([_coarsen_series(each, grain) for each in group], region, grain, cli=cli)
            )
            path = f"metrics-{get_resource_name(vm)}-{number}.json"
            files.append(WireFile(path=path, form="metrics-cli" if cli else "metrics-rest", content=content))
    return files


def write_refusal() -> list[WireFile]:
    """The error body that a redirected command leaves in place of the metrics."""
    error: Json = {"code": "AuthorizationFailed", "message": "The client does not have authorization to read metrics."}
    return [WireFile(path="metrics.json", form="metrics-refused", content=encode_json({"error": error}))]


def _coarsen_series(series: Series, grain: int) -> Series:
    """The same in points of so many minutes by the clock, as far as those were whole."""
    if grain == 1:
        return series
    begun = (series.start.hour * 60 + series.start.minute) % grain
    skipped = (grain - begun) % grain
    points = []
    for first in range(skipped, len(series.values) - grain + 1, grain):
        known = [value for value in series.values[first : first + grain] if value is not None]
        whole = sum(known) if series.aggregation == "total" else sum(known) / max(1, len(known))
        points.append(round(whole, 3) if known else None)
    return replace(series, start=series.start + timedelta(minutes=skipped), values=tuple(points))


def _build_answer(series: list[Series], region: str, grain: int, *, cli: bool) -> JsonObject:
    first = series[0]
    end = first.start + timedelta(minutes=grain * len(first.values))
    return {
        "cost": 0,
        "timespan": f"{format_time(first.start, 0)}/{format_time(end, 0)}",
        "interval": f"{grain // 60}:{grain % 60:02d}:00" if cli else _PERIODS[grain],
        "value": [_build_series(each, grain, cli=cli) for each in series],
        "namespace": "Microsoft.Compute/virtualMachines",
        "resourceregion": region,
    }


def _build_series(series: Series, grain: int, *, cli: bool) -> JsonObject:
    points: list[Json] = []
    for number, value in enumerate(series.values):
        at = series.start + timedelta(minutes=grain * number)
        point: JsonObject = {"timeStamp": format_time(at, 0)}
        if cli:
            # The CLI's older models write null where REST leaves the value out, and an offset for Z.
            point["timeStamp"] = at.isoformat(timespec="seconds")
            point[series.aggregation] = value
        elif value is not None:
            point[series.aggregation] = value
        points.append(point)
    answer = build_metric(series.vm, series.name, series.unit, points)
    if cli:
        answer["resourceGroup"] = get_group_name(series.vm)
    return answer


def build_metric(vm: str, name: str, unit: str, points: list[Json]) -> JsonObject:
    """One metric of an answer."""
    return {
        "id": f"{vm}/providers/Microsoft.Insights/metrics/{name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "unit": unit,
        "timeseries": [{"metadatavalues": [], "data": points}],
        "errorCode": "Success",
    }


def write_probe_files(probes: list[BalancerProbe], machines: list[Machine], until: datetime) -> list[WireFile]:
    """`DipAvailability` of a balancer split by backend, with `VipAvailability` beside it, and its rule's health."""
    owners = {machine.vm: machine for machine in machines}
    start = (until - timedelta(hours=4)).replace(second=0, microsecond=0)
    times = [start + timedelta(minutes=minute) for minute in range((until - start) // timedelta(minutes=1))]
    files = []
    for number, each in enumerate(probes):
        machine = owners[each.vm]
        if each.reason:
            backend: Json = {
                "ipAddress": machine.address,
                "networkInterfaceIPConfigurationId": f"{machine.nic}/ipConfigurations/ipconfig1",
                "state": each.reason.partition("_")[0],
                "reason": each.reason,
            }
            content = encode_json({"up": 0, "down": 1, "loadBalancerBackendAddresses": [backend]})
            files.append(WireFile(path=f"rule-{number}.json", form="rule-health", content=content))
            continue
        found: list[Json] = []
        for name in ("VipAvailability", "DipAvailability"):
            is_backend = name.startswith("Dip")
            points: list[Json] = [
                {
                    "timeStamp": format_time(at, 0),
                    "average": 0.0 if is_backend and each.lost is not None and at >= each.lost else 100.0,
                }
                for at in times
            ]
            answer = build_metric(machine.balancer, name, "Count", points)
            dimensions = (
                {"BackendIPAddress": machine.address, "BackendPort": each.port}
                if is_backend
                else {"FrontendPort": each.port}
            )
            values: Json = [{"name": {"value": key.lower()}, "value": value} for key, value in dimensions.items()]
            found.append({**answer, "timeseries": [{"metadatavalues": values, "data": points}]})
        content = encode_json({"cost": 0, "interval": "PT1M", "value": found})
        files.append(WireFile(path=f"balancer-{number}.json", form="probe-metrics", content=content))
    return files
