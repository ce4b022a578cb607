"""Rows of `AzureActivity`, from a query and from a CSV."""

import json

import pytest

from tests.sources.rows import EXAMPLES, HEALTH, SUBSCRIPTION, VM, changed, covered, heard, read, regional
from vmdiag.model import Signal

NAME = "azure-activity"


def health(**members: object) -> dict[str, object]:
    operation = "MICROSOFT.RESOURCEHEALTH/HEALTHEVENT/UPDATED/ACTION"
    return changed(NAME, **{"CategoryValue": "ResourceHealth", "OperationNameValue": operation, **members})


def test_a_row_is_told_in_the_tables_words() -> None:
    items = read(NAME, EXAMPLES[NAME])
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
    assert [record.name for record in heard(read(NAME, health(**members)))] == [
        "availability",
        "LiveMigrationSucceeded",
    ]


def test_headings_with_units_and_american_times_are_read() -> None:
    row = {f"{key} [UTC]" if key == "TimeGenerated" else key: value for key, value in EXAMPLES[NAME].items()}
    (record,) = heard(read(NAME, {**row, "TimeGenerated [UTC]": "3/2/2026, 8:14:05.123 AM"}))

    assert record.at.isoformat() == "2026-03-02T08:14:05.123000+00:00"


def test_the_legacy_id_stands_in() -> None:
    row = changed(NAME, _ResourceId="", ResourceId=VM)
    assert heard(read(NAME, row)) == heard(read(NAME, EXAMPLES[NAME]))


def test_an_incident_of_the_subscription_has_no_resource() -> None:
    row = changed(
        NAME,
        _ResourceId="",
        SubscriptionId=SUBSCRIPTION.rpartition("/")[2],
        CategoryValue="ServiceHealth",
        OperationNameValue="MICROSOFT.SERVICEHEALTH/INCIDENT/ACTION",
        Properties='{"eventProperties": {"incidentType": "Incident", "region": "UK South", "service": "Networks"}}',
    )
    (incident,) = regional(read(NAME, row))

    assert incident.record.facts["regions"] == "UK South"
