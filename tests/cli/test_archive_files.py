"""What people hand over as an archive: read whole, or told once with what to do, whatever file it is."""

import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.cli import story
from tests.conftest import COMMAND, CommandResult, Runner


def cases(ran: CommandResult) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(ran.out)["cases"]
    return found


def table(heading: str, rows: list[tuple[str, str]], *, separator: str = ",") -> str:
    """Network In Total of one VM as Log Analytics exports it."""
    head = separator.join((heading, "_ResourceId", "MetricName", "Total", "TimeGrain"))
    vm = story.make_vm_id("web-01")
    lines = [separator.join((f'"{at}"', vm, "Network In Total", f'"{value}"', "PT1M")) for at, value in rows]
    return "\n".join([head, *lines, ""])


def minutes(count: int, value: str = "3500000", *, form: str = "2026-03-02 {:02}:{:02}:00") -> list[tuple[str, str]]:
    return [(form.format(*divmod(8 * 60 + minute, 60)), value) for minute in range(count)]


def test_a_tar_is_diagnosed_like_its_folder(vmdiag: Runner, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    story.write_log(folder, story.make_affected_log())
    with tarfile.open(tmp_path / "logs.tgz", "w:gz") as archive:
        archive.add(folder, "logs")
    plain, packed = (vmdiag("check", "--source", name, "-o", "json") for name in (folder, tmp_path / "logs.tgz"))

    assert packed.code == plain.code == 1
    assert not packed.err
    assert [case["verdict"] for case in cases(packed)] == [case["verdict"] for case in cases(plain)]


def test_a_tar_comes_through_a_pipe_and_shows_where_in_it_a_record_stands(tmp_path: Path) -> None:
    raw = json.dumps(story.make_affected_log()).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo("y=2026/PT1H.json")
        member.size = len(raw)
        archive.addfile(member, io.BytesIO(raw))
    command: list[str | Path] = [COMMAND, "check", "--source", "-", "-o", "ndjson"]
    ran = subprocess.run(command, input=out.getvalue(), capture_output=True, check=False, cwd=tmp_path)

    assert ran.returncode == 1
    assert b"standard input/y=2026/PT1H.json:1" in ran.stdout


def test_a_tar_that_was_cut_is_a_log_read_in_part(vmdiag: Runner, tmp_path: Path) -> None:
    story.write_log(tmp_path, story.make_affected_log())
    with tarfile.open(tmp_path / "whole.tar", "w") as archive:
        archive.add(tmp_path / "activity.json", "a.json")
        archive.add(tmp_path / "activity.json", "b.json")
    (tmp_path / "activity.json").unlink()
    raw = (tmp_path / "whole.tar").read_bytes()
    (tmp_path / "whole.tar").write_bytes(raw[: raw.index(b"b.json")])
    ran = vmdiag("check", "--source", "whole.tar", "-o", "json")
    (case,) = cases(ran)

    assert isinstance(case["gaps"], list)
    assert {gap["signal"] for gap in case["gaps"] if "cut short" in gap["reason"]} >= {"activity", "health"}
    assert "cut short" in ran.err


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "empty"),
        (b"\r\r\r", "empty"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\r1 0 obj\r", "PDF"),
        (bytes(range(256)) * 20, "binary"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"- a: 1\n  b: 2\n", "-o json"),
        (b"a\rb,c\r\nd\re", "no known format"),
    ],
)
def test_a_file_that_is_no_export_ends_no_run_and_prints_no_binary(
    vmdiag: Runner, tmp_path: Path, raw: bytes, word: str
) -> None:
    (tmp_path / "odd").write_bytes(raw)
    alone = vmdiag("check", "--all", "--source", "odd")
    story.write_log(tmp_path, story.make_affected_log())
    beside = vmdiag("check", "--source", tmp_path, "-o", "json")

    assert (alone.code, beside.code) == (4, 1)
    assert word in alone.err
    assert word in beside.err
    assert all(char.isprintable() or char == "\n" for char in alone.err + beside.err)


def test_faults_are_told_once_with_their_count(vmdiag: Runner, tmp_path: Path) -> None:
    broken = [{**entry, "eventTimestamp": ""} for entry in story.make_affected_log()[:1] * 100]
    story.write_log(tmp_path, [*story.make_affected_log(), *broken])
    for number in range(100):
        (tmp_path / f"{number:03}.json").write_text('{"category": "kube-audit", "x": 1}')
        (tmp_path / f"{number:03}.pdf").write_bytes(b"%PDF-1.7")
    ran = vmdiag("check", "--source", tmp_path, "-o", "json")

    assert len(ran.err.splitlines()) == 4
    assert "category 'kube-audit'" in ran.err
    assert ran.err.count("and 99 more files") == 2
    assert "99 more like the first" in ran.err


def test_a_log_that_tells_nothing_of_a_vm_was_read_all_the_same(vmdiag: Runner, tmp_path: Path) -> None:
    operation = {"value": "Microsoft.Authorization/policies/audit/action"}
    entry = {**story.make_migration("web-01"), "category": {"value": "Policy"}, "operationName": operation}
    story.write_log(tmp_path, [entry])
    ran = vmdiag("check", "web-01", "--source", tmp_path, "-o", "json")

    assert ran.code in {0, 3}
    assert json.loads(ran.out)["window"]["to"] == "2026-03-02T08:14:00Z"


def test_an_archive_without_a_time_still_says_so(vmdiag: Runner, tmp_path: Path) -> None:
    (tmp_path / "vm.json").write_text(
        json.dumps([{"id": story.make_vm_id("web-01"), "hardwareProfile": {"vmSize": "x"}}])
    )

    assert "no record with a time" in vmdiag("check", "--all", "--source", tmp_path).err


def test_local_times_are_refused_or_a_gap_and_the_way_out_is_named(vmdiag: Runner, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(table("TimeGenerated [Local Time]", minutes(90)))
    refused = vmdiag("check", "--all", "--source", tmp_path)
    read = vmdiag("check", "--all", "--source", tmp_path, "-o", "json", "--utc-offset", "+02:00")
    spoken = vmdiag("check", "--all", "--source", tmp_path, "-o", "json", VMDIAG_UTC_OFFSET="+02:00")
    story.write_log(tmp_path, story.make_affected_log())
    (beside,) = cases(vmdiag("check", "--source", tmp_path, "-o", "json"))

    assert isinstance(beside["gaps"], list)
    assert [gap for gap in beside["gaps"] if gap["signal"] == "traffic" and "--utc-offset" in gap["reason"]]
    assert refused.code == 4
    assert "--utc-offset" in refused.err
    assert json.loads(read.out)["window"]["to"] == json.loads(spoken.out)["window"]["to"] == "2026-03-02T07:29:00Z"


def test_an_order_that_nothing_settles_is_told(vmdiag: Runner, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(table("TimeGenerated [UTC]", minutes(90, form="03/02/2026 {:02}:{:02}")))
    ran = vmdiag("check", "--all", "--source", tmp_path, "-o", "json")

    assert "month first" in ran.err
    assert json.loads(ran.out)["window"]["to"] == "2026-03-02T09:29:00Z"


def test_decimal_commas_are_read_and_what_may_be_either_is_a_gap(vmdiag: Runner, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(table("TimeGenerated [UTC]", minutes(90, "3500000,5"), separator=";"))
    read = vmdiag("check", "--all", "--source", tmp_path, "-o", "json")
    (tmp_path / "m.csv").write_text(table("TimeGenerated [UTC]", minutes(90, "1,234"), separator=";"))
    told = vmdiag("check", "web-01", "--source", tmp_path, "-o", "json")

    assert not read.err
    assert "1,234" in told.err
    assert "no number" in told.out


@pytest.mark.parametrize(
    ("more", "words", "is_named"),
    [
        ([], (), True),
        ([], ("--until", "2026-03-02T10:00Z"), False),
        ([story.make_health_entry("10:00", "other", state="Available")], (), False),  # others outlive them
    ],
)
def test_an_export_of_heartbeats_that_ends_with_the_loss_names_the_way_out(
    vmdiag: Runner, tmp_path: Path, more: list[story.Entry], words: tuple[str, ...], *, is_named: bool
) -> None:
    story.write_log(tmp_path, [story.make_migration("web-01"), *more])
    vm = story.make_vm_id("web-01")
    beats = [f"2026-03-02T0{7 + n // 60}:{n % 60:02}:17Z,web-01,Azure Monitor Agent,{vm}" for n in range(76)]
    (tmp_path / "h.csv").write_text("\n".join(["TimeGenerated,Computer,Category,_ResourceId", *beats, ""]))
    ran = vmdiag("check", "--source", tmp_path, "-o", "ndjson", *words)

    assert ("--until TIME" in ran.out) is is_named
    assert json.loads(ran.out)["losses"] or not words


@pytest.mark.parametrize("offset", ["+2", "two", "+25:00", "+14:30", "02:00", ""])
def test_an_offset_that_is_none_is_a_usage_error(vmdiag: Runner, log: Path, offset: str) -> None:
    ran = vmdiag("check", "--all", "--source", log, "--utc-offset", offset)

    assert ran.code == 2
    assert "+02:00" in ran.err
    assert vmdiag("check", "web-01", "--utc-offset", "+02:00").code == 2  # Azure's own times need none
