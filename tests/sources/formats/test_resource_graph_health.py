"""Health as Resource Graph knows it now: whole rows, bare properties, projected columns."""

import json

import pytest

from tests.sources import samples
from tests.sources.rows import ANNOTATION, EXAMPLES, FORMATS, GROUP, NSG, REF, TIME, VM, changed, covered, heard, read
from vmdiag.model import Signal
from vmdiag.sources.formats import recognises_row
from vmdiag.sources.items import MalformedRow

NAME = "resource-graph-health"
STATE = {
    "targetResourceId": VM,
    "occurredTime": TIME,
    "previousAvailabilityState": "Available",
    "availabilityState": "Unavailable",
}


@pytest.mark.parametrize(
    "row",
    [
        EXAMPLES["resource-health"],
        {"annotationName": "x", "occurredTime": TIME},
        {"availabilityState": "Available", "name": "vm"},
        {"targetResourceId": VM, "occurredTime": TIME},
    ],
)
def test_what_does_not_name_its_target_and_its_words_is_no_such_row(row: dict[str, object]) -> None:
    assert not recognises_row(FORMATS[NAME], row)


def test_another_resources_health_says_nothing() -> None:
    assert not read(NAME, {**STATE, "targetResourceId": f"{GROUP}/providers/Microsoft.Network/loadBalancers/x"})
    assert not read(NAME, {**STATE, "targetResourceId": NSG})


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


@pytest.mark.parametrize("members", [{"occurredTime": None}, {"targetResourceId": None}])
def test_a_row_without_vm_or_time_is_malformed(members: dict[str, object]) -> None:
    with pytest.raises(MalformedRow):
        list(FORMATS[NAME].decode_row({**STATE, **members}, REF))


@samples.needs_samples
def test_a_published_row_with_an_empty_id_is_malformed() -> None:
    (row,) = samples.rows("published/resource-graph-availability-status-properties.json")

    with pytest.raises(MalformedRow, match="empty parts"):
        read(NAME, row)
