"""Tables as text; and small files that unpack to much, read in bounded memory, of which the good is still told."""

import gzip
import io
from pathlib import Path

import pytest

from vmdiag.completeness import MalformedRow
from vmdiag.sources.files.rows import LONGEST_NAME, read_rows
from vmdiag.sources.files.streams import TextStream
from vmdiag.sources.files.text_cursor import RECORD_LIMIT


def cut(raw: bytes | str | Path) -> list[tuple[int, object]]:
    with raw.open("rb") if isinstance(raw, Path) else io.BytesIO(raw.encode() if isinstance(raw, str) else raw) as file:
        found = list(read_rows(iter(TextStream(file, lambda _: None))))
    return [(one.line, one.row.reason if isinstance(one.row, MalformedRow) else one.row) for one in found]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_row_is_told_by_its_columns_with_the_line_it_begins_in(separator: str, end: str) -> None:
    table = [["Time", "Operation name"], ["08:14", f'"two{end}lines, and ""quotes"""'], ["08:16", "Restart"]]

    told = cut(end.join(separator.join(row) for row in table))

    assert told == [
        (2, {"Time": "08:14", "Operation name": f'two{end}lines, and "quotes"'}),
        (4, {"Time": "08:16", "Operation name": "Restart"}),
    ]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (
            '\ufeff"TimeGenerated [UTC]","_ResourceId"\n"3/2/2026, 8:14:05.123 AM",/x\n',
            [(2, {"TimeGenerated [UTC]": "3/2/2026, 8:14:05.123 AM", "_ResourceId": "/x"})],
        ),
        ("Time,Operation name\n", [(2, None)]),
        (b"a,b\n\xe9,\0\n", [(2, {"a": "\N{REPLACEMENT CHARACTER}", "b": "\0"})]),
        (
            "a,b\n1\n1,2\n1,2,3\n\n4,5",
            [
                (2, "a row of 1 cells in a table of 2 columns"),
                (3, {"a": "1", "b": "2"}),
                (4, "a row of 3 cells in a table of 2 columns"),
                (6, {"a": "4", "b": "5"}),
            ],
        ),
    ],
    ids=["as the portal likes", "without rows", "no text", "too few or too many cells"],
)
def test_a_table_is_read_and_what_is_odd_in_it_costs_only_itself(raw: bytes | str, told: list[object]) -> None:
    assert cut(raw) == told


def test_a_cell_beyond_the_limit_costs_only_itself() -> None:
    told = cut(b"a,b\n1," + b"x" * (2 * RECORD_LIMIT) + b"\n3,4\n")

    assert [row for _, row in told if isinstance(row, dict)] == [{"a": "3", "b": "4"}]
    assert len(told) == 2


@pytest.mark.parametrize(
    "line", ["Content", "a,a", "a,,b", '{"a": 1, "b": 2', '"x": 1, "y": 2}', "[1, 2", f"a,{'b' * LONGEST_NAME}"]
)
def test_what_is_no_header_begins_no_table(line: str) -> None:
    told = cut(f'{line}\n{{"k": 1}}\n')
    assert told[-1] == (2, {"k": 1})


def test_a_line_with_commas_above_json_is_no_header() -> None:
    assert cut('Content, of blob\n{"k": 1}\n')[-1] == (2, {"k": 1})


CHUNK = b"A" * (1 << 20)
GOOD = b'{"good":1}'


def bomb(path: Path, *parts: bytes) -> Path:
    with gzip.open(path, "wb", compresslevel=1) as file:
        for part in parts:
            file.write(part)
    return path


def test_a_string_without_an_end_in_sight_costs_its_record_and_no_more(tmp_path: Path) -> None:
    filler = [CHUNK] * (2 * RECORD_LIMIT // len(CHUNK))
    (_, first), *_, (_, last) = cut(bomb(tmp_path / "bomb.gz", b'[{"a":"', *filler, b'"},', GOOD, b"]"))

    assert last == {"good": 1}
    assert "no end within 32 MiB" in str(first)


def test_a_hundred_thousand_brackets_are_one_malformed_record(tmp_path: Path) -> None:
    brackets = b"[" * 100_000 + b"]" * 100_000
    (_, first), *_, (_, last) = cut(bomb(tmp_path / "deep.gz", b'[{"a":', brackets, b"},", GOOD, b"]"))

    assert last == {"good": 1}
    assert "deep" in str(first)


def test_blanks_without_end_stream_through(tmp_path: Path) -> None:
    blanks = [b" " * (1 << 20)] * 64
    assert [row for _, row in cut(bomb(tmp_path / "blank.gz", *blanks, GOOD))] == [{"good": 1}]
