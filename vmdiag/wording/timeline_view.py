"""The story of a VM in order of time: as rows, what happened beside what was lost, and as a curve on one line."""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from operator import itemgetter

from vmdiag.diagnosis.model import Case, Extent, State
from vmdiag.diagnosis.traffic_losses import UNITS, format_figure
from vmdiag.model import Kind, Series, Window
from vmdiag.values import Struct
from vmdiag.wording.plain_text import format_duration, format_window, shorten_name, shorten_sentence
from vmdiag.wording.redeploy_texts import find_repeated_redeploys

# More rows than this do not fit a screen; the rest is in the JSON report.
MAX_ROWS = 20
# Room to the right of the last column for the words beside a marker.
MARKER_MARGIN = 36
# In levels: what stays below this above a level does not lift the line to the next one.
_NEGLIGIBLE_LEVEL = 0.35


class TimelineRow(Struct, frozen=True):
    """One line of the timeline."""

    at: datetime
    label: str
    says: str


def build_timeline_rows(case: Case) -> tuple[list[TimelineRow], int]:
    """The rows nearest to the incident, in order of time, and how many others were left out."""
    rows: list[TimelineRow] = []
    again = find_repeated_redeploys(case.story_events)
    for event in case.story_events:
        if event not in again:
            blur = f" (within {format_duration(event.blur)})" if event.blur >= timedelta(seconds=1) else ""
            label = "event" if event.kind is Kind.OTHER else event.kind.value
            rows.append(TimelineRow(event.at, label, shorten_sentence(event.says) + blur))
    diagnosis = case.diagnosis
    for loss in diagnosis.losses:
        start, end = loss.interval.start, loss.interval.end
        extent = {Extent.PARTIAL: "in part, ", Extent.INTERMITTENT: "on and off, "}.get(loss.extent, "")
        shown = f"{extent}shown by {', '.join(loss.signals)}" if loss.signals else extent.rstrip(", ")
        rows.append(TimelineRow(start, "LOST", shown))
        if end is not None:
            rows.append(TimelineRow(end, "BACK", f"after {format_duration(end - start)}"))
    if diagnosis.state is State.OPEN:
        rows.append(TimelineRow(case.window.end, "NOW", "still lost at the end of the window"))
    middle = diagnosis.failed_at or diagnosis.migrated_at or case.window.end
    nearest = sorted(sorted(rows, key=lambda row: row.at), key=lambda row: abs(row.at - middle))[:MAX_ROWS]
    return sorted(nearest, key=lambda row: row.at), len(rows) - len(nearest)


class GlyphSet(Struct, frozen=True):
    """The characters to draw with."""

    levels: str
    absent: str
    bar: str
    corner: str


UNICODE = GlyphSet(levels="▁▂▃▄▅▆▇█", absent="·", bar="│", corner="└")
ASCII = GlyphSet(levels="_.-~=+*#", absent=" ", bar="|", corner="`")


def count_columns(series: Series, most: int) -> int:
    """As many columns as there are readings to fill them, `most` at most."""
    steps = [later - earlier for earlier, later in pairwise(series.times) if later > earlier]
    if not steps:
        return 1
    return max(1, min(most, round((series.times[-1] - series.times[0]) / min(steps)) + 1))


def draw_sparkline(series: Series, span: Window, width: int, glyphs: GlyphSet) -> str:
    """A column for each slice of the span: the mean of its readings as a level, or the sign for none at all."""
    slices: dict[int, list[float]] = {}
    for at, value in zip(series.times, series.values, strict=True):
        if at in span and math.isfinite(value):
            slices.setdefault(find_column(at, span, width), []).append(value)
    means = {number: sum(values) / len(values) for number, values in slices.items()}
    peak, top = max([*means.values(), 0.0]) or 1.0, len(glyphs.levels) - 1
    # Whatever is not nothing rises above the floor, unless it is next to nothing beside the peak.
    levels = {number: max(0, math.ceil(mean / peak * top - _NEGLIGIBLE_LEVEL)) for number, mean in means.items()}
    return "".join(glyphs.levels[levels[number]] if number in levels else glyphs.absent for number in range(width))


def find_column(at: datetime, span: Window, width: int) -> int:
    """The column in which an instant lies, the nearest one when it lies outside."""
    length = (span.end - span.start).total_seconds() or 1.0
    share = (at - span.start).total_seconds() / length
    return min(width - 1, max(0, int(share * width)))


def draw_markers(marks: Iterable[tuple[datetime, str]], span: Window, width: int, glyphs: GlyphSet) -> Iterator[str]:
    """Lines below the curve that point at their columns, the last column first so that no two lines cross."""
    placed: dict[int, list[str]] = {}
    for at, says in sorted(marks, key=itemgetter(0)):
        if at in span:
            placed.setdefault(find_column(at, span, width), []).append(says)
    for where in sorted(placed, reverse=True):
        bars = "".join(glyphs.bar if place in placed else " " for place in range(where))
        yield f"{bars}{glyphs.corner} {', '.join(placed[where])}"


def find_lost_columns(case: Case, most: int) -> range:
    """The columns of the curve in which the latest loss lies."""
    series, lost = case.curve, case.diagnosis.failed_at
    if series is None or not series.times or lost is None or lost > series.times[-1]:
        return range(0)
    span = Window(series.times[0], series.times[-1])
    width = count_columns(series, most)
    back = case.diagnosis.recovered_at
    return range(find_column(lost, span, width), find_column(back, span, width) if back else width)


def draw_curve(case: Case, most: int, glyphs: GlyphSet) -> list[str]:
    """A caption, the traffic as a line of so many columns at most, heartbeats and what happened below; none without."""
    series, diagnosis = case.curve, case.diagnosis
    if series is None or len(series.times) < 2:  # noqa: PLR2004 - one reading is no line
        return []
    span = Window(series.times[0], series.times[-1])
    width = count_columns(series, most)
    peak = max((value for value in series.values if math.isfinite(value)), default=0.0)
    top = format_figure(peak, UNITS.get(series.name, "B"))
    instants = {"live migration": diagnosis.migrated_at, "lost": diagnosis.failed_at, "back": diagnosis.recovered_at}
    marks = [(at, f"{at:%H:%M} {says}") for says, at in instants.items() if at is not None]
    beats = case.heartbeats
    below = [] if beats is None else [f"{draw_sparkline(beats, span, width, glyphs)}  heartbeats"]
    return [
        f"{shorten_name(series.name)}, {format_window(span.start, span.end)}, peak {top}",
        draw_sparkline(series, span, width, glyphs),
        *below,
        *draw_markers(marks, span, width, glyphs),
    ]
