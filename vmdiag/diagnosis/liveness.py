"""Who saw the VM and its guest run during a loss, and who saw them stand still; must not know a loss's cause."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median

from vmdiag.diagnosis.model import SignalLoss, Strength
from vmdiag.diagnosis.signals import MIGRATIONS, SAME_MOMENT
from vmdiag.model import Interval, Kind, Signal, Timeline, Window

# The minutes around the onset still show the life before it.
ONSET_EDGE = timedelta(minutes=2)
READINGS_OF_LIFE = 5


def find_life_signs(timeline: Timeline, span: Window) -> Iterator[SignalLoss]:
    """Who saw the VM run during a loss: host, Resource Health, metrics.

    A status that the record of a migration carries is of that moment, and what was measured before is not life now.
    """
    moved = [event.at for event in timeline.list_events(*MIGRATIONS)]
    for event in timeline.list_events(Kind.POWER_RUNNING, Kind.AVAILABLE):
        carried = event.kind is Kind.AVAILABLE and any(abs(event.at - at) <= SAME_MOMENT for at in moved)
        if span.start < event.at <= span.end and not carried:
            yield _build_life_sign(event.signal, event.at, event.says, event.ref)
    for name, signal, says in ALIVE:
        readings = _list_readings(timeline, name, Window(span.start + ONSET_EDGE, span.end))
        if readings and median(value for _, value in readings) > 0:
            yield _build_life_sign(signal, next(at for at, value in readings if value > 0), says, None)


def find_dead_signals(timeline: Timeline, span: Window) -> tuple[Signal, ...]:
    """The signals of the guest's work that are all at zero through a loss; empty where one of them is not."""
    after = Window(span.start + ONSET_EDGE, span.end)
    work = [(signal, _list_readings(timeline, name, after)) for name, signal, _ in ALIVE if signal in WORK]
    read = [(signal, readings) for signal, readings in work if len(readings) >= READINGS_OF_LIFE]
    if any(value > 0 for _, readings in read for _, value in readings):
        return ()
    return tuple(dict.fromkeys(signal for signal, _ in read))


def _list_readings(timeline: Timeline, name: str, span: Window) -> list[tuple[datetime, float]]:
    series = timeline.series.get(name)
    if series is None:
        return []
    first, after = bisect_left(series.times, span.start), bisect_right(series.times, span.end)
    return list(zip(series.times[first:after], series.values[first:after], strict=True))


WORK = (Signal.CPU, Signal.DISK)
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


def _build_life_sign(signal: Signal, at: datetime, says: str, ref: str | None) -> SignalLoss:
    return SignalLoss(
        signal=signal,
        strength=Strength.WEAK,
        interval=Interval(at, None),
        says=says,
        ref=ref,
    )
