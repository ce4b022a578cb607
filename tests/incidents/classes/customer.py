"""What customers do to their own VMs, with or without a migration shortly before."""

from datetime import datetime, timedelta

from tests.incidents.labels import explained
from tests.incidents.model import Label
from tests.incidents.scene import Scene

_REPEATED = "Down: Virtual machine has been unavailable for 15 minutes"


def _perhaps_migrated(scene: Scene, before: datetime) -> datetime | None:
    """In half of the stories a migration went before, within the onset window."""
    return scene.migrates(scene.after(before, -20, -2)) if scene.rng.random() < 0.5 else None


def _stops(scene: Scene, at: datetime) -> None:
    """Power off or deallocate, by the control plane; 15 minutes later Azure repeats it as the platform's."""
    power = scene.rng.choice(("deallocated", "stopped"))
    verb, note = {
        "deallocated": ("deallocate/action", "VirtualMachineDeallocationInitiated"),
        "stopped": ("powerOff/action", "VirtualMachineStopInitiatedByControlPlane"),
    }[power]
    scene.operates(at, verb)
    scene.annotated(at + timedelta(seconds=scene.rng.uniform(1, 15)), note)
    scene.dies(at + timedelta(seconds=20), reported=power == "stopped")
    scene.turns(at + timedelta(seconds=25), "Unavailable", cause="UserInitiated")
    scene.turns(at + timedelta(minutes=15, seconds=30), "Unavailable", before="Unavailable", title=_REPEATED)
    scene.becomes(power=power)


def user_stop(scene: Scene) -> Label:
    """A customer stops the VM, and no migration is near.

    A stopped VM has a loss, explained by `user-stop`; the platform's repetition of it proves nothing.
    """
    stopped = scene.ago(45, 200)
    _stops(scene, stopped)
    return explained("user-stop", stopped)


def user_stop_after_migration(scene: Scene) -> Label:
    """A customer stops the VM minutes after its migration, and Azure repeats it as the platform's doing.

    The stop explains the loss: clear.
    """
    stopped = scene.ago(45, 200)
    migrated = scene.migrates(scene.after(stopped, -22, -2))
    _stops(scene, stopped)
    return explained("user-stop", stopped, migrated_at=migrated)


def stopped_from_inside(scene: Scene) -> Label:
    """Somebody shuts the guest down from inside: an annotation, no operation. `user-stop`."""
    stopped = scene.ago(45, 200)
    migrated = _perhaps_migrated(scene, stopped)
    scene.annotated(stopped, "VirtualMachineStoppedInternally")
    scene.dies(scene.after(stopped, 0, 0.5))
    scene.turns(scene.after(stopped, 0.2, 0.6), "Unavailable", cause="UserInitiated")
    scene.becomes(power="stopped")
    return explained("user-stop", stopped, migrated_at=migrated)


def deallocated_then_started(scene: Scene) -> Label:
    """A customer deallocates the VM for 30 to 90 minutes and starts it again.

    A loss by the customer's own act that ended with a deallocate and start: `user-stop`, redeployed.
    """
    stopped = scene.ago(150, 240)
    started = scene.after(stopped, 30, 90)
    migrated = _perhaps_migrated(scene, stopped)
    scene.operates(stopped, "deallocate/action")
    scene.annotated(stopped + timedelta(seconds=5), "VirtualMachineDeallocationInitiated")
    scene.turns(stopped + timedelta(seconds=25), "Unavailable", cause="UserInitiated")
    scene.annotated(started, "VirtualMachineStartInitiatedByControlPlane")
    back = scene.operates(started, "start/action")
    scene.dies(stopped + timedelta(seconds=20), back, reported=False)
    scene.turns(scene.after(back, 0.2, 1), "Available", before="Unavailable", cause="UserInitiated")
    return explained("user-stop", stopped, migrated_at=migrated, state="redeployed")


def restart_never_came_back(scene: Scene) -> Label:
    """A customer restarts or reimages the VM and the guest does not come up again: `guest-restart`.

    A migration before it is out of the question, for the restart lies between it and the loss.
    """
    asked = scene.ago(45, 200)
    migrated = _perhaps_migrated(scene, asked)
    verb = scene.rng.choice(("restart/action", "reimage/action"))
    scene.annotated(asked, "VirtualMachineRebootInitiatedByControlPlane")
    scene.operates(asked, verb)
    scene.loses_traffic(scene.after(asked, 0.1, 0.5))
    return explained("guest-restart", asked, migrated_at=migrated, action=("investigate",))


def resize_never_came_back(scene: Scene) -> Label:
    """A customer resizes the VM and it does not come up again. A resize is `guest-restart`."""
    asked = scene.ago(45, 200)
    migrated = _perhaps_migrated(scene, asked)
    scene.annotated(asked, "VirtualMachineSizeChanged")
    scene.operates(asked, "write", seconds=50)
    scene.loses_traffic(scene.after(asked, 0.1, 0.5))
    return explained("guest-restart", asked, migrated_at=migrated, action=("investigate",))
