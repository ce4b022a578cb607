"""Losses as intervals, from all channels together."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests import notation
from vmdiag.diagnosis.losses import search_losses
from vmdiag.diagnosis.model import Strength
from vmdiag.diagnosis.scenarios._migration import find_life_signs
from vmdiag.diagnosis.signals import SignalJudgement, SignalState, find_weak_signals, judge_heartbeat
from vmdiag.diagnosis.timeline import assemble_timeline
from vmdiag.diagnosis.traffic_losses import judge_traffic
from vmdiag.model import Kind, Record, Signal, Timeline, Transcript, Window

MIN = timedelta(minutes=1)


def told(text: str) -> list[str]:
    return [
        f"{loss.interval.start:%H:%M}-{f'{loss.interval.end:%H:%M}' if loss.interval.end else ''} "
        + " ".join(loss.signals)
        for loss in search_losses(notation.timeline(text)).losses
    ]


def onset(timeline: Timeline) -> Window:
    at = next(event.at for event in timeline.events if event.kind is Kind.LIVE_MIGRATION)
    return Window(at - 2 * MIN, at + 30 * MIN)


@pytest.mark.parametrize(
    ("story", "losses"),
    [
        # What is short, weak or an announcement is no loss.
        ("12:00 unavailable\n12:10 available", []),
        ("12:00 traffic-lost\n12:12 traffic-back\nuntil 14:00", []),
        *((story, []) for story in ("12:00 unknown", "12:00 agent-not-ready", "12:00 degraded-host\n12:01 degraded")),
        *((story, []) for story in ("12:00 restart", "traffic normal", "heartbeat normal")),
        ("12:00 unavailable", ["12:00- health"]),
        ("12:00 unavailable\n12:15 available", ["12:00-12:15 health"]),
        ("12:00 degraded\n13:00 available", ["12:00-13:00 health"]),
        ("12:00 traffic-lost", ["12:00- traffic"]),
        ("12:00 traffic-lost\n12:30 traffic-back\nuntil 14:00", ["12:00-12:30 traffic"]),
        ("12:00 heartbeat-lost", ["11:59- heartbeat"]),
        ("12:00 heartbeat-lost\n12:30 heartbeat-back\nuntil 14:00", ["11:59-12:30 heartbeat"]),
        ("12:00 stop", ["12:00- power"]),
        ("12:00 eviction\n13:00 start", ["12:00-13:00 power"]),
        ("12:00 unreachable", ["12:00- operator"]),
        ("12:00 probe-failed", ["12:00- probe"]),
        ("12:00 probe-failed\n12:40 probe-answered", ["12:00-12:40 probe"]),
        ("13:00 power-stopped\nuntil 13:00", ["13:00- power"]),
        ("12:00 traffic-lost\n12:01 unavailable\n12:03 heartbeat-lost", ["12:00- heartbeat traffic health"]),
        ("12:00 traffic-lost\n13:00 unreachable", ["12:00- operator traffic"]),
        ("12:00 unavailable\n12:05 traffic-lost\n12:40 traffic-back\nuntil 14:00", ["12:05-12:40 traffic health"]),
        ("12:00 heartbeat-lost\n13:00 traffic-lost", ["13:00- traffic"]),
    ],
)
def test_channels_of_one_onset_make_one_loss(story: str, losses: list[str]) -> None:
    assert told(story) == losses


@pytest.mark.parametrize(("seconds", "told_of"), [(34, 0), (36, 1)])
def test_what_resource_health_takes_back_within_35_seconds_is_noise(seconds: int, told_of: int) -> None:
    at = notation.DAY + timedelta(hours=12)
    states = ((at, "Unavailable"), (at + timedelta(seconds=seconds), "Available"))
    records = tuple(Record(at=when, signal=Signal.HEALTH, name="availability", status=word) for when, word in states)
    timeline = assemble_timeline(Transcript(vm=notation.VM, records=records), Window(at - 60 * MIN, at + 60 * MIN))

    assert len(search_losses(timeline).pauses) == told_of


def test_a_pause_is_told_as_one() -> None:
    (pause,) = search_losses(notation.timeline("12:00 unavailable\n12:10 available")).pauses

    assert pause.channels[0].strength is Strength.MEDIUM


def test_a_metric_that_goes_on_contradicts_another_that_falls() -> None:
    fallen = notation.timeline("12:00 traffic-lost")
    bytes_in = fallen.series["Network In Total"]
    flows = type(bytes_in)(
        name="Inbound Flows", signal=Signal.TRAFFIC, times=bytes_in.times, values=(40.0,) * len(bytes_in.times)
    )
    series = {**fallen.series, "Inbound Flows": flows}
    both = Timeline(vm=fallen.vm, window=fallen.window, events=fallen.events, series=series)

    assert search_losses(both).losses == ()


def test_a_stop_that_has_only_begun_is_no_loss_yet() -> None:
    timeline = notation.timeline("12:00 stop")
    for event in timeline.events:
        event.facts["pending"] = "true"  # type: ignore[index]  # the story's own mapping

    assert search_losses(timeline).losses == ()


@pytest.mark.parametrize(
    ("judge", "story", "hearing"),
    [
        (judge_traffic, "", SignalState.UNJUDGED),
        (judge_traffic, "traffic idle", SignalState.UNJUDGED),
        (judge_traffic, "traffic normal", SignalState.NORMAL),
        (judge_traffic, "12:05 traffic-lost", SignalState.LOST),
        (judge_traffic, "12:05 traffic-lost\n12:12 traffic-back\nuntil 13:00", SignalState.NORMAL),
        (judge_traffic, "12:26 traffic-lost\nuntil 12:30", SignalState.UNJUDGED),
        (judge_heartbeat, "", SignalState.UNJUDGED),
        (judge_heartbeat, "heartbeat normal", SignalState.NORMAL),
        (judge_heartbeat, "12:05 heartbeat-lost", SignalState.LOST),
        (judge_heartbeat, "11:00 heartbeat-lost\n11:58 heartbeat-back\nuntil 13:00", SignalState.UNJUDGED),
        (judge_heartbeat, "12:20 heartbeat-lost\nuntil 12:28", SignalState.UNJUDGED),
    ],
)
def test_traffic_and_heartbeats_are_judged_over_the_onset_window(
    judge: Callable[[Timeline, Window], SignalJudgement], story: str, hearing: SignalState
) -> None:
    timeline = notation.timeline(f"12:00 live-migration\n{story}")
    judged = judge(timeline, onset(timeline))

    assert judged.hearing is hearing
    assert judge is judge_heartbeat or judged.says


def test_readings_with_too_many_holes_are_not_judged() -> None:
    timeline = notation.timeline("12:00 live-migration\ntraffic normal")
    series = timeline.series["Network In Total"]
    at = onset(timeline)
    kept = [n for n, when in enumerate(series.times) if when < at.start or n % 8 == 0]
    thin = type(series)(
        name=series.name,
        signal=series.signal,
        times=tuple(series.times[n] for n in kept),
        values=tuple(series.values[n] for n in kept),
    )
    holed = Timeline(vm=timeline.vm, window=timeline.window, events=timeline.events, series={thin.name: thin})

    assert judge_traffic(holed, at).hearing is SignalState.UNJUDGED


def test_life_is_seen_by_the_host_by_resource_health_and_by_metrics() -> None:
    timeline = notation.timeline("12:00 traffic-lost\n12:10 available\n13:00 power-running\ncpu active\nuntil 13:00")
    (loss,) = search_losses(timeline).losses

    assert {one.signal for one in find_life_signs(timeline, loss.interval.clip_to(timeline.window.end))} == {
        Signal.HEALTH,
        Signal.POWER,
        Signal.CPU,
    }


def test_weak_channels_hint_only_where_they_are() -> None:
    timeline = notation.timeline("12:00 unknown\n12:40 available\n13:00 agent-not-ready")
    first = timeline.events[0].at

    assert [one.signal for one in find_weak_signals(timeline, Window(first, first + 5 * MIN))] == [Signal.HEALTH]
    assert [one.signal for one in find_weak_signals(timeline, Window(first + 50 * MIN, first + 70 * MIN))] == [
        Signal.AGENT
    ]
