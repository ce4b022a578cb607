"""Writes `examples/`: an archive for every scenario and the report it must give; run `python -m tests.examples`.

The example of the README is in Azure's own forms, as the Azure CLI and Resource Graph export them; the others are
recordings drawn from a line or two of notation.
"""

import json
import math
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from tests import notation
from tests.conftest import COMMAND
from vmdiag.sources.decoding.recording import encode_transcript

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
README_EXAMPLE = "live-migration-datapath"
SCENARIO_STORIES = {
    "accelerated-networking": "12:05 accelnet-unhealthy\n12:06 traffic-lost\ncpu active",
    "guest-crash": "12:00 guest-crash\n12:01 unavailable\n12:40 available",
    "guest-restart": "12:00 restart\n12:01 unavailable\n12:01 traffic-lost",
    "host-failure": "12:00 host-failure\n12:01 unavailable\n12:01 traffic-lost\n12:40 available\n12:41 traffic-back",
    "network-change": "12:00 live-migration\n12:20 network-change\n12:22 traffic-lost\ncpu active",
    "planned-maintenance": "12:00 planned-reboot\n12:01 unavailable\n12:30 available",
    "platform-network": "12:00 network-unhealthy\n12:02 traffic-lost\ncpu active",
    "service-incident": "12:00 service-incident\n12:10 traffic-lost\ncpu active",
    "spot-eviction": "12:00 eviction\n12:01 unavailable",
    "storage-offline": "12:00 storage-offline\n12:02 unavailable\n12:50 available",
    "user-stop": "12:00 live-migration\n12:20 deallocate\n12:35 unavailable",
}
VM = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/prod"
    "/providers/Microsoft.Compute/virtualMachines/web-01"
)
MIGRATED_AT = datetime.fromisoformat("2026-03-02T08:14:05Z")
LOST_AT = datetime.fromisoformat("2026-03-02T08:16:00Z")
END = datetime.fromisoformat("2026-03-02T10:00:00Z")
MINUTE = timedelta(minutes=1)


def generate_files() -> Iterator[tuple[str, str]]:
    """Every archive file below `examples/` and its text."""
    for name, story in SCENARIO_STORIES.items():
        drawn = notation.transcript(story)
        yield (
            f"{name}/archive/recording.jsonl",
            encode_transcript(drawn, notation.timeline(story).window, "public").decode(),
        )
    folder = f"{README_EXAMPLE}/archive"
    yield f"{folder}/activity-log.json", _format_json(_make_activity_log())
    yield f"{folder}/health-changes.json", _format_json({"count": 1, "data": [_make_annotation()], "totalRecords": 1})
    yield f"{folder}/metrics.json", json.dumps(_make_metrics()) + "\n"
    yield f"{folder}/vm.json", _format_json(_make_vm())


def run_example(folder: Path) -> str:
    """The report of an example as the installed command gives it now, without the time it was made."""
    done = subprocess.run(
        [COMMAND, "check", "--source", "archive", "-o", "json"], cwd=folder, capture_output=True, text=True, check=False
    )
    text = re.sub(r'"generated_at": "[^"]*"', '"generated_at": "2026-03-02T10:00:00Z"', done.stdout)
    return re.sub(r'("tool": \{\s*"name": "vmdiag",\s*"version": )"[^"]*"', r'\1"0.0.0"', text)


def _format_json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"


def _format_iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _make_activity_log() -> list[dict[str, object]]:
    """As `az monitor activity-log list` prints it: an ordinary change the day before, and the health event."""
    change = {"value": "Microsoft.Compute/virtualMachines/extensions/write", "localizedValue": "Create extension"}
    health = {
        "value": "Microsoft.Resourcehealth/healthevent/Activated/action",
        "localizedValue": "Health Event Activated",
    }
    properties: dict[str, object] = {
        "title": "Virtual machine health status changed to unavailable",
        "details": None,
        "currentHealthStatus": "Unavailable",
        "previousHealthStatus": "Available",
        "type": "Downtime",
        "cause": "PlatformInitiated",
    }
    return [
        _make_event(LOST_AT + 2 * MINUTE, health, "ResourceHealth", "Active", properties),
        _make_event(MIGRATED_AT - 20 * 60 * MINUTE, change, "Administrative", "Succeeded", {}),
    ]


def _make_event(
    at: datetime, operation: dict[str, str], category: str, status: str, properties: dict[str, object]
) -> dict[str, object]:
    return {
        "category": {"localizedValue": category, "value": category},
        "correlationId": f"00000000-0000-0000-0000-{at:%Y%m%d%H%M}",
        "eventTimestamp": _format_iso(at),
        "operationName": operation,
        "properties": properties,
        "resourceGroupName": "prod",
        "resourceId": VM,
        "status": {"localizedValue": status, "value": status},
    }


def _make_annotation() -> dict[str, object]:
    """As Resource Graph keeps it for a fortnight in `healthresourcechanges`."""
    members = {
        "annotationName": "LiveMigrationSucceeded",
        "occurredTime": _format_iso(MIGRATED_AT),
        "reason": "Live Migration",
        "summary": "This virtual machine was paused because of a memory-preserving Live Migration operation.",
        "context": "Platform Initiated",
        "category": "Unplanned",
    }
    return {
        "id": f"{VM}/providers/Microsoft.ResourceHealth/resourceAnnotations/current/providers/x/changes/1",
        "type": "microsoft.resources/changes",
        "properties": {
            "targetResourceId": f"{VM}/providers/Microsoft.ResourceHealth/resourceAnnotations/current",
            "targetResourceType": "microsoft.resourcehealth/resourceannotations",
            "changeType": "Update",
            "changeAttributes": {"timestamp": _format_iso(MIGRATED_AT + 2 * MINUTE)},
            "changes": {f"properties.{key}": {"newValue": value} for key, value in members.items()},
        },
    }


def _make_metrics() -> dict[str, object]:
    """As `az monitor metrics list` prints them: traffic falls, the CPU goes on."""
    start = MIGRATED_AT.replace(hour=6, minute=0, second=0)
    minutes = [start + n * MINUTE for n in range(int((END - start) / MINUTE))]
    traffic = [
        {"timeStamp": _format_iso(at), "total": 900.0 if at >= LOST_AT else 4.2e6 + 6e5 * math.sin(n / 7)}
        for n, at in enumerate(minutes)
    ]
    cpu = [{"timeStamp": _format_iso(at), "average": 18.0 + 3 * math.sin(n / 5)} for n, at in enumerate(minutes)]
    return {
        "interval": "PT1M",
        "namespace": "Microsoft.Compute/virtualMachines",
        "timespan": f"{_format_iso(start)}/{_format_iso(END)}",
        "value": [_make_metric("Network In Total", traffic), _make_metric("Percentage CPU", cpu)],
    }


def _make_metric(name: str, data: list[dict[str, object]]) -> dict[str, object]:
    return {
        "id": f"{VM}/providers/Microsoft.Insights/metrics/{name}",
        "name": {"localizedValue": name, "value": name},
        "timeseries": [{"data": data, "metadatavalues": []}],
        "type": "Microsoft.Insights/metrics",
    }


def _make_vm() -> dict[str, object]:
    """As `az vm get-instance-view` prints it."""
    return {
        "hardwareProfile": {"vmSize": "Standard_D4s_v5"},
        "id": VM,
        "instanceView": {"statuses": [{"code": "PowerState/running", "displayStatus": "VM running"}]},
        "location": "westeurope",
        "name": "web-01",
        "storageProfile": {"osDisk": {"osType": "Linux"}},
    }


def write_examples() -> None:
    """Write all examples anew, archives and expected reports."""
    for name, text in generate_files():
        path = EXAMPLES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for folder in sorted(path.parent for path in EXAMPLES.glob("*/archive")):
        (folder / "expected.json").write_text(run_example(folder), encoding="utf-8")


if __name__ == "__main__":
    write_examples()
