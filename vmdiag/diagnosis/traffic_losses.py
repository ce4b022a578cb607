"""What the traffic metrics show: losses whole or in part, habits, and whether a span was normal."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial

from vmdiag.diagnosis.event_words import RESETS
from vmdiag.diagnosis.model import SignalLoss, Strength
from vmdiag.diagnosis.signals import SignalJudgement, SignalState
from vmdiag.diagnosis.traffic_drops import (
    DAY,
    DAYS_BACK,
    FRACTION,
    HABIT_DAYS,
    HELD,
    MINUTE,
    NORMAL,
    POINTS_NEEDED,
    SAME_HOUR,
    Metric,
    find_baseline,
    find_partial_drops,
    find_step,
    list_readings,
    measure_metric,
    measure_share,
)
from vmdiag.model import Kind, Signal, Timeline, Window, subtract_span

# What another metric carries over the minutes after one fell (our judgement).
MEANWHILE = timedelta(minutes=15)
# A fall to a part that heals sooner is a pause (contract, section 3).
SHORTEST_PARTIAL = timedelta(minutes=30)
TRAFFIC = ("Network In Total", "Inbound Flows", "Network In")  # the last is the deprecated name, read where alone
UNITS = {"Inbound Flows": "flows"}
HABIT_DAYS_NEEDED, HABIT_HOURS_NEEDED = 2, 3
HOUR = timedelta(hours=1)
# Metric points arrive within a minute or two; a series that ends earlier than this before the end has a silent tail.
LATE_POINTS = timedelta(minutes=5)
# Half of the minutes is the least from which "nothing was lost for ten minutes" can be said (our judgement).
SHARE_REPORTED = 0.5
# The last ten minutes say how things stand, of what fell just now the last three.
TAIL, TAIL_END = timedelta(minutes=10), timedelta(minutes=3)
# The first quarter of an hour after an onset says whether something was lost with it.
AFTER_ONSET = timedelta(minutes=15)
# How long an operation that takes the VM down may leave its metrics without points.
REBOOT = timedelta(minutes=10)


@lru_cache(maxsize=1)
def measure_traffic(timeline: Timeline) -> tuple[Metric, ...]:
    """The traffic metrics that were read; the deprecated name only where it is the only one."""
    known = [timeline.series[name] for name in TRAFFIC if name in timeline.series and timeline.series[name].times]
    return tuple(map(measure_metric, [one for one in known if one.name != "Network In" or len(known) == 1]))


@lru_cache(maxsize=1)
def find_traffic_losses(timeline: Timeline) -> tuple[SignalLoss, ...]:
    """One channel a metric and fall; a metric that stays normal meanwhile contradicts the others."""
    found: list[SignalLoss] = []
    for metric in measure_traffic(timeline):
        usual, name = find_recurring_onsets(metric), metric.series.name
        for drop in metric.drops:
            start, end = drop.interval.start, drop.interval.end
            after = Window(start, min(start + MEANWHILE, end or timeline.window.end))
            if _is_contradicted(timeline, metric, after, start):
                continue
            levels = [format_figure(value, UNITS.get(name, "B")) for value in (drop.baseline, drop.level)]
            loss = SignalLoss(
                signal=Signal.TRAFFIC,
                strength=Strength.STRONG,
                interval=drop.interval,
                says=f"{name} fell from {levels[0]} to {levels[1]}",
                well_since=end,
                is_brief=not drop.lasted,
                is_habit=start in usual,
                part_back=drop.part_back,
            )
            found.append(loss)
    return tuple(found)


def find_partial_losses(timeline: Timeline, onset: Window, before: datetime) -> Iterator[SignalLoss]:
    """Falls to between a twentieth and half of the baseline that begin in a span and last half an hour, or go on."""
    for metric in measure_traffic(timeline):
        series = metric.series
        for fall in find_partial_drops(metric, onset, before):
            # What was not reported is not low.
            start, span = fall.interval.start, fall.interval.clip_to(min(timeline.window.end, series.times[-1]))
            if span.end - span.start < SHORTEST_PARTIAL or not FRACTION < fall.share <= NORMAL:
                continue
            if _is_contradicted(timeline, metric, span, before):
                continue
            earlier = list(find_partial_drops(metric, Window(subtract_span(before, 4 * DAY), before), before))
            yield SignalLoss(
                signal=Signal.TRAFFIC,
                strength=Strength.WEAK,
                interval=fall.interval,
                says=f"{series.name} fell to {fall.share:.0%} of what it was, a part of the traffic is gone",
                well_since=fall.interval.end,
                is_habit=bool(_find_habit(metric, start, [one.interval.start for one in earlier])),
            )
            break


def _is_contradicted(timeline: Timeline, metric: Metric, span: Window, before: datetime) -> bool:
    """Whether another metric is normal over a span."""
    shares = [measure_share(other, span, before) for other in measure_traffic(timeline) if other is not metric]
    return any(share is not None and share >= NORMAL for share in shares)


def find_recurring_onsets(metric: Metric) -> frozenset[datetime]:
    """The onsets of the falls that are the VM's habit, and of those that show it to be one."""
    onsets = [drop.interval.start for drop in metric.drops]
    return frozenset[datetime]().union(*map(partial(_find_habit, metric, onsets=onsets), onsets))


def _find_habit(metric: Metric, onset: datetime, onsets: Sequence[datetime]) -> list[datetime]:
    """A fall and those before it that make it a habit: on two of the last three days that can be seen.

    Or at the same minutes of three of the last four hours. Empty where it is none.
    """
    own, series, seen = find_baseline(metric, onset), metric.series, list[datetime]()
    # Days on which such a fall could be seen, latest first: not those of a quiet weekend.
    for day in range(1, DAYS_BACK + 1):
        at = subtract_span(onset, day * DAY)
        # What is low already cannot fall.
        before = [drop.interval for drop in metric.drops if drop.interval.start < at - SAME_HOUR]
        is_lost = bool(before) and before[-1].clip_to(onset).end > at
        usual = None if is_lost else find_baseline(metric, at)
        points = len(list_readings(series, Window(at, at + SAME_HOUR)))
        is_read = points >= POINTS_NEEDED or (points > 0 and find_step(series, len(series.times)) > MINUTE)
        if own is not None and usual is not None and usual >= NORMAL * own and is_read:
            seen.append(at)
        if len(seen) == HABIT_DAYS:
            break
    daily = [other for at in seen for other in onsets if abs(other - at) <= SAME_HOUR]
    hours = [subtract_span(onset, n * HOUR) for n in range(1, 5)]
    hourly = [other for at in hours for other in onsets if abs(other - at) <= HELD]
    is_daily = len({(onset - other + SAME_HOUR) // DAY for other in daily}) >= HABIT_DAYS_NEEDED
    is_hourly = len({(onset - other + SAME_HOUR) // HOUR for other in hourly}) >= HABIT_HOURS_NEEDED
    # What comes more often than once an hour is no work of the hour.
    is_hourly = is_hourly and sum(1 for other in onsets if hours[-1] < other < onset) <= len(hours)
    return [onset, *(daily if is_daily else ()), *(hourly if is_hourly else ())] if is_daily or is_hourly else []


def format_figure(value: float, unit: str) -> str:
    """A figure of traffic with its unit: bytes of a minute, or flows at a time."""
    if unit != "B":
        return f"{value:.3g} {unit}"
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g} {prefix}B a minute"
    return f"{value:.3g} B a minute"


def judge_traffic(timeline: Timeline, onset: Window) -> SignalJudgement:
    """What the traffic metrics say about an onset window: of two, one that stayed normal decides."""
    for loss in find_traffic_losses(timeline):
        start, end = loss.interval.start, loss.interval.end
        is_pause = loss.is_brief or loss.is_habit or (end is not None and end - start < AFTER_ONSET)
        if start in onset and not is_pause:
            return SignalJudgement(SignalState.LOST, "the traffic collapsed")
    down, reasons, fallen = _list_down_spans(timeline), [], None
    for metric in measure_traffic(timeline):
        judged = _judge_metric(metric, onset, timeline.window.end, down)
        if judged.hearing is SignalState.NORMAL:
            return judged
        if judged.hearing is SignalState.PARTIAL:
            fallen = fallen or judged
        reasons.append(judged.says)
    return fallen or SignalJudgement(SignalState.UNJUDGED, "; ".join(reasons) or "no traffic metrics were read")


def _judge_metric(metric: Metric, onset: Window, now: datetime, down: Sequence[Window]) -> SignalJudgement:
    series, name, span = metric.series, metric.series.name, Window(onset.start, min(onset.end, now))
    unjudged = _explain_unjudged(metric, span, down)
    if unjudged:
        return SignalJudgement(SignalState.UNJUDGED, f"{name}: {unjudged}")
    for fall in find_partial_drops(metric, span, onset.start):
        start, end = fall.interval.start, fall.interval.clip_to(min(now, series.times[-1])).end
        if end - start >= SHORTEST_PARTIAL and fall.share <= NORMAL:
            says = f"{name} fell to {fall.share:.0%} of what it was and stayed there"
            return SignalJudgement(SignalState.PARTIAL, says)
        tail = measure_share(metric, Window(end - TAIL, end), onset.start)
        just = measure_share(metric, Window(max(start, end - TAIL_END), end), onset.start)
        is_low = (tail is not None and tail < NORMAL) or (just is not None and just <= FRACTION)
        if fall.interval.is_open and is_low:
            return SignalJudgement(SignalState.UNJUDGED, f"{name}: it fell, but too late to call it lost")
    share = measure_share(metric, span, onset.start)
    has_paused = share is not None and share < NORMAL
    return SignalJudgement(SignalState.NORMAL, f"{name} {'paused and came back' if has_paused else 'stayed normal'}")


def _explain_unjudged(metric: Metric, span: Window, down: Sequence[Window]) -> str:
    """Why a metric cannot tell of a span, or nothing; each of its points tells of the time up to the next."""
    times = metric.series.times
    step = find_step(metric.series, len(times))
    if step > MEANWHILE:
        return "its points are too far apart; export it with an interval of a minute (PT1M)"
    if find_baseline(metric, span.start) is None:
        return "too little in the hour before to tell a loss"
    points = times[bisect_left(times, span.start) : bisect_right(times, span.end)]
    tail = Window(min(max(points, default=span.start) + step - MINUTE, span.end), span.end)
    is_cut = tail.end - tail.start - _measure_down_time(tail, down) > LATE_POINTS
    if not points or is_cut or len(points) < _count_needed_points(metric, span, down):
        return "too many minutes were not reported"
    return ""


def is_traffic_normal(timeline: Timeline, span: Window) -> bool:
    """Whether the traffic stayed at half of its baseline and more from an instant on, as far as it was read.

    Only then does it deny what others say of the span; its last ten minutes must be well, too.
    """
    lost = [one.interval for one in find_traffic_losses(timeline) if not one.is_habit and not one.is_brief]
    if any(interval.clip_to(timeline.window.end).overlaps_window(span) for interval in lost):
        return False
    first = Window(span.start, min(span.end, span.start + AFTER_ONSET))
    last = Window(max(span.start, span.end - TAIL - LATE_POINTS), span.end)
    down = _list_down_spans(timeline)
    for metric in measure_traffic(timeline):
        shares = [measure_share(metric, part, span.start) for part in (first, span, last)]
        is_normal = all(share is not None and share >= NORMAL for share in shares)
        if is_normal and len(list_readings(metric.series, span)) >= _count_needed_points(metric, span, down):
            return True
    return False


def _count_needed_points(metric: Metric, span: Window, down: Sequence[Window]) -> float:
    """How many points of a span must be there; where the VM was off by a known cause none can be."""
    # A metric that is reported now and then is not a coarse one: its step is that of the time before.
    step = find_step(metric.series, bisect_left(metric.series.times, span.start))
    return (span.end - span.start - _measure_down_time(span, down)) / step * SHARE_REPORTED


def _list_down_spans(timeline: Timeline) -> list[Window]:
    """The spans, some of them over one another, in which a known operation had taken the VM down."""
    starts, spans = timeline.list_events(Kind.START), []
    for event in timeline.list_events(*RESETS, Kind.EVICTION):
        end = event.ended
        if event.kind in (Kind.DEALLOCATE, Kind.STOP, Kind.EVICTION):
            end = next((other.ended for other in starts if other.at > event.at), timeline.window.end)
        spans.append(Window(event.at, end + REBOOT))
    return spans


def _measure_down_time(span: Window, down: Sequence[Window]) -> timedelta:
    reached, total = span.start, timedelta()
    for one in down:
        begin, end = max(reached, one.start), min(span.end, one.end)
        if end > begin:
            total, reached = total + (end - begin), end
    return total
