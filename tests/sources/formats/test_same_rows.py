"""Rows that say what the example of their format says, in another spelling or envelope: of all formats alike."""

import json

import pytest

from tests.sources.reading import changed, read
from tests.sources.rows import ANNOTATION, EXAMPLES, HEALTH, TIME, VM
from vmdiag.completeness import Row

RESTART = {
    "category": "Administrative",
    "operationName": "Microsoft.Compute/virtualMachines/restart/action",
    "status": "Succeeded",
    "subStatus": "OK",
}
OPERATION, SCHEDULED, GRAPH = "resource-events", "scheduled-events-event-grid", "resource-graph-health"
CLOUD = {"eventType": None, "eventTime": None, "topic": None, "specversion": "1.0"}


def flat(**members: object) -> Row:
    """A VM as the CLI prints it."""
    properties = EXAMPLES["virtual-machine"]["properties"]
    assert isinstance(properties, dict)
    return {"resourceGroup": "shop", "tags": {}, **changed("virtual-machine", properties=None, **members), **properties}


def without_target(*keys: str) -> Row:
    return {key: value for key, value in ANNOTATION.items() if key not in keys}


def data(**members: object) -> Row:
    known = EXAMPLES[OPERATION]["data"]
    assert isinstance(known, dict)
    return {key: value for key, value in {**known, **members}.items() if value is not None}


SAME: list[tuple[str, Row]] = [
    ("activity-log", changed("activity-log", **RESTART)),
    ("azure-activity", changed("azure-activity", _ResourceId="", ResourceId=VM)),
    *(
        ("exported-records", changed("exported-records", properties=properties))
        for properties in (HEALTH, json.dumps(HEALTH), json.dumps({"eventProperties": HEALTH}))
    ),
    ("portal-csv", changed("portal-csv", Resource=VM)),
    ("portal-csv", changed("portal-csv", **{"Resource type": "Virtual machine"})),
    ("portal-csv", {key.upper(): value for key, value in EXAMPLES["portal-csv"].items()}),
    (OPERATION, changed(OPERATION, **CLOUD, type=EXAMPLES[OPERATION]["eventType"], time=TIME)),
    (OPERATION, changed(OPERATION, data=data(operationName=None, resourceUri=None))),
    (
        OPERATION,
        changed(OPERATION, deadLetterReason="MaxDeliveryAttemptsExceeded", deliveryAttempts=30, publishTime="x"),
    ),
    (SCHEDULED, changed(SCHEDULED, eventType="Microsoft.Maintenance.ScheduledEvents")),
    (SCHEDULED, changed(SCHEDULED, eventType="microsoft.maintenance/scheduledevents/write")),
    (SCHEDULED, changed(SCHEDULED, **CLOUD, time="2026-03-02T08:14:06Z", type=EXAMPLES[SCHEDULED]["eventType"])),
    (GRAPH, changed(GRAPH, properties=json.dumps(ANNOTATION))),
    (GRAPH, changed(GRAPH, type="Microsoft.ResourceHealth/resourceAnnotations")),
    (GRAPH, changed(GRAPH, type=None)),
    (GRAPH, ANNOTATION),
    (GRAPH, without_target("targetResourceType")),
    (GRAPH, {f"properties_{key}": value for key, value in ANNOTATION.items()}),
    (GRAPH, {key.upper(): value for key, value in ANNOTATION.items()}),
    (GRAPH, {**without_target("targetResourceType", "targetResourceId"), "id": EXAMPLES[GRAPH]["id"]}),
    ("resource-health", changed("resource-health", type="Microsoft.ResourceHealth/AvailabilityStatueses")),
    ("resource-health", changed("resource-health", type=None)),
    ("service-events", changed("service-events", type=None)),
    ("virtual-machine", flat()),
    ("virtual-machine", flat(type=None)),
]


@pytest.mark.parametrize(("name", "row"), SAME)
def test_a_row_says_the_same_in_another_form(name: str, row: Row) -> None:
    assert read(name, row) == read(name, EXAMPLES[name])
