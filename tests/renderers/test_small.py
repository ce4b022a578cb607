"""The small things that formats are made of: spans, clocks, curves."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.renderers import cases
from vmdiag.diagnosis.traffic_losses import format_figure
from vmdiag.model import Series, Signal, Window
from vmdiag.renderers.csv import COLUMNS
from vmdiag.wording import timeline_view
from vmdiag.wording.plain_text import ShortTimeFormat, format_duration, format_iso, format_window

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (115, "1 min 55 s"), (6240, "1 h 44 min"), (90_000, "1 d 1 h"),
     (86_400, "1 d"), (-60, "1 min")],
)  # fmt: skip
def test_a_span_is_told_in_its_two_largest_units(seconds: int, told: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == told


def test_times_are_whole_seconds_of_utc() -> None:
    assert format_iso(NOON + timedelta(microseconds=999_999)) == "2026-03-02T12:00:00Z"


def test_a_clock_leaves_out_what_all_times_share() -> None:
    hour = timedelta(hours=1)

    assert ShortTimeFormat.fit_to_times([NOON, NOON + hour])(NOON) == "12:00:00"
    assert ShortTimeFormat.fit_to_times([NOON, NOON + 24 * hour])(NOON) == "03-02 12:00:00"
    assert ShortTimeFormat.fit_to_times([NOON, NOON - 9000 * hour])(NOON) == "2026-03-02 12:00:00"
    assert ShortTimeFormat.fit_to_times([])(None) == ""
    assert format_window(NOON, NOON + 24 * hour) == "2026-03-02 12:00 to 2026-03-03 12:00 UTC"


def test_a_trickle_does_not_look_like_silence_and_absence_not_like_nothing() -> None:
    times = tuple(NOON + timedelta(minutes=step) for step in (0, 1, 2, 4))
    series = Series(name="x", signal=Signal.TRAFFIC, times=times, values=(100.0, 10.0, 0.0, 50.0))
    window = Window(times[0], times[-1])

    assert timeline_view.count_columns(series, 80) == 5
    assert timeline_view.draw_sparkline(series, window, 5, timeline_view.UNICODE) == "█▂▁·▅"
    assert timeline_view.draw_sparkline(series, window, 5, timeline_view.ASCII) == "#._ ="


def test_a_curve_of_nothing_lies_on_the_floor() -> None:
    series = Series(name="x", signal=Signal.TRAFFIC, times=(NOON, NOON), values=(0.0, float("nan")))

    assert timeline_view.draw_sparkline(series, Window(NOON, NOON), 1, timeline_view.UNICODE) == "▁"
    assert timeline_view.count_columns(series, 80) == 1


def test_markers_point_at_their_columns_and_do_not_cross() -> None:
    window = Window(NOON, NOON + timedelta(minutes=10))
    marks = [(NOON + timedelta(minutes=minute), f"at {minute}") for minute in (7, 2, 7)]
    outside = (NOON - timedelta(minutes=1), "before")

    assert list(timeline_view.draw_markers([*marks, outside], window, 10, timeline_view.UNICODE)) == [
        "  │    └ at 7, at 7",
        "  └ at 2",
    ]


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (0, "B", "0 B a minute"),
        (1240, "B", "1.24 kB a minute"),
        (17.5e6 / 5, "B", "3.5 MB a minute"),
        (3e9, "B", "3 GB a minute"),
        (12.4, "flows", "12.4 flows"),
    ],
)
def test_a_figure_of_traffic_has_its_unit(value: float, unit: str, told: str) -> None:
    assert format_figure(value, unit) == told


def test_every_row_has_the_header_that_is_promised() -> None:
    from tests.renderers.gallery import render_report

    header, *rows = render_report("csv", cases.make_report(cases.make_fleet())).splitlines()

    assert header == ",".join(COLUMNS)
    assert len(rows) == 6


def test_machine_formats_do_not_load_rich() -> None:
    import subprocess
    import sys

    told = "import sys, vmdiag.renderers.json, vmdiag.renderers.ndjson, vmdiag.renderers.csv"
    told += ", vmdiag.renderers.markdown; assert not any(name.split('.')[0] == 'rich' for name in sys.modules)"

    subprocess.run([sys.executable, "-c", told], check=True)
