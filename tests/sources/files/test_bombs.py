"""Small files that unpack to much: read in bounded memory and time, and what is good in them is still told."""

import gzip
from collections.abc import Iterator
from pathlib import Path

from vmdiag.sources.files.rows import read_rows
from vmdiag.sources.files.streams import TextStream
from vmdiag.sources.files.text_cursor import RECORD_LIMIT
from vmdiag.sources.items import MalformedRow

CHUNK = b"A" * (1 << 20)
GOOD = b'{"good":1}'


def bomb(path: Path, *parts: bytes) -> Path:
    with gzip.open(path, "wb", compresslevel=1) as file:
        for part in parts:
            file.write(part)
    return path


def cut(path: Path) -> Iterator[object]:
    with path.open("rb") as file:
        for one in read_rows(iter(TextStream(file, lambda _: None))):
            yield one.row.reason if isinstance(one.row, MalformedRow) else one.row


def test_a_string_without_an_end_in_sight_costs_its_record_and_no_more(tmp_path: Path) -> None:
    filler = [CHUNK] * (2 * RECORD_LIMIT // len(CHUNK))
    told = list(cut(bomb(tmp_path / "bomb.gz", b'[{"a":"', *filler, b'"},', GOOD, b"]")))

    assert told[-1] == {"good": 1}
    assert "no end within 32 MiB" in str(told[0])


def test_a_hundred_thousand_brackets_are_one_malformed_record(tmp_path: Path) -> None:
    told = list(cut(bomb(tmp_path / "deep.gz", b'[{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"},", GOOD, b"]")))

    assert told[-1] == {"good": 1}
    assert "deep" in str(told[0])


def test_blanks_without_end_stream_through(tmp_path: Path) -> None:
    blanks = [b" " * (1 << 20)] * 64
    assert list(cut(bomb(tmp_path / "blank.gz", *blanks, GOOD))) == [{"good": 1}]
