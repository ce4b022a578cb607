"""Azure Monitor metrics as the REST API and the CLI give them."""

import random
from collections import defaultdict
from datetime import timedelta

from tests.incidents.model import Series, WireFile
from tests.incidents.wire.plain import Json, JsonObject, dump, group_of, name_of, stamp


def metrics_files(rng: random.Random, series: list[Series], region: str) -> list[WireFile]:
    """One answer a VM with all metrics, or one a metric."""
    by_vm: dict[str, list[Series]] = defaultdict(list)
    for each in series:
        by_vm[each.vm].append(each)
    files = []
    for vm, known in by_vm.items():
        apart = rng.random() < 0.3
        for number, group in enumerate([[each] for each in known] if apart else [known]):
            cli = rng.random() < 0.5
            content = dump(_answer(group, region, cli=cli))
            path = f"metrics-{name_of(vm)}-{number}.json"
            files.append(WireFile(path=path, form="metrics-cli" if cli else "metrics-rest", content=content))
    return files


def refused() -> list[WireFile]:
    """The error body that a redirected command leaves in place of the metrics."""
    error: Json = {"code": "AuthorizationFailed", "message": "The client does not have authorization to read metrics."}
    return [WireFile(path="metrics.json", form="metrics-refused", content=dump({"error": error}))]


def _answer(series: list[Series], region: str, *, cli: bool) -> JsonObject:
    first = series[0]
    end = first.start + timedelta(minutes=len(first.values))
    return {
        "cost": 0,
        "timespan": f"{stamp(first.start, 0)}/{stamp(end, 0)}",
        "interval": "0:01:00" if cli else "PT1M",
        "value": [_metric(each, cli=cli) for each in series],
        "namespace": "Microsoft.Compute/virtualMachines",
        "resourceregion": region,
    }


def _metric(series: Series, *, cli: bool) -> JsonObject:
    points: list[Json] = []
    for minute, value in enumerate(series.values):
        at = series.start + timedelta(minutes=minute)
        point: JsonObject = {"timeStamp": stamp(at, 0)}
        if cli:
            # The CLI's older models write null where REST leaves the value out, and an offset for Z.
            point["timeStamp"] = at.strftime("%Y-%m-%dT%H:%M:%S+00:00")
            point[series.aggregation] = value
        elif value is not None:
            point[series.aggregation] = value
        points.append(point)
    answer = metric(series.vm, series.name, series.unit, points)
    if cli:
        answer["resourceGroup"] = group_of(series.vm)
    return answer


def metric(vm: str, name: str, unit: str, points: list[Json]) -> JsonObject:
    """One metric of an answer."""
    return {
        "id": f"{vm}/providers/Microsoft.Insights/metrics/{name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "unit": unit,
        "timeseries": [{"metadatavalues": [], "data": points}],
        "errorCode": "Success",
    }
