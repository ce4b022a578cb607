"""Gzip that is whole, cut or damaged gives the same text and the same words, whatever unpacks it, ahead or not."""

import gzip
import io
import itertools
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli import story
from tests.conftest import WITHOUT_FAST
from vmdiag.sources.files.streams import CHUNK_SIZE, TextStream

DRAW = random.Random(3)  # noqa: S311 - the same text each time
LETTERS = 'abcdefghijklmnopqrstuvwxyz{}":,\n '
TEXT = "".join(DRAW.choices(LETTERS, k=2 * CHUNK_SIZE + 5)).encode()
PACKED = gzip.compress(TEXT, 6)


def unpack(raw: bytes, *, fast: bool = False, reads_ahead: bool = False) -> tuple[bytes, str | None]:
    file = io.BytesIO(raw)
    stream = TextStream(file, lambda _: None, original=file if fast else None, reads_ahead=reads_ahead)
    return b"".join(stream), stream.damage


@settings(max_examples=60, derandomize=True)
@given(
    place=st.integers(0, len(PACKED) - 1),
    bit=st.integers(0, 8),
    tail=st.sampled_from([b"", b"\0" * 9, b"x", PACKED, PACKED[:-9]]),
)
def test_what_is_damaged_anywhere_is_told_alike_by_the_fast_library(place: int, bit: int, tail: bytes) -> None:
    pytest.importorskip("isal")
    raw = PACKED[:place] if bit > 7 else PACKED[:place] + bytes([PACKED[place] ^ 1 << bit]) + PACKED[place + 1 :]
    plain = unpack(raw + tail)

    assert unpack(raw + tail, fast=True) == plain
    assert unpack(raw + tail, fast=True, reads_ahead=True) == unpack(raw + tail, reads_ahead=True) == plain


def test_what_stands_before_a_damage_is_given_to_the_byte() -> None:
    place = len(PACKED) // 2
    text, damage = unpack(PACKED[:place] + bytes(1_000) + PACKED[place + 1_000 :])
    whole, cut = unpack(PACKED[:place])

    assert damage is not None
    assert damage.startswith("the compressed file is damaged")
    assert cut == "the compressed file is cut short"
    # Two symbols of at most 258 bytes may be made of the last whole byte and what stands there instead.
    assert len(whole) - 600 < len(text)
    assert TEXT.startswith(whole)


def test_what_is_read_ahead_is_reported_by_who_asked_and_ends_with_them() -> None:
    told: list[int] = []
    stream = TextStream(io.BytesIO(PACKED), told.append, reads_ahead=True)
    first = list(itertools.islice(iter(stream), 1))
    rest = TextStream(io.BytesIO(PACKED), told.append, reads_ahead=True)

    assert TEXT.startswith(first[0])
    told.clear()
    assert b"".join(rest) == TEXT
    assert sum(told) == len(PACKED) - min(len(PACKED), CHUNK_SIZE)


def test_with_the_library_and_without_the_report_is_the_same(tmp_path: Path) -> None:
    pytest.importorskip("isal")
    log = story.write_log(tmp_path, story.make_affected_log())
    packed = tmp_path / "packed.json.gz"
    # Of less than a megabyte all is read whole, whatever is asked for.
    more = "".join(json.dumps({"filler": DRAW.randbytes(1_000).hex()}) + "\n" for _ in range(1_200))
    packed.write_bytes(gzip.compress(log.read_bytes() + b"\n" + more.encode()))
    check = ["check", "--source", str(packed), "-o", "ndjson"]
    ways = [
        [sys.executable, "-c", program, *check, *more]
        for program in (WITHOUT_FAST, "from vmdiag.__main__ import run; run()")
        for more in (["--processes", "1"], ["--processes", "2"], ["--exact-scan"])
    ]
    ran = [subprocess.run(each, capture_output=True, check=False) for each in ways]

    assert ran[0].returncode == 1
    assert [(each.returncode, each.stdout, each.stderr) for each in ran] == [(1, ran[0].stdout, ran[0].stderr)] * 6
