"""How long judging an export takes, beside `json.tool` on the same file: `python -m tests.benchmarks.archive`.

The export is an activity log as `az monitor activity-log list` prints it: quiet VMs, and one in a hundred that was
live-migrated and lost its network.
"""

import argparse
import json
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from tests.cli import story

MEGABYTE = 1_000_000
EVERY = 100


def main() -> None:
    """Print both times and their ratio."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--megabytes", type=int, default=10)
    size = options.parse_args().megabytes * MEGABYTE
    vmdiag = Path(sysconfig.get_path("scripts"), "vmdiag")
    with tempfile.TemporaryDirectory() as folder:
        log = _export(Path(folder), size)
        ours = _seconds([vmdiag, "check", "--source", log, "-o", "ndjson"])
        theirs = _seconds([sys.executable, "-m", "json.tool", log])
        print(f"{log.stat().st_size / MEGABYTE:.1f} MB: vmdiag {ours:.2f} s  json.tool {theirs:.2f} s", end="")
        print(f"  ratio {ours / theirs:.2f}")


def _export(folder: Path, size: int) -> Path:
    """A log of about so many bytes."""
    each = len(json.dumps(story.recovered(), indent=2)) // len(story.recovered())
    entries: list[story.Entry] = []
    number = 0
    while len(entries) * each < size:
        name = f"web-{number:05}"
        entries += story.affected(name) if number % EVERY == 0 else [story.told("08:20", name, state="Available")]
        number += 1
    path = folder / "activity.json"
    path.write_text(json.dumps(entries, indent=2))
    return path


def _seconds(command: list[str | Path]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
