"""Falls of the traffic metrics, whole or in part, as channels; must not know another signal."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from vmdiag.diagnosis.baseline import FRACTION, NORMAL, find_step
from vmdiag.diagnosis.model import SignalLoss, Strength
from vmdiag.diagnosis.recurring_drops import find_recurring_onsets, is_at_same_hour
from vmdiag.diagnosis.traffic_drops import (
    TrafficDrop,
    find_drops,
    find_partial_drops,
    measure_share,
    measure_share_left,
)
from vmdiag.identity_cache import cache_by_identity
from vmdiag.model import Series, Signal, Timeline, Window, subtract_span

# What another metric carries over the minutes after one fell (our judgement).
MEANWHILE = timedelta(minutes=15)
# A fall to a part that heals sooner is a pause (contract, section 3).
SHORTEST_PARTIAL = timedelta(minutes=30)
TRAFFIC = (
    "Network In Total",
    "Inbound Flows",
    "Network In",
)  # the last is the deprecated name, read where alone


UNITS = {"Inbound Flows": "flows"}
DAY = timedelta(days=1)


def list_traffic_series(timeline: Timeline) -> list[Series]:
    """The traffic metrics that were read; the deprecated name only where it is the only one."""
    known = [timeline.series[name] for name in TRAFFIC if name in timeline.series and timeline.series[name].times]
    return [series for series in known if series.name != "Network In" or len(known) == 1]


@cache_by_identity(8)
def find_traffic_losses(timeline: Timeline) -> tuple[SignalLoss, ...]:
    """One channel a metric and fall; a metric that stays normal meanwhile contradicts the others."""
    return tuple(_scan_losses(timeline))


def _scan_losses(timeline: Timeline) -> Iterator[SignalLoss]:
    for series in list_traffic_series(timeline):
        found = find_drops(series)
        usual = find_recurring_onsets(series)
        for collapse in found:
            if _is_contradicted(timeline, series, collapse):
                continue
            unit = UNITS.get(series.name, "B")
            yield SignalLoss(
                signal=Signal.TRAFFIC,
                strength=Strength.STRONG,
                interval=collapse.interval,
                says=f"{series.name} fell from {format_figure(collapse.baseline, unit)} to "
                f"{format_figure(collapse.level, unit)}",
                well_since=collapse.interval.end,
                is_brief=not collapse.lasted,
                is_habit=collapse.interval.start in usual,
                part_back=collapse.part_back,
            )


def _is_contradicted(timeline: Timeline, series: Series, collapse: TrafficDrop) -> bool:
    start = collapse.interval.start
    after = Window(start, min(start + MEANWHILE, collapse.interval.end or timeline.window.end))
    others = [other for other in list_traffic_series(timeline) if other is not series]
    return any((share := measure_share_left(other, after)) is not None and share >= NORMAL for other in others)


def find_partial_losses(timeline: Timeline, onset: Window, before: datetime) -> Iterator[SignalLoss]:
    """Falls to between a twentieth and half of the baseline that begin in a span and last half an hour, or go on."""
    for series in list_traffic_series(timeline):
        onsets = [
            one.interval.start
            for one in find_partial_drops(series, Window(subtract_span(before, 4 * DAY), before), before)
        ]
        for fall in find_partial_drops(series, onset, before):
            # What was not reported is not low.
            span = fall.interval.clip_to(min(timeline.window.end, series.times[-1]))
            if span.end - span.start < SHORTEST_PARTIAL or not FRACTION < fall.share <= NORMAL:
                continue
            if any(
                _keeps_traffic(other, span, before) for other in list_traffic_series(timeline) if other is not series
            ):
                continue
            yield SignalLoss(
                signal=Signal.TRAFFIC,
                strength=Strength.WEAK,
                interval=fall.interval,
                says=f"{series.name} fell to {fall.share:.0%} of what it was, a part of the traffic is gone",
                well_since=fall.interval.end,
                is_habit=is_at_same_hour(series, fall.interval.start, onsets),
            )
            break


def _keeps_traffic(series: Series, span: Window, before: datetime) -> bool:
    share = measure_share(series, span, before)
    return share is not None and share >= NORMAL


def format_figure(value: float, unit: str) -> str:
    """A figure of traffic with its unit: bytes of a minute, or flows at a time."""
    if unit != "B":
        return f"{value:.3g} {unit}"
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g} {prefix}B a minute"
    return f"{value:.3g} B a minute"


def is_coarse(series: Series) -> bool:
    """Whether the points are so far apart that an hour of them shows no baseline."""
    return find_step(series) > MEANWHILE
