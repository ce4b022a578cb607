"""`python -m tests.incidents OUTDIR --seed N --count N`: batches and labels, to look at by hand."""

import argparse
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from tests.incidents.corpus import generate_batches
from tests.incidents.model import Batch, Label


def main() -> None:
    """Write `OUTDIR/batch-NNN/` and `OUTDIR/labels.json`."""
    parser = argparse.ArgumentParser(prog="python -m tests.incidents", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60)
    arguments = parser.parse_args()
    labels = {}
    for number, batch in enumerate(generate_batches(arguments.seed, arguments.count)):
        name = f"batch-{number:03d}"
        batch.write_files(arguments.folder / name)
        labels[name] = _serialize_batch(batch)
    (arguments.folder / "labels.json").write_text(json.dumps(labels, indent=1))


def _serialize_batch(batch: Batch) -> dict[str, object]:
    incidents = [
        {
            "index": each.index,
            "class": each.name,
            "vm": each.vm,
            "label": _serialize_label(each.label),
            "bystanders": {vm: _serialize_label(label) for vm, label in each.bystanders.items()},
        }
        for each in batch.incidents
    ]
    stated = batch.unreachable_since
    return {
        "until": batch.until.isoformat(),
        "unreachable_since": stated.isoformat() if stated else None,
        "since": batch.since,
        "incidents": incidents,
    }


def _serialize_label(label: Label) -> dict[str, object]:
    return {
        "verdict": _sort_words(label.verdict),
        "explanation": _sort_words(label.explanation),
        "state": _sort_words(label.state),
        "migrated_at": _format_time(label.migrated_at),
        "failed_at": _format_time(label.failed_at),
        "action": None if label.action is None else _sort_words(label.action),
        "extent": label.extent,
    }


def _sort_words(values: Iterable[str | None]) -> list[str]:
    return sorted("null" if value is None else value for value in values)


def _format_time(value: datetime | str | None) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value


if __name__ == "__main__":
    main()
