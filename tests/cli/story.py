"""Small activity logs, as `az monitor activity-log list` gives them, for tests of the command line."""

import json
from pathlib import Path

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"

Entry = dict[str, object]


def make_vm_id(name: str) -> str:
    """The id of a VM in the one resource group there is."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/{name}"


def make_health_entry(clock: str, vm: str, details: str = "", *, state: str | None = None) -> Entry:
    """An entry of category ResourceHealth on 2026-03-02: an annotation's name in `details`, or a changed state."""
    return {
        "eventTimestamp": f"2026-03-02T{clock}:00.0000000Z",
        "eventDataId": f"{vm}-{clock}-{details}-{state}",
        "correlationId": f"{vm}-{clock}",
        "category": {"value": "ResourceHealth", "localizedValue": "Resource Health"},
        "operationName": {"value": "Microsoft.Resourcehealth/healthevent/Updated/action"},
        "resourceProviderName": {"value": "Microsoft.Resourcehealth/healthevent/action"},
        "resourceType": {"value": "Microsoft.Compute/virtualMachines"},
        "resourceId": make_vm_id(vm),
        "resourceGroupName": "prod",
        "subscriptionId": SUBSCRIPTION,
        "level": "Informational",
        "status": {"value": "Updated"},
        "properties": {"title": "", "details": details, "currentHealthStatus": state, "cause": "PlatformInitiated"},
    }


def make_migration(vm: str) -> Entry:
    """A live migration at 08:14."""
    return make_health_entry("08:14", vm, "LiveMigrationSucceeded")


def make_affected_log(vm: str = "web-01") -> list[Entry]:
    """Migrated, then unavailable to the end."""
    return [
        make_migration(vm),
        make_health_entry("08:16", vm, state="Unavailable"),
        make_health_entry("10:00", "other", state="Available"),
    ]


def make_recovered_log(vm: str = "web-01") -> list[Entry]:
    """Migrated, unavailable, and back after 44 minutes."""
    return [*make_affected_log(vm), make_health_entry("09:00", vm, state="Available")]


def make_inconclusive_log(vm: str = "web-01") -> list[Entry]:
    """Migrated, and nothing says how its network fared."""
    return [make_migration(vm), make_health_entry("10:00", "other", state="Available")]


def make_stopped_log(vm: str = "web-01") -> list[Entry]:
    """Deallocated by its owner."""
    return [
        make_health_entry("08:16", vm, "VirtualMachineDeallocationInitiated"),
        make_health_entry("10:00", "other", state="Available"),
    ]


def write_log(folder: Path, entries: list[Entry], name: str = "activity.json") -> Path:
    """The entries as a file."""
    path = folder / name
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path
