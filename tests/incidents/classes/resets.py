"""Restarts, resizes and redeploys around a migration: what they break, and what they do not."""

from datetime import datetime

from tests.incidents.labels import explained, hit, quiet
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene


def restart_before_migration(scene: Scene) -> Label:
    """A customer restarts the VM, which is well again for 4 to 10 minutes; then it is migrated and lost.

    A reset before the migration, with the VM well in between, breaks nothing and explains nothing: confirmed.
    """
    migrated = scene.migrates(scene.ago(60, 200))
    up = scene.after(migrated, -10, -4)
    asked = scene.after(up, -1.2, -0.8)
    scene.annotated(asked, "VirtualMachineRebootInitiatedByControlPlane")
    scene.operates(asked, "restart/action")
    scene.dies(asked, up)
    return hit(migrated, scene.loses_traffic(scene.after(migrated, 0.3, 8)))


def start_before_migration(scene: Scene) -> Label:
    """The same with a deallocate and start of some minutes, from which points are missing: confirmed."""
    migrated = scene.migrates(scene.ago(60, 200))
    up = scene.after(migrated, -16, -8)
    started = scene.after(up, -1, -0.7)
    stopped = scene.after(started, -6, -3)
    scene.annotated(stopped, "VirtualMachineDeallocationInitiated")
    scene.operates(stopped, "deallocate/action")
    scene.annotated(started, "VirtualMachineStartInitiatedByControlPlane")
    scene.operates(started, "start/action")
    scene.unreported(stopped, up)
    return hit(migrated, scene.loses_traffic(scene.after(migrated, 0.3, 8)))


def restart_before_a_clean_migration(scene: Scene) -> Label:
    """A restart minutes before a healthy migration: clear."""
    migrated = scene.migrates(scene.ago(60, 200))
    asked = scene.after(migrated, -12, -5)
    scene.annotated(asked, "VirtualMachineRebootInitiatedByControlPlane")
    scene.operates(asked, "restart/action")
    scene.dies(asked, scene.after(asked, 0.7, 1.2))
    return quiet(migrated_at=migrated, failed_at=ANY)


def _off_for_minutes(scene: Scene, at: datetime) -> None:
    """A resize, or a deallocate and start, during which no points are reported."""
    back = scene.after(at, 4, 9)
    if scene.rng.random() < 0.6:
        scene.annotated(at, "VirtualMachineSizeChanged")
        scene.operates(at, "write", seconds=(back - at).total_seconds())
    else:
        scene.annotated(at, "VirtualMachineDeallocationInitiated")
        scene.operates(at, "deallocate/action")
        started = scene.after(back, -1, -0.7)
        scene.annotated(started, "VirtualMachineStartInitiatedByControlPlane")
        scene.operates(started, "start/action")
    scene.unreported(at, back)


def resized_after_migration(scene: Scene) -> Label:
    """Migrated, and minutes later resized or stopped and started for 4 to 9 minutes; traffic normal otherwise.

    The missing points are that cause's and not a gap: judged normal before and after, clear.
    """
    migrated = scene.migrates(scene.ago(75, 200))
    _off_for_minutes(scene, scene.after(migrated, 3, 20))
    return quiet(migrated_at=migrated, failed_at=ANY)


def _redeployed(scene: Scene, done: datetime, *, outcome: str = "Succeeded") -> tuple[datetime, datetime]:
    """A loss with its migration, and a redeploy within it that ends at `done`."""
    asked = scene.after(done, -3, -1.5)
    lost = scene.loses_traffic(scene.after(asked, -60, -25))
    migrated = scene.migrates(scene.after(lost, -9, -0.3))
    scene.annotated(asked, "VirtualMachineRedeployInitiatedByControlPlane")
    scene.operates(asked, "redeploy/action", outcome=outcome, seconds=(done - asked).total_seconds())
    scene.unreported(asked, done)
    return migrated, lost


def redeploy_just_ended(scene: Scene) -> Label:
    """The redeploy ended 3.5 to 7.5 minutes ago, and the VM is not back yet.

    Confirmed and open; the action is to wait for 10 minutes, never "did not help" before.
    """
    migrated, lost = _redeployed(scene, scene.ago(3.5, 7.5))
    return hit(migrated, lost, action=("wait",))


def redeploy_under_way(scene: Scene) -> Label:
    """The log shows the redeploy's begin and not its end: wait, as long as it is under way."""
    migrated, lost = _redeployed(scene, scene.ago(0, 0.1), outcome="Running")
    return hit(migrated, lost, action=("wait",))


def redeploy_did_not_help(scene: Scene) -> Label:
    """The redeploy ended 14 to 40 minutes ago, and the VM is as dead as before: escalate."""
    migrated, lost = _redeployed(scene, scene.ago(14, 40))
    return hit(migrated, lost, action=("escalate",))


def freeze_and_lasting_loss(scene: Scene) -> Label:
    """The host was updated in place, and traffic is gone since; an in-place freeze reboots and explains nothing."""
    frozen = scene.ago(60, 200)
    scene.annotated(scene.after(frozen, -4, -1), "VirtualMachinePlannedFreezeStarted")
    scene.annotated(frozen, "VirtualMachinePlannedFreezeSucceeded")
    lost = scene.loses_traffic(scene.after(frozen, 0, 4))
    return explained("unexplained", lost, action=("investigate",))


def freeze_before_migration(scene: Scene) -> Label:
    """An in-place freeze minutes before or after the migration is no rival of it: confirmed."""
    migrated = scene.migrates(scene.ago(60, 200))
    frozen = scene.after(migrated, -25, 3)
    scene.annotated(scene.after(frozen, -4, -1), "VirtualMachinePlannedFreezeStarted")
    scene.annotated(frozen, "VirtualMachinePlannedFreezeSucceeded")
    return hit(migrated, scene.loses_traffic(scene.after(migrated, 0.3, 8)))
