"""Small activity logs, as `az monitor activity-log list` gives them, for tests of the command line."""

import json
from pathlib import Path

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"

Entry = dict[str, object]


def vm_id(name: str) -> str:
    """The id of a VM in the one resource group there is."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/{name}"


def told(clock: str, vm: str, details: str = "", *, state: str | None = None) -> Entry:
    """An entry of category ResourceHealth on 2026-03-02: an annotation's name in `details`, or a changed state."""
    return {
        "eventTimestamp": f"2026-03-02T{clock}:00.0000000Z",
        "eventDataId": f"{vm}-{clock}-{details}-{state}",
        "correlationId": f"{vm}-{clock}",
        "category": {"value": "ResourceHealth", "localizedValue": "Resource Health"},
        "operationName": {"value": "Microsoft.Resourcehealth/healthevent/Updated/action"},
        "resourceProviderName": {"value": "Microsoft.Resourcehealth/healthevent/action"},
        "resourceType": {"value": "Microsoft.Compute/virtualMachines"},
        "resourceId": vm_id(vm),
        "resourceGroupName": "prod",
        "subscriptionId": SUBSCRIPTION,
        "level": "Informational",
        "status": {"value": "Updated"},
        "properties": {"title": "", "details": details, "currentHealthStatus": state, "cause": "PlatformInitiated"},
    }


def migrated(vm: str) -> Entry:
    """A live migration at 08:14."""
    return told("08:14", vm, "LiveMigrationSucceeded")


def affected(vm: str = "web-01") -> list[Entry]:
    """Migrated, then unavailable to the end."""
    return [migrated(vm), told("08:16", vm, state="Unavailable"), told("10:00", "other", state="Available")]


def recovered(vm: str = "web-01") -> list[Entry]:
    """Migrated, unavailable, and back after 44 minutes."""
    return [*affected(vm), told("09:00", vm, state="Available")]


def unclear(vm: str = "web-01") -> list[Entry]:
    """Migrated, and nothing says how its network fared."""
    return [migrated(vm), told("10:00", "other", state="Available")]


def stopped(vm: str = "web-01") -> list[Entry]:
    """Deallocated by its owner."""
    return [told("08:16", vm, "VirtualMachineDeallocationInitiated"), told("10:00", "other", state="Available")]


def written(folder: Path, entries: list[Entry], name: str = "activity.json") -> Path:
    """The entries as a file."""
    path = folder / name
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path
