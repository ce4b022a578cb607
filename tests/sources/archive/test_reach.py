"""How far back an archive is read: the window says which losses are told, not what their judgement may look at."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.story import make_health_entry, make_migration, make_vm_id, write_log
from tests.conftest import CommandResult, Runner
from tests.sources.archive_reader import read_archive
from vmdiag.diagnosis.timeline import assemble_timeline
from vmdiag.model import Coverage, Signal, Timeline, Transcript, Window
from vmdiag.pipeline import combine_needs
from vmdiag.sources.protocol import LEAST_READ, reading_span

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
END = datetime.fromisoformat("2026-03-02T10:00:00Z")
LOST = datetime.fromisoformat("2026-03-02T08:16:00Z")
WELL = 4_000_000.0


def traffic(folder: Path, name: str, minutes: Iterable[tuple[datetime, float]]) -> None:
    """As `az monitor metrics list` prints it, a VM a file."""
    points = [{"timeStamp": f"{at:%Y-%m-%dT%H:%M:%SZ}", "total": value} for at, value in minutes]
    metric = {
        "id": f"{make_vm_id(name)}/providers/Microsoft.Insights/metrics/Network In Total",
        "name": {"localizedValue": "Network In Total", "value": "Network In Total"},
        "timeseries": [{"data": points, "metadatavalues": []}],
        "type": "Microsoft.Insights/metrics",
        "unit": "Bytes",
    }
    answer = {"interval": "PT1M", "namespace": "Microsoft.Compute/virtualMachines", "value": [metric]}
    (folder / f"{name}.json").write_text(json.dumps(answer), encoding="utf-8")


def day(*, lost: bool) -> list[tuple[datetime, float]]:
    """Twelve hours of minutes to the end; `lost` from 08:16 on."""
    times = [END - (720 - n) * MINUTE for n in range(720)]
    return [(at, 0.0 if lost and at >= LOST else WELL) for at in times]


def read(folder: Path, vm: str, *, since: timedelta) -> tuple[Window, Transcript]:
    """What the archive says of a VM."""
    reading = read_archive(folder, combine_needs(), vm, since=since, until=END)
    (one,) = (each for each in reading.transcripts if each.vm.id.name == vm)
    return reading.window, one


def timeline(window: Window, transcript: Transcript) -> Timeline:
    """The transcript put together as the program does."""
    return assemble_timeline(transcript, window, window.start - reading_span(window, combine_needs()).start)


def check(vmdiag: Runner, *arguments: str) -> tuple[CommandResult, list[dict[str, Any]], str]:
    """The cases that the command prints, and what it says on standard error."""
    ran = vmdiag("check", *arguments, "--until", f"{END:%Y-%m-%dT%H:%M:%SZ}", "--source", ".", "-o", "json")
    return ran, json.loads(ran.out)["cases"], ran.err


@pytest.mark.parametrize("since", [MINUTE, 30 * MINUTE, DAY, 14 * DAY])
def test_a_short_window_is_read_as_far_back_as_the_usual_one(since: timedelta) -> None:
    span = reading_span(Window(END - since, END), combine_needs())

    assert span == Window(END - LEAST_READ - combine_needs().margin, END)


def test_a_long_window_is_read_from_its_margin_on_and_an_absurd_clock_does_no_harm() -> None:
    assert reading_span(Window(END - 40 * DAY, END), combine_needs()).start == END - 40 * DAY - combine_needs().margin
    year_1 = datetime.fromisoformat("0001-01-01T05:00:00Z")
    assert reading_span(Window(year_1, year_1 + HOUR), combine_needs()).start == datetime.fromisoformat(
        "0001-01-01T00:00:00Z"
    )


def test_one_that_was_migrated_before_the_window_and_is_well_is_one_of_the_others(
    vmdiag: Runner, tmp_path: Path
) -> None:
    write_log(tmp_path, [make_migration("web-01"), make_health_entry("10:00", "other", state="Available")])
    traffic(tmp_path, "web-01", day(lost=False))

    ran, cases, _ = check(vmdiag, "--since", "30m")
    assert (ran.code, cases) == (0, [])

    _, cases, _ = check(vmdiag, "--since", "2h")
    assert [case["vm"]["name"] for case in cases] == ["web-01"]


def test_a_loss_that_healed_before_the_window_is_not_told(vmdiag: Runner, tmp_path: Path) -> None:
    write_log(tmp_path, [make_migration("web-01")])
    traffic(tmp_path, "web-01", [(at, WELL if at > LOST + 40 * MINUTE else value) for at, value in day(lost=True)])

    _, (case,), _ = check(vmdiag, "web-01", "--since", "30m")
    assert case["losses"] == []


def test_a_vm_that_died_two_hours_ago_is_read_with_its_migration_and_its_baseline(tmp_path: Path) -> None:
    write_log(tmp_path, [make_migration("web-01")])
    traffic(tmp_path, "web-01", day(lost=True))
    window, one = read(tmp_path, "web-01", since=30 * MINUTE)

    assert window == Window(END - 30 * MINUTE, END)
    assert "LiveMigrationSucceeded" in {record.name for record in one.records}
    (series,) = one.series
    assert series.times[0] == END - 720 * MINUTE


@pytest.mark.parametrize("since", ["30m", "1h", "14d"])
def test_with_nothing_named_a_dead_vm_is_a_case_however_short_the_window(
    vmdiag: Runner, tmp_path: Path, since: str
) -> None:
    write_log(tmp_path, [make_migration("web-01")])
    traffic(tmp_path, "web-01", day(lost=True))
    traffic(tmp_path, "web-02", day(lost=False))
    _, cases, _ = check(vmdiag, "--since", since)

    assert [case["vm"]["name"] for case in cases] == ["web-01"]
    (case,) = cases
    assert (case["migrated_at"], case["failed_at"]) == ("2026-03-02T08:14:00Z", "2026-03-02T08:16:00Z")
    assert case["state"] == "open"


def test_with_nothing_named_a_log_alone_is_looked_at_before_the_window(tmp_path: Path) -> None:
    # No readings of any VM: only the record says that there is something to look at.
    write_log(
        tmp_path,
        [
            make_health_entry("08:16", "web-01", state="Unavailable"),
            make_health_entry("10:00", "other", state="Available"),
        ],
    )
    reading = read_archive(tmp_path, combine_needs(), since=30 * MINUTE, until=END)

    assert [vm.name for vm in reading.vms] == ["web-01"]


def test_what_is_older_than_the_reading_is_left_out(tmp_path: Path) -> None:
    old = [
        {**make_migration("web-01"), "eventTimestamp": f"{END - ago:%Y-%m-%dT%H:%M:%SZ}"}
        for ago in (13 * DAY, 40 * DAY)
    ]
    write_log(tmp_path, [*old, make_health_entry("10:00", "web-01", state="Available")])
    _, one = read(tmp_path, "web-01", since=30 * MINUTE)

    assert [record.at for record in one.records if record.name == "LiveMigrationSucceeded"] == [END - 13 * DAY]


def test_a_feed_that_is_not_there_is_missing_before_the_window_too(tmp_path: Path) -> None:
    traffic(tmp_path, "web-01", day(lost=True))
    window, one = read(tmp_path, "web-01", since=30 * MINUTE)
    before = Window(LOST - 30 * MINUTE, LOST + 2 * MINUTE)

    # Whoever asks whether a change was seen before the onset must not hear "yes, and there was none".
    assert timeline(window, one).measure_coverage(Signal.ACTIVITY, before) is Coverage.NONE
    assert timeline(window, one).measure_coverage(Signal.TRAFFIC, before) is Coverage.ALL


def test_a_gap_is_told_from_the_window_on_unless_a_loss_reaches_into_it(vmdiag: Runner, tmp_path: Path) -> None:
    traffic(tmp_path, "web-01", day(lost=True))
    traffic(tmp_path, "web-02", day(lost=False))
    _, cases, _ = check(vmdiag, "web-01", "web-02", "--since", "30m")
    begins = [{gap["from"] for gap in case["gaps"] if gap["signal"] == "activity"} for case in cases]

    assert begins == [{"2026-03-02T06:46:00Z"}, {"2026-03-02T09:30:00Z"}]
