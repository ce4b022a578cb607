"""Times and spans as people write them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmdiag.cli.options import parse_time, resolve_time
from vmdiag.errors import UsageError

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("30s", timedelta(seconds=30)),
        ("90m", timedelta(minutes=90)),
        ("24h", timedelta(hours=24)),
        ("14d", timedelta(days=14)),
        ("1w", timedelta(weeks=1)),
        (" 1w ", timedelta(weeks=1)),
    ],
)
def test_a_number_and_a_unit_are_a_span(text: str, span: timedelta) -> None:
    assert parse_time(text, "--since") == span


@pytest.mark.parametrize(
    "text",
    ["2026-03-02T08:14", "2026-03-02 08:14:00", "2026-03-02T08:14:00.0000000Z", "2026-03-02T10:14+02:00",
     "20260302T0814Z"],
)  # fmt: skip
def test_an_iso_time_is_read_in_utc(text: str) -> None:
    assert parse_time(text, "--since") == datetime(2026, 3, 2, 8, 14, tzinfo=UTC)
    assert parse_time("2026-03-02", "--since") == datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "14", "-1d", "1.5h", "1y", "٣d", "2026-13-01", "99999999999d", "0001-01-01T00:00+14:00",
     "24:00", "08:60", "8:1", ":16", "08:16 pm", "٠٨:١٦", "08:16+99:00", "1:2:3:4"],
)  # fmt: skip
def test_anything_else_is_a_usage_error_that_shows_both_forms(text: str) -> None:
    with pytest.raises(UsageError, match="--until") as caught:
        parse_time(text, "--until")

    assert "24h" in caught.value.hint
    assert "2026-03-02T08:14Z" in caught.value.hint


def test_a_span_that_ends_before_the_year_1_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="year 1"):
        resolve_time("9999999d", "--until", NOW)


@given(st.text())
def test_no_text_is_a_defect(text: str) -> None:
    try:
        found = resolve_time(text, "--until", NOW)
    except UsageError:
        return
    assert found.tzinfo is UTC


@given(st.datetimes(timezones=st.timezones()))
def test_every_time_that_has_an_offset_means_that_instant(at: datetime) -> None:
    try:
        expected = at.astimezone(UTC)
    except OverflowError:
        return
    assert parse_time(at.isoformat(), "--since") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", "2026-03-02T08:30"),
        ("08:16", "2026-03-02T08:16"),
        ("08:16Z", "2026-03-02T08:16"),
        ("8:16z", "2026-03-02T08:16"),
        ("08:16:30", "2026-03-02T08:16:30"),
        ("10:00", "2026-03-01T10:00"),  # not before, but now
        ("10:01", "2026-03-01T10:01"),
        ("23:59", "2026-03-01T23:59"),
        ("09:30+02:00", "2026-03-02T07:30"),
        ("01:00+02:00", "2026-03-01T23:00"),
        ("23:00-02:00", "2026-03-02T01:00"),
    ],
)
def test_a_span_counts_back_from_now_and_a_time_of_day_is_the_latest_before(text: str, expected: str) -> None:
    assert resolve_time(text, "--until", NOW) == datetime.fromisoformat(expected).replace(tzinfo=UTC)
