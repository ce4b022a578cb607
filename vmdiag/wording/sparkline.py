"""Draws a curve as one row of text, with markers below it; must not know what the curve or the markers mean."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from vmdiag.model import Series, Window

# Room to the right of the last column for the words beside a marker.
MARKER_MARGIN = 36
# In levels: what stays below this above a level does not lift the line to the next one.
_NEGLIGIBLE_LEVEL = 0.35


@dataclass(frozen=True, slots=True)
class GlyphSet:
    """The characters to draw with."""

    levels: str
    absent: str
    bar: str
    corner: str


UNICODE = GlyphSet(levels="▁▂▃▄▅▆▇█", absent="·", bar="│", corner="└")
ASCII = GlyphSet(levels="_.-~=+*#", absent=" ", bar="|", corner="`")


@dataclass(frozen=True, slots=True)
class Marker:
    """A word for an instant."""

    at: datetime
    says: str


def get_time_span(series: Series) -> Window | None:
    """From the first reading to the last; `None` when there are too few to draw a line."""
    return Window(series.times[0], series.times[-1]) if len(series.times) > 1 else None


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
    top = max(means.values(), default=0.0)
    return "".join(_choose_glyph(means.get(number), top, glyphs) for number in range(width))


def find_column(at: datetime, span: Window, width: int) -> int:
    """The column in which an instant lies, the nearest one when it lies outside."""
    length = (span.end - span.start).total_seconds() or 1.0
    share = (at - span.start).total_seconds() / length
    return min(width - 1, max(0, int(share * width)))


def draw_markers(marks: Iterable[Marker], span: Window, width: int, glyphs: GlyphSet) -> Iterator[str]:
    """Lines below the curve that point at their columns, the last column first so that no two lines cross."""
    placed: dict[int, list[str]] = {}
    for mark in sorted(marks, key=lambda mark: mark.at):
        if mark.at in span:
            placed.setdefault(find_column(mark.at, span, width), []).append(mark.says)
    for where in sorted(placed, reverse=True):
        bars = "".join(glyphs.bar if place in placed else " " for place in range(where))
        yield f"{bars}{glyphs.corner} {', '.join(placed[where])}"


def find_peak(series: Series) -> float:
    """The highest reading."""
    return max((value for value in series.values if math.isfinite(value)), default=0.0)


def _choose_glyph(value: float | None, peak: float, glyphs: GlyphSet) -> str:
    if value is None:
        return glyphs.absent
    if value <= 0 or peak <= 0:
        return glyphs.levels[0]
    # Whatever is not nothing rises above the floor, unless it is next to nothing beside the peak.
    return glyphs.levels[math.ceil(value / peak * (len(glyphs.levels) - 1) - _NEGLIGIBLE_LEVEL)]
