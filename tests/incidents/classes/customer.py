"""What customers do to their own VMs, with or without a migration shortly before."""

from datetime import datetime, timedelta

from tests.incidents.labels import expect_other_cause
from tests.incidents.model import Label
from tests.incidents.scene import Scene

_REPEATED = "Down: Virtual machine has been unavailable for 15 minutes"


def _perhaps_migrated(scene: Scene, before: datetime) -> datetime | None:
    """In half of the stories a migration went before, within the onset window."""
    return scene.migrate_vm(scene.choose_time_after(before, -20, -2)) if scene.rng.random() < 0.5 else None


def _stops(scene: Scene, at: datetime) -> None:
    """Power off or deallocate, by the control plane; 15 minutes later Azure repeats it as the platform's."""
    power = scene.rng.choice(("deallocated", "stopped"))
    verb, note = {
        "deallocated": ("deallocate/action", "VirtualMachineDeallocationInitiated"),
        "stopped": ("powerOff/action", "VirtualMachineStopInitiatedByControlPlane"),
    }[power]
    scene.run_operation(at, verb)
    scene.annotate_health(at + timedelta(seconds=scene.rng.uniform(1, 15)), note)
    scene.take_machine_down(at + timedelta(seconds=20), reported=power == "stopped")
    scene.change_health(at + timedelta(seconds=25), "Unavailable", cause="UserInitiated")
    scene.change_health(at + timedelta(minutes=15, seconds=30), "Unavailable", before="Unavailable", title=_REPEATED)
    scene.set_description(power=power)


def user_stop(scene: Scene) -> Label:
    """A customer stops the VM, and no migration is near."""
    stopped = scene.choose_time_before_end(45, 200)
    _stops(scene, stopped)
    # A stopped VM has a loss, explained by `user-stop`; the platform's repetition of it proves nothing.
    return expect_other_cause("user-stop", stopped)


def user_stop_after_migration(scene: Scene) -> Label:
    """A customer stops the VM minutes after its migration, and Azure repeats it as the platform's doing."""
    stopped = scene.choose_time_before_end(45, 200)
    migrated = scene.migrate_vm(scene.choose_time_after(stopped, -22, -2))
    _stops(scene, stopped)
    # The stop explains the loss: clear.
    return expect_other_cause("user-stop", stopped, migrated_at=migrated)


def stopped_from_inside(scene: Scene) -> Label:
    """Somebody shuts the guest down from inside: an annotation, no operation. `user-stop`."""
    stopped = scene.choose_time_before_end(45, 200)
    migrated = _perhaps_migrated(scene, stopped)
    scene.annotate_health(stopped, "VirtualMachineStoppedInternally")
    scene.take_machine_down(scene.choose_time_after(stopped, 0, 0.5))
    scene.change_health(scene.choose_time_after(stopped, 0.2, 0.6), "Unavailable", cause="UserInitiated")
    scene.set_description(power="stopped")
    return expect_other_cause("user-stop", stopped, migrated_at=migrated)


def deallocated_then_started(scene: Scene) -> Label:
    """A customer deallocates the VM for 30 to 90 minutes and starts it again."""
    stopped = scene.choose_time_before_end(150, 240)
    started = scene.choose_time_after(stopped, 30, 90)
    migrated = _perhaps_migrated(scene, stopped)
    scene.run_operation(stopped, "deallocate/action")
    scene.annotate_health(stopped + timedelta(seconds=5), "VirtualMachineDeallocationInitiated")
    scene.change_health(stopped + timedelta(seconds=25), "Unavailable", cause="UserInitiated")
    back = scene.act_as_customer(started, "start")
    scene.take_machine_down(stopped + timedelta(seconds=20), back, reported=False)
    scene.change_health(scene.choose_time_after(back, 0.2, 1), "Available", before="Unavailable", cause="UserInitiated")
    # A loss by the customer's own act that ended with a deallocate and start: `user-stop`, redeployed.
    return expect_other_cause("user-stop", stopped, migrated_at=migrated, state="redeployed")


def restart_never_came_back(scene: Scene) -> Label:
    """A customer restarts or reimages the VM and the guest does not come up again: `guest-restart`."""
    asked = scene.choose_time_before_end(45, 200)
    migrated = _perhaps_migrated(scene, asked)
    verb = scene.rng.choice(("restart/action", "reimage/action"))
    scene.annotate_health(asked, "VirtualMachineRebootInitiatedByControlPlane")
    scene.run_operation(asked, verb)
    scene.drop_traffic(scene.choose_time_after(asked, 0.1, 0.5))
    # A migration before it is out of the question, for the restart lies between it and the loss.
    return expect_other_cause("guest-restart", asked, migrated_at=migrated, action=("investigate",))


def resize_never_came_back(scene: Scene) -> Label:
    """A customer resizes the VM and it does not come up again. A resize is `guest-restart`."""
    asked = scene.choose_time_before_end(45, 200)
    migrated = _perhaps_migrated(scene, asked)
    scene.act_as_customer(asked, "resize", seconds=50)
    scene.drop_traffic(scene.choose_time_after(asked, 0.1, 0.5))
    return expect_other_cause("guest-restart", asked, migrated_at=migrated, action=("investigate",))
