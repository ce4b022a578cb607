"""Operations as a workspace, diagnostic settings, the portal's CSV, Event Grid and Resource Graph tell them."""

import json
from datetime import UTC, datetime

import pytest

from tests.sources.reading import REF, changed, covered, heard, nearby, read, regional, within
from tests.sources.rows import EVENT, EXAMPLES, GROUP, HEALTH, NSG, SUBSCRIPTION, TIME, VM
from vmdiag.completeness import Row
from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.model import Kind, Record, Signal
from vmdiag.sources.decoding.timestamps import require_time

TABLE, EXPORT, CSV, GRID = "azure-activity", "exported-records", "portal-csv", "resource-events"
CHANGES = "resource-changes"
VM_TYPE = "Microsoft.Compute/virtualMachines"
RULES = "Microsoft.Network/networkSecurityGroups"
RULE = f"{NSG}/securityRules/deny"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/shop"
STOP = "MICROSOFT.COMPUTE/VIRTUALMACHINES/DEALLOCATE/ACTION"


def operation(**members: object) -> Row:
    """A diagnostic setting's record of an operation."""
    written = {
        "operationName": STOP,
        "category": "Administrative",
        "resultType": "Success",
        "resultSignature": "Succeeded.OK",
        "properties": {"statusCode": "OK"},
    }
    return changed(EXPORT, **{**written, **members})


def shown(**members: object) -> Row:
    """A row of the portal, whose headings have blanks where the names here do not."""
    return changed(CSV, **{key.replace("_", " "): value for key, value in members.items()})


def event(end: str = "ActionSuccess", /, *, subject: str = VM, **members: object) -> Row:
    """An event of Event Grid, some of its data changed, or taken away by `None`."""
    known = EXAMPLES[GRID]["data"]
    assert isinstance(known, dict)
    data = {key: value for key, value in {**known, **members}.items() if value is not None}
    return changed(GRID, subject=subject, eventType=f"Microsoft.Resources.Resource{end}", data=data)


def change(target: str, **members: object) -> Row:
    return within(CHANGES, targetResourceId=target, **members)


WITH_UNIT = {f"{key} [UTC]" if key == "TimeGenerated" else key: value for key, value in EXAMPLES[TABLE].items()}
AMERICAN = {**WITH_UNIT, "TimeGenerated [UTC]": "3/2/2026, 8:14:05.123 AM"}
LOWER = VM.lower()
RUNNING = {"newValue": "PowerState/running"}
WRITE_RULE = "Create or Update Security Rule"
WRITTEN = {"operationName": f"{RULES}/securityRules/write", "authorization": None}


@pytest.mark.parametrize(
    ("name", "row", "told", "facts"),
    [
        (
            TABLE,
            EXAMPLES[TABLE],
            {"name": f"{VM_TYPE.upper()}/RESTART/ACTION", "status": "Success"},
            {"correlation": "c1"},
        ),
        (TABLE, AMERICAN, {"at": datetime(2026, 3, 2, 8, 14, 5, 123000, tzinfo=UTC)}, {}),
        # An operation is told whatever the export calls it.
        *(
            (EXPORT, operation(category=category), {"name": STOP, "status": "Success"}, {"substatus": "OK"})
            for category in ("Administrative", "Write", "Action", "Delete", None)
        ),
        (EXPORT, operation(resultType=None), {"status": "Succeeded"}, {}),
        (EXPORT, operation(resultType=None, resultSignature="Started."), {"status": "Started"}, {}),
        (EXPORT, operation(resultType=None, status={"value": "Failed"}), {"status": "Failed"}, {}),
        (
            EXPORT,
            operation(operationName={"value": "M/start/action", "localizedValue": "x"}),
            {"name": "M/start/action"},
            {},
        ),
        # A display name is given back as Azure's where it is known.
        *(
            (CSV, shown(Operation_name=words), {"name": name, "status": "Succeeded"}, {"resource": LOWER})
            for words, name in {
                "Restart Virtual Machine": f"{VM_TYPE}/restart/action",
                "Deallocate Virtual Machine": f"{VM_TYPE}/deallocate/action",
                "Power Off Virtual Machine": f"{VM_TYPE}/powerOff/action",
                "start virtual machine": f"{VM_TYPE}/start/action",
                "Redeploy Virtual Machine": f"{VM_TYPE}/redeploy/action",
                "Create or Update Virtual Machine": f"{VM_TYPE}/write",
                "Delete Virtual Machine": f"{VM_TYPE}/delete",
                "Virtuellen Computer neu starten": "Virtuellen Computer neu starten",
            }.items()
        ),
        (GRID, event(), {"at": require_time(None, TIME), "status": "Succeeded"}, {}),
        *(
            (CHANGES, change(LOWER, changeType=kind, targetResourceType=None), {"name": f"{VM_TYPE}/{verb}"}, {})
            for kind, verb in (("Create", "write"), ("Update", "write"), ("Delete", "delete"))
        ),
    ],
)
def test_an_operation_is_told_in_the_words_of_its_feed(name: str, row: Row, told: Row, facts: dict[str, str]) -> None:
    items = read(name, row)
    (record,) = heard(items)

    assert {member: getattr(record, member) for member in told} == told
    assert facts.items() <= record.facts.items()
    assert Signal.ACTIVITY in covered(items)


@pytest.mark.parametrize(
    ("name", "row", "resource", "operation"),
    [
        (
            EXPORT,
            operation(resourceId=NSG.upper(), operationName=f"{RULES.upper()}/WRITE"),
            NSG,
            f"{RULES.upper()}/WRITE",
        ),
        (
            *(CSV, shown(Resource="web-nsg/deny", Resource_type=f"{RULES}/securityRules", Operation_name=WRITE_RULE)),
            *(RULE, f"{RULES}/securityRules/write"),
        ),
        (
            *(GRID, event("WriteSuccess", subject=RULE, resourceUri=RULE, **WRITTEN)),
            *(RULE, f"{RULES}/securityRules/write"),
        ),
        (CHANGES, EXAMPLES[CHANGES], NSG, f"{RULES.lower()}/write"),
        # The type is read from the id where it is missing.
        (CHANGES, change(NSG, targetResourceType=None), NSG, f"{RULES}/write"),
    ],
)
def test_a_change_of_the_network_is_nearby(name: str, row: Row, resource: str, operation: str) -> None:
    assert [(near.resource, near.record.name) for near in nearby(read(name, row))] == [(resource.lower(), operation)]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        (CSV, shown(Event_category="Policy")),
        (CSV, changed(CSV, Resource=None)),
        (GRID, event(subject=SITE, resourceUri=SITE)),
        # What the platform writes is nobody's operation.
        (CHANGES, change(VM, changes={"properties.extended.instanceView.powerState.code": RUNNING})),
        (CHANGES, change(f"{GROUP}/providers/Microsoft.Storage/storageAccounts/x")),
        (CHANGES, change(f"{GROUP}/providers/Microsoft.Compute/disks/x")),
    ],
)
def test_what_is_no_operation_on_the_vm_or_its_network_only_covers(name: str, row: Row) -> None:
    items = read(name, row)

    assert not heard(items)
    assert not nearby(items)
    assert Signal.ACTIVITY in covered(items)


@pytest.mark.parametrize(
    ("name", "signal", "partial"),
    [
        (CSV, Signal.ACTIVITY, None),
        (CSV, Signal.HEALTH, "the portal's CSV has no properties: a live migration cannot be seen in it"),
        (GRID, Signal.ACTIVITY, "Event Grid tells single operations, and only those that its subscription asks for"),
        (CHANGES, Signal.ACTIVITY, "resource changes show what was written or deleted, not restarts and redeploys"),
    ],
)
def test_what_is_out_of_sight_is_said(name: str, signal: Signal, partial: str | None) -> None:
    found = covered(read(name, EXAMPLES[name]))

    assert found[signal] == partial
    assert name == CSV or found.keys() == {signal}


HEALTH_ROW = {
    "CategoryValue": "ResourceHealth",
    "OperationNameValue": "MICROSOFT.RESOURCEHEALTH/HEALTHEVENT/UPDATED/ACTION",
}


@pytest.mark.parametrize(
    "members",
    [
        {"Properties": json.dumps(HEALTH)},
        {"Properties": json.dumps({"eventProperties": HEALTH})},
        {"Properties": "", "Properties_d": HEALTH},
        {"Properties": "", "Properties_d": json.dumps({"eventProperties": HEALTH})},
    ],
)
def test_properties_are_read_in_all_their_columns_and_dialects(members: Row) -> None:
    said = heard(read(TABLE, changed(TABLE, **{**HEALTH_ROW, **members})))
    assert [record.name for record in said] == ["availability", "LiveMigrationSucceeded"]


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


def test_a_health_record_is_told_as_state_and_annotation() -> None:
    status, annotation = heard(read(EXPORT, EXAMPLES[EXPORT]))

    assert (status.name, status.status) == ("availability", "Available")
    assert (annotation.name, annotation.facts["stage"]) == ("LiveMigrationSucceeded", "Updated")


def test_an_incident_without_its_properties_says_nothing() -> None:
    row = shown(Event_category="Service health", Operation_name="Incident", Resource=SUBSCRIPTION)
    assert Signal.SERVICE not in covered(read(CSV, row))


def test_a_health_event_is_told_by_its_display_name_only() -> None:
    row = shown(Operation_name="Health Event Activated", Event_category="Resource health", Status="Active")
    facts = {"title": "Health Event Activated", "stage": "Active"}
    at = require_time(None, EXAMPLES[CSV]["Time"])

    assert heard(read(CSV, row)) == [Record(at=at, signal=Signal.HEALTH, name="", facts=facts, ref=REF)]


def test_an_older_file_without_resources_only_covers() -> None:
    items = read(CSV, changed(CSV, Resource=None))
    assert {each.scope for each in items if hasattr(each, "scope")} == {GROUP.lower()}


@pytest.mark.parametrize(
    ("end", "kind"), [("Success", Kind.DEALLOCATE), ("Failure", Kind.OTHER), ("Cancel", Kind.OTHER)]
)
def test_what_failed_or_was_cancelled_has_not_happened(end: str, kind: Kind) -> None:
    (record,) = heard(read(GRID, event(f"Action{end}")))
    assert interpret_record(record.signal, record.name, record.status, record.facts) is kind


def test_the_log_tells_the_same_operation_by_the_same_words() -> None:
    (logged,) = heard(read("activity-log", EVENT))
    (told,) = heard(read(GRID, event(operationName=logged.name)))

    assert (told.name, told.status) == (logged.name, logged.status)
    assert {told.facts[key] == logged.facts[key] for key in ("correlation", "resource")} == {True}


def test_a_change_names_nobody() -> None:
    (near,) = nearby(read(CHANGES, EXAMPLES[CHANGES]))

    assert near.record.status == "Succeeded"
    assert near.record.facts == {
        "resource": NSG.lower(),
        "changed": "properties.securityRules[0].properties.access",
        "clientType": "Azure Portal",
        "operation": "microsoft.network/networksecuritygroups/write",
    }


def test_only_the_first_paths_of_a_great_change_are_told() -> None:
    (record,) = heard(read(CHANGES, change(VM, changes={f"properties.p{number}": {} for number in range(500)})))
    assert record.facts["changed"].count(",") == 19
