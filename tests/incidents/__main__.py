"""`python -m tests.incidents OUTDIR --seed N --count N`: batches and labels, to look at by hand."""

import argparse
import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from tests.incidents.corpus import generate_batches


def main() -> None:
    """Write `OUTDIR/batch-NNN/` and `OUTDIR/labels.json`."""
    parser = argparse.ArgumentParser(prog="python -m tests.incidents", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60)
    arguments = parser.parse_args()
    labels = {}
    for number, batch in enumerate(generate_batches(arguments.seed, arguments.count)):
        batch.write_files(arguments.folder / f"batch-{number:03d}")
        told = [
            {
                "class": each.name,
                "vm": each.vm,
                "label": asdict(each.label),
                "bystanders": {vm: asdict(label) for vm, label in each.bystanders.items()},
            }
            for each in batch.incidents
        ]
        labels[f"batch-{number:03d}"] = {
            "until": batch.until,
            "unreachable_since": batch.unreachable_since,
            "since": batch.since,
            "incidents": told,
        }
    (arguments.folder / "labels.json").write_text(json.dumps(labels, indent=1, default=_serialize_value))


def _serialize_value(value: datetime | frozenset[str | None]) -> str | list[str]:
    return value.isoformat() if isinstance(value, datetime) else sorted(str(word) for word in value)


if __name__ == "__main__":
    main()
