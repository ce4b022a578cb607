"""Event Hub Capture's Avro: the messages of a diagnostic setting, event by event."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from fastavro import writer

from tests.cli import story
from tests.conftest import Runner
from tests.sources.packing import tar, unpack

# "Exploring captured Avro files in Azure Event Hubs", as Azure writes it into every file.
CAPTURE = {
    "type": "record",
    "name": "EventData",
    "namespace": "Microsoft.ServiceBus.Messaging",
    "fields": [
        {"name": "SequenceNumber", "type": "long"},
        {"name": "Offset", "type": "string"},
        {"name": "EnqueuedTimeUtc", "type": "string"},
        {"name": "SystemProperties", "type": {"type": "map", "values": ["long", "double", "string", "bytes"]}},
        {"name": "Properties", "type": {"type": "map", "values": ["long", "double", "string", "bytes", "null"]}},
        {"name": "Body", "type": ["null", "bytes"]},
    ],
}
ONE, TWO = {"a": 1}, {"a": 2}


def captured(*bodies: bytes | None, codec: str = "null", schema: dict[str, object] | None = None) -> bytes:
    """A file of Capture's with these messages, a block for every few."""
    events = [
        {
            "SequenceNumber": number,
            "Offset": str(number * 100),
            "EnqueuedTimeUtc": "3/2/2026 8:14:05 AM",
            "SystemProperties": {"x-opt-enqueued-time": 1_772_439_245_000},
            "Properties": {"kind": None},
            "Body": body,
        }
        for number, body in enumerate(bodies)
    ]
    out = io.BytesIO()
    writer(out, schema or CAPTURE, events, codec, sync_interval=200)
    return out.getvalue()


def message(*records: object) -> bytes:
    return json.dumps({"records": records}).encode()


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_every_record_of_every_message_is_read(codec: str) -> None:
    raw = captured(message(ONE, TWO), message(ONE), codec=codec)

    assert unpack(raw) == {"a": [ONE, TWO, ONE]}
    assert unpack(tar({"00/12.avro": raw})) == {"a/00/12.avro": [ONE, TWO, ONE]}


def test_a_message_over_several_lines_and_one_without_a_body_are_no_hindrance() -> None:
    raw = captured(json.dumps({"records": [ONE]}, indent=1).encode(), None, b"", b"no json", message(TWO))
    (found,) = unpack(raw).values()

    assert isinstance(found, list)
    assert [row for row in found if isinstance(row, dict)] == [ONE, TWO]


def test_avro_of_another_schema_is_refused() -> None:
    schema: dict[str, object] = {
        "type": "record",
        "name": "Other",
        "fields": [{"name": "Body", "type": {"type": "array", "items": "null"}}],
    }
    out = io.BytesIO()
    writer(out, schema, [{"Body": [None]}])

    assert "not Event Hub Capture's" in str(unpack(out.getvalue())["a"])


@pytest.mark.parametrize("cut", [3, 40, 700, -5, -60])
def test_a_file_that_was_cut_gives_its_whole_blocks_and_says_that_it_was_cut(cut: int) -> None:
    raw = captured(*[message(ONE)] * 20)
    found = unpack(raw[:cut])

    assert any(word in str(found) for word in ("cut short", "neither JSON", "binary", "not Event Hub"))
    assert cut > -61 or len(str(found)) > 60


def test_a_block_that_promises_gigabytes_is_not_waited_for() -> None:
    raw = captured(message(ONE))
    mark = raw[-16:]
    huge = b"\x02" + b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f"  # one event of 2^62 bytes

    assert "makes no sense" in str(unpack(raw[: raw.index(mark) + 16] + huge))


def test_a_captured_log_is_diagnosed(vmdiag: Runner, tmp_path: Path) -> None:
    path = tmp_path / "12.avro"
    path.write_bytes(captured(*(message(exported(one)) for one in story.make_affected_log())))
    ran = vmdiag("check", "--source", path, "-o", "ndjson")

    assert json.loads(ran.out)["migrated_at"] == "2026-03-02T08:14:00Z"
    assert not ran.err


def exported(entry: story.Entry) -> dict[str, object]:
    """The entry as a diagnostic setting sends it."""
    properties = entry["properties"]
    return {
        "time": entry["eventTimestamp"],
        "resourceId": str(entry["resourceId"]).upper(),
        "operationName": "Microsoft.Resourcehealth/healthevent/Updated/action",
        "category": "ResourceHealth",
        "resultType": "Updated",
        "properties": {"eventCategory": "ResourceHealth", "eventProperties": properties},
    }


def test_without_the_extra_it_is_refused_whole_and_says_how_to_get_it(tmp_path: Path) -> None:
    path = tmp_path / "12.avro"
    path.write_bytes(captured(message(ONE)))
    # What Python itself knows as "not to be found".
    script = f"""
import sys
sys.modules["fastavro"] = None
from vmdiag.cli.app import main
sys.exit(main(["check", "--source", {str(path)!r}]))
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert ran.returncode == 4
    assert "pip install 'vmdiag[avro]'" in ran.stderr
    assert not ran.stdout
