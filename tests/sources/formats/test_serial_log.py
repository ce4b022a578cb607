"""The log of a serial console as a file: whose it is, what it dates, and what it never says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.sources.archive_reader import read_archive
from tests.sources.rows import VM
from vmdiag.model import Record, Signal, Transcript
from vmdiag.pipeline import combine_needs

BOOTED = datetime(2026, 3, 2, 6, tzinfo=UTC)
GUID = "6c1bf0c0-1111-4222-8333-444455556666"
PORT = "hv_netvsc 000d3a2e-1111-000d-3a2e-1111000d3a2e eth0"
# As the page and the driver have them; of a boot the first flips say nothing.
BOOT = f"""\
[    0.000000] Linux version 6.8.0-1021-azure (buildd@lcy02) #25-Ubuntu SMP
[    0.000000] Command line: BOOT_IMAGE=/boot/vmlinuz-6.8.0-1021-azure root=PARTUUID=1 ro console=ttyS0
[    1.502113] rtc_cmos 00:02: setting system clock to {BOOTED:%Y-%m-%dT%H:%M:%S} UTC ({BOOTED.timestamp():.0f})
[    4.100200] {PORT}: Data path switched to VF: enP53091s1np0
[    4.900200] {PORT}: Data path switched from VF: enP53091s1np0
[    5.100200] {PORT}: Data path switched to VF: enP53091s1np0
         \x1b[0;32m  OK  \x1b[0m Reached target \x1b[0;1;39mBasic System\x1b[0m.

Ubuntu 24.04.1 LTS {{host}} ttyS0

{{host}} login: \
"""
REMOVED = f"[ 8100.000001] {PORT}: Data path switched from VF: enP53091s1np0\n[ 8101.0] no stamp\n"
REMOVED += f"[ 8102.000001] {PORT}: VF slot 1 removed\n"
FAILED = f"[ 8130.250000] {PORT}: Data path failed to switch to VF: enP53091s1np0, err: -110\n"
RETURNED = f"[ 8140.250000] {PORT}: VF slot 1 added\n[ 8141.250000] {PORT}: Data path switched to VF: enP53091s1np0\n"


def _read(folder: Path, log: str, *, name: str = "serial.txt", host: str = "web-01") -> tuple[list[Record], Transcript]:
    folder.mkdir(exist_ok=True)
    (folder / "vm.json").write_text(f'{{"id": "{VM}", "type": "Microsoft.Compute/virtualMachines", "name": "web-01"}}')
    (folder / name).write_text(log.replace("{host}", host))
    until = BOOTED + timedelta(hours=6)
    reading = read_archive(folder, combine_needs(), "web-01", since=timedelta(days=1), until=until)
    (told,) = reading.transcripts
    return [record for record in told.records if record.signal is Signal.CONSOLE], told


def test_a_failed_switch_is_dated_by_the_clock_of_its_own_boot(tmp_path: Path) -> None:
    (failed,), _ = _read(tmp_path, f"{BOOT}\n{REMOVED}{FAILED}{RETURNED}")
    at = BOOTED + timedelta(seconds=8130.25 - 1.502113)

    assert (failed.name, "undated" in failed.facts) == ("data-path-failed", False)
    assert failed.at <= at <= failed.at + failed.blur
    assert failed.blur < timedelta(seconds=5)
    assert failed.facts["line"].endswith("enP53091s1np0, err: -110")


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (f"{BOOT}\n", []),
        (f"{BOOT}\n{REMOVED}{RETURNED}", []),
        (f"{BOOT}\n{REMOVED}", ["accelerated-interface-absent"]),
        (f"{BOOT}\n{REMOVED}{FAILED}", ["data-path-failed", "accelerated-interface-absent"]),
        # It booted again, and what was lost before is there.
        (f"{BOOT}\n{REMOVED}{BOOT}\n", []),
        (
            f"[    2.000000] x\n[   59.900000] {PORT}: Data path failed to switch to VF: v, err: -1\n{{host}} login: ",
            [],
        ),
    ],
    ids=["a quiet boot", "gone and back", "gone", "failed", "booted again", "within a minute"],
)
def test_only_what_fails_or_stays_away_after_a_minute_is_told(tmp_path: Path, log: str, told: list[str]) -> None:
    found, _ = _read(tmp_path, log)

    assert sorted(record.name for record in found) == sorted(told)


def test_a_line_without_an_end_and_a_console_that_returns_first_cost_nothing_else(tmp_path: Path) -> None:
    log = f"{BOOT}\n{'x' * (65 << 20)}\n{FAILED}".replace("\n", "\n\r")
    found, _ = _read(tmp_path, log)

    assert [record.name for record in found] == ["data-path-failed"]


def test_without_a_clock_a_line_dates_nothing(tmp_path: Path) -> None:
    (failed,), _ = _read(tmp_path, f"[ 8000.000000] one\n[ 8001.000000] two\n{FAILED}{{host}} login: ")

    assert failed.facts["undated"] == "true"
    assert failed.facts["uptime"] == "8130"


@pytest.mark.parametrize("name", ["web-01.serialconsole.log", f"web-01.{GUID}.serialconsole.log"])
def test_the_name_that_azure_gives_the_file_says_whose_it_is_whatever_the_guest_is_called(
    tmp_path: Path, name: str
) -> None:
    found, _ = _read(tmp_path, f"{BOOT}\n{FAILED}", name=name, host="golden-image")

    assert [record.name for record in found] == ["data-path-failed"]


def test_a_log_of_nobody_is_told_and_taken_for_nobodys(tmp_path: Path) -> None:
    found, told = _read(tmp_path, f"[ 8000.000000] one\n[ 8001.000000] two\n{FAILED}")

    assert found == []
    assert any("whose it is" in gap.reason for gap in told.gaps)
