"""Availability statuses of Resource Health: states, and events that have none."""

from datetime import UTC, datetime

import pytest

from tests.sources import samples
from tests.sources.rows import EXAMPLES, VM, changed, covered, heard, read
from vmdiag.model import Signal

NAME = "resource-health"
AT = datetime(2026, 3, 2, 8, 14, 5, tzinfo=UTC)


def item(name: str = "2026-03-02+08%3a14%3a05Z", **properties: object) -> dict[str, object]:
    identifier = f"{VM}/providers/Microsoft.ResourceHealth/availabilityStatuses/{name}"
    return changed(NAME, id=identifier, name=name, properties=properties)


def test_a_state_of_the_history_is_told_and_the_history_covers_health() -> None:
    items = read(NAME, EXAMPLES[NAME])

    assert [(record.name, record.status) for record in heard(items)] == [("availability", "Unavailable")]
    assert covered(items) == {Signal.HEALTH: None}


def test_the_current_item_alone_is_a_part() -> None:
    row = item("current", availabilityState="Available", occuredTime="2026-03-02T08:14:05Z")
    assert covered(read(NAME, row)) == {Signal.HEALTH: "only the current status"}


@pytest.mark.parametrize(
    "times", [{"occuredTime": "2026-03-02T08:14:05Z"}, {"occurredTime": "2026-03-02T08:14:05Z"}, {}]
)
def test_the_time_is_spelt_with_one_r_or_two_or_the_items_name(times: dict[str, str]) -> None:
    assert [record.at for record in heard(read(NAME, item(availabilityState="Unknown", **times)))] == [AT]


def test_an_item_without_a_state_is_an_event() -> None:
    row = item(availabilityState=None, title="Live Migration", summary="It was paused.", context="Platform Initiated")
    (record,) = heard(read(NAME, row))

    assert record.name == ""
    assert record.facts == {"title": "Live Migration", "summary": "It was paused.", "cause": "Platform Initiated"}


def test_an_event_may_bear_the_annotations_name() -> None:
    (record,) = heard(read(NAME, item(annotationName="LiveMigrationFailure", title="Live Migration")))
    assert record.name == "LiveMigrationFailure"


def test_a_misspelt_type_and_a_missing_one_are_known() -> None:
    misspelt = changed(NAME, type="Microsoft.ResourceHealth/AvailabilityStatueses")
    assert read(NAME, misspelt) == read(NAME, changed(NAME, type=None)) == read(NAME, EXAMPLES[NAME])


@samples.needs_samples
def test_a_published_history_of_a_classic_vm_says_nothing() -> None:
    rows = samples.rows("resource-health/*.json")
    assert [read(NAME, row) for row in rows] == [[], []]
