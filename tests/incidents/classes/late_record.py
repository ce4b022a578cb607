"""Records that are stamped minutes late: they date neither a migration nor a loss anew."""

from datetime import timedelta

from tests.incidents.labels import expect_flagged, expect_no_loss, expect_other_cause
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene


def migration_stamped_twice(scene: Scene) -> Label:
    """Two feeds date one migration 1 to 2.8 minutes apart, and the loss begins between or shortly after."""
    late = timedelta(minutes=scene.rng.uniform(1, 2.8))
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200), log_late=late)
    scene.plan.migrations_in_both = True
    # Records of one moment may differ by 3 minutes: one migration, from its first record on. Confirmed.
    return expect_flagged(migrated, scene.drop_traffic(scene.choose_time_after(migrated, 0.2, 4)))


def healthy_migration_stamped_twice(scene: Scene) -> Label:
    """The same with a pause of seconds: one migration, and clear."""
    late = timedelta(minutes=scene.rng.uniform(1, 2.8))
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200), log_late=late)
    scene.plan.migrations_in_both = True
    scene.reduce_traffic(migrated, migrated + timedelta(seconds=scene.rng.uniform(1, 20)), 0, 0)
    return expect_no_loss(migrated_at=migrated)


def unavailable_stamped_late(scene: Scene) -> Label:
    """Health notes the loss 2 to 3 minutes after the traffic shows it: one loss, dated to its first sign."""
    migrated, lost = scene.migrate_and_lose_traffic((60, 200), lost=(0, 10))
    scene.change_health(scene.choose_time_after(lost, 2, 2.8), "Unavailable")
    return expect_flagged(migrated, lost)


def stop_with_late_records(scene: Scene) -> Label:
    """A customer stops the VM; its note comes minutes late, and health repeats "Unavailable" to the very end."""
    stopped = scene.choose_time_before_end(60, 240)
    power, verb, note = scene.rng.choice(
        (
            ("deallocated", "deallocate/action", "VirtualMachineDeallocationInitiated"),
            ("stopped", "powerOff/action", "VirtualMachineStopInitiatedByControlPlane"),
        )
    )
    migrated = scene.migrate_vm(scene.choose_time_after(stopped, -20, -5)) if scene.rng.random() < 0.5 else None
    scene.run_operation(stopped, verb)
    scene.annotate_health(scene.choose_time_after(stopped, 1.5, 2.8), note)
    scene.take_machine_down(scene.choose_time_after(stopped, 0.3, 0.5), reported=power == "stopped")
    scene.change_health(scene.choose_time_after(stopped, 2, 2.8), "Unavailable", cause="UserInitiated")
    scene.change_health(
        scene.choose_time_before_end(0.2, 5), "Unavailable", before="Unavailable", title="Down: still unavailable"
    )
    scene.set_description(power=power)
    # The loss is the stop's and begins with it, not with the latest record.
    return expect_other_cause("user-stop", stopped, migrated_at=migrated)


def restart_stamped_late(scene: Scene) -> Label:
    """A customer restarts the migrated VM, which does not come back; the restart's note comes 2 to 3 minutes late."""
    asked = scene.choose_time_before_end(60, 200)
    migrated = scene.migrate_vm(scene.choose_time_after(asked, -20, -4))
    scene.run_operation(asked, "restart/action")
    scene.annotate_health(scene.choose_time_after(asked, 2, 2.8), "VirtualMachineRebootInitiatedByControlPlane")
    scene.drop_traffic(scene.choose_time_after(asked, 0.1, 0.5))
    # The operation itself is on time and lies between migration and loss: `guest-restart`.
    return expect_other_cause("guest-restart", asked, migrated_at=migrated, action=("investigate",))


def lost_minutes_before_migration(scene: Scene) -> Label:
    """The loss begins 3.2 to 3.8 minutes before the migration's only time: from 2 to 5 minutes, suspected at most."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    return expect_flagged(
        migrated, scene.drop_traffic(scene.choose_time_after(migrated, -3.8, -3.2)), verdict="suspected"
    )


def migration_repeated_minutes_later(scene: Scene) -> Label:
    """Azure notes one migration twice, under its name and a few minutes later again; a clean one. Clear."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200), name="LiveMigrationSucceeded")
    scene.migrate_vm(scene.choose_time_after(migrated, 1, 2.5), name="LiveMigrationSucceeded")
    return expect_no_loss(migrated_at=migrated, failed_at=ANY)
