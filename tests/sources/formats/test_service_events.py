"""Service events of Resource Health: incidents of regions."""

from datetime import UTC, datetime

import pytest

from tests.sources.rows import EXAMPLES, SUBSCRIPTION, changed, covered, read, regional
from vmdiag.model import Signal

NAME = "service-events"


def event(**members: object) -> dict[str, object]:
    properties = EXAMPLES[NAME]["properties"]
    assert isinstance(properties, dict)
    return changed(NAME, properties={**properties, **members})


@pytest.mark.parametrize("kind", ["PlannedMaintenance", "HealthAdvisory", "SecurityAdvisory", "RCA", "Billing"])
def test_maintenance_and_advice_are_no_incident(kind: str) -> None:
    items = read(NAME, event(eventType=kind))

    assert not regional(items)
    assert covered(items) == {Signal.SERVICE: None}


def test_an_incident_is_told_with_its_services_and_regions() -> None:
    (incident,) = regional(read(NAME, EXAMPLES[NAME]))

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
    (incident,) = regional(read(NAME, event(status="Resolved", impactMitigationTime="2026-03-02T10:00:00Z")))
    assert (incident.record.status, incident.record.facts["ended"]) == ("Resolved", "2026-03-02T10:00:00Z")


def test_an_incident_without_a_beginning_is_dated_by_its_last_update() -> None:
    (incident,) = regional(read(NAME, event(impactStartTime=None, lastUpdateTime="2026-03-02T09:00:00Z")))
    assert incident.record.at == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_an_event_without_its_type_is_known_by_its_build() -> None:
    assert read(NAME, changed(NAME, type=None)) == read(NAME, EXAMPLES[NAME])
