"""What each signal alone shows of a loss, as channels, and of life meanwhile; must not join them or know a cause.

Every threshold of a channel stands here once, with its reason. Where no Microsoft page gives a number, the reason says
whose judgement it is.
"""

from collections.abc import Iterator
from datetime import timedelta

from vmdiag.diagnosis import heartbeat_gaps, traffic_losses
from vmdiag.diagnosis.model import SignalLoss, Strength
from vmdiag.model import Event, Interval, Kind, Signal, Timeline, Window, subtract_span

# Azure itself filters Available -> Unavailable -> Available within 35 s out of the activity log.
FLAP = timedelta(seconds=35)
# Records of one moment from two feeds may differ by so much.
SAME_MOMENT = timedelta(minutes=3)
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
MIGRATIONS = (Kind.LIVE_MIGRATION, Kind.LIVE_MIGRATION_FAILED)
# The loss may show a little before the annotation's time: metrics are by the minute. Half an hour after is the end of
# what a session (9 to 26 minutes, the annotation anywhere inside) and late records can shift.
ONSET_BEFORE = timedelta(minutes=2)
ONSET_AFTER = timedelta(minutes=30)


def find_founding_signals(timeline: Timeline) -> Iterator[SignalLoss]:
    """The channels that can found a loss; what the operator says is weighed against them, and comes apart."""
    yield from traffic_losses.find_traffic_losses(timeline)
    yield from heartbeat_gaps.find_heartbeat_gaps(timeline)
    yield from find_health_losses(timeline)
    yield from find_power_losses(timeline)
    yield from find_probe_losses(timeline)


def find_onset_window(event: Event) -> Window:
    """When a loss must begin to be a migration's doing."""
    return Window(subtract_span(event.at, ONSET_BEFORE), event.ended + ONSET_AFTER)


def find_weak_signals(timeline: Timeline) -> Iterator[SignalLoss]:
    """The channels that only hint at one: a silent agent, a health state that stays Unknown."""
    yield from find_state_spans(timeline, (Kind.UNKNOWN,), Strength.WEAK, "Resource Health stayed Unknown")
    yield from find_agent_silences(timeline)


def find_health_losses(timeline: Timeline) -> Iterator[SignalLoss]:
    """The spans in which Resource Health called the VM unavailable or degraded."""
    yield from find_state_spans(timeline, FAILING, Strength.MEDIUM, "Resource Health reported the VM")


def find_state_spans(
    timeline: Timeline, kinds: tuple[Kind, ...], strength: Strength, says: str
) -> Iterator[SignalLoss]:
    """Spans from the first failing state to the next Available, short flaps left out."""
    begun: Event | None = None
    for event in timeline.events:
        if begun is None and event.kind in kinds and not _is_announcement(timeline, event):
            begun = event
        elif begun is not None and event.kind is Kind.AVAILABLE:
            if event.at - begun.at >= FLAP:
                yield _build_state_loss(begun, Interval(begun.at, event.at), strength, says)
            elif begun.kind in ANNOTATED:
                continue  # an annotation is not taken back by a status that came along with it
            begun = None
    if begun is not None:
        yield _build_state_loss(begun, Interval(begun.at, None), strength, says)


def _build_state_loss(event: Event, interval: Interval, strength: Strength, says: str) -> SignalLoss:
    word = f" {event.kind.value.title()}" if strength is Strength.MEDIUM else ""
    return SignalLoss(
        signal=Signal.HEALTH,
        strength=strength,
        interval=interval,
        says=says + word,
        well_since=interval.end,
        ref=event.ref,
    )


def _is_announcement(timeline: Timeline, event: Event) -> bool:
    """Whether a Degraded status only carries the announcement that the host may fail: nothing is lost by it."""
    near = timedelta(minutes=2)
    return event.kind is Kind.DEGRADED and any(
        abs(other.at - event.at) <= near for other in timeline.list_events(Kind.PRECURSOR)
    )


def find_power_losses(timeline: Timeline) -> Iterator[SignalLoss]:
    """Spans in which the VM was off: nobody reaches a VM that does not run."""
    off: Event | None = None
    back: Event | None = None
    for event in timeline.events:
        if event.kind in (*STOPS, *OFF) and "pending" not in event.facts:
            if off is not None and back is not None and (event.kind in STOPS or back.kind is not Kind.AVAILABLE):
                yield _build_power_loss(off, Interval(off.at, back.at))
                off = event
            # A power state that is off says that the Available in between was late news.
            off, back = off or event, None
        elif off is not None and back is None and _is_on(event, off):
            back = event
    if off is not None:
        yield _build_power_loss(off, Interval(off.at, back.at if back is not None else None))


def _is_on(event: Event, off: Event) -> bool:
    """Whether an event says that a VM that was off runs again; a status so soon after a stop is of before it."""
    if event.kind is Kind.AVAILABLE and event.at - off.at <= SAME_MOMENT:
        return False
    # Whoever writes a VM that was deleted makes another one of its name.
    return event.kind in ON or (off.kind is Kind.DELETE and event.kind is Kind.CONFIGURE)


def _build_power_loss(event: Event, interval: Interval) -> SignalLoss:
    return SignalLoss(
        signal=Signal.POWER,
        strength=Strength.STRONG,
        interval=interval,
        says=event.says,
        ref=event.ref,
    )


def find_operator_statements(timeline: Timeline) -> Iterator[SignalLoss]:
    """What the operator states: since when the VM cannot be reached."""
    answered = timeline.list_events(Kind.PROBE_ANSWERED)
    for event in timeline.list_events(Kind.UNREACHABLE):
        back = next((other.at for other in answered if other.at > event.at), None)
        yield SignalLoss(
            signal=Signal.OPERATOR,
            strength=Strength.STRONG,
            interval=Interval(event.at, back),
            says=event.says,
        )


def find_probe_losses(timeline: Timeline) -> Iterator[SignalLoss]:
    """Probes from here that were not answered: strong where the port had answered before."""
    answered = timeline.list_events(Kind.PROBE_ANSWERED)
    for event in timeline.list_events(Kind.PROBE_FAILED):
        back = next((other.at for other in answered if other.at > event.at), None)
        port = event.facts.get("port")
        before = any(other.at < event.at and other.facts.get("port") == port for other in answered)
        yield SignalLoss(
            signal=Signal.PROBE,
            strength=Strength.STRONG if before else Strength.MEDIUM,
            interval=Interval(event.at, back),
            well_since=back,
            says=event.says,
            ref=event.ref,
        )


def find_agent_silences(timeline: Timeline) -> Iterator[SignalLoss]:
    """A VM agent that does not report."""
    for event in timeline.list_events(Kind.AGENT_NOT_READY):
        yield SignalLoss(
            signal=Signal.AGENT,
            strength=Strength.WEAK,
            interval=Interval(event.at, None),
            says="the VM agent does not report (common on healthy VMs)",
            ref=event.ref,
        )
