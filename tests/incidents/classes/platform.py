"""Causes inside the platform or the guest that Azure names itself."""

from collections.abc import Iterable
from datetime import datetime

from tests.incidents.labels import expect_other_cause
from tests.incidents.model import ANY, ExpectedTime, Label
from tests.incidents.scene import Scene


def _goes_down(
    scene: Scene, names: Iterable[str], scenario: str, *, migrated: ExpectedTime, recovers: bool | None = None
) -> Label:
    """The VM dies, an annotation tells why; it comes back after 16 to 40 minutes, or not at all."""
    down = scene.dips[0].start
    scene.annotate_health(scene.choose_time_after(down, -0.5, 1), scene.rng.choice(tuple(names)))
    scene.change_health(scene.choose_time_after(down, 0, 1), "Unavailable")
    if recovers is None:
        recovers = scene.rng.random() < 0.6
    if not recovers:
        return expect_other_cause(scenario, down, migrated_at=migrated, action=("investigate",))
    back = scene.choose_time_after(down, 16.5, 40)
    scene.dips.clear()
    scene.take_machine_down(down, back)
    scene.change_health(scene.choose_time_after(back, 0, 1), "Available", before="Unavailable")
    return expect_other_cause(scenario, down, migrated_at=migrated, state="recovered")


def _down(scene: Scene) -> tuple[datetime, datetime | None]:
    """The VM dies; in half of the stories 2 to 20 minutes after a migration."""
    down = scene.take_machine_down(scene.choose_time_before_end(60, 200))
    return down, scene.migrate_vm(scene.choose_time_after(down, -20, -2)) if scene.rng.random() < 0.5 else None


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
    down = scene.take_machine_down(scene.choose_time_before_end(60, 200))
    scene.migrate_vm(scene.choose_time_after(down, -15, -2), failed=True)
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
    down = scene.take_machine_down(scene.choose_time_before_end(60, 200), reported=False)
    migrated = scene.migrate_vm(scene.choose_time_after(down, -20, -2)) if scene.rng.random() < 0.5 else None
    scene.annotate_health(scene.choose_time_after(down, -0.5, 0.2), "VirtualMachinePreempted")
    scene.change_health(scene.choose_time_after(down, 0, 1), "Unavailable")
    scene.set_description(power="deallocated", spot=True)
    return expect_other_cause("spot-eviction", down, migrated_at=migrated)


def accelnet_without_migration(scene: Scene) -> Label:
    """Accelerated networking fails, traffic is gone; without a migration: `accelerated-networking`."""
    lost = scene.drop_traffic(scene.choose_time_before_end(60, 200))
    scene.annotate_health(scene.choose_time_after(lost, -0.5, 1), "AccelnetUnhealthy")
    scene.change_health(scene.choose_time_after(lost, 0, 1), "Degraded")
    return expect_other_cause("accelerated-networking", lost)


def platform_network(scene: Scene) -> Label:
    """Azure names a fault of its own network, and there was no migration: `platform-network`."""
    end = scene.rng.choice((None, scene.choose_time_before_end(10, 25)))
    lost = scene.drop_traffic(scene.choose_time_before_end(60, 200), end)
    name = scene.rng.choice(("NetworkUnhealthy", "DependencyUnhealthyNetworkDevice"))
    scene.annotate_health(scene.choose_time_after(lost, -0.5, 1.5), name)
    return expect_other_cause("platform-network", lost, state="open" if end is None else "recovered")
