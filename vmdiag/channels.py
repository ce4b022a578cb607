"""What each signal alone shows of a loss, as channels, and of life meanwhile; must not join them or know a cause.

Every threshold of a channel stands here once, with its reason. Where no Microsoft page gives a number, the reason says
whose judgement it is.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from vmdiag.collapse import collapses, share_left
from vmdiag.diagnosis import Channel, Strength
from vmdiag.model import Event, Interval, Kind, Series, Signal, Timeline, Window

# Azure itself filters Available -> Unavailable -> Available within 35 s out of the activity log.
FLAP = timedelta(seconds=35)
# The agent writes a heartbeat a minute, ingestion takes up to 3; 10 minutes is the usual threshold of Azure Monitor
# workbooks.
HEARTBEAT_GAP = timedelta(minutes=10)
# Only heartbeats that were regular in the hour before can be missed.
REGULAR = timedelta(minutes=60)
HEARTBEATS_NEEDED = 5
# A metric that keeps this share of its baseline, over the minutes after another one fell, carries its usual traffic
# (our judgement).
NORMAL = 0.5
MEANWHILE = timedelta(minutes=15)

HEARTBEAT = "Heartbeat"
TRAFFIC = (
    "Network In Total",
    "Inbound Flows",
    "Network In",
)  # the last is the deprecated name, read where alone
UNITS = {"Inbound Flows": "flows"}

FAILING = (
    Kind.UNAVAILABLE,
    Kind.DEGRADED,
    Kind.ACCELNET_UNHEALTHY,
    Kind.NETWORK_UNHEALTHY,
)
ANNOTATED = (Kind.ACCELNET_UNHEALTHY, Kind.NETWORK_UNHEALTHY)
STOPS = (Kind.STOP, Kind.DEALLOCATE, Kind.EVICTION, Kind.DELETE)
ON = (Kind.START, Kind.RESTART, Kind.REDEPLOY, Kind.POWER_RUNNING, Kind.AVAILABLE)
OFF = (Kind.POWER_STOPPED, Kind.POWER_DEALLOCATED)


def founding(timeline: Timeline) -> Iterator[Channel]:
    """The channels that can found a loss."""
    yield from traffic(timeline)
    yield from heartbeats(timeline)
    yield from health(timeline)
    yield from power(timeline)
    yield from witnesses(timeline)


def weak(timeline: Timeline) -> Iterator[Channel]:
    """The channels that only hint at one: a silent agent, a health state that stays Unknown."""
    yield from states(timeline, (Kind.UNKNOWN,), Strength.WEAK, "Resource Health stayed Unknown")
    yield from agent(timeline)


def traffic_series(timeline: Timeline) -> list[Series]:
    """The traffic metrics that were read; the deprecated name only where it is the only one."""
    known = [timeline.series[name] for name in TRAFFIC if name in timeline.series and timeline.series[name].times]
    return [series for series in known if series.name != "Network In" or len(known) == 1]


def traffic(timeline: Timeline) -> Iterator[Channel]:
    """One channel a metric that shows it; a metric that stays normal meanwhile contradicts the others."""
    for series in traffic_series(timeline):
        others = [other for other in traffic_series(timeline) if other is not series]
        for collapse in collapses(series):
            after = Window(collapse.interval.start, collapse.interval.start + MEANWHILE)
            if any((share := share_left(other, after)) is not None and share >= NORMAL for other in others):
                continue
            unit = UNITS.get(series.name, "B")
            yield Channel(
                signal=Signal.TRAFFIC,
                strength=Strength.STRONG,
                interval=collapse.interval,
                says=f"{series.name} fell from {_figure(collapse.baseline, unit)} a minute to "
                f"{_figure(collapse.level, unit)}",
                well_since=collapse.well_since,
            )


def _figure(value: float, unit: str) -> str:
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor and unit == "B":
            return f"{value / factor:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}"


def heartbeats(timeline: Timeline) -> Iterator[Channel]:
    """The gaps in a regular heartbeat."""
    series = timeline.series.get(HEARTBEAT)
    if series is None or not series.times:
        return
    beats = (*series.times, timeline.window.end)
    for last, following in pairwise(beats):
        if following - last < HEARTBEAT_GAP or beats_before(series, last) < HEARTBEATS_NEEDED:
            continue
        back = following if following != timeline.window.end or following in series.times[-1:] else None
        yield Channel(
            signal=Signal.HEARTBEAT,
            strength=Strength.STRONG,
            interval=Interval(last, back),
            says="the agent's heartbeats stopped reaching Log Analytics",
            well_since=back,
        )


def beats_before(series: Series, until: datetime) -> int:
    """The heartbeats in the hour up to an instant: only regular ones can be missed."""
    return bisect_right(series.times, until) - bisect_left(series.times, until - REGULAR)


def health(timeline: Timeline) -> Iterator[Channel]:
    """The spans in which Resource Health called the VM unavailable or degraded."""
    yield from states(timeline, FAILING, Strength.MEDIUM, "Resource Health reported the VM")


def states(timeline: Timeline, kinds: tuple[Kind, ...], strength: Strength, says: str) -> Iterator[Channel]:
    """Spans from the first failing state to the next Available, short flaps left out."""
    begun: Event | None = None
    for event in timeline.events:
        if begun is None and event.kind in kinds and not _announces(timeline, event):
            begun = event
        elif begun is not None and event.kind is Kind.AVAILABLE:
            if event.at - begun.at >= FLAP:
                yield _state(begun, Interval(begun.at, event.at), strength, says)
            elif begun.kind in ANNOTATED:
                continue  # an annotation is not taken back by a status that came along with it
            begun = None
    if begun is not None:
        yield _state(begun, Interval(begun.at, None), strength, says)


def _state(event: Event, interval: Interval, strength: Strength, says: str) -> Channel:
    word = f" {event.kind.value.title()}" if strength is Strength.MEDIUM else ""
    return Channel(
        signal=Signal.HEALTH,
        strength=strength,
        interval=interval,
        says=says + word,
        well_since=interval.end,
        ref=event.ref,
    )


def _announces(timeline: Timeline, event: Event) -> bool:
    """Whether a Degraded status only carries the announcement that the host may fail: nothing is lost by it."""
    near = timedelta(minutes=2)
    return event.kind is Kind.DEGRADED and any(
        abs(other.at - event.at) <= near for other in timeline.of(Kind.PRECURSOR)
    )


def power(timeline: Timeline) -> Iterator[Channel]:
    """Spans in which the VM was off: nobody reaches a VM that does not run."""
    off: Event | None = None
    for event in timeline.events:
        if off is None and event.kind in (*STOPS, *OFF) and "pending" not in event.facts:
            off = event
        elif off is not None and event.kind in ON:
            yield _off(off, Interval(off.at, max(event.at, off.at)))
            off = None
    if off is not None:
        yield _off(off, Interval(off.at, None))


def _off(event: Event, interval: Interval) -> Channel:
    return Channel(
        signal=Signal.POWER,
        strength=Strength.STRONG,
        interval=interval,
        says=event.says,
        ref=event.ref,
    )


def witnesses(timeline: Timeline) -> Iterator[Channel]:
    """What the operator states and what a probe from here met."""
    for event in timeline.of(Kind.UNREACHABLE):
        yield Channel(
            signal=Signal.OPERATOR,
            strength=Strength.STRONG,
            interval=Interval(event.at, None),
            says=event.says,
        )
    answered = timeline.of(Kind.PROBE_ANSWERED)
    for event in timeline.of(Kind.PROBE_FAILED):
        back = next((other.at for other in answered if other.at > event.at), None)
        yield Channel(
            signal=Signal.PROBE,
            strength=Strength.STRONG,
            interval=Interval(event.at, back),
            well_since=back,
            says=event.says,
            ref=event.ref,
        )


def agent(timeline: Timeline) -> Iterator[Channel]:
    """A VM agent that does not report."""
    for event in timeline.of(Kind.AGENT_NOT_READY):
        yield Channel(
            signal=Signal.AGENT,
            strength=Strength.WEAK,
            interval=Interval(event.at, None),
            says="the VM agent does not report (common on healthy VMs)",
            ref=event.ref,
        )


def alive(timeline: Timeline, span: Window) -> Iterator[Channel]:
    """Who saw the VM run in a span: host, Resource Health, metrics."""
    for event in timeline.of(Kind.POWER_RUNNING, Kind.AVAILABLE):
        if event.at in span:
            yield _seen(event.signal, event.at, event.says, event.ref)
    for name, signal, says in ALIVE:
        series = timeline.series.get(name)
        if series is None:
            continue
        at = next(
            (at for at, value in zip(series.times, series.values, strict=True) if at in span and value > 0),
            None,
        )
        if at is not None:
            yield _seen(signal, at, says, None)


ALIVE = (
    (
        "VmAvailabilityMetric",
        Signal.AVAILABILITY,
        "the availability metric says that the VM runs",
    ),
    ("Percentage CPU", Signal.CPU, "its CPU works"),
    ("Disk Write Bytes", Signal.DISK, "it writes to its disks"),
    ("Disk Read Bytes", Signal.DISK, "it reads from its disks"),
)


def _seen(signal: Signal, at: datetime, says: str, ref: str | None) -> Channel:
    return Channel(
        signal=signal,
        strength=Strength.WEAK,
        interval=Interval(at, None),
        says=says,
        ref=ref,
    )
