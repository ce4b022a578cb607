"""How a VM's measurements go on, minute by minute, before and after what was recorded; must not know its name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tests.incidents.model import Series

MINUTE = timedelta(minutes=1)
TRAFFIC = frozenset(
    {"Network In Total", "Network Out Total", "Inbound Flows", "Outbound Flows", "Network In", "Network Out"}
)
_LATE_POINTS = 2
"""So many missing points at the end of a recording are reports that were still on their way."""
_REPORT_DELAY = timedelta(seconds=30)
"""So long after its end a minute is reported; Azure says under a minute."""
_FINAL_POINTS = 8
"""So many last points are what goes on after a recording."""


class TrafficState(StrEnum):
    """How a VM fares."""

    NORMAL = "usual"
    CUT_OFF = "cut"
    """It works on, and no packet reaches it."""
    FAINT = "faint"
    """It works on, and so little reaches it that nobody would call it reachable."""
    DOWN = "down"
    """It is off or on its way to another host: nothing is reported."""


# Of the usual traffic: a dead path still shows probes and broadcasts, one that is neither dead nor well a little.
_TRAFFIC_SHARES = {TrafficState.CUT_OFF: 0.01, TrafficState.FAINT: 0.07}


@dataclass(frozen=True, slots=True)
class StateChange:
    """From this time on the VM fares so; None: as was recorded."""

    at: datetime
    state: TrafficState | None


def find_state(changes: Sequence[StateChange], at: datetime) -> TrafficState | None:
    """How the VM fares at that time, by the turn written last; None: as was recorded."""
    return next((turn.state for turn in reversed(changes) if turn.at <= at), None)


class MetricGenerator:
    """One metric of one VM, at any minute since the VM exists."""

    def __init__(self, series: Series, born: datetime) -> None:
        self.series = series
        self._created_at = born
        self._usual = series.values[:60] or (None,)
        self._patterns = {TrafficState.NORMAL: self._usual}
        for state, share in _TRAFFIC_SHARES.items():
            factor = share if series.name in TRAFFIC else 1.0
            self._patterns[state] = tuple(None if each is None else round(each * factor, 3) for each in self._usual)
        self._reported_values = _drop_late_points(series.values)
        self._final_values = _get_final_points(series.values)

    def generate_values(
        self, start: datetime, minutes: int, turns: Sequence[StateChange], now: datetime
    ) -> list[float | None]:
        """The minutes from `start` on; one that is not over yet, or has just ended, has no value.

        Clients ask for weeks by the minute, so the minutes are laid down in whole stretches.
        """
        first = (start - self.series.start) // MINUTE
        found = self._replay_recording(first, minutes)
        for turn in turns:
            begin = min(minutes, max(0, -((start - turn.at) // MINUTE)))
            found[begin:] = self._generate_state(turn.state, first + begin, minutes - begin)
        unborn = min(minutes, max(0, -((start - self._created_at) // MINUTE)))
        over = min(minutes, max(0, (now - _REPORT_DELAY - start) // MINUTE))
        return [None] * unborn + found[unborn:over] + [None] * (minutes - max(over, unborn))

    def _generate_state(self, mood: TrafficState | None, first: int, minutes: int) -> list[float | None]:
        """So many minutes of a VM in that mood; the first minute is counted from the recording's beginning."""
        if mood is None:
            return self._replay_recording(first, minutes)
        return [None] * minutes if mood == TrafficState.DOWN else _repeat_pattern(self._patterns[mood], first, minutes)

    def _replay_recording(self, first: int, minutes: int) -> list[float | None]:
        """As it was recorded, before that as at its beginning, and after it as at its end."""
        before = min(minutes, max(0, -first))
        begin = first + before
        during = self._reported_values[begin : max(begin, first + minutes)]
        after = minutes - before - len(during)
        return [
            *_repeat_pattern(self._usual, first, before),
            *during,
            *_repeat_pattern(self._final_values, begin + len(during), after),
        ]


def _repeat_pattern(pattern: Sequence[float | None], first: int, minutes: int) -> list[float | None]:
    """The pattern over and over, from that minute on."""
    offset = first % len(pattern)
    whole = list(pattern) * ((offset + minutes) // len(pattern) + 1)
    return whole[offset : offset + minutes]


def _drop_late_points(values: Sequence[float | None]) -> Sequence[float | None]:
    """The recording without the reports that were still on their way when it ended."""
    late = next((count for count, value in enumerate(reversed(values)) if value is not None), len(values))
    return values[: len(values) - min(late, _LATE_POINTS)]


def _get_final_points(values: Sequence[float | None]) -> tuple[float | None, ...]:
    """The last points that were reported; nothing, where nothing was for longer than reports are late."""
    last = [value for value in values[-_FINAL_POINTS - _LATE_POINTS :] if value is not None][-_FINAL_POINTS:]
    silent = all(value is None for value in values[-_LATE_POINTS - 1 :])
    return (None,) if silent or not last else tuple(last)


class HeartbeatGenerator:
    """The heartbeats of one VM's agent, one a minute while it can reach its workspace."""

    def __init__(self, beats: Sequence[datetime], born: datetime, until: datetime) -> None:
        self._beats = beats
        self._created_at = born
        self._until = until
        self._continues = bool(beats) and until - beats[-1] < 3 * MINUTE

    def generate_heartbeats(self, start: datetime, end: datetime, turns: Sequence[StateChange]) -> list[datetime]:
        """The heartbeats from `start` to `end`, oldest first."""
        if not self._beats:
            return []
        first, last = self._beats[0], self._beats[-1]
        before = _list_minutes(first, max(start, self._created_at), min(end, first - timedelta(seconds=1)))
        recorded = [at for at in self._beats if start <= at <= end]
        after = _list_minutes(first, max(start, last + timedelta(seconds=1)), end) if self._continues else []
        if not turns:
            return [*before, *recorded, *after]
        told = [at for at in [*before, *recorded, *after] if find_state(turns, at) is None]
        # What a turn to the usual brings back, whatever was recorded.
        back = _list_minutes(first, max(start, turns[0].at), end)
        return sorted([*told, *(at for at in back if find_state(turns, at) == TrafficState.NORMAL)])


def _list_minutes(phase: datetime, start: datetime, end: datetime) -> list[datetime]:
    """Times from `start` to `end` whole minutes away from `phase`."""
    begin = phase - (phase - start) // MINUTE * MINUTE
    return [begin + minute * MINUTE for minute in range(max(0, (end - begin) // MINUTE + 1))]
