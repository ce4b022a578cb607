"""What tools write for people is told by name, and no data is taken for it."""

import random

import pytest

from tests.sources.packing import unpack
from vmdiag.sources.files.unsupported_files import detect_unsupported_file

YAML = """\
- authorization:
    action: Microsoft.Compute/virtualMachines/restart/action
    role: null
  caller: ops@contoso.example
  category:
    localizedValue: Administrative
    value: Administrative
"""
TABLE = """\
Caller    CorrelationId    ResourceGroup
--------  ---------------  -------------
ops       c1               shop
"""
TSV = "None\tops\tc1\t2026-03-02T08:14:05.123456+00:00\t/subscriptions/1/resourceGroups/shop\tTrue\n"
COLOURED = '[\n  {\n    \x1b[94m"caller"\x1b[39;49;00m: \x1b[33m"ops"\x1b[39;49;00m\n  }\n]\n'
FORMAT_TABLE = "\nName  Status\n----  ------\nweb   ok\n"
FORMAT_LIST = "\nName   : web-01\nStatus : ok\n         more of it\n\nName   : web-02\n"
PAGE = "<!DOCTYPE html>\n<html><head><title>Sign in to your account</title></head></html>\n"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (YAML, "YAML: save it with -o json"),
        (TABLE, "a table for people: save it with -o json"),
        (TSV, "tsv): save it with -o json"),
        (COLOURED, "jsonc): save it with -o json"),
        (FORMAT_TABLE, "ConvertTo-Json"),
        (FORMAT_LIST, "ConvertTo-Json"),
        (PAGE, "HTML"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_form_for_people_is_told_with_what_to_do(text: str, word: str, encoding: str) -> None:
    assert word in str(detect_unsupported_file(text.encode(encoding)))


@pytest.mark.parametrize(
    "text",
    [
        "Time,Operation name\n2026-03-02T08:14:05Z,Restart\n",
        "Time;Operation name\n2026-03-02T08:14:05Z;Restart: now\n",
        '"TimeGenerated [UTC]",_ResourceId\n"3/2/2026, 8:14:05.123 AM",/subscriptions/1\n',
        "TimeGenerated\tComputer\n2026-03-02T08:14:05Z\tweb-01\n",
        '{"a": 1}\n{"a": 2}\n',
        '{"key": "a: b"}',
        "Content\n{}\n",
        "WARNING: this command is in preview\n[]\n",
        "",
        "\n",
        "name\n",
    ],
)
def test_data_and_what_may_be_data_is_left_alone(text: str) -> None:
    assert detect_unsupported_file(text.encode()) is None


@pytest.mark.parametrize("noise", [random.Random(7).randbytes(5000), b"\0" * 10, b"MZ\x90\0\x03\0\0\0" * 20])  # noqa: S311
def test_bytes_that_are_no_text_are_told_and_not_shown(noise: bytes) -> None:
    assert unpack(noise) == {"a": "binary data in no known form: export JSON or CSV instead"}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "utf-16-le", "utf-16-be", "utf-16"])
def test_a_text_in_another_encoding_is_still_a_text(encoding: str) -> None:
    assert detect_unsupported_file("Größe,Zeit\nüöä,ßßß\n".encode(encoding)) is None


def test_a_text_in_another_script_is_still_a_text() -> None:
    assert detect_unsupported_file(bytes(range(0xC0, 0x100)) + b"," + bytes(range(0xC0, 0x100)) + b"\n") is None


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"PAR1\x15\x04", "Parquet"),
        (b"ARROW1\0\0", "Arrow"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(500), "Excel"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\r1 0 obj\r", "PDF"),
        (b"\xfd7zXZ\0\0\4", "xz"),
        (b"BZh91AY&SY", "bzip2"),
        (b"7z\xbc\xaf\x27\x1c\0", "7-Zip"),
        (b"SQLite format 3\0", "SQLite"),
    ],
)
def test_a_file_that_no_reader_takes_is_told_by_its_name(head: bytes, word: str) -> None:
    (said,) = unpack(head).values()
    assert word in str(said)


@pytest.mark.parametrize(
    ("raw", "rows"),
    [
        *(('[{"a": "ü"}]'.encode(encoding), [{"a": "ü"}]) for encoding in ("utf-16-le", "utf-16-be", "utf-16")),
        (b"a,b\r1,2\r3,4\r", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        (b'{"a": 1}\r{"a": 2}\r', [{"a": 1}, {"a": 2}]),
        # The index that pandas writes has no name.
        (b",a,b\n0,1,2\n1,3,4\n", [{"Unnamed: 0": "0", "a": "1", "b": "2"}, {"Unnamed: 0": "1", "a": "3", "b": "4"}]),
    ],
)
def test_text_is_read_whatever_a_tool_made_of_it(raw: bytes, rows: list[dict[str, object]]) -> None:
    assert unpack(raw) == {"a": rows}


def test_a_return_in_the_middle_of_a_row_costs_that_row() -> None:
    (found,) = unpack(b"a,b\n1,2\n3\r,4\n5,6\n").values()

    assert isinstance(found, list)
    assert [row for row in found if isinstance(row, dict)] == [{"a": "1", "b": "2"}, {"a": "5", "b": "6"}]
    assert len(found) == 3
