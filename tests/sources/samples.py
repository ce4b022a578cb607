"""Rows cut from real published files, which lie beside the repository on some machines; empty where they do not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3].parent / "shared" / "samples"
needs_samples = pytest.mark.skipif(not FOLDER.is_dir(), reason="the published samples are not on this machine")


def rows(pattern: str) -> list[dict[str, object]]:
    """The rows of all files that match, cut as plainly as possible."""
    found = []
    for path in sorted(FOLDER.glob(pattern)):
        written = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".jsonl":
            documents = [json.loads(line) for line in written.splitlines() if line.strip()]
        else:
            documents = [json.loads(written)]
        found += [row for document in documents for row in cut(document)]
    return found


def cut(document: object) -> Iterator[dict[str, object]]:
    """The rows of an envelope."""
    if isinstance(document, list):
        for each in document:
            yield from cut(each)
    elif isinstance(document, dict):
        inner = document.get("value", document.get("records"))
        if isinstance(document.get("responses"), dict):
            yield from cut(document["responses"]["200"]["body"])
        elif isinstance(inner, list):
            yield from cut(inner)
        elif isinstance(document.get("data"), list) and "name" not in document:
            yield from cut(document["data"])
        elif isinstance(document.get("data"), dict) and "columns" in document["data"]:
            names = [column["name"] for column in document["data"]["columns"]]
            yield from (dict(zip(names, cells, strict=True)) for cells in document["data"]["rows"])
        else:
            yield document
