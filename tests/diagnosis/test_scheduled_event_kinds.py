"""What a scheduled event means: moved, paused in place, rebooted, or nothing at all."""

import pytest

from vmdiag.diagnosis.event_kinds import interpret_record
from vmdiag.model import Kind, Signal

MIGRATION = "Virtual machine is being paused because of a memory-preserving Live Migration operation."


def kind_of(event_type: str, status: str, description: str = "", source: str = "Platform") -> Kind:
    facts = {"event_type": event_type, "summary": description, "source": source}
    return interpret_record(Signal.HEALTH, "", status, facts)


@pytest.mark.parametrize("status", ["Scheduled", "Canceled"])
@pytest.mark.parametrize("event_type", ["Freeze", "Reboot", "Redeploy", "Preempt", "Terminate", "Hibernate"])
def test_what_was_only_announced_has_not_happened(event_type: str, status: str) -> None:
    assert kind_of(event_type, status, MIGRATION) is Kind.OTHER


@pytest.mark.parametrize(
    ("description", "kind"),
    [
        ("Host server is undergoing maintenance.", Kind.FREEZE),
        ("Host Server infrastructure is undergoing maintenance.", Kind.FREEZE),
        ("Virtual machine is undergoing maintenance", Kind.UNKNOWN_NOTE),
        ("", Kind.UNKNOWN_NOTE),
        (MIGRATION, Kind.LIVE_MIGRATION),
        (MIGRATION.upper(), Kind.LIVE_MIGRATION),
    ],
)
@pytest.mark.parametrize("status", ["Started", "Completed", "started"])
def test_a_freeze_is_what_its_description_says(description: str, status: str, kind: Kind) -> None:
    assert kind_of("Freeze", status, description) is kind


@pytest.mark.parametrize(
    ("event_type", "description", "source", "kind"),
    [
        ("Reboot", "Host server is undergoing maintenance.", "Platform", Kind.PLANNED_REBOOT),
        ("Reboot", "Virtual machine is going to be restarted as requested by authorized user.", "User", Kind.RESTART),
        ("Redeploy", "Host server is undergoing maintenance.", "Platform", Kind.PLANNED_REBOOT),
        ("Redeploy", "Virtual machine is going to be redeployed as requested by authorized user.", "", Kind.REDEPLOY),
        ("Redeploy", "Host server is undergoing an emergency repair.", "Platform", Kind.HOST_FAILURE),
        ("Redeploy", "Virtual machine has encountered a failure.", "Platform", Kind.HOST_FAILURE),
        ("Preempt", "", "Platform", Kind.EVICTION),
        ("Terminate", "", "User", Kind.DELETE),
        ("Hibernate", "", "Platform", Kind.UNKNOWN_NOTE),
        ("Reboot", MIGRATION, "Platform", Kind.PLANNED_REBOOT),
    ],
)
def test_every_other_type_has_its_kind(event_type: str, description: str, source: str, kind: Kind) -> None:
    assert kind_of(event_type, "Started", description, source) is kind


def test_a_status_that_no_page_names_is_cited_and_not_interpreted() -> None:
    assert kind_of("Freeze", "Postponed", MIGRATION) is Kind.UNKNOWN_NOTE
