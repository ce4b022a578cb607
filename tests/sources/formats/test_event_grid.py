"""Health events of Event Grid in both schemas, whole and in parts."""

from datetime import UTC, datetime

import pytest

from tests.sources import samples
from tests.sources.rows import EXAMPLES, SUBSCRIPTION, TIME, VM, covered, heard, read, vm
from vmdiag.model import Signal
from vmdiag.sources.items import VmRecord

NAME = "event-grid"
AT = datetime(2026, 3, 2, 8, 14, 5, 123456, tzinfo=UTC)
CHANGED = "Microsoft.ResourceNotifications.HealthResources.AvailabilityStatusChanged"


def cloud(**members: object) -> dict[str, object]:
    state = {"targetResourceId": VM, "occurredTime": TIME, "previousAvailabilityState": "Available"}
    data = {"resourceInfo": {"properties": {**state, "availabilityState": "Unavailable"}}}
    whole = {"type": CHANGED, "specversion": "1.0", "source": SUBSCRIPTION, "subject": VM, "time": TIME, "data": data}
    return {key: value for key, value in {**whole, **members}.items() if value is not None}


def test_an_annotation_is_told_and_health_is_covered() -> None:
    items = read(NAME, EXAMPLES[NAME])
    (record,) = heard(items)

    assert (record.at, record.name) == (AT, "LiveMigrationSucceeded")
    assert covered(items) == {Signal.HEALTH: None}


@pytest.mark.parametrize("row", [cloud(), cloud(specversion=None, source=None, subject=None, time=None)])
def test_a_cloud_event_tells_the_new_state_and_is_known_by_its_type_alone(row: dict[str, object]) -> None:
    (record,) = heard(read(NAME, row))
    assert (record.name, record.status, record.facts) == ("availability", "Unavailable", {"previous": "Available"})


SUBJECT = f"{VM}/providers/Microsoft.ResourceHealth/resourceAnnotations/current"


def test_what_is_missing_within_is_taken_from_the_envelope() -> None:
    data = {"resourceInfo": {"properties": {"availabilityState": "Unavailable"}}}
    items = read(NAME, cloud(data=data, subject=SUBJECT))

    assert covered(items) == {Signal.HEALTH: None}
    assert all(item.vm == vm() and item.record.at == AT for item in items if isinstance(item, VmRecord))


@samples.needs_samples
def test_published_events_are_read() -> None:
    rows = samples.rows("published/cloudevent-*.json") + samples.rows("published/eventgrid-[!s]*.json")
    told = [record for row in rows for record in heard(read(NAME, row))]

    assert [record.name for record in told].count("VirtualMachineDeallocationInitiated") == 2
    assert [record.status for record in told].count("Available") == 2
