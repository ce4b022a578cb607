"""Metric series and heartbeats that a scene's story leaves behind."""

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.incidents.model import Series
from tests.incidents.scene import NOT_REPORTED, Scene, TrafficDip

MINUTE = timedelta(minutes=1)
TRAFFIC_METRICS = (("Network In Total", "total", "Bytes"), ("Inbound Flows", "average", "Count"))
VITAL_METRICS = (
    ("Percentage CPU", "average", "Percent"),
    ("Disk Write Bytes", "total", "Bytes"),
    ("VmAvailabilityMetric", "average", "Count"),
)
_LEVELS = {
    # Lowest and highest usual value; a busy VM stays above the 10 kB and 2 flows of a usable baseline.
    "Network In Total": (2e4, 5e8),
    "Inbound Flows": (5.0, 3000.0),
    "Percentage CPU": (3.0, 60.0),
    "Disk Write Bytes": (1e5, 1e8),
    "VmAvailabilityMetric": (1.0, 1.0),
}
_IDLE = {"Network In Total": (200.0, 4000.0), "Inbound Flows": (0.2, 0.9)}


def choose_first_minute(scene: Scene) -> datetime:
    """The series begin well before the story: a baseline needs the 60 minutes before the loss."""
    day = scene.until - timedelta(days=1)
    known = [dip.start for dip in scene.dips] + [note.at for note in scene.annotations if note.at > day]
    start = min([*known, scene.until - timedelta(hours=2)]) - timedelta(minutes=scene.rng.uniform(85, 130))
    start -= timedelta(hours=scene.plan.hours_before)
    return start.replace(second=0, microsecond=0)


def generate_series(scene: Scene, start: datetime) -> tuple[Series, ...]:
    """Each VM's metrics at PT1M, up to the end of the window."""
    rng, plan = scene.rng, scene.plan
    traffic = rng.choice((TRAFFIC_METRICS[:1], TRAFFIC_METRICS[1:], TRAFFIC_METRICS))
    alive = _choose_vital_metrics(scene)
    minutes = (scene.until - start) // MINUTE
    holes = plan.holes if plan.holes >= 0 else rng.choice((0.0, 0.0, 0.01, 0.03))
    # Of recorded windows half end with one or two points not there yet.
    tail = 0 if plan.whole_tail else rng.randint(0, 2)
    series = []
    for machine in scene.machines:
        dips = [dip for dip in scene.dips if dip.vm == machine.vm]
        missing = {minute for minute in range(minutes) if minute >= minutes - tail or rng.random() < holes}
        for name, aggregation, unit in [*traffic, *alive]:
            usual = math.exp(rng.uniform(*(math.log(limit) for limit in _get_range(name, idle=plan.idle))))
            shares = [_compute_share(start + minute * MINUTE, dips, name) for minute in range(minutes)]
            values = _generate_values(rng, _NormalLevel(name, usual, _choose_noise(scene, name)), start, shares)
            lasting = _count_reported_minutes(scene, name, start, minutes)
            kept = tuple(
                None if minute in missing or minute >= lasting else value for minute, value in enumerate(values)
            )
            series.append(
                Series(vm=machine.vm, name=name, aggregation=aggregation, unit=unit, start=start, values=kept)
            )
    return tuple(series)


def _choose_vital_metrics(scene: Scene) -> list[tuple[str, str, str]]:
    """The metrics that show whether the machine lives."""
    if not scene.plan.alive:
        return []
    chosen = scene.rng.sample(VITAL_METRICS, k=scene.rng.choice((1, 1, 2, 3)))
    wanted = scene.plan.vital_metrics
    return chosen if wanted is None else [each for each in VITAL_METRICS if each[0] in wanted]


def _count_reported_minutes(scene: Scene, name: str, start: datetime, minutes: int) -> int:
    end = scene.plan.vital_metrics_until
    return minutes if end is None or name in _IDLE else (end - start) // MINUTE


def _choose_noise(scene: Scene, name: str) -> float:
    if name == "VmAvailabilityMetric":
        return 0.0
    usual = scene.rng.uniform(0.1, 0.5)
    return usual if scene.plan.noise is None else min(usual, scene.plan.noise)


def _get_range(name: str, *, idle: bool) -> tuple[float, float]:
    return _IDLE[name] if idle and name in _IDLE else _LEVELS[name]


@dataclass(frozen=True, slots=True)
class _NormalLevel:
    """What a metric shows while nothing is wrong."""

    name: str
    level: float
    noise: float


def _generate_values(
    rng: random.Random, usual: _NormalLevel, start: datetime, shares: list[float]
) -> list[float | None]:
    """Log-normal noise on a daily shape, times the share that each minute has."""
    values: list[float | None] = []
    for minute, share in enumerate(shares):
        if share == NOT_REPORTED:
            values.append(None)
            continue
        at = start + minute * MINUTE
        hours = at.hour + at.minute / 60
        daily = 1 + (0.25 * math.sin((hours - 6) / 24 * math.tau) if usual.noise else 0.0)
        # What is left after a collapse is noise of probes; nothing may blow it up beyond its level.
        wobble = rng.lognormvariate(0, usual.noise) if share > 0.05 or not usual.noise else rng.uniform(0.5, 1.0)
        value = usual.level * daily * wobble * share
        if usual.name == "Percentage CPU":
            value = min(value, 100.0)
        values.append(float(round(value)) if usual.name.endswith(("Total", "Bytes")) else round(value, 3))
    return values


def _compute_share(at: datetime, dips: list[TrafficDip], name: str) -> float:
    """How much of the usual the minute from `at` on shows; a dip over part of it counts in part."""
    share = 1.0
    for dip in dips:
        end = dip.end or datetime.max.replace(tzinfo=at.tzinfo)
        covered = (min(end, at + MINUTE) - max(dip.start, at)) / MINUTE
        if covered <= 0:
            continue
        if dip.level == NOT_REPORTED:
            return NOT_REPORTED
        if name in _IDLE or not dip.alive:
            share = min(share, 1 - min(covered, 1.0) * (1 - dip.level))
    return share


def generate_heartbeats(scene: Scene, start: datetime) -> dict[str, tuple[datetime, ...]]:
    """A heartbeat a minute from every VM while it can reach the workspace."""
    beats = {}
    for machine in scene.machines:
        dips = [dip for dip in scene.dips if dip.vm == machine.vm and _is_silent(dip)]
        first = start + timedelta(seconds=scene.rng.uniform(0, 59))
        times = [first + minute * MINUTE for minute in range((scene.until - first) // MINUTE + 1)]
        beats[machine.vm] = tuple(at for at in times if not any(_is_during_dip(dip, at) for dip in dips))
    return beats


def _is_silent(dip: TrafficDip) -> bool:
    return dip.level <= 0.05 if dip.silent is None else dip.silent


def _is_during_dip(dip: TrafficDip, at: datetime) -> bool:
    return dip.start <= at and (dip.end is None or at < dip.end)
