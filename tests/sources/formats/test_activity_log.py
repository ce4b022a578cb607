"""Events of the activity log, in the shapes that the API, the CLI and the portal give them, and in alerts."""

import json
from datetime import UTC, datetime

import pytest

from tests.sources import samples
from tests.sources.reading import FORMATS, REF, changed, covered, heard, nearby, read, regional, sampled, vm
from tests.sources.rows import EVENT, EXAMPLES, GROUP, HEALTH, NSG, SUBSCRIPTION, TIME, VM
from vmdiag.model import Signal
from vmdiag.sources.formats import recognises_row
from vmdiag.sources.items import FeedCoverage, ObservedTime, VmInventory, VmRecord

LOG = "activity-log"
OTHER_CATEGORIES = ("Policy", "Alert", "Recommendation", "Autoscale", "Security")
RESTART = "Microsoft.Compute/virtualMachines/restart/action"
DEALLOCATE = "Microsoft.Compute/virtualMachines/deallocate/action"
MANAGER = f"{GROUP}/providers/Microsoft.Network/networkManagers/m"
TENANT = "/providers/Microsoft.Management/managementGroups/x"
AT = datetime(2026, 3, 2, 8, 14, 5, 123456, tzinfo=UTC)
OF_VM = {"resource": VM.lower()}
URI = {"operationName": EVENT["operationName"], "resourceUri": VM, "status": "Succeeded"}
INCIDENT = {
    "title": "Netzwerk",
    "defaultLanguageTitle": "Network Infrastructure - UK South",
    "incidentType": "Incident",
    "trackingId": "T-1",
    "impactStartTime": "2026-03-02T07:00:00.0000000Z",
    "impactedServices": '[{"ImpactedRegions":[{"RegionName":"UK South"},{"RegionName":"UK West"}],'
    '"ServiceName":"Virtual Machines"}]',
}


def event(**members: object) -> dict[str, object]:
    return changed(LOG, **members)


def health(**members: object) -> dict[str, object]:
    operation = {
        "value": "Microsoft.Resourcehealth/healthevent/Updated/action",
        "localizedValue": "Health Event Updated",
    }
    status = {"value": "Updated", "localizedValue": "Updated"}
    return event(operationName=operation, category="ResourceHealth", status=status, properties=HEALTH, **members)


@pytest.mark.parametrize(
    ("row", "others"),
    [
        *((event(category={"value": category}), {FeedCoverage, VmInventory}) for category in OTHER_CATEGORIES),
        (event(resourceId=TENANT), set()),  # it covers no subscription
    ],
)
def test_what_is_not_of_the_vm_says_nothing_of_it(row: dict[str, object], others: set[type]) -> None:
    assert {type(item) for item in read(LOG, row)} == {ObservedTime, *others}


EXTENSION_WRITE = {"value": "Microsoft.Compute/virtualMachines/extensions/write"}


@pytest.mark.parametrize(
    "row",
    [
        event(category=None, operationName={"value": "Microsoft.Authorization/policies/audit/action"}),
        event(resourceId=f"{VM}/extensions/agent", operationName=EXTENSION_WRITE),
        event(operationName=EXTENSION_WRITE),
        health(resourceId=f"{GROUP}/providers/Microsoft.Network/loadBalancers/front"),
    ],
)
def test_what_is_no_operation_on_the_vm_is_not_heard(row: dict[str, object]) -> None:
    assert not heard(read(LOG, row))


MANAGER = f"{GROUP}/providers/Microsoft.Network/networkManagers/m"


@pytest.mark.parametrize(
    ("target", "operation", "is_near"),
    [
        (f"{NSG}/providers/microsoft.insights/diagnosticSettings/d", RESTART, False),
        (MANAGER, "Microsoft.Network/networkManagers/write", False),
        (MANAGER, "Microsoft.Network/networkManagers/commit/action", True),
        (NSG, "Microsoft.Network/networkSecurityGroups/write", True),
        (f"{NSG}/securityRules/deny-all", "Microsoft.Network/networkSecurityGroups/write", True),
    ],
)
def test_what_changes_traffic_is_nearby(target: str, operation: str, *, is_near: bool) -> None:
    items = read(LOG, event(resourceId=target, operationName=operation))
    found = [(near.resource, near.record.facts["resource"], near.record.name) for near in nearby(items)]

    assert found == [(target.lower(), target.lower(), operation)][:is_near]
    assert not heard(items)


def failure(code: str, message: str) -> dict[str, object]:
    said = json.dumps({"error": {"code": code, "message": message}})
    return event(status="Failed", properties={"statusMessage": said})


@pytest.mark.parametrize(
    ("row", "name", "facts"),
    [
        # A display name alone is understood; the id stands in for a missing resource and time.
        (event(operationName={"localizedValue": "Deallocate Virtual Machine"}, category=None), DEALLOCATE, {}),
        ({"id": EVENT["id"], "operationName": EVENT["operationName"], "caller": "x"}, RESTART, OF_VM),
        ({**URI, "eventTimestamp": TIME}, RESTART, OF_VM),
        # A failure says shortly why, and not who was refused.
        (failure("Conflict", "Another operation."), RESTART, {"message": "Conflict: Another operation."}),
        (failure("AuthorizationFailed", "The client 'x@x' may not."), RESTART, {"message": "AuthorizationFailed"}),
    ],
)
def test_an_event_that_lacks_something_is_read(row: dict[str, object], name: str, facts: dict[str, str]) -> None:
    (record,) = heard(read(LOG, row))

    assert (record.name, record.at) == (name, AT)
    assert facts.items() <= record.facts.items()


def test_an_event_that_calls_its_resource_a_uri_is_known_without_its_time() -> None:
    assert recognises_row(FORMATS[LOG], URI)


def test_an_operation_on_a_vm_is_told_in_azures_words() -> None:
    items = read(LOG, EVENT)
    (record,) = heard(items)

    assert [item.vm for item in items if isinstance(item, VmRecord)] == [vm()]
    assert (record.signal, record.name) == (Signal.ACTIVITY, RESTART)
    assert (record.status, record.ref) == ("Succeeded", REF)
    assert record.at == AT
    assert record.facts == {"correlation": "c1", "resource": VM.lower(), "substatus": "OK"}


def test_the_log_covers_its_group_and_health_only_in_part() -> None:
    items = read(LOG, EVENT)

    assert covered(items).keys() == {Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE}
    assert covered(items)[Signal.HEALTH] == "the activity log does not show every live migration"
    assert {item.scope for item in items if isinstance(item, FeedCoverage)} == {GROUP.lower(), SUBSCRIPTION}


def test_the_operation_alone_says_that_it_is_of_health() -> None:
    assert heard(read(LOG, health() | {"category": None})) == heard(read(LOG, health()))


def test_a_health_event_is_told_as_state_and_annotation() -> None:
    status, annotation = heard(read(LOG, health()))

    assert (status.name, status.status) == ("availability", "Available")
    assert (annotation.name, annotation.facts["stage"]) == ("LiveMigrationSucceeded", "Updated")


def test_an_incident_is_told_by_region_and_begins_when_it_was_felt() -> None:
    row = event(resourceId=SUBSCRIPTION, category="ServiceHealth", status="Active", properties=INCIDENT)
    (incident,) = regional(read(LOG, {**row, "operationName": "Microsoft.ServiceHealth/incident/action"}))

    assert incident.subscription == SUBSCRIPTION.rpartition("/")[2]
    assert (incident.record.name, incident.record.status) == ("Incident", "Active")
    assert incident.record.at == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert incident.record.facts["regions"] == "UK South,UK West"
    assert incident.record.facts["service"] == "Virtual Machines"
    assert incident.record.facts["title"] == "Network Infrastructure - UK South"


@samples.needs_samples
def test_recorded_events_are_read_without_a_fault() -> None:
    rows = samples.rows("activity-log/*")
    items = [item for row in rows for item in read(LOG, row)]

    assert len(rows) == 234
    assert {record.status for record in heard(items)} >= {"Started", "Accepted", "Succeeded"}
    assert nearby(items)


@samples.needs_samples
def test_a_published_incident_is_read() -> None:
    (row,) = samples.rows("published/activity-log-service-health.json")
    assert [each.record.facts["regions"] for each in regional(read(LOG, row))] == ["UK South"]


ALERT = "alerts"
ESSENTIALS = {"monitoringService": "Resource Health", "alertTargetIDs": [VM.lower()], "firedDateTime": TIME}
CONTEXT = {
    "channels": "Admin, Operation",
    "operationName": "Microsoft.Resourcehealth/healthevent/Activated/action",
    "eventSource": "ResourceHealth",
    "eventTimestamp": TIME,
    "status": "Active",
    "properties": HEALTH,
}
SERVICE = {**CONTEXT, "operationName": "Microsoft.ServiceHealth/incident/action", "properties": {}}


def common(**members: object) -> dict[str, object]:
    data = {"essentials": ESSENTIALS, "alertContext": CONTEXT, **members}
    return {"schemaId": "azureMonitorCommonAlertSchema", "data": data}


def availability(aggregation: str = "Average", value: object = 0, **members: object) -> dict[str, object]:
    """A metric alert as an action group delivers it in the common schema."""
    criterion = {
        "metricName": "VmAvailabilityMetric",
        "metricNamespace": "Microsoft.Compute/virtualMachines",
        "operator": "LessThan",
        "threshold": "1",
        "timeAggregation": aggregation,
        "dimensions": [],
        "metricValue": value,
        "webTestName": None,
        **members,
    }
    condition = {
        "windowSize": "PT5M",
        "allOf": [criterion],
        "windowStartTime": "2026-03-02T08:10:00.000Z",
        "windowEndTime": "2026-03-02T08:15:00.000Z",
    }
    essentials = {**ESSENTIALS, "monitoringService": "Platform", "signalType": "Metric", "monitorCondition": "Fired"}
    return common(essentials=essentials, alertContext={"properties": None, "condition": condition})


@pytest.mark.parametrize(("aggregation", "value"), [("Average", 0), ("Average", 1), ("Maximum", 0.0), ("Minimum", "1")])
def test_an_alert_on_the_availability_metric_tells_each_minute_of_its_window(aggregation: str, value: object) -> None:
    (series,) = sampled(read(ALERT, availability(aggregation, value)))

    assert (series.vm, series.name, series.signal) == (vm(), "VmAvailabilityMetric", Signal.AVAILABILITY)
    assert [at.minute for at in series.times] == [10, 11, 12, 13, 14]
    assert set(series.values) == {float(str(value))}


SITE = {"name": "Microsoft.ResourceId", "value": f"{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Web/sites/s"}


@pytest.mark.parametrize(
    "row",
    [
        # A figure that no single minute need have had.
        *(availability(*each) for each in (("Average", 0.4), ("Minimum", 0), ("Maximum", 1), ("Total", 0))),
        availability(metricName="Percentage CPU"),
        availability(dimensions=[SITE]),
    ],
)
def test_another_figure_metric_or_resource_tells_no_availability(row: dict[str, object]) -> None:
    assert not read(ALERT, row)


def test_a_rule_over_many_vms_names_the_one_among_its_dimensions() -> None:
    named = {"name": "microsoft.resourceId", "value": VM.replace("web-01", "web-02")}
    (series,) = sampled(read(ALERT, availability(dimensions=[named])))

    assert series.vm.name == "web-02"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (common(), ["Available", "LiveMigrationSucceeded"]),
        # The wrapping and the time may be missing.
        (common()["data"], ["Available", "LiveMigrationSucceeded"]),
        (
            common(alertContext={key: CONTEXT[key] for key in CONTEXT.keys() - {"eventTimestamp"}}),
            ["Available", "LiveMigrationSucceeded"],
        ),
        (common(essentials={"alertTargetIDs": [SUBSCRIPTION]}, alertContext=SERVICE), []),
    ],
)
def test_the_common_schema_says_in_its_essentials_what_it_is_about(row: dict[str, object], said: list[str]) -> None:
    records = heard(read(ALERT, row))

    assert [record.status or record.name for record in records] == said
    assert not said or records == heard(read(ALERT, common()))


def test_a_webhook_tells_the_entry_within() -> None:
    items = read(ALERT, EXAMPLES[ALERT])

    assert heard(items) == heard(read("activity-log", EVENT))
    assert covered(items) == {Signal.HEALTH: "an alert tells single events, and only those that its rule looks for"}
