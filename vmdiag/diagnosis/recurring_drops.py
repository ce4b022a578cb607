"""Falls of traffic that come at the same hour on other days, or at the same minutes of other hours; pure numbers."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice

from vmdiag.diagnosis.baseline import DAY, HABIT_DAYS, MINUTE, NORMAL, POINTS_NEEDED, SAME_HOUR, find_step
from vmdiag.diagnosis.traffic_drops import HELD, find_baseline_before, find_drops, list_onsets
from vmdiag.identity_cache import cache_by_identity
from vmdiag.model import Series, subtract_span

HABIT_DAYS_NEEDED, HABIT_HOURS_NEEDED = 2, 3
DAYS_BACK = 10  # enough for three working days around a long weekend
HOUR = timedelta(hours=1)


@cache_by_identity(64)
def find_recurring_onsets(series: Series) -> frozenset[datetime]:
    """The onsets of the collapses that are the VM's habit, and of those that show it to be one."""
    onsets = list_onsets(series)
    return frozenset(chain.from_iterable(_same_before(series, onset, onsets) for onset in onsets))


def is_at_same_hour(series: Series, onset: datetime, onsets: Sequence[datetime]) -> bool:
    """Whether a fall comes at an hour at which it has come before; `onsets` are those of the series' falls."""
    return bool(_same_before(series, onset, onsets))


def _same_before(series: Series, onset: datetime, onsets: Sequence[datetime]) -> list[datetime]:
    """A fall and those before it that make it a habit: on two of the last three days that can be seen.

    Or at the same minutes of three of the last four hours. Empty where it is none.
    """
    seen = islice(_comparable_days(series, onset), HABIT_DAYS)
    daily = [other for at in seen for other in onsets if abs(other - at) <= SAME_HOUR]
    hours = [subtract_span(onset, timedelta(hours=n)) for n in range(1, 5)]
    hourly = [other for at in hours for other in onsets if abs(other - at) <= HELD]
    is_daily = len({(onset - other + SAME_HOUR) // DAY for other in daily}) >= HABIT_DAYS_NEEDED
    is_hourly = len({(onset - other + SAME_HOUR) // HOUR for other in hourly}) >= HABIT_HOURS_NEEDED
    # What comes more often than once an hour is no work of the hour.
    is_hourly = is_hourly and sum(1 for other in onsets if hours[-1] < other < onset) <= len(hours)
    return [onset, *(daily if is_daily else ()), *(hourly if is_hourly else ())] if is_daily or is_hourly else []


def _comparable_days(series: Series, onset: datetime) -> Iterator[datetime]:
    """The same time on earlier days, latest first, on which such a fall could be seen: not those of a quiet weekend."""
    own = find_baseline_before(series, onset)
    for day in range(1, DAYS_BACK + 1):
        at = subtract_span(onset, day * DAY)
        # What is low already cannot fall.
        usual = None if _is_lost(series, at) else find_baseline_before(series, at)
        if own is not None and usual is not None and usual >= NORMAL * own and _has_points(series, at):
            yield at


def _is_lost(series: Series, at: datetime) -> bool:
    """Whether the traffic had been lost for a while at an instant."""
    before = bisect_left(list_onsets(series), at - SAME_HOUR)
    if not before:
        return False
    end = find_drops(series)[before - 1].interval.end
    return end is None or end > at


def _has_points(series: Series, at: datetime) -> bool:
    first, after = bisect_left(series.times, at), bisect_right(series.times, at + SAME_HOUR)
    return after - first >= POINTS_NEEDED or (after > first and find_step(series) > MINUTE)
