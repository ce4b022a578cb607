"""Every spelling of a time that Azure's feeds use, and what is no time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.reading import vm
from vmdiag.completeness import MalformedRow
from vmdiag.sources.decoding.timestamps import (
    LocalTime,
    find_newest_time,
    format_iso,
    parse_ticks,
    parse_time,
    parse_times,
    require_time,
)

AT = datetime(2021, 2, 4, 7, 45, 44, tzinfo=UTC)


SPELLINGS: list[object] = [
    "2021-02-04T07:45:44Z", "2021-02-04T07:45:44.0Z", "2021-02-04T07:45:44.000000000Z", "2021-02-04T07:45:44+00:00",
    "2021-02-04T09:45:44+02:00", "2021-02-04T07:45:44", "2021-02-04 07:45:44 UTC", "2021-02-04 07:45:44 +00:00",
    "2021-02-04T07: 45: 44Z", "Thu, 04 Feb 2021 07:45:44 GMT", "Mon, 04 Feb 2021 07:45:44 GMT", "2/4/2021, 7:45:44 AM",
    "2/4/2021, 7:45:44.000\u202fAM", "02/04/2021 07:45:44", "02/04/2021 07:45:44 Z", "2021/2/4 7:45:44",
    "2021/02/04 07:45:44 AM", "4.2.2021, 07:45:44", "04.02.2021 07:45:44,000", "4-2-2021 07:45:44",
    "2/4/2021, 7:45:44 a.m.", "2021-02-04, 7:45:44 a. m.", "/Date(1612424744000)/", "\\/Date(1612424744000+0200)\\/",
    pytest.param(1_612_424_744_000, id="milliseconds"), pytest.param(1_612_424_744, id="seconds"), 1_612_424_744.0,
    "1612424744000", "1612424744", "1612424744.000", "1612424744000000", "1612424744000000000", "20210204T074544Z",
]  # fmt: skip


@pytest.mark.parametrize("written", SPELLINGS)
def test_one_instant_has_many_spellings(written: object) -> None:
    assert parse_time(written) == AT


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2021-02-04T07:45:44.5864815Z", AT.replace(microsecond=586481)),
        ("2021-02-04T07:45:44.58Z", AT.replace(microsecond=580000)),
        ("6/12/2020, 1:07:46.766 PM", datetime(2020, 6, 12, 13, 7, 46, 766000, tzinfo=UTC)),
        ("6/12/2020, 12:07:46 AM", datetime(2020, 6, 12, 0, 7, 46, tzinfo=UTC)),
        ("6/12/2020, 12:07 PM", datetime(2020, 6, 12, 12, 7, tzinfo=UTC)),
        ("2021-12-31T23:59:59.9999999Z", datetime(2021, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("12/31/2021, 11:59:59.999999999 PM", datetime(2021, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("1612424744.9999999", AT.replace(microsecond=999999)),
        ("1612424744999999999", AT.replace(microsecond=999999)),
        ("2021-02-04T24:00:00Z", datetime(2021, 2, 5, tzinfo=UTC)),
        ("2021-12-31 24:00:00", datetime(2022, 1, 1, tzinfo=UTC)),
        ("4.2.2021 24:00", datetime(2021, 2, 5, tzinfo=UTC)),
        ("2012010112345", datetime(2033, 10, 4, 3, 41, 52, 345000, tzinfo=UTC)),
        ("25/02/2021 07:45:44", datetime(2021, 2, 25, 7, 45, 44, tzinfo=UTC)),
    ],
)
def test_fractions_halves_of_the_day_and_day_first_are_read(written: str, at: datetime) -> None:
    assert parse_time(written) == at


NO_TIMES: list[object] = [
    "", "now", "0001-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2009-12-31T23:59:59Z",
    "2101-01-01T00:00:00Z", "31/31/2021 07:45:44", "2/30/2021, 7:45:44 AM", "Thu, 04 Foo 2021 07:45:44 GMT",
    "31.2.2021 07:45:44", "1/1/2021 07:45:44 -3000", "0/0/0000T0:00-2500", "4.2.2021 24:00:01", "2/4/2021, 0:45:44 PM",
    "2/4/21 07:45:44", "/Date(-62135568000000)/", "1e9", float("nan"), float("inf"), 10**40,
    LocalTime("2021-02-04T07:45:44"), "2021-02-04T07:45:44Z" + " " * 100_000, None, 161_467_284, True,
]  # fmt: skip


@pytest.mark.parametrize("written", NO_TIMES)
def test_what_names_no_time_of_azures_is_none(written: object) -> None:
    assert parse_time(written) is None


def test_many_times_are_read_as_each_of_them_alone() -> None:
    usual = ["2021-02-04T07:45:44.5864815Z", "2021-02-04T07:46:44Z"]
    odd = ["2021-W05-4", "20210204T074544Z", "0001-01-01T00:00:00Z", "x", None, 1_612_424_744, LocalTime(usual[0])]
    for other in (*odd, "2021-02-04T09:45:44+02:00", "2021-02-04T07:45:44", usual[0]):
        assert parse_times([*usual, other]) == [*map(parse_time, usual), parse_time(other)]
    assert parse_times([]) == []


@given(
    st.text() | st.from_regex(r"[0-9]{1,5}[-/ ][0-9A-Za-z]{1,3}[-/ ][0-9]{1,5}[T, ]+[0-9:. ]*(AM|PM|Z|GMT|[+-]99:99)?")
)
def test_any_text_is_a_time_or_none(written: str) -> None:
    at = parse_time(written)
    assert at is None or at.tzinfo is UTC


@given(st.datetimes(datetime(2010, 1, 2), datetime(2100, 12, 30)), st.integers(-840, 840))  # noqa: DTZ001 - zones follow
def test_a_written_time_is_read_back(at: datetime, minutes: int) -> None:
    shown = (at.replace(tzinfo=UTC) + timedelta(minutes=minutes)).replace(tzinfo=None).isoformat()
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"

    assert parse_time(shown + zone) == at.replace(tzinfo=UTC)
    assert parse_time(format_iso(at.replace(tzinfo=UTC))) == at.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("ticks", "at"),
    [
        ("636716720236500000", datetime(2018, 9, 4, 15, 33, 43, 650000, tzinfo=UTC)),
        *((none, None) for none in ("", "x", "-1", "1", "9" * 18, "9" * 19, "9" * 5000, "²" * 18)),
    ],
)
def test_ticks_decode_to_the_instant_or_to_none(ticks: str, at: datetime | None) -> None:
    assert parse_ticks(ticks) == at


def test_the_first_usable_time_counts() -> None:
    assert require_time(None, None, "0001-01-01T00:00:00", "2021-02-04T07:45:44Z", "2022-01-01") == AT
    assert require_time(None, AT) == AT


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (("0001-01-01T00:00:00",), "no usable time: '0001"),
        ((None, ""), "no time"),
        ((LocalTime("2/4/2021, 7:45:44 AM"),), "--utc-offset"),
    ],
)
def test_without_a_usable_time_the_vm_concerned_is_told(values: tuple[object, ...], reason: str) -> None:
    with pytest.raises(MalformedRow, match=reason) as told:
        require_time(vm(), *values)
    assert told.value.vm == vm()


@pytest.mark.parametrize(
    "row",
    [
        {"eventTimestamp": "2021-02-04T07:45:44Z", "other": "2022-02-04T07:45:44Z"},
        {"properties": {"startDate": "2021-02-04T07:45:44Z", "endTime": "9999-12-31T23:59:59"}},
        {"timeseries": [{"data": [{"timeStamp": "2021-02-04T07:44:44Z"}, {"timeStamp": "2021-02-04T07:45:44Z"}]}]},
    ],
)
def test_the_newest_time_of_a_record_is_found_wherever_it_stands(row: dict[str, object]) -> None:
    assert find_newest_time(row) == AT


def test_a_record_without_a_time_has_none() -> None:
    assert find_newest_time({"name": "2021-02-04T07:45:44Z", "timeout": "soon", "deep": [[[{"x": []}]]]}) is None
