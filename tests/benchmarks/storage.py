"""How long a storage export takes beside what finds the same lines otherwise: `python -m tests.benchmarks.storage`.

The export is what a diagnostic setting writes: entries of all resources, 2 to 3 kB a line, one in a thousand of a VM,
and as many that only look so. Peers that are not there are left out: `jq`, a Python with duckdb (`--duckdb PATH`),
`pigz` (else `gzip`), an older vmdiag (`--older PATH`), each in turn, so that the machine's other work hits all; the
best time of each counts. The peak is that of the largest process, and no lower than this one's own. The extra `fast` is
used where it is installed; once without it.
"""

import argparse
import gzip
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.benchmarks.archive import MEGABYTE, run_measured
from tests.conftest import COMMAND, WITHOUT_FAST

EVERY = 1_000
LIST_MEGABYTES = 200
FIRST = datetime(2026, 3, 2, tzinfo=UTC)
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
Command = tuple[str, list[str | Path]]
OTHER_TYPES = (
    "STORAGE/STORAGEACCOUNTS",
    "KEYVAULT/VAULTS",
    "SQL/SERVERS",
    "WEB/SITES",
    "CONTAINERSERVICE/MANAGEDCLUSTERS",
)
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
JQ = 'select(.resourceId | ascii_downcase | contains("virtualmachines")) | .resourceId'
DUCKDB = """
import sys, duckdb
columns = {name: "VARCHAR" for name in ("time", "resourceId", "operationName", "category")} | {"properties": "JSON"}
found = duckdb.connect(config={"threads": 2}).sql(
    f"select count(*) from read_json('{sys.argv[1]}', format='newline_delimited', columns={columns}) "
    "where resourceId ilike '%virtualmachines%'"
).fetchall()
print(found)
"""


def main() -> None:
    """Print seconds and peak memory of each, and how many times as fast vmdiag is."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--megabytes", type=int, default=200)
    options.add_argument("--files", type=int, default=2_000, help="of the tree with small files")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--duckdb", default=sys.executable)
    options.add_argument("--older")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        export, tree, packed = Path(folder, "PT1H.json"), Path(folder, "tree"), Path(folder, "PT1H.json.gz")
        _write_export(export, asked.megabytes * MEGABYTE)
        print(f"one file of {asked.megabytes} MB, load {os.getloadavg()[0]:.1f}")
        _compare(asked.runs, [*_list_peers(asked, export), *_list_own(export)])
        listed = Path(folder, "list.json")
        with listed.open("w", encoding="utf-8") as file:
            file.writelines(_format_list(min(asked.megabytes, LIST_MEGABYTES) * MEGABYTE))
        print("a list as Azure CLI prints it")
        _compare(asked.runs, [*_list_older(asked, listed), _list_without_fast(listed), *_list_own(listed)])
        _write_tree(tree, export, asked.files)
        print(f"the same in {asked.files} files")
        _compare(asked.runs, _list_own(tree))
        with export.open("rb") as source, gzip.open(packed, "wb", compresslevel=6) as target:
            shutil.copyfileobj(source, target)
        print("the same in gzip")
        unpacker = next(filter(shutil.which, ("pigz", "gzip")))
        peers: list[Command] = [
            (unpacker, [Path(unpacker), "-dc", packed]),
            _list_without_fast(packed),
        ]
        _compare(asked.runs, [*peers, *_list_own(packed)])


def _list_own(source: Path) -> Iterator[Command]:
    check: list[str | Path] = [COMMAND, "check", "--source", source, "-o", "json"]
    for processes in (1, 2):
        yield f"vmdiag, {processes} process{'es' * (processes > 1)}", [*check, "--processes", str(processes)]


def _list_peers(asked: argparse.Namespace, export: Path) -> Iterator[Command]:
    if shutil.which("jq"):
        yield "jq", ["jq", "-c", JQ, export]
    if not subprocess.run([asked.duckdb, "-c", "import duckdb"], capture_output=True, check=False).returncode:
        yield "duckdb, 2 threads", [asked.duckdb, "-c", DUCKDB, export]
    yield _list_without_fast(export)
    yield from _list_older(asked, export)


def _list_without_fast(source: Path) -> Command:
    return "vmdiag without fast", [sys.executable, "-c", WITHOUT_FAST, "check", "--source", source, "-o", "json"]


def _list_older(asked: argparse.Namespace, source: Path) -> Iterator[Command]:
    if asked.older:
        yield "vmdiag, older", [asked.older, "check", "--source", source, "-o", "json"]


def _compare(runs: int, commands: Iterable[Command]) -> None:
    ran: dict[str, list[tuple[float, int]]] = {}
    listed = list(commands)
    for _ in range(runs):
        for name, command in listed:
            ran.setdefault(name, []).append(run_measured(command))
    own = min(seconds for name, took in ran.items() if name.startswith("vmdiag, 2") for seconds, _ in took)
    for name, took in ran.items():
        seconds, peak = min(took)
        print(
            f"  {name:20} {seconds:7.2f} s  peak {peak / MEGABYTE:4.0f} MB  vmdiag {seconds / own:.2f} as fast",
            flush=True,
        )


def _write_export(path: Path, size: int) -> None:
    draw = random.Random(5)  # noqa: S311 - the same export each time
    with path.open("w", encoding="utf-8", newline="") as file:
        number = 0
        while size > 0:
            number += 1
            line = json.dumps(_make_record(number, draw), separators=(",", ":")) + "\r\n"
            size -= file.write(line)


def _make_record(number: int, draw: random.Random) -> dict[str, Any]:
    """An entry; every thousandth is of a VM, and every thousandth other names one in its text alone."""
    kind = draw.choice(OTHER_TYPES)
    name = f"RES-{draw.randrange(50)}"
    if number % EVERY == 0:
        kind, name = "COMPUTE/VIRTUALMACHINES", f"WEB-{number // EVERY}"
    group = f"/SUBSCRIPTIONS/{SUBSCRIPTION}/RESOURCEGROUPS/RG-{draw.randrange(100)}"
    decoy = "/subscriptions/x/resourceGroups/y/providers/Microsoft.Compute/virtualMachines/z, Live Migration"
    claims = {"aud": "https://management.core.windows.net/", "filler": "".join(draw.choices(LETTERS, k=900))}
    return {
        "RoleLocation": "West Europe",
        "time": (FIRST + timedelta(milliseconds=50 * number)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z",
        "resourceId": f"{group}/PROVIDERS/MICROSOFT.{kind}/{name}",
        "operationName": f"MICROSOFT.{kind}/WRITE",
        "category": "Administrative",
        "resultType": draw.choice(("Start", "Success")),
        "resultSignature": "Succeeded.",
        "durationMs": "0",
        "callerIpAddress": "10.0.0.4",
        "correlationId": f"{draw.getrandbits(128):032x}",
        "identity": {"authorization": {"scope": group, "action": "x", "evidence": {"role": "Owner"}}, "claims": claims},
        "level": "Information",
        "properties": {
            "message": decoy if number % EVERY == EVERY // 2 else "x",
            "requestbody": "".join(draw.choices(LETTERS, k=600)),
            "eventCategory": "Administrative",
        },
        "tenantId": SUBSCRIPTION,
    }


def _format_list(size: int) -> Iterator[str]:
    """The same entries as the REST API and `az monitor activity-log list` give them, of about so many bytes."""
    draw, before = random.Random(7), "[\n"  # noqa: S311 - the same list each time
    for number in itertools.count(1):
        piece = before + textwrap.indent(json.dumps(_make_event(_make_record(number, draw)), indent=2), "  ")
        yield piece
        size, before = size - len(piece), ",\n"
        if size <= 0:
            break
    yield "\n]\n"


def _make_event(record: dict[str, Any]) -> dict[str, object]:
    """An exported entry in the form of the API."""
    operation, resource = record["operationName"], record["resourceId"]
    named = {
        name: {"localizedValue": value.title(), "value": value}
        for name, value in {
            "category": record["category"],
            "eventName": "EndRequest",
            "operationName": operation,
            "resourceProviderName": operation.split("/")[0],
            "resourceType": operation.removesuffix("/WRITE"),
            "status": "Succeeded",
            "subStatus": "OK",
        }.items()
    }
    return named | {
        "authorization": {"action": operation, "role": None, "scope": resource},
        "caller": "ops@example.com",
        "channels": "Operation",
        "claims": record["identity"]["claims"],
        "correlationId": record["correlationId"],
        "eventTimestamp": record["time"],
        "httpRequest": {"clientIpAddress": "10.0.0.4", "method": "PUT"},
        "id": f"{resource}/events/x/ticks/1",
        "level": "Informational",
        "properties": record["properties"],
        "resourceId": resource,
        "submissionTimestamp": record["time"],
        "subscriptionId": SUBSCRIPTION,
    }


def _write_tree(folder: Path, export: Path, files: int) -> None:
    """The lines of the export in as many files, as storage keeps them, by hour."""
    with export.open("rb") as source:
        each = export.stat().st_size // files
        for number in range(files):
            at = FIRST + timedelta(hours=number)
            place = folder / f"{at:y=%Y/m=%m/d=%d/h=%H/m=00}" / "PT1H.json"
            place.parent.mkdir(parents=True)
            place.write_bytes(b"".join(source.readlines(each)))


if __name__ == "__main__":
    main()
