"""The story of a VM as rows in order of time: what happened, beside what was lost; must not know a format."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from vmdiag.diagnosis.model import Case, Extent, State
from vmdiag.model import Kind
from vmdiag.wording.redeploy_outcome import find_repeated_redeploys
from vmdiag.wording.sanitize import shorten_sentence
from vmdiag.wording.sparkline import Marker
from vmdiag.wording.time_formats import format_duration

# More rows than this do not fit a screen; the rest is in the JSON report.
MAX_ROWS = 20


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One line of the timeline."""

    at: datetime
    label: str
    says: str


def build_timeline_rows(case: Case) -> tuple[list[TimelineRow], int]:
    """The rows nearest to the incident, in order of time, and how many others were left out."""
    rows = sorted([*_list_event_rows(case), *_list_loss_rows(case)], key=lambda row: row.at)
    diagnosis = case.diagnosis
    middle = diagnosis.failed_at or diagnosis.migrated_at or case.window.end
    nearest = sorted(rows, key=lambda row: abs(row.at - middle))[:MAX_ROWS]
    return sorted(nearest, key=lambda row: row.at), len(rows) - len(nearest)


def list_markers(case: Case) -> Iterator[Marker]:
    """The instants that a curve should show."""
    diagnosis = case.diagnosis
    for at, says in (
        (diagnosis.migrated_at, "live migration"),
        (diagnosis.failed_at, "lost"),
        (diagnosis.recovered_at, "back"),
    ):
        if at is not None:
            yield Marker(at, f"{at:%H:%M} {says}")


def _list_event_rows(case: Case) -> Iterator[TimelineRow]:
    again = find_repeated_redeploys(case.story_events)
    for event in case.story_events:
        if event in again:
            continue
        blur = f" (within {format_duration(event.blur)})" if event.blur else ""
        yield TimelineRow(
            event.at, "event" if event.kind is Kind.OTHER else event.kind.value, shorten_sentence(event.says) + blur
        )


def _list_loss_rows(case: Case) -> Iterator[TimelineRow]:
    for loss in case.diagnosis.losses:
        signals = ", ".join(loss.signals)
        extent = {Extent.PARTIAL: "in part, ", Extent.INTERMITTENT: "on and off, "}.get(loss.extent, "")
        yield TimelineRow(
            loss.interval.start, "LOST", f"{extent}shown by {signals}" if signals else extent.rstrip(", ")
        )
        if loss.interval.end is not None:
            yield TimelineRow(
                loss.interval.end, "BACK", f"after {format_duration(loss.interval.end - loss.interval.start)}"
            )
    if case.diagnosis.state is State.OPEN:
        yield TimelineRow(case.window.end, "NOW", "still lost at the end of the window")
