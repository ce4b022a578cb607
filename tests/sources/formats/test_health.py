"""Health as Event Grid, Resource Graph and Resource Health tell it, and the incidents of regions."""

import json
from datetime import UTC, datetime

import pytest

from tests.sources import samples
from tests.sources.reading import FORMATS, changed, covered, heard, read, regional, vm, within
from tests.sources.rows import EXAMPLES, SUBSCRIPTION, TIME, VM
from vmdiag.completeness import MalformedRow, Row
from vmdiag.model import Signal
from vmdiag.sources.formats import recognises_row
from vmdiag.sources.items import VmRecord

GRID, GRAPH, CHANGES = "event-grid", "resource-graph-health", "resource-graph-health-changes"
HISTORY, EVENTS = "resource-health", "service-events"
SECOND = datetime(2026, 3, 2, 8, 14, 5, tzinfo=UTC)
AT = SECOND.replace(microsecond=123456)
STATUSES = "microsoft.resourcehealth/availabilitystatuses"
CURRENT_NOTE = f"{VM}/providers/Microsoft.ResourceHealth/resourceAnnotations/current"
STATE: Row = {
    "targetResourceId": VM,
    "occurredTime": TIME,
    "previousAvailabilityState": "Available",
    "availabilityState": "Unavailable",
}


def cloud(**members: object) -> Row:
    """A change of state as a cloud event."""
    whole = {
        "type": "Microsoft.ResourceNotifications.HealthResources.AvailabilityStatusChanged",
        "data": {"resourceInfo": {"properties": STATE}},
        "specversion": "1.0",
        "source": SUBSCRIPTION,
        "subject": VM,
        "time": TIME,
    }
    return {key: value for key, value in {**whole, **members}.items() if value is not None}


def change(changes: Row, **members: object) -> Row:
    return within(CHANGES, changes={f"properties.{key}": value for key, value in changes.items()}, **members)


def state(**members: object) -> Row:
    changes: Row = {
        "availabilityState": {"newValue": "Unavailable", "previousValue": "Available"},
        "occurredTime": {"newValue": TIME},
    }
    target = {"targetResourceId": f"{VM}/providers/{STATUSES}/current", "targetResourceType": STATUSES}
    return change(changes, **target, **members)


def item(name: str = "2026-03-02+08%3a14%3a05Z", /, **properties: object) -> Row:
    identifier = f"{VM}/providers/Microsoft.ResourceHealth/availabilityStatuses/{name}"
    return changed(HISTORY, id=identifier, name=name, properties=properties)


def unnamed(how: str) -> Row:
    return {"name": "", "status": "", "facts": {"unnamed": how}}


MIGRATION = {"at": AT, "name": "LiveMigrationSucceeded"}
UNAVAILABLE = {"name": "availability", "status": "Unavailable"}
WAS_AVAILABLE = {**UNAVAILABLE, "facts": {"previous": "Available"}}
OVERWRITTEN = "only the current row of Resource Graph: an earlier annotation is overwritten"
UNKNOWN: Row = {"availabilityState": "Unknown"}
PAUSED = {"title": "Live Migration", "summary": "It was paused."}


@pytest.mark.parametrize(
    ("name", "row", "told", "partial"),
    [
        (GRID, EXAMPLES[GRID], MIGRATION, None),
        (GRID, cloud(), WAS_AVAILABLE, None),
        # A cloud event is known by its type alone.
        (GRID, cloud(specversion=None, source=None, subject=None, time=None), WAS_AVAILABLE, None),
        (GRAPH, EXAMPLES[GRAPH], MIGRATION, OVERWRITTEN),
        (GRAPH, {"id": f"{VM}/x", "type": STATUSES, "properties": STATE}, WAS_AVAILABLE, OVERWRITTEN),
        (CHANGES, EXAMPLES[CHANGES], MIGRATION, None),
        (CHANGES, state(), WAS_AVAILABLE, None),
        # A record that was taken away says nothing.
        (CHANGES, state(changeType="Delete"), None, None),
        # The change dates what has no time of its own.
        (
            *(CHANGES, change({"annotationName": {"newValue": "LiveMigrationFailure"}})),
            *({"at": datetime(2026, 3, 2, 8, 15, tzinfo=UTC)}, None),
        ),
        # An annotation without its members does not name itself; a name that only went is better than none.
        (CHANGES, change({"occurredTime": {"newValue": TIME}}), unnamed("annotation repeated"), None),
        (CHANGES, change({}, changeType="Create"), unnamed("annotation created"), None),
        (
            *(CHANGES, change({"annotationName": {"previousValue": "LiveMigrationSucceeded"}})),
            *({"name": "LiveMigrationSucceeded"}, None),
        ),
        (HISTORY, EXAMPLES[HISTORY], UNAVAILABLE, None),
        (HISTORY, item("current", **UNKNOWN, occuredTime=TIME), {"status": "Unknown"}, "only the current status"),
        # An item without a state is an event, which may bear the annotation's name.
        (
            *(HISTORY, item(availabilityState=None, **PAUSED, context="Platform Initiated")),
            *({"name": "", "facts": {**PAUSED, "cause": "Platform Initiated"}}, None),
        ),
        (HISTORY, item(**PAUSED, annotationName="LiveMigrationFailure"), {"name": "LiveMigrationFailure"}, None),
        # The time is spelt with one r or two, or is the item's name.
        (HISTORY, item(**UNKNOWN, occuredTime="2026-03-02T08:14:05Z"), {"at": SECOND}, None),
        (HISTORY, item(**UNKNOWN, occurredTime="2026-03-02T08:14:05Z"), {"at": SECOND}, None),
        (HISTORY, item(**UNKNOWN), {"at": SECOND}, None),
    ],
)
def test_a_row_is_a_record_and_covers_health(name: str, row: Row, told: Row | None, partial: str | None) -> None:
    items = read(name, row)

    assert [{member: getattr(each, member) for member in told or ()} for each in heard(items)] == [told][: bool(told)]
    assert covered(items) == {Signal.HEALTH: partial}


def test_what_is_missing_within_is_taken_from_the_envelope() -> None:
    data = {"resourceInfo": {"properties": {"availabilityState": "Unavailable"}}}
    items = read(GRID, cloud(data=data, subject=CURRENT_NOTE))

    assert covered(items) == {Signal.HEALTH: None}
    assert all(item.vm == vm() and item.record.at == AT for item in items if isinstance(item, VmRecord))


@samples.needs_samples
def test_a_published_row_with_an_empty_id_is_malformed() -> None:
    (row,) = samples.rows("published/resource-graph-availability-status-properties.json")

    with pytest.raises(MalformedRow, match="empty parts"):
        read(GRAPH, row)


def test_properties_may_come_alone_or_as_a_string() -> None:
    properties = state()["properties"]
    assert isinstance(properties, dict)

    assert heard(read(CHANGES, properties)) == heard(read(CHANGES, state()))
    assert heard(read(CHANGES, {**state(), "properties": json.dumps(properties)})) == heard(read(CHANGES, state()))


def test_a_row_whose_properties_cannot_be_read_is_known_by_its_id() -> None:
    below = "providers/Microsoft.Resources/changes/1"
    row = {"type": "microsoft.resources/changes", "properties": "@{targetResourceId=x; changes=}"}
    of_health, of_vm = {**row, "id": f"{CURRENT_NOTE}/{below}"}, {**row, "id": f"{VM}/{below}"}

    assert recognises_row(FORMATS[CHANGES], of_health)
    assert not recognises_row(FORMATS["resource-changes"], of_health)
    assert not recognises_row(FORMATS[CHANGES], of_vm)


@pytest.mark.parametrize("kind", ["PlannedMaintenance", "HealthAdvisory", "SecurityAdvisory", "RCA", "Billing"])
def test_maintenance_and_advice_are_no_incident(kind: str) -> None:
    items = read(EVENTS, within(EVENTS, eventType=kind))

    assert not regional(items)
    assert covered(items) == {Signal.SERVICE: None}


def test_an_incident_is_told_with_its_services_and_regions() -> None:
    (incident,) = regional(read(EVENTS, EXAMPLES[EVENTS]))
    record = incident.record

    assert incident.subscription == SUBSCRIPTION.rpartition("/")[2]
    assert (record.signal, record.name, record.status) == (Signal.SERVICE, "ServiceIssue", "Active")
    told = {"service": "Virtual Machines,Virtual Network", "regions": "West Europe", "tracking": "T-1"}
    assert told.items() <= record.facts.items()


def test_an_incident_that_ended_says_when() -> None:
    (incident,) = regional(read(EVENTS, within(EVENTS, status="Resolved", impactMitigationTime="2026-03-02T10:00:00Z")))
    assert (incident.record.status, incident.record.facts["ended"]) == ("Resolved", "2026-03-02T10:00:00Z")


def test_an_incident_without_a_beginning_is_dated_by_its_last_update() -> None:
    (incident,) = regional(read(EVENTS, within(EVENTS, impactStartTime=None, lastUpdateTime="2026-03-02T09:00:00Z")))
    assert incident.record.at == datetime(2026, 3, 2, 9, tzinfo=UTC)
