"""What is recorded is read back."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.reading import REF, changed, covered, heard, known, read, sampled, vm
from tests.sources.rows import EXAMPLES, VM
from vmdiag.completeness import MalformedRow
from vmdiag.model import Gap, Record, Series, Signal, Transcript, VirtualMachine, Window
from vmdiag.sources.decoding.recording import encode_transcript
from vmdiag.sources.items import Item, RecordedGap

NAME = "transcripts"
WINDOW = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))
NOON = datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)

words = st.text(max_size=20)
instants = st.datetimes(datetime(2011, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - UTC follows
records = st.builds(
    Record,
    at=instants,
    signal=st.sampled_from(Signal),
    name=words,
    status=words,
    blur=st.timedeltas(timedelta(), timedelta(days=300)),
    facts=st.dictionaries(words, words, max_size=3),
    ref=st.text(min_size=1, max_size=20),
)


def told(transcript: Transcript) -> list[Item]:
    line = encode_transcript(transcript, WINDOW, "public")
    assert line.count(b"\n") == 1
    return read(NAME, json.loads(line))


def missed(items: list[Item]) -> list[RecordedGap]:
    return [item for item in items if isinstance(item, RecordedGap)]


@given(st.lists(records, max_size=3))
def test_records_are_read_back_as_they_were(heard_before: list[Record]) -> None:
    items = told(Transcript(vm=VirtualMachine(id=vm()), records=tuple(heard_before)))
    assert heard(items) == heard_before


def test_inventory_and_series_are_read_back_as_they_were() -> None:
    machine = VirtualMachine(
        id=vm(), location="westeurope", os="linux", size="S", power_state="running", network=frozenset({"/n"})
    )
    series = Series(
        name="Inbound Flows", signal=Signal.TRAFFIC, times=(NOON, NOON + timedelta(minutes=1)), values=(1.5, 0.0)
    )
    items = told(Transcript(vm=machine, series=(series,)))

    assert [item.vm for item in known(items)] == [machine]
    assert [str(item.vm.id) for item in known(items)] == [VM]
    assert [(each.name, each.signal, each.times, each.values) for each in sampled(items)] == [
        (series.name, series.signal, series.times, series.values)
    ]


@pytest.mark.parametrize(
    ("window", "partial", "uncovered"),
    [
        (WINDOW, False, {Signal.HEALTH}),
        (WINDOW, True, set()),
        (Window(WINDOW.start, NOON), False, set()),
    ],
)
def test_a_gap_over_all_is_not_covered_one_of_a_part_is(
    window: Window, uncovered: set[Signal], *, partial: bool
) -> None:
    gap = Gap(signal=Signal.HEALTH, window=window, reason="14 days", partial=partial)
    items = told(Transcript(vm=VirtualMachine(id=vm()), gaps=(gap,)))

    assert missed(items) == [RecordedGap(vm(), gap)]
    assert set(Signal) - covered(items).keys() == uncovered


def test_a_window_that_reaches_back_to_year_one_is_read_back() -> None:
    window = Window(datetime.min.replace(tzinfo=UTC), WINDOW.end)
    gap = Gap(signal=Signal.HEALTH, window=window, reason="x")
    line = encode_transcript(Transcript(vm=VirtualMachine(id=vm()), gaps=(gap,)), window, "public")

    assert missed(read(NAME, json.loads(line))) == [RecordedGap(vm(), gap)]


def test_a_record_without_a_reference_is_cited_by_its_line() -> None:
    record = {"at": "2026-03-01T12:00:00Z", "signal": "health", "name": "x"}
    assert [each.ref for each in heard(read(NAME, changed(NAME, records=[record])))] == [REF]


def test_another_version_of_the_schema_is_malformed_and_says_which_is_known() -> None:
    with pytest.raises(MalformedRow, match=r"'vmdiag.transcript/2'.*'vmdiag.transcript/1'"):
        read(NAME, changed(NAME, schema="vmdiag.transcript/2"))


@pytest.mark.parametrize(
    "members",
    [
        {"vm": {}},
        {"window": None},
        {"window": {"from": "x", "to": "y"}},
        {"records": [{"at": "x", "signal": "health"}]},
        {"records": [{"at": "2026-03-01T12:00:00Z", "signal": "smell"}]},
        {"records": [{"at": "2026-03-01T12:00:00Z", "signal": "health", "blur": 1e300}]},
        {"series": [{"name": "x", "signal": "cpu", "times": ["2026-03-01T12:00:00Z"], "values": [None]}]},
        {"series": [{"name": "x", "signal": "cpu", "times": ["2026-03-01T12:00:00Z"], "values": []}]},
        {"gaps": [{"signal": "cpu", "from": "9999-12-31T23:59:59-14:00", "to": "x"}]},
    ],
)
def test_a_line_that_was_damaged_is_malformed(members: dict[str, object]) -> None:
    with pytest.raises(MalformedRow):
        read(NAME, {**EXAMPLES[NAME], **members})
