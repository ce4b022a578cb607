"""Records of diagnostic settings: upper-case ids, plain strings, properties nested or not."""

import json

import pytest

from tests.sources import samples
from tests.sources.rows import EXAMPLES, HEALTH, NSG, changed, covered, heard, nearby, read
from vmdiag.model import Signal

NAME = "exported-records"


def operation(**members: object) -> dict[str, object]:
    written = {
        "operationName": "MICROSOFT.COMPUTE/VIRTUALMACHINES/DEALLOCATE/ACTION",
        "category": "Administrative",
        "resultType": "Success",
        "resultSignature": "Succeeded.OK",
        "properties": {"statusCode": "OK"},
    }
    return changed(NAME, **{**written, **members})


def test_a_health_record_is_told_as_state_and_annotation() -> None:
    status, annotation = heard(read(NAME, EXAMPLES[NAME]))

    assert (status.name, status.status) == ("availability", "Available")
    assert (annotation.name, annotation.facts["stage"]) == ("LiveMigrationSucceeded", "Updated")


@pytest.mark.parametrize("properties", [HEALTH, json.dumps(HEALTH), json.dumps({"eventProperties": HEALTH})])
def test_properties_may_be_flat_or_a_string_of_json(properties: object) -> None:
    assert heard(read(NAME, changed(NAME, properties=properties))) == heard(read(NAME, EXAMPLES[NAME]))


@pytest.mark.parametrize("category", ["Administrative", "Write", "Action", "Delete", None])
def test_an_operation_is_told_whatever_the_export_calls_it(category: str | None) -> None:
    items = read(NAME, operation(category=category))
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
    (record,) = heard(read(NAME, operation(**members)))
    assert {name: getattr(record, name) for name in told} == told


def test_a_change_of_the_network_is_nearby() -> None:
    row = operation(resourceId=NSG.upper(), operationName="MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/WRITE")
    assert [near.resource for near in nearby(read(NAME, row))] == [NSG.lower()]


@samples.needs_samples
def test_published_records_are_read() -> None:
    (row,) = samples.rows("published/pt1h-resource-health.jsonl")
    assert [record.name for record in heard(read(NAME, row))] == [
        "availability",
        "VirtualMachineStartInitiatedByControlPlane",
    ]
    (row,) = samples.rows("published/storage-event-hub-records.json")
    assert read(NAME, row)
