"""A VM's story on one axis of time, as the numbers that an SVG is drawn from; used by `html` only.

What is drawn is not trusted: instants may lie ten thousand years apart, readings may be infinite.
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from vmdiag.diagnosis.model import Case, Extent
from vmdiag.diagnosis.traffic_losses import UNITS, format_figure
from vmdiag.model import Interval, Series, Signal, Window, subtract_span
from vmdiag.values import Struct
from vmdiag.wording.plain_text import format_duration, format_instant, format_window, shorten_name, shorten_sentence
from vmdiag.wording.timeline_view import build_timeline_rows

WIDTH = 960
_LEFT, _RIGHT = 96, 944
_ROW = 17
_MAX_LABEL_ROWS = 4
_CURVE_HEIGHT = 84
_BEATS_HEIGHT = 42
_LANE_HEIGHT = 15
_LANE_GAP = 5
_AXIS_HEIGHT = 22
_LETTER_WIDTH = 6.3
# What is drawn around an incident of which no traffic is known: the same as around one with a curve.
_BEFORE, _AFTER = timedelta(hours=1), timedelta(hours=3)
_MAX_TICKS = 8
_TICK_STEPS = tuple(
    timedelta(minutes=step) for step in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080)
)
# Readings farther apart than this many steps have something missing between them.
_MISSING_STEPS = 1.5


class Bar(Struct, frozen=True):
    """A stretch of a lane, or of the whole chart."""

    x: float
    width: float
    look: str
    says: str


class Mark(Struct, frozen=True):
    """An instant, with its label where there is room for one."""

    x: float
    look: str
    label: str
    says: str
    row: int | None
    at_end: bool


class Lane(Struct, frozen=True):
    """What one signal shows; `curve` is the outline of its readings."""

    title: str
    y: float
    height: float
    bars: tuple[Bar, ...]
    curve: str = ""
    peak: str = ""


class Chart(Struct, frozen=True):
    """All that is drawn, in the SVG's own units."""

    height: float
    top: float
    floor: float
    caption: str
    says: str
    bands: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, str], ...]
    outside: int


class _Axis(Struct, frozen=True):
    """Where instants lie."""

    span: Window

    def place_instant(self, at: datetime) -> float:
        """Its place from left to right; the nearest end for what lies outside."""
        length = (self.span.end - self.span.start).total_seconds() or 1.0
        share = (at - self.span.start).total_seconds() / length
        return round(_LEFT + min(1.0, max(0.0, share)) * (_RIGHT - _LEFT), 1)

    def make_bar(self, span: Interval, look: str, says: str) -> Bar | None:
        """A bar for the part of a span that is shown, `None` where that is nothing."""
        shown = span.clip_to(self.span.end)
        if not shown.overlaps_window(self.span):
            return None
        x = self.place_instant(shown.start)
        return Bar(x, round(max(1.5, self.place_instant(shown.end) - x), 1), look, says)


def build_chart(case: Case) -> Chart | None:
    """The chart of a VM's latest incident; `None` where there is none."""
    span = _find_span(case)
    if span is None:
        return None
    axis = _Axis(span)
    marks, outside = _place_marks(case, axis)
    top = _ROW * (1 + max((mark.row for mark in marks if mark.row is not None), default=-1)) + 6
    lanes = tuple(_stack_lanes(case, axis, top + _LANE_GAP))
    floor = lanes[-1].y + lanes[-1].height + _LANE_GAP if lanes else top + _ROW
    bands: list[Bar] = []
    for loss in case.diagnosis.losses:
        how = {Extent.PARTIAL: "lost in part", Extent.INTERMITTENT: "lost on and off"}.get(loss.extent, "lost")
        start, end = loss.interval.start, loss.interval.end
        says = f"{how} since {format_instant(start)}, still lost at the end of the window"
        if end is not None:
            says = f"{how} from {format_instant(start)} to {format_instant(end)}, {format_duration(end - start)}"
        band = axis.make_bar(loss.interval, loss.extent.value, says)
        bands += [band] if band is not None else []
    told = [mark.says for mark in marks if mark.look in {"migration", "back"}] + [band.says for band in bands]
    return Chart(
        height=floor + _AXIS_HEIGHT,
        top=top,
        floor=floor,
        caption=format_window(span.start, span.end),
        says="; ".join(told),
        bands=tuple(bands),
        marks=marks,
        lanes=lanes,
        ticks=tuple((axis.place_instant(at), label) for at, label in list_ticks(span)),
        outside=outside,
    )


def _find_span(case: Case) -> Window | None:
    """The time around the latest incident: that of its readings where there are some."""
    diagnosis, curve = case.diagnosis, case.curve or case.heartbeats
    known = [at for at in (diagnosis.migrated_at, diagnosis.failed_at) if at is not None]
    if curve is not None and curve.times:
        known += [curve.times[0], curve.times[-1]]
        return Window(min(known), max(known))
    if not known:
        return None
    last = max([*known, *filter(None, [diagnosis.recovered_at])])
    end = max(last, case.window.end)
    return Window(subtract_span(min(known), _BEFORE), last + min(_AFTER, end - last))


def _place_marks(case: Case, axis: _Axis) -> tuple[tuple[Mark, ...], int]:
    """What happened, with labels as far as they fit beside each other, and how much lies outside of the axis."""
    looks = {"live-migration": "migration", "LOST": "lost", "BACK": "back", "NOW": "now"}
    rows, others = build_timeline_rows(case)
    found = [(one.at, looks.get(one.label, "event"), one.label, one.says) for one in rows if one.at in axis.span]
    others += len(rows) - len(found)
    moved = case.diagnosis.migrated_at
    if moved is not None and not any(look == "migration" for _, look, _, _ in found):
        found.append((moved, "migration", "live-migration", "Azure live-migrated the VM"))
    # Who comes first gets the room: the incident, and then what else happened.
    rank = ("migration", "lost", "back", "now", "event")
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_MAX_LABEL_ROWS)]
    marks = []
    for at, look, label, says in sorted(found, key=lambda one: (rank.index(one[1]), one[0])):
        text, x = f"{at:%H:%M} {label.lower().replace('-', ' ')}", axis.place_instant(at)
        length = _LETTER_WIDTH * len(text) + 12
        at_end = x + length > WIDTH
        room = (x - length, x) if at_end else (x, x + length)
        row = next((n for n, held in enumerate(taken) if all(room[1] < a or b < room[0] for a, b in held)), None)
        if row is not None:
            taken[row].append(room)
        marks.append(Mark(x, look, text, f"{format_instant(at)} {label}: {says}".rstrip(": "), row, at_end))
    return tuple(sorted(marks, key=lambda mark: mark.x)), others


def _stack_lanes(case: Case, axis: _Axis, y: float) -> Iterator[Lane]:
    """A lane for each signal that shows something or could not be seen, traffic and heartbeats first."""
    order = [Signal.TRAFFIC, Signal.HEARTBEAT]
    for signal in (*order, *(one for one in Signal if one not in order)):
        # Where the signal was not read, and where it shows a loss.
        spans = [
            (Interval(gap.window.start, gap.window.end), "unread-part" if gap.partial else "unread", gap.reason)
            for gap in case.gaps
            if gap.signal is signal
        ]
        spans += [
            (channel.interval, "shows-loss", channel.says)
            for loss in case.diagnosis.losses
            for channel in loss.channels
            if channel.signal is signal
        ]
        # A hundred files may each leave the same span unread: it is hatched once, with the first one's reason.
        reasons = {(span, look): says for span, look, says in reversed(spans)}
        made = (axis.make_bar(span, look, shorten_sentence(says)) for (span, look), says in reasons.items())
        bars = tuple(bar for bar in made if bar is not None)
        series = next((one for one in (case.curve, case.heartbeats) if one is not None and one.signal is signal), None)
        if series is not None and series.times:
            peak = max((value for value in series.values if math.isfinite(value)), default=0.0)
            is_beat = signal is Signal.HEARTBEAT
            top = f"{peak:.3g} a minute" if is_beat else format_figure(peak, UNITS.get(series.name, "B"))
            height = _BEATS_HEIGHT if is_beat else _CURVE_HEIGHT
            curve = draw_outline(series, axis, y + _ROW, height - _ROW)
            yield Lane(signal.value, y, height, bars, curve, f"{shorten_name(series.name)}, peak {top}")
            y += height + _LANE_GAP
        elif bars:
            yield Lane(signal.value, y, _LANE_HEIGHT, bars)
            y += _LANE_HEIGHT + _LANE_GAP


def draw_outline(series: Series, axis: _Axis, y: float, height: float) -> str:
    """The area below the readings as an SVG path, broken where readings are missing."""
    readings = [pair for pair in zip(series.times, series.values, strict=True) if math.isfinite(pair[1])]
    peak = max((value for _, value in readings), default=0.0)
    # Of a smallest step that is next to nothing no reading would be near another.
    step = min((later - at for (at, _), (later, _) in pairwise(readings) if later > at), default=timedelta())
    runs: list[list[tuple[float, float]]] = []
    last: datetime | None = None
    for at, value in readings:
        place = (axis.place_instant(at), round(y + height * (1 - max(0.0, value) / peak if peak > 0 else 1), 1))
        if last is None or (at - last).total_seconds() > step.total_seconds() * _MISSING_STEPS:
            runs.append([])
        runs[-1].append(place)
        last = at
    # A reading that stands alone is as wide as a line.
    return "".join(
        f"M{run[0][0]:g} {y + height:g}L{'L'.join(f'{x:g} {top:g}' for x, top in run)}"
        f"L{max(run[-1][0], run[0][0] + 1):g} {y + height:g}Z"
        for run in runs
    )


def list_ticks(span: Window) -> Iterator[tuple[datetime, str]]:
    """Round instants along the axis and their labels: the time of day, or the day."""
    length, day = span.end - span.start, timedelta(days=1)
    least = length / _MAX_TICKS
    step = next((one for one in _TICK_STEPS if one >= least), day * math.ceil(least / day))
    base = span.start.replace(hour=0, minute=0, second=0, microsecond=0)
    for number in range(math.ceil((span.start - base) / step), (span.end - base) // step + 1):
        at = base + number * step
        yield at, f"{at:%H:%M}" if step < day and at.hour + at.minute else f"{at:%m-%d}"
