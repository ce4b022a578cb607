"""The tables in which services keep what happened: rows of a workspace and of Resource Graph, and as files of them."""

import json
import random
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

from tests.incidents.model import GroundTruth, Incident
from tests.incidents.wire import log_analytics, resource_graph
from tests.incidents.wire.log_entry import build_log_entries
from tests.incidents.wire.plain import Json, JsonObject, build_table, format_time, get_group_name, get_subscription_id

Columns = Mapping[str, str]
Row = Mapping[str, Json]
Tables = Mapping[str, tuple[Columns, list[Row]]]

_TIMES = dict.fromkeys(("TimeGenerated", "EventSubmissionTimestamp"), "datetime")
_LOG_TEXTS = (
    "CategoryValue", "OperationNameValue", "OperationName", "ActivityStatusValue", "ActivitySubstatusValue",
    "ResourceProviderValue", "Caller", "CorrelationId", "EventDataId", "Level", "Properties", "ResourceGroup",
    "SubscriptionId", "ResourceId", "_ResourceId",
)  # fmt: skip
LOG_COLUMNS: Mapping[str, Columns] = {
    "AzureActivity": {**_TIMES, **dict.fromkeys(_LOG_TEXTS, "string"), "Properties_d": "dynamic"},
    "Heartbeat": {
        "TimeGenerated": "datetime",
        **dict.fromkeys(("Computer", "Category", "OSType", "ResourceId", "_ResourceId"), "string"),
    },
    "AzureMetrics": {
        "TimeGenerated": "datetime",
        **dict.fromkeys(("ResourceId", "MetricName", "TimeGrain", "UnitName", "_ResourceId"), "string"),
        **dict.fromkeys(("Total", "Average", "Minimum", "Maximum", "Count"), "real"),
    },
    "NWConnectionMonitorTestResult": {
        "TimeGenerated": "datetime",
        **dict.fromkeys(("TestGroupName", "TestConfigurationName", "Protocol", "TestResult", "Type"), "string"),
        **dict.fromkeys(("SourceType", "SourceResourceId", "SourceName", "SourceAddress", "SourceIP"), "string"),
        **dict.fromkeys(("DestinationType", "DestinationResourceId", "DestinationAddress", "DestinationIP"), "string"),
        **dict.fromkeys(("DestinationPort", "ChecksTotal", "ChecksFailed", "ChecksFailedPercentThreshold"), "int"),
    },
}
"""As "Azure Monitor Logs reference" has them; of the columns that nothing here fills none is left out that is read."""
GRAPH_COLUMNS: Columns = {
    **dict.fromkeys(("id", "name", "type", "location", "resourceGroup", "subscriptionId"), "string"),
    **dict.fromkeys(("tags", "properties"), "dynamic"),
}
GRAPH_TABLES = ("resources", "healthresources", "healthresourcechanges", "resourcechanges", "maintenanceresources")


def build_log_tables(incidents: Iterable[Incident]) -> Tables:
    """A workspace to which everything of the incidents was sent that was exported of them.

    Its oldest records are of two months before: of each subscription one that says nothing.
    """
    rows: dict[str, list[Row]] = {name: [] for name in LOG_COLUMNS}
    for incident in incidents:
        truth, rng = incident.truth, _create_random(incident)
        forms = {file.form for file in incident.files}
        rows["AzureActivity"] += log_analytics.build_activity_rows(rng, build_log_entries(rng, truth))
        rows["AzureActivity"].append(_build_old_row(truth))
        if any(form.startswith("heartbeat") for form in forms):
            rows["Heartbeat"] += log_analytics.build_heartbeat_rows(rng, truth.beats)
        if any(form.startswith(("metrics-rest", "metrics-cli", "azuremetrics")) for form in forms):
            rows["AzureMetrics"] += log_analytics.build_metric_rows(truth.series)
        since = incident.until - timedelta(hours=5)
        rows["NWConnectionMonitorTestResult"] += log_analytics.build_test_rows(rng, truth.tests, since, incident.until)
    return {name: (columns, rows[name]) for name, columns in LOG_COLUMNS.items()}


def build_graph_tables(incidents: Iterable[Incident]) -> Tables:
    """What Resource Graph holds of the incidents."""
    rows: dict[str, list[Row]] = {name: [] for name in GRAPH_TABLES}
    for incident in incidents:
        truth, rng = incident.truth, _create_random(incident)
        for machine in truth.machines:
            rows["resources"] += [resource_graph.build_machine_row(machine), resource_graph.build_nic_row(machine)]
            rows["healthresources"] += resource_graph.build_current_rows(machine.vm, truth)
            rows["healthresourcechanges"] += resource_graph.build_annotation_changes(rng, machine.vm, truth)
        rows["healthresourcechanges"] += [resource_graph.build_status_change(rng, each) for each in truth.health]
        changes = (each for each in truth.operations if each.name.startswith("Microsoft.Network/"))
        rows["resourcechanges"] += [
            resource_graph.build_resource_change(rng, each) for each in changes if resource_graph.has_change_row(each)
        ]
    return {name: (GRAPH_COLUMNS, rows[name]) for name in GRAPH_TABLES}


def write_tables(folder: Path, tables: Tables) -> None:
    """All rows of the tables as files: answers of the query API, or of Resource Graph."""
    for name, (columns, rows) in tables.items():
        path = folder / f"{name}.json"
        if columns is GRAPH_COLUMNS:
            answer: JsonObject = {"totalRecords": len(rows), "count": len(rows), "data": [dict(row) for row in rows]}
        else:
            answer = {"tables": [{"name": "PrimaryResult", **build_table(rows, dict(columns))}]}
        path.write_text(json.dumps(answer), encoding="utf-8")


def _build_old_row(truth: GroundTruth) -> Row:
    vm = truth.machines[0].vm
    group = f"/subscriptions/{get_subscription_id(vm)}/resourcegroups/{get_group_name(vm)}"
    return {
        "TimeGenerated": format_time(truth.until - timedelta(days=60)),
        "CategoryValue": "Administrative",
        "OperationNameValue": "MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTKEYS/ACTION",
        "ActivityStatusValue": "Success",
        "SubscriptionId": get_subscription_id(vm),
        "_ResourceId": f"{group}/providers/microsoft.storage/storageaccounts/logs".lower(),
    }


def _create_random(incident: Incident) -> random.Random:
    return random.Random(f"tables/{incident.seed}/{incident.index}")  # noqa: S311 - a story, no secret
