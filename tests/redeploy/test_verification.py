"""Whether the signals that showed a loss show that it is over."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from tests.timeline_builders import make_case
from vmdiag.diagnosis.signals import SignalState
from vmdiag.identity import VmId
from vmdiag.model import Event, Gap, Kind, Series, Signal, Timeline, VirtualMachine, Window
from vmdiag.redeploy.verification import (
    Sign,
    describe_normal_signals,
    find_last_reading,
    list_measuring_signals,
    read_sign,
)

LOST = "12:00 live-migration\n12:03 traffic-lost\n12:04 heartbeat-lost\ncpu active"
DAY = datetime(2026, 3, 2, tzinfo=UTC)
AT, END = DAY.replace(hour=12, minute=3), DAY.replace(hour=13)
MINUTE = timedelta(minutes=1)
TRAFFIC, BEATS, BOTH = (Signal.TRAFFIC,), (Signal.HEARTBEAT,), (Signal.TRAFFIC, Signal.HEARTBEAT)
VM = VirtualMachine(id=VmId(subscription="s", resource_group="prod", name="web-01"))


def metric(after: Sequence[float], *, first: int = 0, name: str = "Network In Total", usual: float = 1e6) -> Series:
    """A metric that was usual up to the loss and dead then; `after` are its minutes from so long after the end on."""
    points = {AT - minute * MINUTE: usual for minute in range(1, 90)}
    points |= {AT + minute * MINUTE: 0.01 * usual for minute in range(56)}
    points |= {END + (first + minute) * MINUTE: share * usual for minute, share in enumerate(after)}
    times = sorted(points)
    return Series(name=name, signal=Signal.TRAFFIC, times=tuple(times), values=tuple(points[at] for at in times))


def beats(*minutes: float) -> Series:
    """Heartbeats up to the loss, and so many minutes after the end."""
    times = [*(AT - minute * MINUTE for minute in range(60, 0, -1)), *(END + minute * MINUTE for minute in minutes)]
    return Series(name="Heartbeat", signal=Signal.HEARTBEAT, times=tuple(times), values=(1.0,) * len(times))


def seen(
    *series: Series,
    signals: tuple[Signal, ...] = TRAFFIC,
    now: float = 6,
    told: Sequence[Event] = (),
    gaps: Sequence[Gap] = (),
) -> Sign:
    """What is said so many minutes after the end of a redeploy."""
    window = Window(DAY, END + now * MINUTE)
    timeline = Timeline(
        vm=VM, window=window, series={one.name: one for one in series}, events=tuple(told), gaps=tuple(gaps)
    )
    return read_sign(timeline, signals, AT, END)


def event(kind: Kind, signal: Signal, minute: float) -> Event:
    return Event(at=END + minute * MINUTE, kind=kind, signal=signal, says=str(kind))


def gap(signal: Signal) -> Gap:
    return Gap(signal=signal, window=Window(DAY, END + 6 * MINUTE), reason="throttled")


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        (LOST, {Signal.TRAFFIC, Signal.HEARTBEAT}),
        ("12:00 live-migration\n12:03 traffic-lost\n12:05 unavailable", {Signal.TRAFFIC}),
        ("12:00 live-migration\n12:03 unavailable", {Signal.HEALTH}),
        ("12:00 live-migration\n12:03 unreachable", set()),
        ("12:00 live-migration\n12:03 unreachable\n12:30 probe-failed", {Signal.PROBE}),
        ("traffic normal", set()),
    ],
)
def test_what_measured_the_loss_is_what_can_show_its_end(story: str, expected: set[Signal]) -> None:
    assert set(list_measuring_signals(make_case(story))) == expected


@pytest.mark.parametrize(
    ("after", "state"),
    [
        ([0.51, 0.6, 1.0], SignalState.NORMAL),
        ([0.01, 0.01, 0.9, 0.9, 0.9], SignalState.NORMAL),
        ([0.9, 0.9], SignalState.UNJUDGED),
        ([], SignalState.UNJUDGED),
        ([0.05, 0.07, 0.09], SignalState.PARTIAL),  # not one packet in ten of what it was
        ([0.5, 0.5, 0.5], SignalState.PARTIAL),
        ([0.9, 0.9, 0.5], SignalState.PARTIAL),
        ([0.9, 0.9, 0.9, 0.02], SignalState.PARTIAL),  # one minute either way decides nothing
        ([0.9, 0.9, 0.9, 0.02, 0.01, 0.0], SignalState.LOST),
        ([0.05, 0.05, 0.05], SignalState.LOST),
        ([0.05, 0.9, 0.05], SignalState.PARTIAL),
    ],
)
def test_traffic_is_back_above_half_and_lost_at_a_twentieth_three_minutes_in_a_row(
    after: list[float], state: SignalState
) -> None:
    assert seen(metric(after)).state is state


BACK, DEAD, SOME = (metric([share] * 3, name=name) for share, name in ((0.9, "a"), (0.01, "b"), (0.2, "c")))
ALIVE, SILENT = beats(1, 2, 3), beats()


@pytest.mark.parametrize(
    ("sign", "state"),
    [
        # What was measured before the end proves nothing.
        (seen(metric([0.9, 0.9, 0.9], first=-3)), SignalState.UNJUDGED),
        (seen(metric([0.9, 0.9, 0.9, 0.9], first=-2)), SignalState.UNJUDGED),
        # What was idle before tells nothing.
        (seen(metric([0.9, 0.9, 0.9], usual=9_000.0)), SignalState.UNJUDGED),
        (seen(metric([0.9, 0.9, 0.9], name="Inbound Flows", usual=3.0)), SignalState.NORMAL),
        # One metric that is back does not outweigh one that is dead.
        (seen(BACK, DEAD), SignalState.PARTIAL),
        (seen(BACK, SOME), SignalState.NORMAL),
        (seen(DEAD, metric([0.9] * 3, name="Network In"), metric([0.01] * 3)), SignalState.LOST),
        # Traffic decides, and between lost and back heartbeats do.
        (seen(metric([0.9] * 3), SILENT, signals=BOTH), SignalState.NORMAL),
        (seen(metric([0.01] * 3), ALIVE, signals=BOTH), SignalState.LOST),
        (seen(metric([0.2] * 3), ALIVE), SignalState.NORMAL),
        (seen(metric([0.2] * 3), SILENT, signals=BOTH), SignalState.PARTIAL),
        # An agent that stays silent is no loss where traffic flows again.
        (seen(metric([0.9] * 14), SILENT, signals=BEATS, now=14), SignalState.NORMAL),
        (seen(metric([0.2] * 14), SILENT, signals=BEATS, now=14), SignalState.PARTIAL),
        (seen(metric([0.01] * 14), SILENT, signals=BEATS, now=14), SignalState.LOST),
        (seen(SILENT, signals=BEATS, now=14), SignalState.LOST),
    ],
)
def test_what_several_signals_show_together(sign: Sign, state: SignalState) -> None:
    assert sign.state is state


def test_minutes_that_were_not_reported_are_not_in_a_row_and_old_ones_say_nothing_of_now() -> None:
    whole = metric([0.9, 0.9, 0.9, 0.9])
    holed = Series(
        name=whole.name, signal=whole.signal, times=(*whole.times[:-2], whole.times[-1]), values=whole.values[1:]
    )

    assert seen(holed).state is SignalState.UNJUDGED
    assert seen(whole, now=30).state is SignalState.UNJUDGED


def test_coarse_points_are_minutes_in_a_row_by_themselves() -> None:
    times = tuple(END + 5 * minute * MINUTE for minute in range(-30, 2))
    values = tuple(1e6 if at < AT or at >= END else 1e4 for at in times)
    series = Series(name="Network In Total", signal=Signal.TRAFFIC, times=times, values=values)

    assert seen(series, now=11).state is SignalState.NORMAL


def test_the_same_hour_of_the_days_before_may_be_quieter_than_the_hour_before_the_loss() -> None:
    after, quiet = metric([0.3, 0.3, 0.3]), END - timedelta(days=1)
    earlier = {quiet + minute * MINUTE: 4e5 for minute in range(-25, 25)}
    points = earlier | dict(zip(after.times, after.values, strict=True))
    series = Series(
        name=after.name,
        signal=after.signal,
        times=tuple(sorted(points)),
        values=tuple(points[at] for at in sorted(points)),
    )

    assert seen(after).state is SignalState.PARTIAL
    assert seen(series).state is SignalState.NORMAL


@pytest.mark.parametrize(
    ("minutes", "now", "state"),
    [
        ([1, 2, 3], 6, SignalState.NORMAL),
        ([1, 2], 6, SignalState.PARTIAL),
        ([1, 2, 6], 6, SignalState.PARTIAL),
        ([1, 2, 3], 12, SignalState.PARTIAL),  # and then they ended again
        ([], 12, SignalState.UNJUDGED),
        ([], 13, SignalState.LOST),
    ],
)
def test_heartbeats_are_back_three_in_a_row(minutes: list[float], now: float, state: SignalState) -> None:
    assert seen(beats(*minutes), signals=BEATS, now=now).state is state


def test_a_feed_that_is_silent_says_nothing() -> None:
    back = metric([0.9] * 3)
    none = seen(back, signals=BOTH, gaps=[gap(Signal.TRAFFIC), gap(Signal.HEARTBEAT)])

    assert seen(back, signals=BOTH, gaps=[gap(Signal.HEARTBEAT)]).state is SignalState.NORMAL
    assert seen(back, beats(1, 2, 3), signals=BOTH, gaps=[gap(Signal.TRAFFIC)]).says.startswith("heartbeats come again")
    assert (none.state, none.says) == (SignalState.UNJUDGED, "traffic: throttled; heartbeat: throttled")
    assert seen(signals=TRAFFIC).says == "traffic: no metric of it was read"


def test_a_probe_tells_only_of_the_moment_and_health_is_no_strong_witness() -> None:
    probe, health = (Signal.PROBE,), (Signal.HEALTH,)
    answered = seen(signals=probe, told=[event(Kind.PROBE_ANSWERED, Signal.PROBE, 5)])
    well = seen(signals=health, told=[event(Kind.AVAILABLE, Signal.HEALTH, 5)])
    ill = seen(signals=health, told=[event(Kind.AVAILABLE, Signal.HEALTH, 1), event(Kind.DEGRADED, Signal.HEALTH, 5)])

    assert (answered.state, answered.holds) == (SignalState.NORMAL, False)
    assert (well.state, well.holds) == (SignalState.NORMAL, True)
    assert (ill.state, ill.is_strong) == (SignalState.LOST, False)
    assert seen(signals=probe, told=[event(Kind.PROBE_ANSWERED, Signal.PROBE, -1)]).state is SignalState.UNJUDGED
    assert seen(signals=(*TRAFFIC, *health), told=[event(Kind.AVAILABLE, Signal.HEALTH, 5)]).state is SignalState.NORMAL


def test_a_strong_channel_that_is_as_before_is_named() -> None:
    window = Window(DAY, END + 4 * MINUTE)
    series = {one.name: one for one in (metric([0.01] * 4), beats(1, 2, 3))}

    assert describe_normal_signals(Timeline(vm=VM, window=window, series=series), AT) == (
        "heartbeats come again since 13:01Z",
    )


def test_a_proof_is_a_witness_of_now_and_leaves_what_can_be_measured_afterwards() -> None:
    pair = "13:58 inside-reached\n13:58 peered-unreached\nuntil 14:00"
    ill = make_case(f"12:00 live-migration\n12:02 unavailable\n{pair}")
    gone = make_case(f"{LOST}\n{pair}")

    assert set(list_measuring_signals(ill)) == {Signal.PROOF, Signal.HEALTH}
    assert set(list_measuring_signals(gone)) == {Signal.PROOF, Signal.TRAFFIC, Signal.HEARTBEAT}
    assert find_last_reading(ill, Signal.PROOF) == ill.window.end
