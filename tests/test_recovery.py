"""Whether the signals that showed a loss show that it is over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.stories import case
from vmdiag.diagnosis import Case
from vmdiag.model import Gap, Signal
from vmdiag.recovery import Sign, State, sign, witnesses

LOST = "12:00 live-migration\n12:03 traffic-lost\n12:04 heartbeat-lost\ncpu active"
AT = datetime(2026, 3, 2, 12, 3, tzinfo=UTC)
BOTH = (Signal.TRAFFIC, Signal.HEARTBEAT)


def at(hour: int, minute: int = 0) -> datetime:
    return AT.replace(hour=hour, minute=minute)


def seen(story: str, signals: tuple[Signal, ...], since: datetime = AT) -> Sign:
    return sign(case(story), signals, AT, since)


def silent(found: Case, signal: Signal) -> Case:
    return replace(found, gaps=(*found.gaps, Gap(signal=signal, window=found.window, reason="throttled")))


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
    assert set(witnesses(case(story))) == expected


def test_a_signal_that_is_still_lost_outweighs_one_that_is_back() -> None:
    now = seen(f"{LOST}\n13:00 traffic-back\nuntil 14:00", BOTH)

    assert (now.state, now.says) == (State.LOST, "heartbeat is still lost")


def test_back_is_back_since_the_last_signal_came_back_and_held_as_long_as_it_was_heard() -> None:
    now = seen(f"{LOST}\n13:00 traffic-back\n13:10 heartbeat-back\nuntil 14:00", BOTH)

    assert now.state is State.BACK
    assert now.at is not None
    assert now.held is not None
    assert timedelta() <= now.at - at(13, 10) <= timedelta(minutes=1)
    assert timedelta(minutes=45) <= now.held <= timedelta(minutes=51)


def test_what_was_good_before_the_redeploy_ended_does_not_count() -> None:
    story = f"{LOST}\n13:00 traffic-back\n13:00 heartbeat-back\nuntil 14:00"
    now, stale = seen(story, BOTH, since=at(13, 50)), seen(story, BOTH, since=at(14))

    assert (now.state, now.at) == (State.BACK, at(13, 50))
    assert now.held is not None
    assert now.held <= timedelta(minutes=10)
    assert (stale.state, "nothing was measured since the redeploy ended" in stale.says) == (State.UNHEARD, True)


def test_a_feed_that_is_silent_says_nothing() -> None:
    back = case(f"{LOST}\n13:00 traffic-back\nuntil 14:00")
    only = sign(silent(back, Signal.HEARTBEAT), BOTH, AT, AT)
    none = sign(silent(silent(back, Signal.HEARTBEAT), Signal.TRAFFIC), BOTH, AT, AT)

    assert only.state is State.BACK
    assert (none.state, none.says) == (State.UNHEARD, "traffic: throttled; heartbeat: throttled")


def test_a_probe_tells_only_of_the_moment() -> None:
    story = "12:00 live-migration\ntraffic normal\n14:00 probe-answered\nuntil 14:00"
    answered, stale = seen(story, (Signal.PROBE,)), seen(story, (Signal.PROBE,), since=at(14))
    refused = seen("12:00 live-migration\n14:00 probe-failed\nuntil 14:00", (Signal.PROBE,))

    assert (answered.state, answered.held) == (State.BACK, None)
    assert stale.state is State.UNHEARD
    assert refused.state is State.LOST


def test_nothing_heard_of_a_loss_is_no_recovery() -> None:
    assert seen("traffic normal", (Signal.HEALTH,)).state is State.UNHEARD


def test_traffic_that_fell_again_is_lost_though_its_loss_was_seen_to_end() -> None:
    found = case(f"{LOST}\n13:00 traffic-back\nuntil 14:00")
    (loss,) = found.diagnosis.losses
    fallen = replace(loss, channels=tuple(replace(channel, well_since=None) for channel in loss.channels))
    again = replace(found, diagnosis=replace(found.diagnosis, losses=(fallen,)))

    assert sign(again, (Signal.TRAFFIC,), AT, AT).state is State.LOST
