"""The evidence around a migration's onset window, for the scenario that judges it; must not give a verdict."""

from collections.abc import Iterator
from datetime import timedelta

from vmdiag.diagnosis import Channel, Evidence, Loss, Stance
from vmdiag.model import Event, Kind, Signal, Timeline, Window
from vmdiag.scenarios._causes import cited
from vmdiag.symptoms import Hearing, Judgement, heartbeat, traffic

# The loss may show a little before the annotation's time: metrics are by the minute. Half an hour after is the end of
# what a session (9 to 26 minutes, the annotation anywhere inside) and late records can shift.
ONSET_BEFORE = timedelta(minutes=2)
ONSET_AFTER = timedelta(minutes=30)


def contradictions(timeline: Timeline, loss: Loss, event: Event) -> Iterator[Evidence]:
    """Strong channels that were judged over the onset and found normal."""
    for signal, judged in judgements(timeline, event):
        if judged.hearing is Hearing.NORMAL and signal not in loss.signals:
            yield Evidence(stance=Stance.AGAINST, signal=signal, says=judged.says, at=event.at)


def accelnet(timeline: Timeline, event: Event) -> Iterator[Evidence]:
    """That accelerated networking broke in the onset window: it belongs to the migration."""
    for other in timeline.of(Kind.ACCELNET_UNHEALTHY):
        if other.at in onset_of(event):
            yield cited(Stance.FOR, other, "within the migration's onset window")


def unread(timeline: Timeline, event: Event) -> Iterator[Evidence]:
    """The strong channels that could not be judged, and why."""
    for signal, judged in judgements(timeline, event):
        if judged.hearing is Hearing.UNJUDGED:
            yield Evidence(stance=Stance.MISSING, signal=signal, says=judged.says)


def judgements(timeline: Timeline, event: Event) -> Iterator[tuple[Signal, Judgement]]:
    """What each strong channel says of the onset window."""
    yield Signal.TRAFFIC, traffic(timeline, onset_of(event))
    yield Signal.HEARTBEAT, heartbeat(timeline, onset_of(event))


def onset_of(event: Event) -> Window:
    """When a loss must begin to be the migration's doing."""
    return Window(event.at - ONSET_BEFORE, event.ended + ONSET_AFTER)


def shown(stance: Stance, channel: Channel) -> Evidence:
    """A channel as a piece of evidence."""
    return Evidence(
        stance=stance, signal=channel.signal, says=channel.says, at=channel.interval.start, ref=channel.ref or None
    )
