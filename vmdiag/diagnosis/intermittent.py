"""Pieces of loss that follow one another closely are one intermittent loss; must not know a channel."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from vmdiag.diagnosis.model import Extent, Loss
from vmdiag.diagnosis.signal_state import RESETS
from vmdiag.diagnosis.signals import MIGRATIONS
from vmdiag.model import Event, Interval, Kind, Timeline

# A healthy migration looks like a loss for a while: a pause of up to 30 s, clients' TCP retries of up to 15 minutes
# (Linux, tcp_retries2=15). Resource Health uses the same 15 minutes for "still unhealthy".
SHORTEST_LOSS = timedelta(minutes=15)
# What happened so soon after a piece's end may have ended it.
SOON = timedelta(minutes=2)
# Pieces with fewer well minutes between them are one loss; after so many it has ended (contract, section 3).
WELL_BETWEEN = timedelta(minutes=15)
DOWN_SHARE = 0.5
# What parts two pieces of loss: each may have ended the one or begun the other.
PARTING = (
    *RESETS,
    *MIGRATIONS,
    Kind.START,
    Kind.DELETE,
    Kind.EVICTION,
    Kind.GUEST_CRASH,
    Kind.HOST_FAILURE,
    Kind.PLANNED_REBOOT,
    Kind.STORAGE_OFFLINE,
    Kind.NETWORK_CHANGE,
    Kind.NETWORK_UNHEALTHY,
    Kind.SERVICE_INCIDENT,
)


def join_intermittent_pieces(timeline: Timeline, losses: Sequence[Loss]) -> Iterator[Loss]:
    """Losses, those that follow one another closely as one intermittent loss."""
    index = 0
    while index < len(losses):
        after = index + 1
        while after < len(losses) and _follows_closely(timeline, losses[after - 1], losses[after]):
            after += 1
        while after > index + 1 and not _is_intermittent(timeline, losses[index:after]):
            after -= 1
        yield _join_losses(timeline, losses[index:after]) if after > index + 1 else losses[index]
        index = after


def _follows_closely(timeline: Timeline, former: Loss, latter: Loss) -> bool:
    end, start = former.interval.end, latter.interval.start
    if end is None or start - end >= WELL_BETWEEN:
        return False
    return not any(_split_at_migrations(event, end, start) for event in timeline.list_events(*PARTING))


def _split_at_migrations(event: Event, end: datetime, start: datetime) -> bool:
    return event.at <= start and event.ended >= end - SOON and event.facts.get("relation") != "elsewhere"


def _is_intermittent(timeline: Timeline, pieces: Sequence[Loss]) -> bool:
    spans = [piece.interval.clip_to(timeline.window.end) for piece in pieces]
    down = sum((span.end - span.start for span in spans), timedelta())
    return down >= SHORTEST_LOSS and down >= DOWN_SHARE * (spans[-1].end - spans[0].start)


def _join_losses(timeline: Timeline, pieces: Sequence[Loss]) -> Loss:
    """The pieces as one loss: it has ended when it has been well for long enough."""
    end = pieces[-1].interval.end
    if end is not None and timeline.window.end - end < WELL_BETWEEN:
        end = None
    seen = tuple(dict.fromkeys(channel for piece in pieces for channel in piece.channels))
    return Loss(interval=Interval(pieces[0].interval.start, end), channels=seen, extent=Extent.INTERMITTENT)
