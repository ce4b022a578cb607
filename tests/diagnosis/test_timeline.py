"""The same story told in any order, with repeats and in any letter case is the same timeline."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from tests import notation
from tests.timeline_builders import diagnose_story
from vmdiag.diagnosis.model import Stance, Verdict
from vmdiag.diagnosis.timeline import assemble_timeline
from vmdiag.model import Kind, Record, Series, Signal, Transcript, Window
from vmdiag.values import replace

T = datetime(2026, 3, 2, 12, tzinfo=UTC)
MIN = timedelta(minutes=1)
DAY = Window(T - timedelta(hours=6), T + timedelta(hours=6))
VM = notation.VM
STORY = notation.transcript(
    "12:00 live-migration\n12:03 traffic-lost\n12:30 restart\n13:00 available\n13:10 network-change\n14:00 redeploy"
)
TOLD = Window(STORY.gaps[0].window.start, STORY.gaps[0].window.end)


def events(*records: Record) -> list[tuple[Kind, datetime]]:
    told = assemble_timeline(Transcript(vm=VM, records=records), DAY)
    return [(event.kind, event.at) for event in told.events]


def operation(status: str, at: datetime, correlation: str = "c1", name: str = "restart/action") -> Record:
    name = f"Microsoft.Compute/virtualMachines/{name}"
    return Record(at=at, signal=Signal.ACTIVITY, name=name, status=status, facts={"correlation": correlation})


def health(name: str, at: datetime, status: str = "", **facts: str) -> Record:
    return Record(at=at, signal=Signal.HEALTH, name=name, status=status, facts=facts)


@given(st.randoms(), st.integers(1, 3))
def test_order_and_repeats_change_nothing(random: object, times: int) -> None:
    records = list(STORY.records) * times
    random.shuffle(records)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    again = replace(STORY, records=tuple(records), series=STORY.series * times, gaps=STORY.gaps[::-1])

    assert asdict(assemble_timeline(again, TOLD)) == asdict(assemble_timeline(STORY, TOLD))


@given(st.sampled_from([str.upper, str.lower, str.title]))
def test_letter_case_changes_no_event_and_no_verdict(case: Callable[[str], str]) -> None:
    records = tuple(
        # "availability" is our own word for a status, not the platform's.
        record if record.name == "availability" else replace(record, name=case(record.name), status=case(record.status))
        for record in STORY.records
    )
    again = assemble_timeline(replace(STORY, records=records), TOLD)
    told = assemble_timeline(STORY, TOLD)

    assert [(event.kind, event.at) for event in again.events] == [(event.kind, event.at) for event in told.events]
    assert diagnose_story(again).verdict is diagnose_story(told).verdict


@given(st.lists(st.tuples(st.integers(-300, 300), st.text(max_size=20)), max_size=20))
def test_unrelated_records_change_no_verdict(noise: list[tuple[int, str]]) -> None:
    extra = tuple(
        Record(at=T + minutes * MIN, signal=Signal.ACTIVITY, name=f"Contoso.Thing/{name}/write", status="Succeeded")
        for minutes, name in noise
    )
    told = diagnose_story(assemble_timeline(replace(STORY, records=STORY.records + extra), TOLD))

    assert told.verdict is diagnose_story(assemble_timeline(STORY, TOLD)).verdict


def test_which_of_two_equal_records_is_cited_does_not_hang_on_their_order() -> None:
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    told = [Record(at=at, signal=Signal.HEALTH, name="LiveMigrationSucceeded", ref=ref) for ref in ("a", "b")]
    transcript = notation.transcript("until 14:00")
    timelines = [
        assemble_timeline(replace(transcript, records=tuple(records)), Window(at, at + timedelta(hours=1)))
        for records in (told, told[::-1])
    ]

    assert timelines[0].events
    assert asdict(timelines[0]) == asdict(timelines[1])


def test_started_accepted_and_succeeded_are_one_event_with_a_length() -> None:
    records = [operation(status, T + n * MIN) for n, status in enumerate(("Started", "Accepted", "Succeeded"))]
    (event,) = assemble_timeline(Transcript(vm=VM, records=tuple(records)), DAY).events

    assert (event.kind, event.at, event.ended) == (Kind.RESTART, T, T + 2 * MIN)
    assert not event.facts.keys() & {"pending", "open"}


def test_an_operation_whose_end_was_not_seen_is_open_or_says_that_only_its_begin_was() -> None:
    accepted, started = (
        assemble_timeline(Transcript(vm=VM, records=(operation(status, T),)), DAY).events[0]
        for status in ("Accepted", "Started")
    )

    assert ("open" in accepted.facts, "pending" in accepted.facts) == (True, False)
    assert "pending" in started.facts
    assert "its end is not in the log" in started.says


TOLD_STATES = ("Available", "Unavailable", "Unavailable", "Available")
STATES = [health("availability", T + n * MIN, word) for n, word in enumerate(TOLD_STATES)]


@pytest.mark.parametrize(("records", "told"), [
    pytest.param([operation("Started", T), operation("Failed", T + MIN)], [], id="a failed operation is none"),
    pytest.param(
        [operation("Succeeded", T), operation("Succeeded", T + 40 * MIN, correlation="c2")],
        [(Kind.RESTART, T), (Kind.RESTART, T + 40 * MIN)],
        id="two operations with their own correlation are two"),
    pytest.param(
        [operation("Succeeded", T, ""), operation("Succeeded", T + 40 * MIN, "")],
        [(Kind.RESTART, T), (Kind.RESTART, T + 40 * MIN)],
        id="without correlation only nearness joins"),
    pytest.param(
        [health("LiveMigrationSucceeded", T + 4 * MIN), health("LiveMigrationCompleted", T),
         health("", T + 5 * MIN, title="Live Migration")],
        [(Kind.LIVE_MIGRATION, T)],
        id="one migration told by two sources is one"),
    pytest.param(
        [health("LiveMigrationSucceeded", T), health("LiveMigrationSucceeded", T + 120 * MIN)],
        [(Kind.LIVE_MIGRATION, T), (Kind.LIVE_MIGRATION, T + 120 * MIN)],
        id="two migrations hours apart are two"),
    pytest.param(
        STATES,
        [(Kind.AVAILABLE, T), (Kind.UNAVAILABLE, T + MIN), (Kind.AVAILABLE, T + 3 * MIN)],
        id="a state that is told again while it lasts is left out"),
    pytest.param(
        [health("LiveMigrationSucceeded", T), operation("Succeeded", T + 30 * MIN, "d", "delete"),
         operation("Succeeded", T + 60 * MIN, "w", "write")],
        [(Kind.CONFIGURE, T + 60 * MIN)],
        id="a VM that was deleted and made again keeps only its own story"),
])  # fmt: skip
def test_what_happened_is_told_once(records: list[Record], told: list[tuple[Kind, datetime]]) -> None:
    assert events(*records) == told


def test_what_lies_after_the_window_or_before_its_margin_is_left_out() -> None:
    transcript = Transcript(
        vm=VM,
        records=tuple(health("LiveMigrationSucceeded", at) for at in (DAY.start - 2 * MIN, DAY.end + MIN)),
        series=(
            Series(name="s", signal=Signal.CPU, times=(DAY.start - 2 * MIN, T, DAY.end + MIN), values=(1.0, 2.0, 3.0)),
        ),
    )

    assert assemble_timeline(transcript, DAY).events == ()
    assert assemble_timeline(transcript, DAY).series["s"].times == (T,)
    assert len(assemble_timeline(transcript, DAY, 3 * MIN).events) == 1


def test_parts_of_a_series_are_put_together_in_order_and_without_repeats() -> None:
    parts = (
        Series(name="s", signal=Signal.CPU, times=(T + MIN, T), values=(2.0, 1.0)),
        Series(name="s", signal=Signal.CPU, times=(T + MIN,), values=(2.5,)),
    )
    (series,) = assemble_timeline(Transcript(vm=VM, series=parts), DAY).series.values()

    assert (series.times, series.values) == ((T, T + MIN), (1.0, 2.5))


def test_a_window_that_begins_in_year_one_does_not_underflow() -> None:
    whole = Window(datetime.min.replace(tzinfo=UTC), DAY.end)

    assert assemble_timeline(STORY, whole, timedelta(hours=2)).events


def test_a_network_change_and_an_incident_say_what_they_are_about() -> None:
    change = Record(
        at=T,
        signal=Signal.ACTIVITY,
        name="Microsoft.Network/networkSecurityGroups/write",
        status="Succeeded",
        facts={"resource": "/subscriptions/s/x/web-nsg"},
    )
    incident = Record(at=T, signal=Signal.SERVICE, name="Incident", status="Active", facts={"title": "Network - UK"})
    told = assemble_timeline(Transcript(vm=VM, records=(change, incident)), DAY).events

    assert [event.says for event in told] == [
        "network change: Microsoft.Network/networkSecurityGroups/write on web-nsg",
        "Azure reports a service incident: Network - UK",
    ]


@pytest.mark.parametrize(
    ("before", "verdict", "stance"),
    [((), Verdict.CLEAR, Stance.MISSING), ((health("LiveMigrationSucceeded", T),), Verdict.INCONCLUSIVE, Stance.FOR)],
)
def test_of_an_end_alone_it_is_told_what_it_ended_and_no_loss_is_made_of_it(
    before: tuple[Record, ...], verdict: Verdict, stance: Stance
) -> None:
    back = health("availability", T + 26 * MIN, "Available", previous="Unavailable")
    told = Transcript(vm=VM, records=(*before, back), gaps=STORY.gaps)
    found = diagnose_story(assemble_timeline(told, DAY))

    assert (found.verdict, found.losses) == (verdict, ())
    assert [one.stance for one in found.finding.evidence if "it had been Unavailable" in one.says] == [stance]
    known = health("availability", T + 2 * MIN, "Unavailable", previous="Available")
    whole = assemble_timeline(replace(told, records=(*told.records, known)), DAY)
    assert not [event for event in whole.events if "it had been" in event.says]
