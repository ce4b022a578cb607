"""The story of a VM as rows in order of time: what happened, beside what was lost; must not know a format."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from vmdiag.diagnosis.model import Case, Extent, State
from vmdiag.model import Kind
from vmdiag.wording.redeploy_outcome import repeats
from vmdiag.wording.sanitize import sentence
from vmdiag.wording.sparkline import Marker
from vmdiag.wording.time_formats import span

# More rows than this do not fit a screen; the rest is in the JSON report.
MOST = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the timeline."""

    at: datetime
    what: str
    says: str


def timeline(case: Case) -> tuple[list[Row], int]:
    """The rows nearest to the incident, in order of time, and how many others were left out."""
    rows = sorted([*_events(case), *_losses(case)], key=lambda row: row.at)
    diagnosis = case.diagnosis
    middle = diagnosis.failed_at or diagnosis.migrated_at or case.window.end
    nearest = sorted(rows, key=lambda row: abs(row.at - middle))[:MOST]
    return sorted(nearest, key=lambda row: row.at), len(rows) - len(nearest)


def marks(case: Case) -> Iterator[Marker]:
    """The instants that a curve should show."""
    diagnosis = case.diagnosis
    for at, says in (
        (diagnosis.migrated_at, "live migration"),
        (diagnosis.failed_at, "lost"),
        (diagnosis.recovered_at, "back"),
    ):
        if at is not None:
            yield Marker(at, f"{at:%H:%M} {says}")


def _events(case: Case) -> Iterator[Row]:
    again = repeats(case.events_told)
    for event in case.events_told:
        if event in again:
            continue
        blur = f" (within {span(event.blur)})" if event.blur else ""
        yield Row(event.at, "event" if event.kind is Kind.OTHER else event.kind.value, sentence(event.says) + blur)


def _losses(case: Case) -> Iterator[Row]:
    for loss in case.diagnosis.losses:
        signals = ", ".join(loss.signals)
        extent = {Extent.PARTIAL: "in part, ", Extent.INTERMITTENT: "on and off, "}.get(loss.extent, "")
        yield Row(loss.interval.start, "LOST", f"{extent}shown by {signals}" if signals else extent.rstrip(", "))
        if loss.interval.end is not None:
            yield Row(loss.interval.end, "BACK", f"after {span(loss.interval.end - loss.interval.start)}")
    if case.diagnosis.state is State.OPEN:
        yield Row(case.window.end, "NOW", "still lost at the end of the window")
