"""Tars and zips are read as the folder that was packed; what is wrong with one costs no more than it must."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.sources.packing import tar, unpack, unpack_file, zipped
from vmdiag.sources.files.input_files import DEPTH_LIMIT
from vmdiag.sources.files.streams import CHUNK_SIZE, FREE_BYTES

BLOB = "insights-logs-administrative/resourceId=/SUBSCRIPTIONS/S/y=2026/m=03/d=02/h=08/m=00/PT1H.json"
LINES = b'{"a": 1}\n{"a": 2}\n'
ROWS = [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_is_read_like_the_folder_that_was_packed(form: int, mode: str) -> None:
    assert unpack(tar({BLOB: LINES, "b.json": b"[]"}, mode, form)) == {f"a/{BLOB}": ROWS, "a/b.json": [None]}


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_name_longer_than_a_header_has_room_for_is_kept(form: int) -> None:
    name = f"{'x' * 120}/é{'y' * 90}.json"
    assert unpack(tar({name: LINES}, form=form)) == {f"a/{name}": ROWS}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("seekable", [True, False])
def test_a_zip_is_read_like_the_folder_that_was_packed(method: int, seekable: bool) -> None:  # noqa: FBT001 - a parameter
    assert unpack(zipped({BLOB: LINES, "b.json": b"[]"}, method), seekable=seekable) == {
        f"a/{BLOB}": ROWS,
        "a/b.json": [None],
    }


def test_what_is_packed_inside_is_unpacked_as_well() -> None:
    inner = tar({"log.json.gz": gzip.compress(LINES), "b.json": b"{}"})
    assert unpack(zipped({"in.tar": inner})) == {"a/in.tar/log.json.gz": ROWS, "a/in.tar/b.json": [None]}


def test_a_container_is_told_by_its_content_and_never_by_its_name() -> None:
    found = unpack(tar({"log.zip": LINES, "log.tar": b"a,b\n1,2\n", "log.json": zipped({"x": LINES})}))
    assert found == {"a/log.zip": ROWS, "a/log.tar": [{"a": "1", "b": "2"}], "a/log.json/x": ROWS}


def test_text_that_mentions_a_signature_is_text() -> None:
    assert unpack(b'{"a": "PK\\u0003\\u0004 ustar Obj"}\n') == {"a": [{"a": "PK\x03\x04 ustar Obj"}]}
    assert unpack(b"PK,id\n1,2\n") == {"a": [{"PK": "1", "id": "2"}]}


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\windows\\x.json", "..\\x"])
def test_a_name_that_points_outside_is_only_a_label(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for raw in (tar({name: LINES}), zipped({name: LINES})):
        assert list(unpack(raw).values()) == [ROWS]

    assert not list(tmp_path.iterdir())


def test_links_and_devices_in_a_tar_are_told_and_folders_passed_over() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE):
            member = tarfile.TarInfo(f"kind{kind.decode()}")
            member.type, member.linkname = kind, "/etc/shadow"
            archive.addfile(member)
        member = tarfile.TarInfo("log.json")
        member.size = len(LINES)
        archive.addfile(member, io.BytesIO(LINES))
    found = unpack(out.getvalue())

    assert found.pop("a/log.json") == ROWS
    assert len(found) == 4
    assert {str(why).partition(":")[0] for why in found.values()} == {"a link or a device inside a tar"}


def test_links_and_locked_members_of_a_zip_are_told() -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/shadow")
        archive.writestr("locked", "secret")
        archive.writestr("bz2", LINES, zipfile.ZIP_BZIP2)
        archive.writestr("log.json", LINES)
    raw = bytearray(out.getvalue())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.index(b"locked") if signature == b"PK\x03\x04" else raw.rindex(b"locked")
        raw[raw.rindex(signature, 0, at) + flags] |= 1
    found = unpack(bytes(raw))

    assert found["a/log.json"] == ROWS
    assert "a link" in str(found["a/link"])
    assert "encrypted" in str(found["a/locked"])
    assert "unusual" in str(found["a/bz2"])


@pytest.mark.parametrize("keep", [100, 600, 1100, 3000])
def test_a_tar_that_was_cut_gives_what_it_holds_and_says_that_it_was_cut(keep: int) -> None:
    whole = tar({"a.json": LINES, "b.json": LINES * 100}, form=tarfile.USTAR_FORMAT)
    found = unpack(whole[:keep])

    assert keep < 1000 or found["a/a.json"] == ROWS
    assert any(word in str(found) for word in ("cut short", "ends inside", "neither JSON", "damaged", "binary"))


def test_a_tar_without_its_end_mark_was_cut_between_two_members() -> None:
    whole = tar({"a.json": LINES, "b.json": LINES}, form=tarfile.USTAR_FORMAT)
    assert unpack(whole[:1024]) == {"a/a.json": ROWS, "a!": "the tar ends without its end mark: it was cut short"}


@pytest.mark.parametrize("keep", [512, 700, 1024])
@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_that_was_cut_inside_a_long_name_says_so(form: int, keep: int) -> None:
    found = unpack(tar({"x" * 200: LINES}, form=form)[:keep])
    assert "cut short" in str(found["a!"])


def test_a_tar_in_a_gzip_that_was_cut_says_so() -> None:
    found = unpack(gzip.compress(tar({"a.json": LINES, "b.json": b"[]" * 5000}))[:-20])

    assert found["a/a.json"] == ROWS
    assert "cut short" in str(found["a!"])


def test_a_damaged_header_ends_a_tar_and_keeps_what_came_before() -> None:
    raw = bytearray(tar({"a.json": LINES, "b.json": LINES}, form=tarfile.USTAR_FORMAT))
    raw[1024 + 10] ^= 0xFF

    assert unpack(bytes(raw)) == {"a/a.json": ROWS, "a!": "the tar is damaged or cut short"}


def test_a_zip_that_was_cut_has_lost_its_list_and_says_so() -> None:
    assert "damaged or cut short" in str(unpack(zipped({"a.json": LINES})[:-10])["a!"])


def test_a_damaged_member_of_a_zip_costs_only_itself() -> None:
    raw = bytearray(zipped({"a.json": LINES, "b.json": LINES}, zipfile.ZIP_STORED))
    raw[raw.index(LINES) + 6] ^= 1
    found = unpack(bytes(raw))

    assert found["a/b.json"] == ROWS
    assert "damaged inside the zip" in str(found["a/a.json"])


@pytest.mark.parametrize("name", ["[Content_Types].xml", "META-INF/manifest.xml"])
def test_a_workbook_is_refused_though_it_is_a_zip(name: str) -> None:
    found = unpack(zipped({name: b"<x/>", "xl/sharedStrings.xml": b"<x/>"}))

    assert "CSV UTF-8" in str(found.pop("a"))
    assert not found


def test_packing_deeper_than_people_do_is_refused() -> None:
    raw = LINES
    for _ in range(DEPTH_LIMIT + 1):
        raw = tar({"x": raw})

    assert list(unpack(raw)) == ["a/x/x/x"]
    assert "deep" in str(unpack(raw)["a/x/x/x"])


def zeros(size: int) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9, mtime=0) as file:
        for _ in range(size // CHUNK_SIZE):
            file.write(b" " * CHUNK_SIZE)
    return out.getvalue()


def test_a_bomb_in_a_bomb_ends_early(tmp_path: Path) -> None:
    twice = gzip.compress(zeros(FREE_BYTES + (32 << 20)), 9)
    path = tmp_path / "bomb.zip"
    path.write_bytes(zipped({"one.gz": twice, "two.json": LINES}, zipfile.ZIP_STORED))
    found = unpack_file(path)

    assert path.stat().st_size < 100_000
    assert "times its size" in str(found["a/one.gz"])
    assert "absurdly" in str(found["a!"])


@pytest.mark.parametrize(
    ("kind", "size", "rest", "word"),
    [
        (tarfile.GNUTYPE_SPARSE, 1 << 40, b"\0" * 1024, "sparse"),  # not spun out
        (tarfile.GNUTYPE_LONGNAME, 1 << 30, b"x" * (3 << 20), "cut short"),  # not kept
    ],
)
def test_a_header_that_promises_much_is_not_believed(kind: bytes, size: int, rest: bytes, word: str) -> None:
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = kind, size

    assert word in str(unpack(member.tobuf(tarfile.GNU_FORMAT) + rest)["a!"])


def test_a_header_of_a_negative_size_moves_nobody_backwards() -> None:
    member = tarfile.TarInfo("x")
    raw = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    raw[124:136] = b"\xff" * 12
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw)

    assert "below zero" in str(unpack(bytes(raw) + b"\0" * 1024)["a!"])
