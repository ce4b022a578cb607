"""Changes of health in Resource Graph, whose keys have dots inside."""

import json
from datetime import UTC, datetime

import pytest

from tests.sources.rows import EXAMPLES, FORMATS, TIME, VM, covered, heard, read
from vmdiag.model import Signal
from vmdiag.sources.formats import recognises_row

NAME = "resource-graph-health-changes"
AT = datetime(2026, 3, 2, 8, 14, 5, 123456, tzinfo=UTC)


def change(changes: dict[str, object], **members: object) -> dict[str, object]:
    properties = EXAMPLES[NAME]["properties"]
    assert isinstance(properties, dict)
    written = {f"properties.{key}": value for key, value in changes.items()}
    return {**EXAMPLES[NAME], "properties": {**properties, "changes": written, **members}}


def state(**members: object) -> dict[str, object]:
    changes: dict[str, object] = {
        "availabilityState": {"newValue": "Unavailable", "previousValue": "Available"},
        "occurredTime": {"newValue": TIME},
    }
    target = f"{VM}/providers/microsoft.resourcehealth/availabilitystatuses/current"
    kind = "microsoft.resourcehealth/availabilitystatuses"
    return change(changes, **{"targetResourceId": target, "targetResourceType": kind, **members})


def test_a_record_that_was_taken_away_says_nothing() -> None:
    items = read(NAME, state(changeType="Delete"))

    assert covered(items) == {Signal.HEALTH: None}
    assert not heard(items)


def test_a_new_annotation_is_told_at_the_time_it_occurred() -> None:
    items = read(NAME, EXAMPLES[NAME])
    (record,) = heard(items)

    assert (record.at, record.name) == (AT, "LiveMigrationSucceeded")
    assert covered(items) == {Signal.HEALTH: None}


def test_the_change_dates_what_has_no_time_of_its_own() -> None:
    (record,) = heard(read(NAME, change({"annotationName": {"newValue": "LiveMigrationFailure"}})))
    assert record.at == datetime(2026, 3, 2, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "unnamed"),
    [
        (change({"occurredTime": {"newValue": TIME}}), "annotation repeated"),
        (change({}, changeType="Create"), "annotation created"),
    ],
)
def test_an_annotation_without_its_members_does_not_name_itself(row: dict[str, object], unnamed: str) -> None:
    (record,) = heard(read(NAME, row))
    assert (record.name, record.status, record.facts) == ("", "", {"unnamed": unnamed})


def test_a_name_that_only_went_is_better_than_none() -> None:
    (record,) = heard(read(NAME, change({"annotationName": {"previousValue": "LiveMigrationSucceeded"}})))
    assert record.name == "LiveMigrationSucceeded"


def test_a_state_is_told_with_the_one_before() -> None:
    (record,) = heard(read(NAME, state()))
    assert (record.name, record.status, record.facts) == ("availability", "Unavailable", {"previous": "Available"})


def test_properties_may_come_alone_or_as_a_string() -> None:
    properties = state()["properties"]
    assert isinstance(properties, dict)

    assert heard(read(NAME, properties)) == heard(read(NAME, state()))
    assert heard(read(NAME, {**state(), "properties": json.dumps(properties)})) == heard(read(NAME, state()))


def test_a_row_whose_properties_cannot_be_read_is_known_by_its_id() -> None:
    annotation = f"{VM}/providers/Microsoft.ResourceHealth/resourceAnnotations/current"
    cut = "@{targetResourceId=x; changes=}"
    row = {"id": f"{annotation}/providers/Microsoft.Resources/changes/1", "type": "microsoft.resources/changes"}

    assert recognises_row(FORMATS[NAME], {**row, "properties": cut})
    assert not recognises_row(FORMATS["resource-changes"], {**row, "properties": cut})
    assert not recognises_row(
        FORMATS[NAME], {**row, "id": f"{VM}/providers/Microsoft.Resources/changes/1", "properties": cut}
    )
