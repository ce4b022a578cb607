"""Health as Resource Graph knows it now: whole rows, bare properties, projected columns."""

import json

import pytest

from tests.sources import samples
from tests.sources.rows import ANNOTATION, EXAMPLES, TIME, VM, changed, covered, heard, read
from vmdiag.model import Signal
from vmdiag.sources.items import MalformedRow

NAME = "resource-graph-health"
STATE = {
    "targetResourceId": VM,
    "occurredTime": TIME,
    "previousAvailabilityState": "Available",
    "availabilityState": "Unavailable",
}


def test_a_row_tells_its_annotation_and_that_earlier_ones_are_gone() -> None:
    items = read(NAME, EXAMPLES[NAME])

    assert [record.name for record in heard(items)] == ["LiveMigrationSucceeded"]
    assert covered(items) == {
        Signal.HEALTH: "only the current row of Resource Graph: an earlier annotation is overwritten"
    }


@pytest.mark.parametrize(
    "row",
    [
        changed(NAME, properties=json.dumps(ANNOTATION)),
        changed(NAME, type="Microsoft.ResourceHealth/resourceAnnotations"),
        changed(NAME, type=None),
        ANNOTATION,
        {key: value for key, value in ANNOTATION.items() if key != "targetResourceType"},
        {f"properties_{key}": value for key, value in ANNOTATION.items()},
        {key.upper(): value for key, value in ANNOTATION.items()},
        {**{key: value for key, value in ANNOTATION.items() if "target" not in key}, "id": EXAMPLES[NAME]["id"]},
    ],
)
def test_the_annotation_is_told_alike_in_every_form(row: dict[str, object]) -> None:
    assert heard(read(NAME, row)) == heard(read(NAME, EXAMPLES[NAME]))


def test_a_state_is_told_with_the_one_before() -> None:
    row = {"id": f"{VM}/x", "type": "microsoft.resourcehealth/availabilitystatuses", "properties": STATE}
    (record,) = heard(read(NAME, row))

    assert (record.name, record.status, record.facts["previous"]) == ("availability", "Unavailable", "Available")


@samples.needs_samples
def test_a_published_row_with_an_empty_id_is_malformed() -> None:
    (row,) = samples.rows("published/resource-graph-availability-status-properties.json")

    with pytest.raises(MalformedRow, match="empty parts"):
        read(NAME, row)
