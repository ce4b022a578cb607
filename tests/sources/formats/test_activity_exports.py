"""The activity log's events as a workspace, diagnostic settings, the portal's CSV and Event Grid tell them."""

import json
from datetime import UTC, datetime

import pytest

from tests.sources import samples
from tests.sources.reading import REF, changed, covered, heard, nearby, read, regional
from tests.sources.rows import EVENT, EXAMPLES, GROUP, HEALTH, NSG, SUBSCRIPTION, VM
from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.model import Kind, Record, Signal
from vmdiag.sources.decoding.timestamps import require_time

TABLE = "azure-activity"


def health(**members: object) -> dict[str, object]:
    operation = "MICROSOFT.RESOURCEHEALTH/HEALTHEVENT/UPDATED/ACTION"
    return changed(TABLE, **{"CategoryValue": "ResourceHealth", "OperationNameValue": operation, **members})


def test_a_row_is_told_in_the_tables_words() -> None:
    items = read(TABLE, EXAMPLES[TABLE])
    (record,) = heard(items)

    assert record.name == "MICROSOFT.COMPUTE/VIRTUALMACHINES/RESTART/ACTION"
    assert (record.status, record.facts["correlation"]) == ("Success", "c1")
    assert Signal.ACTIVITY in covered(items)


@pytest.mark.parametrize(
    "members",
    [
        {"Properties": json.dumps(HEALTH)},
        {"Properties": json.dumps({"eventProperties": HEALTH})},
        {"Properties": "", "Properties_d": HEALTH},
        {"Properties": "", "Properties_d": json.dumps({"eventProperties": HEALTH})},
    ],
)
def test_properties_are_read_in_all_their_columns_and_dialects(members: dict[str, object]) -> None:
    assert [record.name for record in heard(read(TABLE, health(**members)))] == [
        "availability",
        "LiveMigrationSucceeded",
    ]


def test_headings_with_units_and_american_times_are_read() -> None:
    row = {f"{key} [UTC]" if key == "TimeGenerated" else key: value for key, value in EXAMPLES[TABLE].items()}
    (record,) = heard(read(TABLE, {**row, "TimeGenerated [UTC]": "3/2/2026, 8:14:05.123 AM"}))

    assert record.at.isoformat() == "2026-03-02T08:14:05.123000+00:00"


def test_the_legacy_id_stands_in() -> None:
    row = changed(TABLE, _ResourceId="", ResourceId=VM)
    assert heard(read(TABLE, row)) == heard(read(TABLE, EXAMPLES[TABLE]))


def test_an_incident_of_the_subscription_has_no_resource() -> None:
    row = changed(
        TABLE,
        _ResourceId="",
        SubscriptionId=SUBSCRIPTION.rpartition("/")[2],
        CategoryValue="ServiceHealth",
        OperationNameValue="MICROSOFT.SERVICEHEALTH/INCIDENT/ACTION",
        Properties='{"eventProperties": {"incidentType": "Incident", "region": "UK South", "service": "Networks"}}',
    )
    (incident,) = regional(read(TABLE, row))

    assert incident.record.facts["regions"] == "UK South"


EXPORT = "exported-records"


def operation(**members: object) -> dict[str, object]:
    written = {
        "operationName": "MICROSOFT.COMPUTE/VIRTUALMACHINES/DEALLOCATE/ACTION",
        "category": "Administrative",
        "resultType": "Success",
        "resultSignature": "Succeeded.OK",
        "properties": {"statusCode": "OK"},
    }
    return changed(EXPORT, **{**written, **members})


def test_a_health_record_is_told_as_state_and_annotation() -> None:
    status, annotation = heard(read(EXPORT, EXAMPLES[EXPORT]))

    assert (status.name, status.status) == ("availability", "Available")
    assert (annotation.name, annotation.facts["stage"]) == ("LiveMigrationSucceeded", "Updated")


@pytest.mark.parametrize("properties", [HEALTH, json.dumps(HEALTH), json.dumps({"eventProperties": HEALTH})])
def test_properties_may_be_flat_or_a_string_of_json(properties: object) -> None:
    assert heard(read(EXPORT, changed(EXPORT, properties=properties))) == heard(read(EXPORT, EXAMPLES[EXPORT]))


@pytest.mark.parametrize("category", ["Administrative", "Write", "Action", "Delete", None])
def test_an_operation_is_told_whatever_the_export_calls_it(category: str | None) -> None:
    items = read(EXPORT, operation(category=category))
    (record,) = heard(items)

    assert (record.name, record.status) == ("MICROSOFT.COMPUTE/VIRTUALMACHINES/DEALLOCATE/ACTION", "Success")
    assert record.facts["substatus"] == "OK"
    assert Signal.ACTIVITY in covered(items)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"resultType": None}, {"status": "Succeeded"}),
        ({"resultType": None, "resultSignature": "Started."}, {"status": "Started"}),
        ({"resultType": None, "status": {"value": "Failed"}}, {"status": "Failed"}),
        ({"operationName": {"value": "M/start/action", "localizedValue": "Start"}}, {"name": "M/start/action"}),
    ],
)
def test_status_and_operation_are_found_where_they_are(members: dict[str, object], told: dict[str, str]) -> None:
    (record,) = heard(read(EXPORT, operation(**members)))
    assert {name: getattr(record, name) for name in told} == told


def test_a_change_of_the_network_is_nearby() -> None:
    row = operation(resourceId=NSG.upper(), operationName="MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/WRITE")
    assert [near.resource for near in nearby(read(EXPORT, row))] == [NSG.lower()]


@samples.needs_samples
def test_published_records_are_read() -> None:
    (row,) = samples.rows("published/pt1h-resource-health.jsonl")
    assert [record.name for record in heard(read(EXPORT, row))] == [
        "availability",
        "VirtualMachineStartInitiatedByControlPlane",
    ]
    (row,) = samples.rows("published/storage-event-hub-records.json")
    assert read(EXPORT, row)


CSV = "portal-csv"
VM_TYPE = "Microsoft.Compute/virtualMachines"


def test_a_policy_says_nothing_of_the_vm() -> None:
    assert not heard(read(CSV, changed(CSV, **{"Event category": "Policy"})))


def test_an_incident_without_its_properties_says_nothing() -> None:
    row = changed(CSV, **{"Event category": "Service health", "Operation name": "Incident", "Resource": SUBSCRIPTION})
    assert Signal.SERVICE not in covered(read(CSV, row))


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ("Restart Virtual Machine", f"{VM_TYPE}/restart/action"),
        ("Deallocate Virtual Machine", f"{VM_TYPE}/deallocate/action"),
        ("Power Off Virtual Machine", f"{VM_TYPE}/powerOff/action"),
        ("start virtual machine", f"{VM_TYPE}/start/action"),
        ("Redeploy Virtual Machine", f"{VM_TYPE}/redeploy/action"),
        ("Create or Update Virtual Machine", f"{VM_TYPE}/write"),
        ("Delete Virtual Machine", f"{VM_TYPE}/delete"),
        ("Virtuellen Computer neu starten", "Virtuellen Computer neu starten"),
    ],
)
def test_a_display_name_is_given_back_as_azures_where_it_is_known(shown: str, name: str) -> None:
    (record,) = heard(read(CSV, changed(CSV, **{"Operation name": shown})))
    assert (record.name, record.status, record.facts["resource"]) == (name, "Succeeded", VM.lower())


def test_a_health_event_is_told_by_its_display_name_only() -> None:
    row = changed(
        CSV, **{"Operation name": "Health Event Activated", "Event category": "Resource health", "Status": "Active"}
    )
    facts = {"title": "Health Event Activated", "stage": "Active"}
    at = require_time(None, EXAMPLES[CSV]["Time"])

    assert heard(read(CSV, row)) == [Record(at=at, signal=Signal.HEALTH, name="", facts=facts, ref=REF)]


def test_a_live_migration_is_said_to_be_out_of_sight() -> None:
    partial = covered(read(CSV, EXAMPLES[CSV]))

    assert partial[Signal.ACTIVITY] is None
    assert partial[Signal.HEALTH] == "the portal's CSV has no properties: a live migration cannot be seen in it"


@pytest.mark.parametrize(
    "row",
    [
        changed(CSV, Resource=VM),
        changed(CSV, **{"Resource type": "Virtual machine"}),
        {key.upper(): value for key, value in EXAMPLES[CSV].items()},
    ],
)
def test_the_vm_is_named_by_id_or_by_parts_under_headings_in_any_case(row: dict[str, object]) -> None:
    assert heard(read(CSV, row)) == heard(read(CSV, EXAMPLES[CSV]))


def test_a_change_of_a_rule_is_nearby() -> None:
    kind = "Microsoft.Network/networkSecurityGroups/securityRules"
    members = {"Resource": "web-nsg/deny", "Resource type": kind, "Operation name": "Create or Update Security Rule"}
    (near,) = nearby(read(CSV, changed(CSV, **members)))

    assert near.resource == f"{NSG}/securityRules/deny".lower()
    assert near.record.name == f"{kind}/write"


def test_an_older_file_without_resources_only_covers() -> None:
    items = read(CSV, changed(CSV, Resource=None))

    assert not heard(items)
    assert {each.scope for each in items if hasattr(each, "scope")} == {GROUP.lower()}


GRID = "resource-events"


def data(**members: object) -> dict[str, object]:
    known = EXAMPLES[GRID]["data"]
    assert isinstance(known, dict)
    return {key: value for key, value in {**known, **members}.items() if value is not None}


def kind_of(row: dict[str, object]) -> Kind:
    (record,) = heard(read(GRID, row))
    return interpret_record(record.signal, record.name, record.status, record.facts)


def test_a_customers_stop_is_heard() -> None:
    items = read(GRID, EXAMPLES[GRID])
    (record,) = heard(items)

    assert (record.at, record.status) == (datetime(2026, 3, 2, 8, 14, 5, 123456, tzinfo=UTC), "Succeeded")
    assert kind_of(EXAMPLES[GRID]) is Kind.DEALLOCATE
    assert covered(items) == {
        Signal.ACTIVITY: "Event Grid tells single operations, and only those that its subscription asks for"
    }


@pytest.mark.parametrize("end", ["Failure", "Cancel"])
def test_what_failed_or_was_cancelled_has_not_happened(end: str) -> None:
    assert kind_of(changed(GRID, eventType=f"Microsoft.Resources.ResourceAction{end}")) is Kind.OTHER


def test_the_log_tells_the_same_operation_by_the_same_words() -> None:
    (logged,) = heard(read("activity-log", EVENT))
    (told,) = heard(read(GRID, changed(GRID, data=data(operationName=logged.name))))

    assert (told.name, told.status, told.facts["correlation"], told.facts["resource"]) == (
        logged.name,
        logged.status,
        logged.facts["correlation"],
        logged.facts["resource"],
    )


CLOUD = {"eventType": None, "eventTime": None, "topic": None, "specversion": "1.0"}


@pytest.mark.parametrize(
    "row",
    [
        changed(GRID, **CLOUD, type=EXAMPLES[GRID]["eventType"], time=EXAMPLES[GRID]["eventTime"]),
        changed(GRID, data=data(operationName=None, resourceUri=None)),
        changed(GRID, deadLetterReason="MaxDeliveryAttemptsExceeded", deliveryAttempts=30, publishTime="x"),
    ],
    ids=["cloud event", "authorization and subject", "dead letter"],
)
def test_the_same_operation_may_be_told_otherwise(row: dict[str, object]) -> None:
    assert heard(read(GRID, row)) == heard(read(GRID, EXAMPLES[GRID]))


def test_a_write_of_a_rule_concerns_the_vms_behind_it() -> None:
    rule = f"{NSG}/securityRules/deny"
    operation = "Microsoft.Network/networkSecurityGroups/securityRules/write"
    row = changed(
        GRID,
        subject=rule,
        eventType="Microsoft.Resources.ResourceWriteSuccess",
        data=data(resourceUri=rule, operationName=operation, authorization=None),
    )

    assert [(one.resource, one.record.name) for one in nearby(read(GRID, row))] == [(rule.lower(), operation)]


def test_an_operation_on_something_else_says_nothing_of_a_vm() -> None:
    site = f"{GROUP}/providers/Microsoft.Web/sites/shop"
    assert not heard(read(GRID, changed(GRID, subject=site, data=data(resourceUri=site))))
