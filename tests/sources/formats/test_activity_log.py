"""Events of the activity log, in the shapes that the API, the CLI and the portal give them."""

import json
from datetime import UTC, datetime

import pytest

from tests.sources import samples
from tests.sources.rows import (
    EVENT,
    FORMATS,
    GROUP,
    HEALTH,
    NSG,
    REF,
    SUBSCRIPTION,
    TIME,
    VM,
    changed,
    covered,
    heard,
    nearby,
    read,
    regional,
    vm,
)
from vmdiag.model import Signal
from vmdiag.sources.formats import recognises_row
from vmdiag.sources.items import FeedCoverage, ObservedTime, VmInventory, VmRecord

NAME = "activity-log"
RESTART = "Microsoft.Compute/virtualMachines/restart/action"
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
    return changed(NAME, **members)


def health(**members: object) -> dict[str, object]:
    operation = {
        "value": "Microsoft.Resourcehealth/healthevent/Updated/action",
        "localizedValue": "Health Event Updated",
    }
    status = {"value": "Updated", "localizedValue": "Updated"}
    return event(operationName=operation, category="ResourceHealth", status=status, properties=HEALTH, **members)


@pytest.mark.parametrize("category", ["Policy", "Alert", "Recommendation", "Autoscale", "Security"])
def test_other_categories_on_the_vms_own_id_say_nothing_of_it(category: str) -> None:
    items = read(NAME, event(category={"value": category}))
    assert {type(item) for item in items} == {FeedCoverage, ObservedTime, VmInventory}


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
    assert not heard(read(NAME, row))


MANAGER = f"{GROUP}/providers/Microsoft.Network/networkManagers/m"


@pytest.mark.parametrize(
    ("target", "operation", "count"),
    [
        (f"{NSG}/providers/microsoft.insights/diagnosticSettings/d", EVENT["operationName"], 0),
        (MANAGER, "Microsoft.Network/networkManagers/write", 0),
        (MANAGER, "Microsoft.Network/networkManagers/commit/action", 1),
    ],
)
def test_what_changes_no_traffic_is_not_nearby(target: str, operation: object, count: int) -> None:
    assert len(nearby(read(NAME, event(resourceId=target, operationName=operation)))) == count


def test_an_operation_on_a_vm_is_told_in_azures_words() -> None:
    items = read(NAME, EVENT)
    (record,) = heard(items)

    assert [item.vm for item in items if isinstance(item, VmRecord)] == [vm()]
    assert (record.signal, record.name) == (Signal.ACTIVITY, RESTART)
    assert (record.status, record.ref) == ("Succeeded", REF)
    assert record.at == datetime(2026, 3, 2, 8, 14, 5, 123456, tzinfo=UTC)
    assert record.facts == {"correlation": "c1", "resource": VM.lower(), "substatus": "OK"}


def test_the_log_covers_its_group_and_health_only_in_part() -> None:
    items = read(NAME, EVENT)

    assert covered(items).keys() == {Signal.ACTIVITY, Signal.HEALTH, Signal.SERVICE}
    assert covered(items)[Signal.HEALTH] == "the activity log does not show every live migration"
    assert {item.scope for item in items if isinstance(item, FeedCoverage)} == {GROUP.lower(), SUBSCRIPTION}


@pytest.mark.parametrize(
    ("row", "same"),
    [
        (event(category="Administrative", operationName=RESTART, status="Succeeded", subStatus="OK"), EVENT),
        (health() | {"category": None}, health()),
    ],
)
def test_plain_strings_and_the_operation_alone_say_the_same(row: dict[str, object], same: dict[str, object]) -> None:
    assert heard(read(NAME, row)) == heard(read(NAME, same))


def test_a_display_name_alone_is_understood() -> None:
    (record,) = heard(read(NAME, event(operationName={"localizedValue": "Deallocate Virtual Machine"}, category=None)))
    assert record.name == "Microsoft.Compute/virtualMachines/deallocate/action"


def test_the_id_stands_in_for_a_missing_resource_and_time() -> None:
    selected = {key: EVENT[key] for key in ("id", "operationName")}
    (record,) = heard(read(NAME, {**selected, "caller": "x"}))

    assert record.at == datetime(2026, 3, 2, 8, 14, 5, 123456, tzinfo=UTC)
    assert record.facts["resource"] == VM.lower()


@pytest.mark.parametrize(
    ("code", "words", "told"),
    [
        ("Conflict", "Another operation is in progress.", "Conflict: Another operation is in progress."),
        ("AuthorizationFailed", "The client 'ops@contoso.example' may not.", "AuthorizationFailed"),
    ],
)
def test_a_failure_says_shortly_why_and_not_who_was_refused(code: str, words: str, told: str) -> None:
    message = json.dumps({"error": {"code": code, "message": words}})
    (record,) = heard(read(NAME, event(status="Failed", properties={"statusMessage": message})))

    assert record.facts["message"] == told


@pytest.mark.parametrize("part", ["", "/securityRules/deny-all"])
def test_a_change_of_a_rule_set_or_a_rule_is_nearby(part: str) -> None:
    operation = "Microsoft.Network/networkSecurityGroups/write"
    items = read(NAME, event(resourceId=NSG + part, operationName=operation))
    (near,) = nearby(items)

    assert near.resource == near.record.facts["resource"] == (NSG + part).lower()
    assert near.record.name == operation
    assert not heard(items)


def test_a_health_event_is_told_as_state_and_annotation() -> None:
    status, annotation = heard(read(NAME, health()))

    assert (status.name, status.status) == ("availability", "Available")
    assert (annotation.name, annotation.facts["stage"]) == ("LiveMigrationSucceeded", "Updated")


def test_an_incident_is_told_by_region_and_begins_when_it_was_felt() -> None:
    row = event(resourceId=SUBSCRIPTION, category="ServiceHealth", status="Active", properties=INCIDENT)
    (incident,) = regional(read(NAME, {**row, "operationName": "Microsoft.ServiceHealth/incident/action"}))

    assert incident.subscription == SUBSCRIPTION.rpartition("/")[2]
    assert (incident.record.name, incident.record.status) == ("Incident", "Active")
    assert incident.record.at == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert incident.record.facts["regions"] == "UK South,UK West"
    assert incident.record.facts["service"] == "Virtual Machines"
    assert incident.record.facts["title"] == "Network Infrastructure - UK South"


@samples.needs_samples
def test_recorded_events_are_read_without_a_fault() -> None:
    rows = samples.rows("activity-log/*")
    items = [item for row in rows for item in read(NAME, row)]

    assert len(rows) == 234
    assert {record.status for record in heard(items)} >= {"Started", "Accepted", "Succeeded"}
    assert nearby(items)


@samples.needs_samples
def test_published_health_events_are_read() -> None:
    (row,) = samples.rows("published/activity-log-resource-health.json")

    assert [record.status for record in heard(read(NAME, row))] == ["Unavailable", ""]
    (row,) = samples.rows("published/activity-log-service-health.json")
    assert [each.record.facts["regions"] for each in regional(read(NAME, row))] == ["UK South"]


def test_an_event_of_the_tenant_covers_no_subscription() -> None:
    items = read(NAME, event(resourceId="/providers/Microsoft.Management/managementGroups/x"))
    assert {type(item) for item in items} == {ObservedTime}


def test_an_event_may_call_its_resource_a_uri() -> None:
    row = {"operationName": EVENT["operationName"], "resourceUri": VM, "status": "Succeeded", "eventTimestamp": TIME}
    without_time = {key: value for key, value in row.items() if key != "eventTimestamp"}

    assert [record.facts["resource"] for record in heard(read(NAME, row))] == [VM.lower()]
    assert recognises_row(FORMATS[NAME], without_time)
