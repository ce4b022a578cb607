"""One story in the forms in which people have it: whatever tool wrote the files, the command tells the same."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Runner

GROUP = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/shop"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web-01"
MIGRATED, FAILED = "2026-03-02T08:14:05Z", "2026-03-02T08:16:00Z"
Form = Callable[[object], object]


def minutes() -> list[tuple[str, float]]:
    """Two hours of traffic that ends two minutes after the migration."""
    names = [f"2026-03-02T{7 + minute // 60:02}:{minute % 60:02}:00Z" for minute in range(120)]
    return [(at, 4_000_000.0 if at < FAILED else 900.0) for at in names]


def metric() -> dict[str, object]:
    points = [{"timeStamp": at, "total": value} for at, value in minutes()]
    identifier = f"{VM}/providers/Microsoft.Insights/metrics/Network In Total"
    name = {"value": "Network In Total", "localizedValue": "Network In Total"}
    series = [{"metadatavalues": [], "data": points}]
    return {"id": identifier, "type": "Microsoft.Insights/metrics", "name": name, "timeseries": series}


def annotated() -> dict[str, object]:
    said = {"targetResourceId": VM, "annotationName": "LiveMigrationSucceeded", "occurredTime": MIGRATED}
    annotation = {"id": f"{VM}/providers/Microsoft.ResourceHealth/resourceAnnotations/current", "properties": said}
    return {
        "id": "e1",
        "topic": VM.partition("/resourceGroups")[0],
        "subject": VM,
        "eventType": "Microsoft.ResourceNotifications.HealthResources.ResourceAnnotated",
        "eventTime": MIGRATED,
        "data": {"resourceInfo": annotation},
    }


def logged(operation: str = "extensions/write", at: str = "2026-03-02T06:00:00Z") -> dict[str, object]:
    """An event of the log, which shows that the log was read."""
    return {
        "id": f"{VM}/events/x/ticks/639080360451234567",
        "eventTimestamp": at,
        "resourceId": VM,
        "category": {"value": "Administrative", "localizedValue": "Administrative"},
        "operationName": {"value": f"Microsoft.Compute/virtualMachines/{operation}", "localizedValue": "x"},
        "status": {"value": "Succeeded", "localizedValue": "Succeeded"},
        "correlationId": f"c-{at}",
    }


def check(vmdiag: Runner, folder: Path, **files: object) -> dict[str, object]:
    """The case of web-01 in an archive of these files."""
    archive = folder / "archive"
    archive.mkdir()
    for name, content in files.items():
        written = content if isinstance(content, str) else json.dumps(content)
        (archive / f"{name}.json").write_text(written, encoding="utf-8")
    done = vmdiag("check", VM, "--source", archive, "-o", "json")
    assert "Traceback" not in done.err
    (case,) = json.loads(done.out)["cases"]
    assert isinstance(case, dict)
    return case


def spelt(value: object, change: Callable[[str], str]) -> object:
    if isinstance(value, dict):
        return {change(key): spelt(inner, change) for key, inner in value.items()}
    return [spelt(each, change) for each in value] if isinstance(value, list) else value


def pascal(value: object) -> object:
    return spelt(value, lambda key: key[:1].upper() + key[1:])


def snake(value: object) -> object:
    return spelt(value, lambda key: "".join(f"_{one.lower()}" if one.isupper() else one for one in key))


def of_subscription(row: object) -> object:
    assert isinstance(row, dict)
    split = [
        {"metadatavalues": [{"name": {"value": "Microsoft.ResourceId"}, "value": VM.lower()}], **one}
        for one in ({"data": each["data"]} for each in row["timeseries"])
    ]
    identifier = f"{VM.partition('/resourceGroups')[0][1:]}/providers/Microsoft.Insights/metrics/Network In Total"
    return {"value": [{**row, "id": identifier, "timeseries": split}], "interval": "PT1M"}


def of_batch(row: object) -> object:
    return {"values": [{"starttime": "x", "interval": "PT1M", "resourceid": VM, "value": [row]}]}


def frames(_: object) -> object:
    columns = ["TimeGenerated", "MetricName", "Total", "TimeGrain", "_ResourceId"]
    rows = [[at, "Network In Total", value, "PT1M", VM.lower()] for at, value in minutes()]
    head, end = (
        {"FrameType": "DataSetHeader", "Version": "v2.0"},
        {"FrameType": "DataSetCompletion", "HasErrors": False},
    )
    table = {"FrameType": "DataTable", "TableId": 1, "TableKind": "PrimaryResult", "Rows": rows}
    return [head, {**table, "Columns": [{"ColumnName": name} for name in columns]}, end]


def lines(rows: list[object]) -> str:
    return "\n".join(map(json.dumps, rows))


METRICS: dict[str, Form] = {
    "as the API answers": lambda row: {"value": [row]},
    "Get-AzMetric": lambda row: [pascal(row)],
    "the SDK's as_dict": lambda row: {"value": [snake(row)]},
    "a subscription's": of_subscription,
    "getBatch": of_batch,
    "Kusto v2": frames,
}
EVENTS: dict[str, Form] = {
    "as Event Grid sends it": lambda row: [row],
    "a storage queue": lambda row: [
        {"id": "m", "dequeueCount": 0, "content": base64.b64encode(json.dumps(row).encode()).decode()}
    ],
    "Elastic": lambda row: lines([{"_index": "i", "_source": {"event": {"original": json.dumps(row)}}}] * 2),
    "Splunk": lambda row: lines([{"preview": False, "result": {"_raw": json.dumps(row)}}] * 2),
    "a forwarder": lambda row: lines([{"record": row}]),
}


@pytest.mark.parametrize(
    ("event", "metrics"),
    [*(("as Event Grid sends it", one) for one in METRICS), *((one, "as the API answers") for one in [*EVENTS][1:])],
)
def test_metrics_and_a_migration_tell_the_same_in_every_form(
    vmdiag: Runner, tmp_path: Path, event: str, metrics: str
) -> None:
    files = {"events": EVENTS[event](annotated()), "metrics": METRICS[metrics](metric())}
    case = check(vmdiag, tmp_path, log=[logged()], **files)

    assert (case["migrated_at"], case["failed_at"], case["state"]) == (MIGRATED, FAILED, "open")
    assert case["verdict"] in ("confirmed", "suspected")


SCHEDULED = {
    "EventId": "3DA1B9AA-5204-4335-8C33-C54E315DCFFE",
    "EventType": "Freeze",
    "ResourceType": "VirtualMachine",
    "Resources": ["web-01"],
    "NotBefore": "",
    "Description": "Virtual machine is being paused because of a memory-preserving Live Migration operation.",
    "EventSource": "Platform",
    "DurationInSeconds": 5,
}


def scheduled_row(status: str) -> dict[str, object]:
    """A row of Resource Graph's maintenanceresources."""
    identifier = f"{VM}/providers/microsoft.maintenance/scheduledevents/3da1b9aa"
    said = {**SCHEDULED, "EventStatus": status}
    return {"id": identifier, "type": "microsoft.maintenance/scheduledevents", "properties": said}


@pytest.mark.parametrize(
    ("event", "is_heard"),
    [
        ({"count": 1, "data": [scheduled_row("Completed")]}, True),
        ({"DocumentIncarnation": 3, "Events": [{**SCHEDULED, "EventStatus": "Started"}]}, True),
        ({"data": [scheduled_row("Scheduled")]}, False),
    ],
    ids=["Resource Graph", "instance metadata", "only announced"],
)
def test_a_migration_without_a_time_is_told_and_dates_nothing_and_an_announced_one_is_none(
    vmdiag: Runner, tmp_path: Path, event: object, *, is_heard: bool
) -> None:
    case = check(vmdiag, tmp_path, event=event, log=[logged()], metrics={"value": [metric()]})
    shown = vmdiag("check", VM, "--source", tmp_path / "archive")

    assert ("no live migration was seen" in shown.out) is not is_heard
    if is_heard:
        assert (case["migrated_at"], case["failed_at"]) == (None, FAILED)
        assert case["verdict"] in ("suspected", "inconclusive")
        assert "at a time that nothing tells" in shown.out
    else:
        assert case["explanation"] != "live-migration-datapath"


@pytest.mark.parametrize(
    ("outcome", "cause"), [("ResourceActionSuccess", "user-stop"), ("ResourceActionFailure", "live-migration-datapath")]
)
def test_a_customers_stop_that_event_grid_told_explains_the_loss_unless_it_failed(
    vmdiag: Runner, tmp_path: Path, outcome: str, cause: str
) -> None:
    stop = {
        "eventType": f"Microsoft.Resources.{outcome}",
        "eventTime": "2026-03-02T08:15:30Z",
        "subject": VM,
        "data": {"resourceUri": VM, "operationName": "Microsoft.Compute/virtualMachines/deallocate/action"},
    }
    case = check(vmdiag, tmp_path, events=[annotated(), stop], log=[logged()], metrics={"value": [metric()]})

    assert case["explanation"] == cause
    assert (case["verdict"] == "clear") is (cause == "user-stop")


def test_heartbeats_of_a_computer_are_the_vms_where_its_name_is_one_vms(vmdiag: Runner, tmp_path: Path) -> None:
    beats = [
        {"TimeGenerated": at, "Computer": "WEB-01", "Category": "Azure Monitor Agent"}
        for at, _ in minutes()
        if at < FAILED
    ]
    case = check(vmdiag, tmp_path, events=[annotated()], log=[logged()], metrics={"value": [metric()]}, beats=beats)

    assert "heartbeat" in str([loss["signals"] for loss in case["losses"]])  # type: ignore[attr-defined]


def test_counters_from_inside_the_guest_are_no_traffic(vmdiag: Runner, tmp_path: Path) -> None:
    rows = [
        {"TimeGenerated": at, "Computer": "web-01", "Namespace": "Network", "Name": "ReadBytesPerSecond", "Val": value}
        for at, value in minutes()
    ]
    case = check(vmdiag, tmp_path, events=[annotated()], log=[logged()], counters=rows)
    gaps = [(gap["signal"], gap["reason"]) for gap in case["gaps"]]  # type: ignore[attr-defined]

    assert case["verdict"] == "inconclusive"
    assert ("traffic", "not in the archive") in gaps
    assert any("inside the guest" in reason for signal, reason in gaps if signal == "agent")


def test_a_powershell_log_that_was_cut_is_told_with_its_way_out(vmdiag: Runner, tmp_path: Path) -> None:
    event = pascal({**logged(), "properties": "System.Collections.Generic.Dictionary`2[System.String,System.String]"})
    case = check(vmdiag, tmp_path, events=[annotated()], log=[event], metrics={"value": [metric()]})

    assert "-Depth 20" in str(case["gaps"])
