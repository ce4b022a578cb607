"""What looks like a row of a format and is none, what says nothing, and what cannot be used: of all formats alike."""

import pytest

from tests.sources.reading import FORMATS, changed, read, vm, within
from tests.sources.rows import ANNOTATION, EVENT, EXAMPLES, GROUP, HEALTH, NSG, SCHEDULED, TIME, VM
from vmdiag.completeness import MalformedRow
from vmdiag.sources.formats import recognises_row

Row = dict[str, object]

GRAPH_HEALTH, HEALTH_CHANGES = "resource-graph-health", "resource-graph-health-changes"
PS_VM = "powershell-virtual-machine"
BALANCER = f"{GROUP}/providers/Microsoft.Network/loadBalancers/front"
TENANT = "/providers/Microsoft.Management/managementGroups/x"
ALERT = {"operationName": "Microsoft.Resourcehealth/healthevent/Activated/action", "properties": HEALTH}
NO_METRIC: Row = {"condition": {"allOf": []}}
CLOUD_EVENT: Row = {
    "type": "Microsoft.ResourceNotifications.HealthResources.AvailabilityStatusChanged",
    "specversion": "1.0",
    "subject": f"{VM}/providers/Microsoft.ResourceHealth/resourceAnnotations/current",
    "time": TIME,
}
PERF: Row = {
    "TimeGenerated": TIME,
    "ObjectName": "Network Adapter",
    "CounterName": "Bytes Received/sec",
    "CounterValue": 1,
}
STATE: Row = {"targetResourceId": VM, "occurredTime": TIME, "availabilityState": "Unavailable"}
VIEW: Row = {"statuses": [{"code": "powerstate/Deallocated"}], "vmAgent": {"statuses": []}}
OPERATION_EVENT = EXAMPLES["resource-events"]
SCHEDULED_FORMS = ("scheduled-events", "scheduled-events-event-grid", "scheduled-events-resource-graph")
NO_SCHEDULED_EVENTS: list[Row] = [
    {"Events": []},
    {"events": [SCHEDULED]},
    {"EventType": "Freeze", "Resources": []},
    {"EventType": "Microsoft.Storage.BlobCreated", "EventStatus": "x"},
    {"id": VM, "type": "microsoft.maintenance/configurationassignments", "properties": SCHEDULED},
    {"id": VM, "type": "microsoft.maintenance/updates", "properties": {}},
    {"eventType": "Microsoft.Maintenance.Other", "eventTime": "x", "data": {}},
]


def alert(essentials: Row, **context: object) -> Row:
    return {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": essentials, "alertContext": context}}


LOOK_ALIKES: list[tuple[str, Row]] = [
    ("activity-log", {"resourceUri": VM, "properties": {}}),
    ("azure-activity", {"TimeGenerated": "x", "Computer": "c", "OperationName": "o"}),
    ("exported-records", {"time": "2026-03-02T08:14:00Z", "metricName": "x", "category": "y"}),
    ("guest-counters", {"TimeGenerated": TIME, "Name": "x", "Val": 1}),
    ("guest-counters", {"TimeGenerated": TIME, "CounterName": "x", "CounterValue": 1}),
    ("guest-counters", {"Namespace": "Network", "Name": "x", "Val": 1}),
    ("heartbeat", {"TimeGenerated": "x", "Computer": "c", "Type": "Syslog", "OSType": "Linux"}),
    ("heartbeat", {"TimeGenerated": "x", "Computer": "c", "CounterName": "% Processor Time"}),
    ("heartbeat", {"TimeGenerated": "x", "Computer": "c", "Category": "Application"}),
    ("heartbeat", {"Computer": "c", "Category": "Azure Monitor Agent"}),
    ("powershell-activity-log", {"EventTimestamp": "x", "Message": "y"}),
    ("powershell-activity-log", {"eventTimestamp": "x", "operationName": "y"}),
    ("powershell-metrics", {"Id": "x", "Name": "y", "Timeseries": "@{Data=x}"}),
    ("powershell-metrics", {"id": "x", "name": "y", "timeseries": []}),
    (PS_VM, {"ResourceGroupName": "g", "Name": "n", "Statuses": [{"Code": "ProvisioningState/succeeded"}]}),
    (PS_VM, {"ResourceGroupName": "g", "Name": "n", "Type": "Microsoft.Network/networkInterfaces", "Id": "x"}),
    (PS_VM, {"Name": "disk", "Id": "x", "Type": "Microsoft.Compute/disks", "StorageProfile": {}}),
    (GRAPH_HEALTH, {"annotationName": "x", "occurredTime": TIME}),
    (GRAPH_HEALTH, {"availabilityState": "Available", "name": "vm"}),
    (GRAPH_HEALTH, {"targetResourceId": VM, "occurredTime": TIME}),
    ("resource-health", changed("resource-health", properties=STATE)),
    *((name, row) for name in SCHEDULED_FORMS for row in NO_SCHEDULED_EVENTS),
    ("service-events", {"properties": {"eventType": "x"}}),
    ("transcripts", {"schema": "vmdiag.report/1"}),
    ("virtual-machine", {"name": "agent", "statuses": [{"code": "ProvisioningState/x"}], "type": "A/extensions"}),
    ("virtual-machine", {"statuses": [{"code": "x"}], "type": "Microsoft.Compute/virtualMachines/extensions"}),
    ("virtual-machine", changed("virtual-machine", subscriptionId="s")),
]
OTHER_EVENTS = {
    "event-grid": [
        "Microsoft.ResourceNotifications.MaintenanceResources.ScheduledEventEmitted",
        "Microsoft.Maintenance.ScheduledEvents",
        "microsoft.maintenance/scheduledevents/write",
        "Microsoft.Resources.ResourceActionSuccess",
    ],
    "resource-events": [
        "Microsoft.Resources.ResourceActionSuccessful",
        "Microsoft.Resources.DeploymentSucceeded",
        "Microsoft.ResourceNotifications.Resources.CreatedOrUpdated",
        "Microsoft.Storage.BlobCreated",
    ],
}
SILENT: list[tuple[str, Row]] = [
    *(("alerts", alert({"monitoringService": kind}, **NO_METRIC)) for kind in ("Platform", "Log Analytics", "")),
    ("alerts", alert({"alertTargetIDs": [TENANT]}, **ALERT, eventTimestamp=TIME)),
    ("azure-metrics", changed("azure-metrics", MetricName="OS Disk Queue Depth")),
    ("azure-metrics", changed("azure-metrics", _ResourceId=NSG)),
    ("event-grid", changed("event-grid", eventType="Microsoft.Storage.BlobCreated")),
    ("event-grid", {**CLOUD_EVENT, "type": "Microsoft.Storage.BlobCreated", "data": {}}),
    (
        "event-grid",
        changed("event-grid", data={"resourceInfo": {"properties": {**ANNOTATION, "targetResourceId": BALANCER}}}),
    ),
    ("exported-records", changed("exported-records", category="NetworkSecurityGroupEvent")),
    ("guest-counters", {**PERF, "_ResourceId": NSG}),
    ("heartbeat", changed("heartbeat", _ResourceId="", ComputerEnvironment="Non-Azure")),
    ("heartbeat", changed("heartbeat", _ResourceId=f"{GROUP}/providers/Microsoft.HybridCompute/machines/m")),
    ("metrics", changed("metrics", name={"value": "OS Disk Queue Depth"})),
    ("metrics", changed("metrics", id=f"{NSG}/providers/Microsoft.Insights/metrics/Network In Total")),
    (PS_VM, {"Id": f"{GROUP}/providers/M.Compute/disks/d", "Name": "d", "HardwareProfile": {}}),
    ("resource-changes", within("resource-changes", targetResourceId=TENANT)),
    (GRAPH_HEALTH, {**STATE, "targetResourceId": BALANCER}),
    (GRAPH_HEALTH, {**STATE, "targetResourceId": NSG}),
    (
        HEALTH_CHANGES,
        within(
            HEALTH_CHANGES, targetResourceId=f"{NSG}/providers/Microsoft.ResourceHealth/resourceAnnotations/current"
        ),
    ),
    (
        "resource-health",
        changed("resource-health", id=str(EXAMPLES["resource-health"]["id"]).replace("Compute", "ClassicCompute")),
    ),
    ("resources", {"id": f"{VM}/x", "type": "microsoft.network/publicipaddresses", "properties": VIEW}),
    ("resources", {"id": f"{VM}/x", "type": "microsoft.compute/virtualmachines/extensions", "properties": VIEW}),
    ("scheduled-events", {"DocumentIncarnation": 4, "Events": []}),
    ("scheduled-events-resource-graph", within("scheduled-events-resource-graph", ResourceType="CloudService")),
    ("virtual-machine", {"id": f"{VM}/extensions/agent", "instanceView": VIEW}),
]
MALFORMED: list[tuple[str, Row, str]] = [
    ("activity-log", changed("activity-log", resourceId=None, id=None), "no resource id"),
    ("activity-log", {"properties": HEALTH, "relatedEvents": []}, "no resource id"),
    ("alerts", alert({}, **ALERT, eventTimestamp=TIME), "no resource id"),
    ("azure-activity", changed("azure-activity", _ResourceId=None), "no resource id"),
    ("azure-metrics", changed("azure-metrics", TimeGenerated="soon"), "time"),
    ("azure-metrics", changed("azure-metrics", _ResourceId=""), "no resource id"),
    ("azure-metrics", changed("azure-metrics", Total="many"), "no number"),
    ("azure-metrics", changed("azure-metrics", Total="1,234"), "no number"),
    ("azure-metrics", changed("azure-metrics", Total="3.5 MB", Average=5), "no number"),
    ("event-grid", {**CLOUD_EVENT, "data": {}, "subject": ""}, "no resource id"),
    ("event-grid", {**CLOUD_EVENT, "time": ""}, "no time"),
    ("exported-records", {"time": "2026-03-02T08:14:00Z", "category": "Administrative"}, "no resource id"),
    ("guest-counters", {**PERF, "_ResourceId": VM, "TimeGenerated": ""}, "time"),
    ("heartbeat", changed("heartbeat", _ResourceId=None, Computer=""), "no resource id"),
    ("heartbeat", changed("heartbeat", _ResourceId="web-01"), "no path"),
    ("heartbeat", changed("heartbeat", TimeGenerated=""), "no time"),
    ("heartbeat", changed("heartbeat", TimeGenerated="1700-01-01T00:00:00Z"), "no usable time"),
    ("metrics", changed("metrics", id=None), "no resource id"),
    ("metrics", changed("metrics", errorCode="Throttled"), "Throttled"),
    ("metrics", changed("metrics", timeseries=[{"data": [{"timeStamp": "never", "total": 1}]}]), "no point"),
    ("metrics", changed("metrics", timeseries=[{"data": [{"timeStamp": TIME, "total": "much"}]}]), "no point"),
    ("portal-csv", changed("portal-csv", Subscription="Pay-As-You-Go"), "name, not its id"),
    (PS_VM, changed(PS_VM, Name=""), "whose"),
    ("resource-changes", within("resource-changes", targetResourceId=""), "no resource id"),
    ("resource-events", {key: value for key, value in OPERATION_EVENT.items() if key != "eventTime"}, "no time"),
    ("resource-events", {**OPERATION_EVENT, "subject": None, "data": {"status": "Succeeded"}}, "no resource id"),
    (GRAPH_HEALTH, {**STATE, "occurredTime": None}, "no time"),
    (GRAPH_HEALTH, {**STATE, "targetResourceId": None}, "no resource id"),
    (
        HEALTH_CHANGES,
        within(
            HEALTH_CHANGES, targetResourceId=None, targetResourceType="microsoft.resourcehealth/availabilitystatuses"
        ),
        "no resource id",
    ),
    ("resource-health", changed("resource-health", id=None), "no resource id"),
    ("resources", changed("resources", id=""), "no resource id"),
    ("scheduled-events", {"DocumentIncarnation": 1, "Events": [{**SCHEDULED, "Resources": []}]}, "no VM"),
    ("service-events", changed("service-events", id=None), "no resource id"),
    ("service-events", changed("service-events", id="/providers/x"), "no subscription"),
    ("service-events", within("service-events", impactStartTime="0001-01-01T00:00:00"), "no time"),
    ("virtual-machine", VIEW, "does not say whose"),
]
OF_THE_VM: list[tuple[str, Row, str]] = [
    ("activity-log", changed("activity-log", eventTimestamp="0001-01-01T00:00:00Z", id=None), "no usable time"),
    ("activity-log", changed("activity-log", eventTimestamp=None, id=None), "no time"),
    ("activity-log", {**EVENT, "eventTimestamp": 7, "id": "x"}, "no time"),
    ("alerts", alert({"alertTargetIDs": [VM]}, **ALERT), "no time"),
    ("azure-activity", changed("azure-activity", TimeGenerated="0001-01-01T00:00:00Z"), "no usable time"),
    *(
        ("event-grid", {**CLOUD_EVENT, "data": data}, "without properties")
        for data in (
            {"resourceInfo": {"id": f"{VM}/providers/Microsoft.ResourceHealth/x/1", "properties": {}}},
            {"resourceInfo": {"properties": "{'availabilityState': 'Unavailable'}"}},
            {"operationalInfo": {"resourceEventTime": TIME}},
        )
    ),
    ("exported-records", changed("exported-records", time="yesterday", resourceId=VM), "no usable time"),
    ("portal-csv", changed("portal-csv", Time=""), "no time"),
    ("resource-changes", within("resource-changes", targetResourceId=VM, changeAttributes={}), "no time"),
    (HEALTH_CHANGES, within(HEALTH_CHANGES, changes={}, changeAttributes={}), "no time"),
    (
        "resource-health",
        changed("resource-health", name="current", properties={"availabilityState": "Available"}),
        "no usable time",
    ),
]


@pytest.mark.parametrize(("name", "row"), LOOK_ALIKES)
def test_a_look_alike_is_none_of_the_formats_rows(name: str, row: Row) -> None:
    assert not recognises_row(FORMATS[name], row)


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kinds in OTHER_EVENTS.items() for kind in kinds])
def test_an_event_that_another_format_reads_is_not_taken(name: str, kind: str) -> None:
    assert not recognises_row(FORMATS[name], changed(name, eventType=kind))
    assert not recognises_row(FORMATS[name], {**CLOUD_EVENT, "type": kind, "data": {}})


@pytest.mark.parametrize(("name", "row"), SILENT)
def test_what_concerns_no_vm_says_nothing(name: str, row: Row) -> None:
    assert not read(name, row)


@pytest.mark.parametrize(("name", "row", "reason"), MALFORMED)
def test_a_row_without_what_it_needs_is_malformed(name: str, row: Row, reason: str) -> None:
    with pytest.raises(MalformedRow, match=reason):
        read(name, row)


@pytest.mark.parametrize(("name", "row", "reason"), OF_THE_VM)
def test_a_malformed_row_says_whose_it_was(name: str, row: Row, reason: str) -> None:
    with pytest.raises(MalformedRow, match=reason) as told:
        read(name, row)
    assert told.value.vm == vm()
