"""How long judging an export takes beside `json.tool`, and in how much memory: `python -m tests.benchmarks.archive`.

The activity log is one of many VMs, as `az monitor activity-log list` prints it: quiet ones, and one in a hundred that
was live-migrated and lost its network. The metrics are those of one VM, as `az monitor metrics list` prints them.
Memory is measured on the same log with an entry a line, where no quiet VM comes twice: there is nothing to fold.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.cli import story

MEGABYTE = 1_000_000
EVERY = 100
METRICS = {
    "Network In Total": "total",
    "Inbound Flows": "average",
    "Percentage CPU": "average",
    "Disk Read Bytes": "total",
}
LOST = {"Network In Total", "Inbound Flows"}
LAST = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
# Linux counts in kilobytes, macOS in bytes.
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


def main() -> None:
    """Print both times and their ratio for either export, and the peak of memory for a small and a large log."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--megabytes", type=int, default=10)
    options.add_argument("--lines", type=int, nargs="*", default=[10, 100], metavar="MEGABYTES")
    asked = options.parse_args()
    size = asked.megabytes * MEGABYTE
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("activity log", _array(size)), ("metrics", _metrics(size))):
            _race(name, _written(Path(folder, "export.json"), text))
        for megabytes in asked.lines:
            _weigh(_written(Path(folder, "export.jsonl"), _lines(megabytes * MEGABYTE)))


def _race(name: str, export: Path) -> None:
    ours, _ = run_measured(_check(export, "json"))
    theirs, _ = run_measured([sys.executable, "-m", "json.tool", export])
    size = f"{name}, {export.stat().st_size / MEGABYTE:.1f} MB:"
    print(f"{size:22} vmdiag {ours:.2f} s  json.tool {theirs:.2f} s  ratio {ours / theirs:.2f}", flush=True)


def _weigh(export: Path) -> None:
    for form in ("ndjson", "json"):
        seconds, peak = run_measured(_check(export, form))
        size = f"lines, {export.stat().st_size / MEGABYTE:.1f} MB:"
        print(f"{size:22} vmdiag -o {form:6} {seconds:.2f} s  peak {peak / MEGABYTE:.0f} MB", flush=True)


def _check(export: Path, form: str) -> list[str | Path]:
    return [Path(sysconfig.get_path("scripts"), "vmdiag"), "check", "--source", export, "-o", form]


def _fleet() -> Iterator[story.Entry]:
    """The entries of a log without end."""
    for number in itertools.count():
        name = f"web-{number:06}"
        yield from (
            story.make_affected_log(name)
            if number % EVERY == 0
            else [story.make_health_entry("08:20", name, state="Available")]
        )


def _array(size: int) -> Iterator[str]:
    """A JSON array of entries as the Azure CLI prints it, of about so many bytes."""
    before = "[\n"
    for entry in _until(size, (json.dumps(entry, indent=2) for entry in _fleet())):
        yield before + entry
        before = ",\n"
    yield "\n]\n"


def _lines(size: int) -> Iterator[str]:
    """Entries, one a line, of about so many bytes."""
    return _until(size, (json.dumps(entry) + "\n" for entry in _fleet()))


def _until(size: int, pieces: Iterator[str]) -> Iterator[str]:
    """As many of the pieces as fill so many bytes."""
    for piece in pieces:
        yield piece
        size -= len(piece)
        if size <= 0:
            return


def _metrics(size: int) -> Iterator[str]:
    """One answer of about so many bytes, in which the traffic is lost two hours before the end."""
    each = len(json.dumps({"timeStamp": _stamp(LAST), "average": 60000.0}, indent=2)) + 2
    minutes = size // each // len(METRICS)
    first = LAST - timedelta(minutes=minutes)
    yield f'{{"cost": 0, "interval": "PT1M", "timespan": "{_stamp(first)}/{_stamp(LAST)}", "value": [\n'
    for number, (name, aggregation) in enumerate(METRICS.items()):
        head = {"id": f"{story.make_vm_id('web-01')}/providers/Microsoft.Insights/metrics/{name}"}
        head |= {"type": "Microsoft.Insights/metrics", "unit": "Count", "errorCode": "Success"}
        yield ",\n" * (number > 0) + json.dumps(head).removesuffix("}")
        yield f', "name": {{"value": "{name}"}}, "timeseries": [{{"metadatavalues": [], "data": [\n'
        for minute in range(minutes):
            value = 0.0 if name in LOST and minute > minutes - 120 else 60000.0 + minute % 7
            point = {"timeStamp": _stamp(first + timedelta(minutes=minute)), aggregation: value}
            yield ",\n" * (minute > 0) + json.dumps(point, indent=2)
        yield "\n]}]}"
    yield "\n]}\n"


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _written(path: Path, pieces: Iterator[str]) -> Path:
    """The pieces as a file, never in memory as a whole."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(pieces)
    return path


def run_measured(command: list[str | Path]) -> tuple[float, int]:
    """Seconds, and the peak of memory in bytes; a process starts with its parent's peak, so this one stays small."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as ran:
        _, status, used = os.wait4(ran.pid, 0)
        ran.returncode = os.waitstatus_to_exitcode(status)
    if ran.returncode not in {0, 1, 3}:
        sys.exit(f"{command[0]} ended with {ran.returncode}")
    return time.perf_counter() - began, used.ru_maxrss * PEAK_UNIT


if __name__ == "__main__":
    main()
