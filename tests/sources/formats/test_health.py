"""Health as Event Grid, Resource Graph and Resource Health tell it, and the incidents of regions."""

import json
from datetime import UTC, datetime

import pytest

from tests.sources import samples
from tests.sources.reading import FORMATS, changed, covered, heard, read, regional, vm
from tests.sources.rows import ANNOTATION, EXAMPLES, SUBSCRIPTION, TIME, VM
from vmdiag.model import Signal
from vmdiag.sources.formats import recognises_row
from vmdiag.sources.items import MalformedRow, VmRecord

GRID = "event-grid"
AT = datetime(2026, 3, 2, 8, 14, 5, 123456, tzinfo=UTC)
CHANGED = "Microsoft.ResourceNotifications.HealthResources.AvailabilityStatusChanged"


def cloud(**members: object) -> dict[str, object]:
    state = {"targetResourceId": VM, "occurredTime": TIME, "previousAvailabilityState": "Available"}
    data = {"resourceInfo": {"properties": {**state, "availabilityState": "Unavailable"}}}
    whole = {"type": CHANGED, "specversion": "1.0", "source": SUBSCRIPTION, "subject": VM, "time": TIME, "data": data}
    return {key: value for key, value in {**whole, **members}.items() if value is not None}


def test_an_annotation_is_told_and_health_is_covered() -> None:
    items = read(GRID, EXAMPLES[GRID])
    (record,) = heard(items)

    assert (record.at, record.name) == (AT, "LiveMigrationSucceeded")
    assert covered(items) == {Signal.HEALTH: None}


@pytest.mark.parametrize("row", [cloud(), cloud(specversion=None, source=None, subject=None, time=None)])
def test_a_cloud_event_tells_the_new_state_and_is_known_by_its_type_alone(row: dict[str, object]) -> None:
    (record,) = heard(read(GRID, row))
    assert (record.name, record.status, record.facts) == ("availability", "Unavailable", {"previous": "Available"})


SUBJECT = f"{VM}/providers/Microsoft.ResourceHealth/resourceAnnotations/current"


def test_what_is_missing_within_is_taken_from_the_envelope() -> None:
    data = {"resourceInfo": {"properties": {"availabilityState": "Unavailable"}}}
    items = read(GRID, cloud(data=data, subject=SUBJECT))

    assert covered(items) == {Signal.HEALTH: None}
    assert all(item.vm == vm() and item.record.at == AT for item in items if isinstance(item, VmRecord))


@samples.needs_samples
def test_published_events_are_read() -> None:
    rows = samples.rows("published/cloudevent-*.json") + samples.rows("published/eventgrid-[!s]*.json")
    told = [record for row in rows for record in heard(read(GRID, row))]

    assert [record.name for record in told].count("VirtualMachineDeallocationInitiated") == 2
    assert [record.status for record in told].count("Available") == 2


GRAPH = "resource-graph-health"
STATE = {
    "targetResourceId": VM,
    "occurredTime": TIME,
    "previousAvailabilityState": "Available",
    "availabilityState": "Unavailable",
}


def test_a_row_tells_its_annotation_and_that_earlier_ones_are_gone() -> None:
    items = read(GRAPH, EXAMPLES[GRAPH])

    assert [record.name for record in heard(items)] == ["LiveMigrationSucceeded"]
    assert covered(items) == {
        Signal.HEALTH: "only the current row of Resource Graph: an earlier annotation is overwritten"
    }


@pytest.mark.parametrize(
    "row",
    [
        changed(GRAPH, properties=json.dumps(ANNOTATION)),
        changed(GRAPH, type="Microsoft.ResourceHealth/resourceAnnotations"),
        changed(GRAPH, type=None),
        ANNOTATION,
        {key: value for key, value in ANNOTATION.items() if key != "targetResourceType"},
        {f"properties_{key}": value for key, value in ANNOTATION.items()},
        {key.upper(): value for key, value in ANNOTATION.items()},
        {**{key: value for key, value in ANNOTATION.items() if "target" not in key}, "id": EXAMPLES[GRAPH]["id"]},
    ],
)
def test_the_annotation_is_told_alike_in_every_form(row: dict[str, object]) -> None:
    assert heard(read(GRAPH, row)) == heard(read(GRAPH, EXAMPLES[GRAPH]))


def test_a_state_is_told_with_the_one_before() -> None:
    row = {"id": f"{VM}/x", "type": "microsoft.resourcehealth/availabilitystatuses", "properties": STATE}
    (record,) = heard(read(GRAPH, row))

    assert (record.name, record.status, record.facts["previous"]) == ("availability", "Unavailable", "Available")


@samples.needs_samples
def test_a_published_row_with_an_empty_id_is_malformed() -> None:
    (row,) = samples.rows("published/resource-graph-availability-status-properties.json")

    with pytest.raises(MalformedRow, match="empty parts"):
        read(GRAPH, row)


CHANGES = "resource-graph-health-changes"
AT = datetime(2026, 3, 2, 8, 14, 5, 123456, tzinfo=UTC)


def change(changes: dict[str, object], **members: object) -> dict[str, object]:
    properties = EXAMPLES[CHANGES]["properties"]
    assert isinstance(properties, dict)
    written = {f"properties.{key}": value for key, value in changes.items()}
    return {**EXAMPLES[CHANGES], "properties": {**properties, "changes": written, **members}}


def state(**members: object) -> dict[str, object]:
    changes: dict[str, object] = {
        "availabilityState": {"newValue": "Unavailable", "previousValue": "Available"},
        "occurredTime": {"newValue": TIME},
    }
    target = f"{VM}/providers/microsoft.resourcehealth/availabilitystatuses/current"
    kind = "microsoft.resourcehealth/availabilitystatuses"
    return change(changes, **{"targetResourceId": target, "targetResourceType": kind, **members})


def test_a_record_that_was_taken_away_says_nothing() -> None:
    items = read(CHANGES, state(changeType="Delete"))

    assert covered(items) == {Signal.HEALTH: None}
    assert not heard(items)


def test_a_new_annotation_is_told_at_the_time_it_occurred() -> None:
    items = read(CHANGES, EXAMPLES[CHANGES])
    (record,) = heard(items)

    assert (record.at, record.name) == (AT, "LiveMigrationSucceeded")
    assert covered(items) == {Signal.HEALTH: None}


def test_the_change_dates_what_has_no_time_of_its_own() -> None:
    (record,) = heard(read(CHANGES, change({"annotationName": {"newValue": "LiveMigrationFailure"}})))
    assert record.at == datetime(2026, 3, 2, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "unnamed"),
    [
        (change({"occurredTime": {"newValue": TIME}}), "annotation repeated"),
        (change({}, changeType="Create"), "annotation created"),
    ],
)
def test_an_annotation_without_its_members_does_not_name_itself(row: dict[str, object], unnamed: str) -> None:
    (record,) = heard(read(CHANGES, row))
    assert (record.name, record.status, record.facts) == ("", "", {"unnamed": unnamed})


def test_a_name_that_only_went_is_better_than_none() -> None:
    (record,) = heard(read(CHANGES, change({"annotationName": {"previousValue": "LiveMigrationSucceeded"}})))
    assert record.name == "LiveMigrationSucceeded"


def test_a_change_of_state_is_told_with_the_one_before() -> None:
    (record,) = heard(read(CHANGES, state()))
    assert (record.name, record.status, record.facts) == ("availability", "Unavailable", {"previous": "Available"})


def test_properties_may_come_alone_or_as_a_string() -> None:
    properties = state()["properties"]
    assert isinstance(properties, dict)

    assert heard(read(CHANGES, properties)) == heard(read(CHANGES, state()))
    assert heard(read(CHANGES, {**state(), "properties": json.dumps(properties)})) == heard(read(CHANGES, state()))


def test_a_row_whose_properties_cannot_be_read_is_known_by_its_id() -> None:
    annotation = f"{VM}/providers/Microsoft.ResourceHealth/resourceAnnotations/current"
    cut = "@{targetResourceId=x; changes=}"
    row = {"id": f"{annotation}/providers/Microsoft.Resources/changes/1", "type": "microsoft.resources/changes"}

    assert recognises_row(FORMATS[CHANGES], {**row, "properties": cut})
    assert not recognises_row(FORMATS["resource-changes"], {**row, "properties": cut})
    assert not recognises_row(
        FORMATS[CHANGES], {**row, "id": f"{VM}/providers/Microsoft.Resources/changes/1", "properties": cut}
    )


HISTORY = "resource-health"
SECOND = datetime(2026, 3, 2, 8, 14, 5, tzinfo=UTC)


def item(name: str = "2026-03-02+08%3a14%3a05Z", **properties: object) -> dict[str, object]:
    identifier = f"{VM}/providers/Microsoft.ResourceHealth/availabilityStatuses/{name}"
    return changed(HISTORY, id=identifier, name=name, properties=properties)


def test_a_state_of_the_history_is_told_and_the_history_covers_health() -> None:
    items = read(HISTORY, EXAMPLES[HISTORY])

    assert [(record.name, record.status) for record in heard(items)] == [("availability", "Unavailable")]
    assert covered(items) == {Signal.HEALTH: None}


def test_the_current_item_alone_is_a_part() -> None:
    row = item("current", availabilityState="Available", occuredTime="2026-03-02T08:14:05Z")
    assert covered(read(HISTORY, row)) == {Signal.HEALTH: "only the current status"}


@pytest.mark.parametrize(
    "times", [{"occuredTime": "2026-03-02T08:14:05Z"}, {"occurredTime": "2026-03-02T08:14:05Z"}, {}]
)
def test_the_time_is_spelt_with_one_r_or_two_or_the_items_name(times: dict[str, str]) -> None:
    assert [record.at for record in heard(read(HISTORY, item(availabilityState="Unknown", **times)))] == [SECOND]


def test_an_item_without_a_state_is_an_event() -> None:
    row = item(availabilityState=None, title="Live Migration", summary="It was paused.", context="Platform Initiated")
    (record,) = heard(read(HISTORY, row))

    assert record.name == ""
    assert record.facts == {"title": "Live Migration", "summary": "It was paused.", "cause": "Platform Initiated"}


def test_an_event_may_bear_the_annotations_name() -> None:
    (record,) = heard(read(HISTORY, item(annotationName="LiveMigrationFailure", title="Live Migration")))
    assert record.name == "LiveMigrationFailure"


def test_a_misspelt_type_and_a_missing_one_are_known() -> None:
    misspelt = changed(HISTORY, type="Microsoft.ResourceHealth/AvailabilityStatueses")
    assert read(HISTORY, misspelt) == read(HISTORY, changed(HISTORY, type=None)) == read(HISTORY, EXAMPLES[HISTORY])


@samples.needs_samples
def test_a_published_history_of_a_classic_vm_says_nothing() -> None:
    rows = samples.rows("resource-health/*.json")
    assert [read(HISTORY, row) for row in rows] == [[], []]


EVENTS = "service-events"


def event(**members: object) -> dict[str, object]:
    properties = EXAMPLES[EVENTS]["properties"]
    assert isinstance(properties, dict)
    return changed(EVENTS, properties={**properties, **members})


@pytest.mark.parametrize("kind", ["PlannedMaintenance", "HealthAdvisory", "SecurityAdvisory", "RCA", "Billing"])
def test_maintenance_and_advice_are_no_incident(kind: str) -> None:
    items = read(EVENTS, event(eventType=kind))

    assert not regional(items)
    assert covered(items) == {Signal.SERVICE: None}


def test_an_incident_is_told_with_its_services_and_regions() -> None:
    (incident,) = regional(read(EVENTS, EXAMPLES[EVENTS]))

    assert incident.subscription == SUBSCRIPTION.rpartition("/")[2]
    assert (incident.record.signal, incident.record.name, incident.record.status) == (
        Signal.SERVICE,
        "ServiceIssue",
        "Active",
    )
    assert incident.record.facts["service"] == "Virtual Machines,Virtual Network"
    assert incident.record.facts["regions"] == "West Europe"
    assert incident.record.facts["tracking"] == "T-1"


def test_an_incident_that_ended_says_when() -> None:
    (incident,) = regional(read(EVENTS, event(status="Resolved", impactMitigationTime="2026-03-02T10:00:00Z")))
    assert (incident.record.status, incident.record.facts["ended"]) == ("Resolved", "2026-03-02T10:00:00Z")


def test_an_incident_without_a_beginning_is_dated_by_its_last_update() -> None:
    (incident,) = regional(read(EVENTS, event(impactStartTime=None, lastUpdateTime="2026-03-02T09:00:00Z")))
    assert incident.record.at == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_an_event_without_its_type_is_known_by_its_build() -> None:
    assert read(EVENTS, changed(EVENTS, type=None)) == read(EVENTS, EXAMPLES[EVENTS])
