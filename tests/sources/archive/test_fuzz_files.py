"""Whatever a file holds, it is read or told: no crash, no endless reading, and what is good in it is still found."""

import gzip
import io
import string
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.sources.files.test_avro import captured, message
from tests.sources.packing import tar, unpack, zipped
from vmdiag.sources.archive._column_conventions import NumberColumn
from vmdiag.sources.archive._table_columns import TableColumns
from vmdiag.sources.decoding.fields import to_number
from vmdiag.sources.decoding.timestamps import parse_numeric_date, parse_time
from vmdiag.sources.files.memory_rows import RowResult
from vmdiag.sources.files.unsupported_files import detect_unsupported_file

FIXED = settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
LINES = b'{"a": 1}\n{"a": 2}\n'
ROWS = [{"a": 1}, {"a": 2}]
FILES = {"one.json": LINES, "dir/two.csv": b"a,b\n1,2\n", "three.json.gz": gzip.compress(LINES)}
WHOLE = {
    "tar": tar(FILES),
    "gnu": tar({f"{'long/' * 40}{name}": raw for name, raw in FILES.items()}, form=tarfile.GNU_FORMAT),
    "tgz": tar(FILES, "w:gz"),
    "zip": zipped(FILES),
    "stored": zipped(FILES, zipfile.ZIP_STORED),
    "avro": captured(message({"a": 1}), message({"a": 2}), None, codec="deflate"),
    "plain-avro": captured(message({"a": 1}), message({"a": 2})),
    "nested": zipped({"in.tar": tar(FILES), "in.zip": zipped(FILES)}),
}
DIGITS = "0123456789"
MARKS = st.text(DIGITS + ".,' \u00a0\u202f+-eE", max_size=20)
CLOCKS = st.from_regex(
    r"\A[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}([, T]{1,2}[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?)?"
    r"( ?[AaPp]\.?[Mm]\.?)?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?\Z"
)


@pytest.mark.parametrize("name", WHOLE)
@FIXED
@given(data=st.data())
def test_a_container_that_is_damaged_anywhere_is_read_or_told(name: str, data: st.DataObject) -> None:
    raw = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(["byte", "cut", "double", "zeros", "huge"])):
            case "byte":
                raw[at] = data.draw(st.integers(0, 255))
            case "cut":
                del raw[at : at + data.draw(st.integers(1, 600))]
            case "double":
                raw[at:at] = raw[at : at + 512]
            case "zeros":
                raw[at : at + 8] = bytes(8)
            case _:
                raw[at : at + 8] = b"\xff" * 8
        assume(raw)
    for seekable in (True, False):
        assert isinstance(unpack(bytes(raw), seekable=seekable), dict)


@pytest.mark.parametrize("name", WHOLE)
@FIXED
@given(data=st.data())
def test_a_container_that_was_cut_says_so_or_lacks_only_what_is_no_data(name: str, data: st.DataObject) -> None:
    raw = WHOLE[name]
    whole, found = unpack(raw), unpack(raw[: data.draw(st.integers(1, len(raw) - 1))])
    lost = {key: value for key, value in whole.items() if found.get(key) != value}

    assert not lost or found.keys() - whole.keys() or any(found[key] != whole[key] for key in found)


@FIXED
@given(before=st.binary(max_size=300), after=st.binary(max_size=300))
def test_what_is_good_in_a_container_is_read_whatever_lies_beside_it(before: bytes, after: bytes) -> None:
    files = {"a": before, "good": LINES, "z": after}
    for raw in (tar(files), zipped(files)):
        assert unpack(raw)["a/good"] == ROWS


@FIXED
@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_told(raw: bytes) -> None:
    assert isinstance(unpack(raw), dict)
    assert isinstance(unpack(gzip.compress(raw)), dict)


@FIXED
@given(st.text(string.printable + "\x1b\r\0é", max_size=400))
def test_any_text_is_read_or_told_in_words(text: str) -> None:
    for encoding in ("utf-8", "utf-16"):
        raw = text.encode(encoding)
        refused = detect_unsupported_file(raw)
        assert refused is None or str(refused).isprintable()
        assert isinstance(unpack(raw), dict)


@FIXED
@given(CLOCKS)
def test_any_numeric_date_is_a_time_of_azures_years_or_none(written: str) -> None:
    at = parse_time(written)
    date = parse_numeric_date(written)

    assert at is None or (at.tzinfo is UTC and 2009 <= at.year <= 2101)
    assert date is None or date.month_first in {None, True, False}


@FIXED
@given(st.datetimes(datetime(2011, 1, 1), datetime(2099, 1, 1)), st.integers(0, 9))  # noqa: DTZ001 - zones follow
def test_digits_of_a_second_are_cut_and_never_move_it(at: datetime, digits: int) -> None:
    fraction = f"{at.microsecond:06}999"[:digits]
    written = f"{at:%Y-%m-%dT%H:%M:%S}{'.' if digits else ''}{fraction}Z"
    expected = at.replace(microsecond=int(fraction.ljust(6, "0")[:6]), tzinfo=UTC)

    assert parse_time(written) == expected
    assert parse_time(f"{at:%m/%d/%Y %H:%M:%S}{'.' if digits else ''}{fraction} Z") in {
        expected,
        parse_time(f"{at:%d/%m/%Y %H:%M:%S}{'.' if digits else ''}{fraction} Z"),
    }
    assert parse_time(f"{int(expected.replace(microsecond=0).timestamp())}") == expected.replace(microsecond=0)


@FIXED
@given(st.lists(st.datetimes(datetime(2025, 9, 1), datetime(2025, 11, 30)), min_size=1, max_size=40), st.booleans())  # noqa: DTZ001
def test_a_column_of_either_order_is_read_right_once_one_cell_tells(times: list[datetime], month_first: bool) -> None:  # noqa: FBT001
    form = "%m/%d/%Y %H:%M:%S" if month_first else "%d/%m/%Y %H:%M:%S"
    exact = [at.replace(microsecond=0, tzinfo=UTC) for at in (*times, datetime(2025, 10, 13))]  # noqa: DTZ001
    columns = TableColumns((RowResult(1, {"Time": f"{at:{form}}"}) for at in exact), None)

    assert [parse_time(cut.row["Time"]) for cut in columns if isinstance(cut.row, dict)] == exact
    assert not columns.doubts


@FIXED
@given(st.lists(st.one_of(CLOCKS, st.text(max_size=30), st.none(), st.integers()), max_size=20))
def test_no_row_of_a_column_is_lost_or_changes_place(cells: list[object]) -> None:
    for offset in (None, timedelta(hours=2)):
        columns = TableColumns(
            (RowResult(line, {"Time [Local]": cell, "Total": cell}) for line, cell in enumerate(cells)), offset
        )

        assert [cut.line for cut in columns] == list(range(len(cells)))


@FIXED
@given(st.lists(MARKS, max_size=12))
def test_any_number_of_a_column_is_read_or_left_as_it_was(cells: list[str]) -> None:
    column = NumberColumn("Total")
    for cell in cells:
        column.learn_from_cell(cell)
    assert all(isinstance(doubt, str) for doubt in column.decide_meaning())
    for cell in cells:
        assert isinstance(column.normalise_cell(cell), str)


@FIXED
@given(
    st.lists(st.floats(0, 1e9).map(lambda value: round(value, 2)), min_size=1, max_size=12),
    st.sampled_from([(".", ""), (",", ""), (".", ","), (",", "."), (",", "\u202f"), (",", "\u00a0"), (".", "'")]),
)
def test_numbers_of_any_place_are_read_right_once_one_cell_tells(values: list[float], marks: tuple[str, str]) -> None:
    decimal, thousands = marks
    swap = str.maketrans({",": thousands, ".": decimal})
    cells = [f"{value:,.2f}".translate(swap) for value in (*values, 0.25)]
    column = NumberColumn("Total")
    for cell in cells:
        column.learn_from_cell(cell)

    assert not list(column.decide_meaning())
    assert [to_number(column.normalise_cell(cell)) for cell in cells] == [*values, 0.25]


def test_a_zip_with_a_list_that_has_no_end_is_not_waited_for() -> None:
    out = io.BytesIO(zipped(FILES))
    raw = bytearray(out.getvalue())
    end = raw.rindex(b"PK\x05\x06")
    raw[end + 12 : end + 16] = (0xFFFFFFF0).to_bytes(4, "little")

    assert "damaged" in str(unpack(bytes(raw)))
