"""What nobody dated is dated by its announcement, or is as new as the window's end and says so."""

from datetime import UTC, datetime, timedelta

import pytest

from vmdiag.model import Record, Signal, Window
from vmdiag.sources.transcripts import date_records

END = datetime(2026, 3, 2, 12, tzinfo=UTC)
WINDOW = Window(END - timedelta(days=1), END)


def event(status: str, **facts: str) -> Record:
    known = {"event": "E1", "undated": "true", **facts}
    return Record(at=datetime(2010, 1, 1, tzinfo=UTC), signal=Signal.HEALTH, name="", status=status, facts=known)


def dated(*records: Record) -> dict[str, Record]:
    return {record.status: record for record in date_records(records, WINDOW)}


def test_a_state_without_a_time_is_as_new_as_the_window() -> None:
    state = Record(at=datetime(2010, 1, 1, tzinfo=UTC), signal=Signal.POWER, name="PowerState/running")

    assert [record.at for record in date_records([state], WINDOW)] == [END]


def test_an_event_that_began_is_dated_by_its_own_announcement_and_no_finer() -> None:
    started = dated(event("Started"), event("Scheduled", not_before="2026-03-02T08:30:00Z"))["Started"]

    assert started.at == datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
    assert started.at + started.blur == datetime(2026, 3, 2, 8, 40, tzinfo=UTC)
    assert "undated" not in started.facts


@pytest.mark.parametrize(("named", "before"), [("E2", "03-02"), ("E1", "02-02"), ("E1", "03-09")])
def test_an_announcement_of_another_event_or_outside_the_window_dates_nothing(named: str, before: str) -> None:
    announced = event("Scheduled", event=named, not_before=f"2026-{before}T08:30:00Z")
    started = dated(event("Started"), announced)["Started"]

    assert (started.at, started.facts["undated"]) == (END, "true")


def test_an_event_that_began_just_now_does_not_reach_beyond_the_window() -> None:
    started = dated(event("Started", not_before="2026-03-02T11:55:00Z"))["Started"]

    assert started.at + started.blur == END
