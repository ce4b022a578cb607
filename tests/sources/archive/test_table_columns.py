"""Times and numbers are read alike in a whole column, and what a column does not tell is told."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from vmdiag.completeness import MalformedRow
from vmdiag.sources.archive._table_columns import MEMORY_LIMIT, PendingRows, TableColumns
from vmdiag.sources.decoding.timestamps import LocalTime, format_iso, parse_time
from vmdiag.sources.files.memory_rows import RowResult

FILLER = "x" * 10_000


def column(name: str, cells: Iterable[object], offset: timedelta | None = None) -> tuple[list[object], list[str]]:
    """A column as it is read, and what is doubtful about it."""
    columns = TableColumns((RowResult(line, {name: cell, "other": FILLER}) for line, cell in enumerate(cells)), offset)
    rows = [cut.row[name] for cut in columns if isinstance(cut.row, dict)]
    return rows, columns.doubts


def times(*cells: object, name: str = "TimeGenerated [UTC]", offset: timedelta | None = None) -> list[str]:
    rows, _ = column(name, cells, offset)
    return [format_iso(parse_time(cell)) for cell in rows]


@pytest.mark.parametrize("name", ["TimeGenerated [UTC]", "TimeGenerated", "Time", "eventTimestamp", "Timestamp [UTC]"])
def test_one_thirteenth_settles_the_order_of_all_before_and_after_it(name: str) -> None:
    assert times("12/09/2026, 23:59", "13/09/2026, 0:00", "01/10/2026, 0:01", name=name) == [
        "2026-09-12T23:59:00Z",
        "2026-09-13T00:00:00Z",
        "2026-10-01T00:01:00Z",
    ]
    assert times("09/12/2026 23:59", "09/13/2026 00:00", name=name) == ["2026-09-12T23:59:00Z", "2026-09-13T00:00:00Z"]


def test_what_settles_may_come_after_more_than_memory_should_hold() -> None:
    many = 2 * MEMORY_LIMIT // len(FILLER)
    cells = ["12/09/2026 23:59"] * many + ["13/09/2026 00:00"]
    rows, doubts = column("Time", cells)

    assert not doubts
    assert set(rows[:-1]) == {"2026-09-12T23:59:00"}
    assert len(rows) == many + 1


def test_two_columns_of_a_file_are_settled_each_for_itself() -> None:
    rows = [
        {"Time": "12/09/2026 1:00", "End time": "09/12/2026 1:00"},
        {"Time": "13/09/2026", "End time": "09/13/2026"},
    ]
    (first, _) = TableColumns((RowResult(1, row) for row in rows), None)

    assert first.row == {"Time": "2026-09-12T01:00:00", "End time": "2026-09-12T01:00:00"}


@pytest.mark.parametrize(
    ("one", "two", "doubts", "read"),
    [
        (
            *("9/12/2026, 11:59:00.000 PM", "9/12/2026, 11:59:30.000\u202fPM", ["month first"]),
            ["2026-09-12T23:59:00Z", "2026-09-12T23:59:30Z"],
        ),
        (
            *("11/09/2026 23:59", "12/09/2026 00:00", ["11/09/2026 23:59", "day first"]),
            ["2026-09-11T23:59:00Z", "2026-09-12T00:00:00Z"],
        ),
        (
            *("03/02/2026 08:14", "03/02/2026 08:15", ["month first", "ISO 8601"]),
            ["2026-03-02T08:14:00Z", "2026-03-02T08:15:00Z"],
        ),
    ],
    ids=["am and pm are American", "rows lie near to one another", "nothing tells"],
)
def test_where_no_cell_settles_the_order_it_is_supposed_and_told(
    one: str, two: str, doubts: list[str], read: list[str]
) -> None:
    (doubt,) = column("Time", (one, two))[1]

    assert times(one, two) == read
    assert all(word in doubt for word in doubts)


@pytest.mark.parametrize("settled_first", [True, False])
def test_a_thirteenth_settles_the_order_whatever_am_looks_like(*, settled_first: bool) -> None:
    cells = ["2/9/2026, 9:00:00.000 AM", "3/9/2026, 9:00:00.000 AM", "14/9/2026, 9:00:00.000 AM"]
    read = times(*(reversed(cells) if settled_first else cells))

    assert sorted(read) == ["2026-09-02T09:00:00Z", "2026-09-03T09:00:00Z", "2026-09-14T09:00:00Z"]


def test_an_iso_time_in_the_same_column_shows_which_order_is_nearer() -> None:
    assert times("04/02/2021 07:45:00", "2021-02-04T07:46:00Z")[0] == "2021-02-04T07:45:00Z"


@pytest.mark.parametrize("cell", ["14.9.2026, 04:09", "2026/9/14 4:09", "14.09.2026 04:09:00", "9/9/2026 04:09"])
def test_a_date_that_can_be_read_in_one_way_only_raises_no_doubt(cell: str) -> None:
    rows, doubts = column("Time", [cell])

    assert not doubts
    assert parse_time(rows[0]) is not None


def test_a_cell_in_another_order_than_its_column_is_no_time_and_is_not_turned_round() -> None:
    rows, _ = column("Time", ["13/09/2026 00:00", "09/14/2026 00:00"])

    assert parse_time(rows[0])
    assert parse_time(rows[1]) is None


@pytest.mark.parametrize("name", ["TimeGenerated [Local Time]", "Time [Local]", "Timestamp [Europe/Berlin]"])
def test_a_local_time_is_no_instant_until_somebody_says_where(name: str) -> None:
    rows, _ = column(name, ["9/14/2026, 4:09:00.000 AM", "2026-09-14 04:09:00"])

    assert all(isinstance(cell, LocalTime) for cell in rows)
    assert times("9/14/2026, 4:09:00.000 AM", "2026-09-14 04:09", name=name, offset=timedelta(hours=2)) == [
        "2026-09-14T02:09:00Z",
        "2026-09-14T02:09:00Z",
    ]


def test_a_time_that_names_its_offset_is_what_it_says_wherever_it_stands() -> None:
    cells = ("2026-09-14T02:09:00Z", "2026-09-14T04:09:00+02:00")

    assert set(times(*cells, name="Time [Local Time]", offset=timedelta(hours=9))) == {"2026-09-14T02:09:00Z"}


def test_an_offset_concerns_only_columns_that_say_that_they_are_local() -> None:
    assert times("2026-09-14T02:09:00", "9/14/2026 2:09", name="Time", offset=timedelta(hours=2)) == [
        "2026-09-14T02:09:00Z",
        "2026-09-14T02:09:00Z",
    ]


@pytest.mark.parametrize(("zone", "hour"), [("UTC+02:00", 2), ("UTC-5", 9), ("+0530", -1.5), ("GMT", 4)])
def test_a_heading_may_name_the_offset_itself(zone: str, hour: float) -> None:
    (at,) = times("14.9.2026 04:00", name=f"Time [{zone}]")

    assert parse_time(at) == parse_time("2026-09-14T00:00:00Z") + timedelta(hours=hour)  # type: ignore[operator]


def numbers(*cells: object) -> list[object]:
    return column("Total", cells)[0]


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (("3500000,5", "1,234", "7"), ["3500000.5", "1.234", "7"]),
        (("1,234", "3,500,000", "7"), ["1234", "3500000", "7"]),
        (("1,234.5", "12"), ["1234.5", "12"]),
        (("1.234,5", "1.234"), ["1234.5", "1234"]),
        (("3.500.000", "1,5"), ["3500000", "1.5"]),
        (("3\u202f500\u202f000,25", "1 234"), ["3500000.25", "1234"]),
        (("1'234.5",), ["1234.5"]),
        (("123.456", "7"), ["123.456", "7"]),
        (("0,125",), ["0.125"]),
        (("1.5e6", "NaN", "", "null"), ["1.5e6", "", "", ""]),
        ((3.5, None), [3.5, None]),
    ],
)
def test_a_column_tells_what_its_commas_and_points_mean(cells: tuple[object, ...], read: list[object]) -> None:
    assert numbers(*cells) == read


def test_a_comma_that_may_be_either_is_not_read_and_told() -> None:
    rows, doubts = column("Total", ["1,234", "7,890"])

    assert rows == ["1,234", "7,890"]
    assert "1,234" in doubts[0]


def test_words_and_other_columns_are_left_alone() -> None:
    assert numbers("many", "1,5") == ["many", "1.5"]
    assert column("Level", ["1,5"]) == (["1,5"], [])


def test_what_is_no_record_keeps_its_place_while_rows_wait() -> None:
    rows: list[dict[str, object] | MalformedRow | None] = [
        {"Time": "12/09/2026 1:00"},
        None,
        MalformedRow("torn"),
        {"Time": "13/09/2026"},
    ]
    found = [cut.row for cut in TableColumns((RowResult(1, row) for row in rows), None)]

    assert found[1] is None
    assert found[2] is rows[2]
    assert [row["Time"] for row in found if isinstance(row, dict)] == ["2026-09-12T01:00:00", "2026-09-13T00:00:00"]


def test_rows_that_wait_come_back_as_they_were() -> None:
    held = PendingRows()
    rows = [
        RowResult(number, {"a": "ü\n", "n": 2**70, "f": 1.5, "none": None, "in": [{}]}, number) for number in range(3)
    ]
    for row in rows:
        held.add_row(row)

    assert list(held.drain_rows()) == rows
    assert not held
    held.close()
