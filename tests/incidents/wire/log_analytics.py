"""Tables of a Log Analytics workspace: the query API's answer, the CLI's rows, the portal's CSV."""

import random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from tests.incidents.model import ReachTest, Series, WireFile
from tests.incidents.wire.log_entry import SHORT_STATUSES, LogEntry
from tests.incidents.wire.plain import (
    Json,
    JsonObject,
    build_table,
    encode_csv,
    encode_json,
    format_time,
    get_group_name,
    get_resource_name,
    get_subscription_id,
)

Row = Mapping[str, Json]

_COLUMN_TYPES = {"TimeGenerated": "datetime", "Properties_d": "dynamic"}
_COLUMN_TYPES |= dict.fromkeys(("DestinationPort", "ChecksTotal", "ChecksFailed"), "int")
_COLUMN_TYPES |= dict.fromkeys(("Total", "Average", "Minimum", "Maximum", "Count"), "real")


def write_activity_table(rng: random.Random, entries: list[LogEntry]) -> list[WireFile]:
    """`AzureActivity`: operation names in upper case, `_ResourceId` in lower case, properties as a string."""
    return [_write_table(rng, "azureactivity", build_activity_rows(rng, entries))]


def build_activity_rows(rng: random.Random, entries: list[LogEntry]) -> list[Row]:
    """The rows of the log, in no order."""
    nested = rng.random() < 0.6
    rows = [_build_activity_row(rng, entry, nested=nested) for entry in entries]
    rng.shuffle(rows)
    return rows


def write_heartbeat_table(rng: random.Random, beats: Mapping[str, tuple[datetime, ...]]) -> list[WireFile]:
    """`Heartbeat`: one row a minute and VM, some of them lost or a few seconds late."""
    return [_write_table(rng, "heartbeat", build_heartbeat_rows(rng, beats))]


def build_heartbeat_rows(rng: random.Random, beats: Mapping[str, tuple[datetime, ...]]) -> list[Row]:
    """The rows of all VMs' agents."""
    rows: list[Row] = []
    for vm, times in beats.items():
        rows += [build_heartbeat(vm, at + timedelta(seconds=rng.uniform(0, 3))) for at in times if rng.random() > 0.01]
    return rows


def build_heartbeat(vm: str, at: datetime) -> Row:
    """One heartbeat of a VM's agent."""
    return {
        "TimeGenerated": format_time(at, 7),
        "Computer": get_resource_name(vm),
        "Category": "Azure Monitor Agent",
        "OSType": "Linux",
        "ResourceId": vm,
        "_ResourceId": vm.lower(),
    }


def write_test_table(rng: random.Random, tests: list[ReachTest], until: datetime) -> list[WireFile]:
    """`NWConnectionMonitorTestResult`: a row a test, of the five hours before the end."""
    rows = build_test_rows(rng, tests, until - timedelta(hours=5), until)
    rng.shuffle(rows)
    return [_write_table(rng, "nwconnectionmonitortestresult", rows)]


def build_test_rows(rng: random.Random, tests: Iterable[ReachTest], since: datetime, until: datetime) -> list[Row]:
    """The rows of all tests in a span."""
    rows: list[Row] = []
    for each in tests:
        interval = timedelta(minutes=each.minutes)
        at = since + interval * rng.random()
        while at <= until:
            gone = each.lost is not None and at >= each.lost and not (each.back and at >= each.back)
            stray = rng.random() < 0.01
            failed = 10 if gone != stray else rng.choice((0, 0, 0, 1))
            rows.append(_build_test_row(each, at, failed))
            at += interval
    return rows


def _build_test_row(test: ReachTest, at: datetime, failed: int) -> Row:
    return {
        "TimeGenerated": format_time(at, 7),
        "TestGroupName": "web",
        "TestConfigurationName": "https",
        "SourceType": "AzureArcVM" if "hybridcompute" in test.source.lower() else "AzureVM",
        "SourceResourceId": test.source,
        "SourceName": get_resource_name(test.source),
        "DestinationType": "AzureVM",
        "DestinationResourceId": test.vm,
        "DestinationIP": "10.0.0.4",
        "DestinationPort": 443,
        "Protocol": "TCP",
        "ChecksTotal": 10,
        "ChecksFailed": failed,
        "TestResult": "Fail" if failed == 10 else "Pass",
        "Type": "NWConnectionMonitorTestResult",
    }


def write_metrics_table(rng: random.Random, series: list[Series]) -> list[WireFile]:
    """`AzureMetrics`: a row a reported minute; a minute without a report has no row."""
    return [_write_table(rng, "azuremetrics", build_metric_rows(series))]


def build_metric_rows(series: Iterable[Series]) -> list[Row]:
    """The rows of all series."""
    rows: list[Row] = []
    for each in series:
        begin: JsonObject = {"ResourceId": each.vm.upper(), "MetricName": each.name}
        end: JsonObject = {"Count": 1, "TimeGrain": "PT1M", "UnitName": each.unit, "_ResourceId": each.vm.lower()}
        for minute, value in enumerate(each.values):
            if value is not None:
                at = format_time(each.start + timedelta(minutes=minute), 0)
                figures = dict.fromkeys(("Total", "Average", "Minimum", "Maximum"), value)
                rows.append({"TimeGenerated": at, **begin, **figures, **end})
    return rows


def _build_activity_row(rng: random.Random, entry: LogEntry, *, nested: bool) -> Row:
    properties: JsonObject = dict(entry.properties)
    if nested and entry.category in ("ResourceHealth", "ServiceHealth"):
        properties = {"eventCategory": entry.category, "eventProperties": properties}
    as_text = encode_json(properties).decode()
    return {
        "TimeGenerated": format_time(entry.at, 7),
        "CategoryValue": entry.category,
        "OperationNameValue": entry.operation.upper(),
        "OperationName": entry.localized,
        "ActivityStatusValue": SHORT_STATUSES.get(entry.status, entry.status) if rng.random() < 0.7 else entry.status,
        "ActivitySubstatusValue": entry.sub_status,
        "ResourceProviderValue": entry.provider.upper(),
        "Caller": entry.caller or "",
        "CorrelationId": entry.correlation,
        "EventDataId": entry.data_id,
        "EventSubmissionTimestamp": format_time(entry.submitted, 7),
        "Level": entry.level,
        "Properties": as_text,
        "Properties_d": as_text,
        "ResourceGroup": get_group_name(entry.resource).upper(),
        "SubscriptionId": get_subscription_id(entry.resource),
        "ResourceId": entry.resource,
        "_ResourceId": entry.resource.lower(),
    }


def _write_table(rng: random.Random, name: str, rows: list[Row]) -> WireFile:
    """One of the three ways in which people take a table home."""
    form = rng.choice(("api", "cli", "csv"))
    writer = {"api": _encode_api_answer, "cli": _encode_cli_rows, "csv": _encode_csv}[form]
    extension = "csv" if form == "csv" else "json"
    return WireFile(path=f"{name}.{extension}", form=f"{name}-{form}", content=writer(rows))


def _encode_api_answer(rows: list[Row]) -> bytes:
    """`POST /v1/workspaces/{id}/query`: columns with types, rows as arrays."""
    return encode_json({"tables": [{"name": "PrimaryResult", **build_table(rows, _COLUMN_TYPES)}]})


def _encode_cli_rows(rows: list[Row]) -> bytes:
    """`az monitor log-analytics query`: an array of objects whose values are all strings, and `TableName`."""
    return encode_json(
        [{"TableName": "PrimaryResult", **{name: _format_value(value) for name, value in row.items()}} for row in rows]
    )


def _format_value(value: Json) -> str:
    return value if isinstance(value, str) else encode_json(value).decode()


def _encode_csv(rows: list[Row]) -> bytes:
    """The portal's export; `TimeGenerated [UTC]` is only how it shows the column, exports keep the name."""
    cells = [[_format_value(value) for value in row.values()] for row in rows]
    return encode_csv([list(rows[0]) if rows else [], *cells]).encode()
