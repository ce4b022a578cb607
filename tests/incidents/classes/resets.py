"""Restarts, resizes and redeploys around a migration: what they break, and what they do not."""

from datetime import datetime

from tests.incidents.labels import expect_flagged, expect_no_loss, expect_other_cause
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene


def restart_before_migration(scene: Scene) -> Label:
    """A customer restarts the VM, which is well again for 4 to 10 minutes; then it is migrated and lost."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    up = scene.choose_time_after(migrated, -10, -4)
    asked = scene.choose_time_after(up, -1.2, -0.8)
    scene.annotate_health(asked, "VirtualMachineRebootInitiatedByControlPlane")
    scene.run_operation(asked, "restart/action")
    scene.take_machine_down(asked, up)
    # A reset before the migration, with the VM well in between, breaks nothing and explains nothing: confirmed.
    return expect_flagged(migrated, scene.drop_traffic(scene.choose_time_after(migrated, 0.3, 8)))


def start_before_migration(scene: Scene) -> Label:
    """The same with a deallocate and start of some minutes, from which points are missing: confirmed."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    up = scene.choose_time_after(migrated, -16, -8)
    started = scene.choose_time_after(up, -1, -0.7)
    stopped = scene.choose_time_after(started, -6, -3)
    scene.annotate_health(stopped, "VirtualMachineDeallocationInitiated")
    scene.run_operation(stopped, "deallocate/action")
    scene.annotate_health(started, "VirtualMachineStartInitiatedByControlPlane")
    scene.run_operation(started, "start/action")
    scene.omit_points(stopped, up)
    return expect_flagged(migrated, scene.drop_traffic(scene.choose_time_after(migrated, 0.3, 8)))


def restart_before_a_clean_migration(scene: Scene) -> Label:
    """A restart minutes before a healthy migration: clear."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    asked = scene.choose_time_after(migrated, -12, -5)
    scene.annotate_health(asked, "VirtualMachineRebootInitiatedByControlPlane")
    scene.run_operation(asked, "restart/action")
    scene.take_machine_down(asked, scene.choose_time_after(asked, 0.7, 1.2))
    return expect_no_loss(migrated_at=migrated, failed_at=ANY)


def _off_for_minutes(scene: Scene, at: datetime) -> None:
    """A resize, or a deallocate and start, during which no points are reported."""
    back = scene.choose_time_after(at, 4, 9)
    if scene.rng.random() < 0.6:
        scene.annotate_health(at, "VirtualMachineSizeChanged")
        scene.run_operation(at, "write", seconds=(back - at).total_seconds())
    else:
        scene.annotate_health(at, "VirtualMachineDeallocationInitiated")
        scene.run_operation(at, "deallocate/action")
        started = scene.choose_time_after(back, -1, -0.7)
        scene.annotate_health(started, "VirtualMachineStartInitiatedByControlPlane")
        scene.run_operation(started, "start/action")
    scene.omit_points(at, back)


def resized_after_migration(scene: Scene) -> Label:
    """Migrated, and minutes later resized or stopped and started for 4 to 9 minutes; traffic normal otherwise."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(75, 200))
    _off_for_minutes(scene, scene.choose_time_after(migrated, 3, 20))
    # The missing points are that cause's and not a gap: judged normal before and after, clear.
    return expect_no_loss(migrated_at=migrated, failed_at=ANY)


def _redeployed(scene: Scene, done: datetime, *, outcome: str = "Succeeded") -> tuple[datetime, datetime]:
    """A loss with its migration, and a redeploy within it that ends at `done`."""
    asked = scene.choose_time_after(done, -3, -1.5)
    lost = scene.drop_traffic(scene.choose_time_after(asked, -60, -25))
    migrated = scene.migrate_vm(scene.choose_time_after(lost, -9, -0.3))
    scene.annotate_health(asked, "VirtualMachineRedeployInitiatedByControlPlane")
    scene.run_operation(asked, "redeploy/action", outcome=outcome, seconds=(done - asked).total_seconds())
    scene.omit_points(asked, done)
    return migrated, lost


def redeploy_just_ended(scene: Scene) -> Label:
    """The redeploy ended 3.5 to 7.5 minutes ago, and the VM is not back yet."""
    migrated, lost = _redeployed(scene, scene.choose_time_before_end(3.5, 7.5))
    # Confirmed and open; the action is to wait for 10 minutes, never "did not help" before.
    return expect_flagged(migrated, lost, action=("wait",))


def redeploy_under_way(scene: Scene) -> Label:
    """The log shows the redeploy's begin and not its end: wait, as long as it is under way."""
    migrated, lost = _redeployed(scene, scene.choose_time_before_end(0, 0.1), outcome="Running")
    return expect_flagged(migrated, lost, action=("wait",))


def redeploy_did_not_help(scene: Scene) -> Label:
    """The redeploy ended 14 to 40 minutes ago, and the VM is as dead as before: escalate."""
    migrated, lost = _redeployed(scene, scene.choose_time_before_end(14, 40))
    return expect_flagged(migrated, lost, action=("escalate",))


def freeze_and_lasting_loss(scene: Scene) -> Label:
    """The host was updated in place, and traffic is gone since; an in-place freeze reboots and explains nothing."""
    frozen = scene.choose_time_before_end(60, 200)
    scene.annotate_health(scene.choose_time_after(frozen, -4, -1), "VirtualMachinePlannedFreezeStarted")
    scene.annotate_health(frozen, "VirtualMachinePlannedFreezeSucceeded")
    lost = scene.drop_traffic(scene.choose_time_after(frozen, 0, 4))
    return expect_other_cause("unexplained", lost, action=("investigate",))


def freeze_before_migration(scene: Scene) -> Label:
    """An in-place freeze minutes before or after the migration is no rival of it: confirmed."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    frozen = scene.choose_time_after(migrated, -25, 3)
    scene.annotate_health(scene.choose_time_after(frozen, -4, -1), "VirtualMachinePlannedFreezeStarted")
    scene.annotate_health(frozen, "VirtualMachinePlannedFreezeSucceeded")
    return expect_flagged(migrated, scene.drop_traffic(scene.choose_time_after(migrated, 0.3, 8)))
