"""Gaps in the heartbeats of the Log Analytics agent, and when they are back; must not know another signal."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from vmdiag.diagnosis.model import SignalLoss, Strength
from vmdiag.model import Interval, Series, Signal, Timeline, Window, subtract_span

# The agent writes a heartbeat a minute, ingestion takes up to 3; 10 minutes is the usual threshold of Azure Monitor
# workbooks.
HEARTBEAT_GAP = timedelta(minutes=10)
# Only heartbeats that were regular in the hour before can be missed.
REGULAR = timedelta(minutes=60)
HEARTBEATS_NEEDED = 5
# Heartbeats are back when three follow one another at their pace of a minute; ingestion may be 3 minutes late.
BEATS_HELD = 3
BEAT_PACE = timedelta(minutes=3)
HEARTBEAT = "Heartbeat"


def find_heartbeat_gaps(timeline: Timeline) -> Iterator[SignalLoss]:
    """The gaps in a regular heartbeat; the end of what was read in part is no gap."""
    series = timeline.series.get(HEARTBEAT)
    if series is None:
        return
    index, times = 1, series.times
    while index <= len(times) and times:
        last = times[index - 1]
        following = times[index] if index < len(times) else timeline.window.end
        if following - last < HEARTBEAT_GAP or count_beats_before(series, last) < HEARTBEATS_NEEDED:
            index += 1
            continue
        back = _beats_back(times, index)
        end = times[back] if back is not None else None
        index = back + 1 if back is not None else len(times) + 1
        if not timeline.is_unread(Signal.HEARTBEAT, Window(last, end or timeline.window.end)):
            yield SignalLoss(
                signal=Signal.HEARTBEAT,
                strength=Strength.STRONG,
                interval=Interval(last, end),
                says="the agent's heartbeats stopped reaching Log Analytics",
                well_since=end,
            )


def find_first_held_beat(timeline: Timeline, since: datetime) -> datetime | None:
    """The first of three heartbeats in a row at or after an instant; `None` where none came."""
    series = timeline.series.get(HEARTBEAT)
    if series is None:
        return None
    back = _beats_back(series.times, bisect_left(series.times, since))
    return series.times[back] if back is not None else None


def _beats_back(times: Sequence[datetime], index: int) -> int | None:
    for at in range(index, len(times) - BEATS_HELD + 1):
        if all(times[n + 1] - times[n] <= BEAT_PACE for n in range(at, at + BEATS_HELD - 1)):
            return at
    return None


def count_beats_before(series: Series, until: datetime) -> int:
    """The heartbeats in the hour up to an instant: only regular ones can be missed."""
    return bisect_right(series.times, until) - bisect_left(series.times, subtract_span(until, REGULAR))
