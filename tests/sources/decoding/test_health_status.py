"""Five dialects of one fact."""

from datetime import UTC, datetime

import pytest

from tests.sources.rows import ANNOTATION, HEALTH, vm
from vmdiag.model import Record
from vmdiag.sources.decoding.health_status import decode_health

AT = datetime(2026, 3, 2, tzinfo=UTC)


def said(**words: object) -> list[Record]:
    return [each.record for each in decode_health(vm(), AT, words, "ref")]


@pytest.mark.parametrize(
    "word", ["Unknown", "Degraded", "UNAVAILABLE", "Rebooted by user", "This VM is starting.", "EndRequest"]
)
def test_a_word_or_a_sentence_is_no_name(word: str) -> None:
    assert all(record.name in ("", "availability") for record in said(details=word, eventName=word))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("LiveMigrationSucceeded", "LiveMigrationSucceeded"),
        ("LiveMigrationSucceeded//x1", "LiveMigrationSucceeded"),
        ("livemigrationsucceeded", "livemigrationsucceeded"),
        ("NO_REASON", "NO_REASON"),
        ("SIEOutage", "SIEOutage"),
    ],
)
def test_an_identifier_in_the_details_is_the_annotations_name(written: str, name: str) -> None:
    assert [record.name for record in said(title="A sentence.", details=written)] == [name]


def test_the_member_made_for_the_name_is_taken_as_it_is() -> None:
    assert [record.name for record in said(annotationName="Preempted")] == ["Preempted"]


def test_the_event_name_is_a_name_where_the_details_are_none() -> None:
    assert [record.name for record in said(title="Live Migration", details="", eventName="LiveMigrationFailure")] == [
        "LiveMigrationFailure"
    ]


def test_a_state_and_an_annotation_in_one_event_are_two_records() -> None:
    status, annotation = said(**HEALTH)

    assert (status.name, status.status, status.facts["previous"]) == ("availability", "Available", "Unavailable")
    assert (annotation.name, annotation.facts["cause"]) == ("LiveMigrationSucceeded", "PlatformInitiated")
    assert "details" not in annotation.facts


def test_the_older_keys_say_the_same() -> None:
    status, words = said(
        stage="Active",
        title="Virtual Machine health status changed to unavailable",
        healthStatus="Unavailable",
        healthEventCause="PlatformInitiated",
        healthEventCategory="Unplanned",
    )

    assert (status.status, status.facts["cause"]) == ("Unavailable", "PlatformInitiated")
    assert words.facts["category"] == "Unplanned"


def test_nested_words_are_found() -> None:
    assert said(eventCategory="ResourceHealth", eventProperties=HEALTH) == said(**HEALTH)


def test_an_annotation_has_no_state() -> None:
    (record,) = said(**ANNOTATION)

    assert record.name == "LiveMigrationSucceeded"
    assert record.facts["impact"] == "Downtime Freeze"
    assert record.facts["title"] == "Live Migration"


def test_a_state_repeated_in_the_title_is_told_once() -> None:
    assert [record.name for record in said(availabilityState="Available", title="Available")] == ["availability"]


def test_without_state_and_words_nothing_is_said() -> None:
    assert not said(currentHealthStatus=None, previousHealthStatus=None, details=None, cause="Unknown")
