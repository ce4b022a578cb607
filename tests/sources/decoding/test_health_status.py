"""Five dialects of one fact."""

from datetime import UTC, datetime

import pytest

from tests.sources.reading import vm
from tests.sources.rows import ANNOTATION, HEALTH
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
    ("words", "name"),
    [
        ({"title": "A sentence.", "details": "LiveMigrationSucceeded"}, "LiveMigrationSucceeded"),
        ({"title": "A sentence.", "details": "LiveMigrationSucceeded//x1"}, "LiveMigrationSucceeded"),
        ({"title": "A sentence.", "details": "livemigrationsucceeded"}, "livemigrationsucceeded"),
        ({"title": "A sentence.", "details": "NO_REASON"}, "NO_REASON"),
        ({"title": "A sentence.", "details": "SIEOutage"}, "SIEOutage"),
        ({"annotationName": "Preempted"}, "Preempted"),  # the member made for the name is taken as it is
        ({"title": "Live Migration", "details": "", "eventName": "LiveMigrationFailure"}, "LiveMigrationFailure"),
        ({"availabilityState": "Available", "title": "Available"}, "availability"),  # told once
    ],
)
def test_an_annotation_is_named_where_its_name_stands(words: dict[str, object], name: str) -> None:
    assert [record.name for record in said(**words)] == [name]


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


def test_without_state_and_words_nothing_is_said() -> None:
    assert not said(currentHealthStatus=None, previousHealthStatus=None, details=None, cause="Unknown")
