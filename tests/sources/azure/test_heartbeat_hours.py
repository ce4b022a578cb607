"""Heartbeats in brief: what is judged of the hours that are told by their ends is what is judged of every beat."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from tests.arm.kusto_tables import KustoTables
from vmdiag.completeness import MalformedRow
from vmdiag.diagnosis.signals import (
    BEAT_PACE,
    HEARTBEAT,
    find_heartbeat_gaps,
    find_held_beat,
    has_regular_beats,
    judge_heartbeat,
)
from vmdiag.identity import VmId
from vmdiag.model import Series, Signal, Timeline, VirtualMachine, Window
from vmdiag.sources.azure.feeds.heartbeat import build_feed_requests
from vmdiag.sources.items import PackedMetricPoints

END = datetime(2026, 3, 2, 14, 20, 7, tzinfo=UTC)
SPAN = Window(END - timedelta(hours=20), END)
VMS = tuple(VmId(subscription="s", resource_group="g", name=f"vm-{number}") for number in range(60))


def generate_beats(seed: int) -> list[datetime]:
    """The beats of one VM: at its own pace, early and late by some seconds, with silences and single ones missing."""
    rng = random.Random(seed)  # noqa: S311 - beats, no secret
    pace, jitter, missing = (
        rng.choice([60, 60, 60, 30, 150, 300]),
        rng.choice([0.001, 2, 20]),
        rng.choice([0, 0.02, 0.3]),
    )
    beats, at = set[datetime](), SPAN.start + timedelta(seconds=rng.uniform(0, pace))
    silent = []
    for _ in range(rng.choice([0, 1, 2, 6])):
        begin = SPAN.start + rng.random() * (SPAN.end - SPAN.start)
        silent.append(Window(begin, begin + timedelta(minutes=rng.choice([2, 4, 9.9, 10.1, 30, 70, 2000]))))
    while at < SPAN.end:
        told = at + timedelta(seconds=rng.uniform(0, jitter))
        if told <= SPAN.end and rng.random() >= missing and not any(told in one for one in silent):
            beats.add(told)
        at += timedelta(seconds=pace)
    return sorted(beats)


def read_in_brief(beats: Mapping[VmId, list[datetime]]) -> tuple[dict[VmId, list[datetime]], int]:
    """What the query gives of them, run by DuckDB; and how many times it names."""
    rows = [
        {"_ResourceId": vm.key, "TimeGenerated": at.isoformat()[:26]} for vm, times in beats.items() for at in times
    ]
    tables = KustoTables({"Heartbeat": ({"_ResourceId": "string", "TimeGenerated": "datetime"}, rows)})
    (request,) = build_feed_requests("w", list(beats), SPAN, in_brief=True)
    found: dict[VmId, list[datetime]] = {vm: [] for vm in beats}
    answer = tables.run_query(str((request.request.body or {})["query"]))
    for row in answer.rows:
        for item in request.read_items(dict(zip(answer.columns, row, strict=True)), ""):
            assert isinstance(item, PackedMetricPoints)
            found[next(vm for vm in beats if vm.key == item.vm.key)] += [
                datetime.fromtimestamp(at, UTC) for at in item.times
            ]
    return {vm: sorted(times) for vm, times in found.items()}, str(answer.rows).count("2026-") - len(answer.rows)


def build_timeline(times: list[datetime]) -> Timeline:
    series = Series(name=HEARTBEAT, signal=Signal.HEARTBEAT, times=tuple(times), values=(1.0,) * len(times))
    return Timeline(vm=VirtualMachine(id=VMS[0]), window=SPAN, series={HEARTBEAT: series})


def test_the_silences_and_onsets_of_beats_in_brief_are_those_of_all_beats() -> None:
    beats = {vm: generate_beats(seed) for seed, vm in enumerate(VMS)}
    brief, named = read_in_brief(beats)
    gaps = 0
    for seed, vm in enumerate(VMS):
        rng = random.Random(seed)  # noqa: S311 - instants, no secret
        whole, part = build_timeline(beats[vm]), build_timeline(brief[vm])
        found = list(find_heartbeat_gaps(part))
        gaps += len(found)
        assert len(brief[vm]) == len(beats[vm]), seed
        assert found == list(find_heartbeat_gaps(whole)), seed
        for _ in range(20):
            at = SPAN.start + rng.random() * (SPAN.end - SPAN.start)
            onset = Window(at - timedelta(minutes=2), at + timedelta(minutes=30))
            assert judge_heartbeat(part, onset) == judge_heartbeat(whole, onset), (seed, at)
            assert has_regular_beats(brief[vm], at) is has_regular_beats(beats[vm], at), (seed, at)
            held, of_all = find_held_beat(brief[vm], at), find_held_beat(beats[vm], at)
            assert (held is None) is (of_all is None), (seed, at)
            assert held is None or of_all is None or abs(held - of_all) < BEAT_PACE, (seed, at)

    assert gaps > len(VMS)
    assert named < 0.7 * sum(map(len, beats.values()))


def test_of_a_vm_whose_agent_beats_once_a_minute_an_hour_is_told_by_two_beats_and_told_as_it_was() -> None:
    start = SPAN.start + timedelta(seconds=13.25)
    beats = [start + timedelta(minutes=minute) for minute in range(20 * 60) if not 400 < minute < 450]
    brief, named = read_in_brief({VMS[0]: beats})

    assert max(abs(one - other) for one, other in zip(brief[VMS[0]], beats, strict=True)) < timedelta(milliseconds=1)
    assert named < 0.2 * len(beats)


@pytest.mark.parametrize(
    "hour",
    [
        [60, ["2026-03-02T08:00:01Z", "soon"]],
        [60, ["2026-03-02T08:00:01Z"]],
        [10**9, ["2026-03-02T08:00:01Z", "2026-03-02T08:59:01Z"]],
        [60, ["2026-03-02T08:00:01Z", "2026-03-04T08:59:01Z"]],
        ["60", ["2026-03-02T08:00:01Z", "2026-03-02T08:59:01Z"]],
        [0, []],
        None,
    ],
)
def test_an_hour_that_cannot_be_read_is_told_and_takes_no_other_with_it(hour: object) -> None:
    (request,) = build_feed_requests("w", [VMS[0]], SPAN, in_brief=True)
    items = request.read_items({"_ResourceId": VMS[0].key, "hours": [hour, [1, ["2026-03-02T09:00:01Z"]]]}, "")
    points = next(items)

    assert isinstance(points, PackedMetricPoints)
    assert list(points.times) == [datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC).timestamp()]
    with pytest.raises(MalformedRow, match="heartbeats"):
        next(items)
