"""Causes inside the platform or the guest that Azure names itself."""

from collections.abc import Iterable
from datetime import datetime

from tests.incidents.labels import explained
from tests.incidents.model import ANY, Label, When
from tests.incidents.scene import Scene


def _goes_down(
    scene: Scene, names: Iterable[str], scenario: str, *, migrated: When, recovers: bool | None = None
) -> Label:
    """The VM dies, an annotation tells why; it comes back after 16 to 40 minutes, or not at all."""
    down = scene.dips[0].start
    scene.annotated(scene.after(down, -0.5, 1), scene.rng.choice(tuple(names)))
    scene.turns(scene.after(down, 0, 1), "Unavailable")
    if recovers is None:
        recovers = scene.rng.random() < 0.6
    if not recovers:
        return explained(scenario, down, migrated_at=migrated, action=("investigate",))
    back = scene.after(down, 16.5, 40)
    scene.dips.clear()
    scene.dies(down, back)
    scene.turns(scene.after(back, 0, 1), "Available", before="Unavailable")
    return explained(scenario, down, migrated_at=migrated, state="recovered")


def _down(scene: Scene) -> tuple[datetime, datetime | None]:
    """The VM dies; in half of the stories 2 to 20 minutes after a migration."""
    down = scene.dies(scene.ago(60, 200))
    return down, scene.migrates(scene.after(down, -20, -2)) if scene.rng.random() < 0.5 else None


def guest_crash(scene: Scene) -> Label:
    """The guest's system crashes, perhaps shortly after a migration: `guest-crash`. Clear."""
    _, migrated = _down(scene)
    return _goes_down(scene, ("VirtualMachineCrashed",), "guest-crash", migrated=migrated)


def host_failure(scene: Scene) -> Label:
    """The host fails; Azure heals the VM onto another, or has not yet: `host-failure`. Clear."""
    _, migrated = _down(scene)
    names = ("VirtualMachineHostCrashed", "VirtualMachineHostRebootedForRepair")
    return _goes_down(scene, names, "host-failure", migrated=migrated)


def service_healing(scene: Scene) -> Label:
    """Azure moves the VM off a failed host, with a reboot, and it comes back: `host-failure`, recovered."""
    _, migrated = _down(scene)
    names = ("VirtualMachineMigrationInitiatedForRepair",)
    return _goes_down(scene, names, "host-failure", migrated=migrated, recovers=True)


def failed_migration_then_host_reboot(scene: Scene) -> Label:
    """A migration off a failing host did not succeed, the host was rebooted: `host-failure`. Clear."""
    down = scene.dies(scene.ago(60, 200))
    scene.migrates(scene.after(down, -15, -2), failed=True)
    return _goes_down(scene, ("VirtualMachineHostRebootedForRepair",), "host-failure", migrated=ANY)


def planned_maintenance(scene: Scene) -> Label:
    """Planned maintenance with a reboot, or a planned move; "Migration" in its name is not a live one."""
    _, migrated = _down(scene)
    names = (
        "VirtualMachineRebootInitiatedForPlannedMaintenance",
        "VirtualMachineMigrationInitiatedForPlannedMaintenance",
    )
    return _goes_down(scene, names, "planned-maintenance", migrated=migrated)


def storage_offline(scene: Scene) -> Label:
    """The VM loses its remote disk and is shut down: `storage-offline`."""
    _, migrated = _down(scene)
    return _goes_down(scene, ("VirtualMachineStorageOffline",), "storage-offline", migrated=migrated)


def spot_eviction(scene: Scene) -> Label:
    """Azure takes a spot VM back; nobody reaches an evicted VM: a loss explained by `spot-eviction`."""
    down = scene.dies(scene.ago(60, 200), reported=False)
    migrated = scene.migrates(scene.after(down, -20, -2)) if scene.rng.random() < 0.5 else None
    scene.annotated(scene.after(down, -0.5, 0.2), "VirtualMachinePreempted")
    scene.turns(scene.after(down, 0, 1), "Unavailable")
    scene.becomes(power="deallocated", spot=True)
    return explained("spot-eviction", down, migrated_at=migrated)


def accelnet_without_migration(scene: Scene) -> Label:
    """Accelerated networking fails, traffic is gone; without a migration: `accelerated-networking`."""
    lost = scene.loses_traffic(scene.ago(60, 200))
    scene.annotated(scene.after(lost, -0.5, 1), "AccelnetUnhealthy")
    scene.turns(scene.after(lost, 0, 1), "Degraded")
    return explained("accelerated-networking", lost)


def platform_network(scene: Scene) -> Label:
    """Azure names a fault of its own network, and there was no migration: `platform-network`."""
    end = scene.rng.choice((None, scene.ago(10, 25)))
    lost = scene.loses_traffic(scene.ago(60, 200), end)
    name = scene.rng.choice(("NetworkUnhealthy", "DependencyUnhealthyNetworkDevice"))
    scene.annotated(scene.after(lost, -0.5, 1.5), name)
    return explained("platform-network", lost, state="open" if end is None else "recovered")
