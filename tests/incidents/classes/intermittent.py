"""Losses in pieces, which may be one loss, and records stamped minutes late, which date nothing anew."""

from datetime import datetime, timedelta

from tests.incidents.labels import (
    SCENARIO,
    expect_affected,
    expect_flagged,
    expect_inconclusive,
    expect_no_loss,
    expect_other_cause,
)
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene

_SHORT = ((9, 13), (4.2, 5.5))
_LONG = ((15, 20), (5, 9))
"""Minutes dead and minutes alive: together dead for well over half of the time."""


def _flaps(scene: Scene, start: datetime, end: datetime) -> datetime:
    """Pieces of loss from `start` on; the end of the last that began before `end`."""
    scene.plan.noise = 0.25
    dead, alive = scene.rng.choice((_SHORT, _LONG))
    at = last = start
    while at < end:
        last = min(scene.choose_time_after(at, *dead), scene.until)
        scene.drop_traffic(at, last)
        at = scene.choose_time_after(last, *alive)
    return last


def flapping(scene: Scene) -> Label:
    """Dead for most minutes since the migration, alive for some, to the end of the window."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(85, 200))
    lost = scene.choose_time_after(migrated, 0, 10)
    _flaps(scene, lost, scene.until)
    # One intermittent loss from the first onset, open until 15 well minutes have passed; the machine lives.
    return expect_affected(migrated, lost, action=("redeploy",), extent="intermittent")


def flapping_ended(scene: Scene) -> Label:
    """The same for 40 to 80 minutes, then well for good: it has ended after 15 well minutes."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(160, 240))
    lost = scene.choose_time_after(migrated, 0, 10)
    _flaps(scene, lost, scene.choose_time_after(lost, 40, 80))
    return expect_affected(migrated, lost, state="recovered", action=("none",), extent="intermittent")


def flapping_without_migration(scene: Scene) -> Label:
    """Flapping that no migration and nothing else explains: clear, unexplained, one intermittent loss."""
    lost = scene.choose_time_before_end(85, 200)
    _flaps(scene, lost, scene.until)
    return expect_other_cause("unexplained", lost, action=("investigate",), extent="intermittent")


def reset_between_pieces(scene: Scene) -> Label:
    """Flapping since the migration; in a well gap the VM is restarted or redeployed, and soon lost for good."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(150, 230))
    well = _flaps(scene, scene.choose_time_after(migrated, 0, 8), scene.choose_time_after(migrated, 30, 45))
    asked = scene.choose_time_after(well, 4.2, 5)
    done = scene.act_as_customer(asked, scene.rng.choice(("restart", "redeploy")))
    lost = scene.drop_traffic(scene.choose_time_after(done, 4.5, 6))
    # A reset parts the pieces and breaks the link: the migration's loss is the earlier one, the latest is the reset's
    # or nobody's, and is open.
    return expect_affected(
        migrated, lost, explanation=("unexplained", "guest-restart"), action=("investigate", "escalate")
    )


def migration_between_pieces(scene: Scene) -> Label:
    """Lost before the migration, well for some minutes, lost again with the migration and until the end."""
    first = scene.choose_time_before_end(110, 200)
    well = scene.choose_time_after(first, 16, 25)
    migrated = scene.migrate_vm(scene.choose_time_after(well, 4, 6))
    lost = scene.choose_time_after(migrated, 0.5, 4)
    scene.plan.noise = 0.25
    scene.drop_traffic(first, well)
    scene.drop_traffic(lost)
    # A migration between two pieces parts them: suspected at most, and the loss is the second piece.
    return expect_flagged(migrated, lost, verdict="suspected")


def three_short_falls(scene: Scene) -> Label:
    """Three falls of 4 to 6 minutes within two hours, the first inside the migration's onset window."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(130, 220))
    fell = scene.choose_time_after(migrated, 1, 15)
    for _ in range(3):
        scene.drop_traffic(fell, scene.choose_time_after(fell, 4.2, 6))
        fell = scene.choose_time_after(fell, 26, 38)
    scene.plan.noise = 0.25
    scene.plan.holes = 0.0
    # At least inconclusive; far less than half of the time, so there is no loss: state null.
    return expect_inconclusive((None, SCENARIO), ANY, migrated_at=migrated, extent=ANY)


def two_short_falls(scene: Scene) -> Label:
    """One fall fewer: two pauses, each far below 15 minutes, say nothing. Clear."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(130, 220))
    fell = scene.choose_time_after(migrated, 1, 15)
    for _ in range(2):
        scene.drop_traffic(fell, scene.choose_time_after(fell, 4.2, 6))
        fell = scene.choose_time_after(fell, 30, 45)
    scene.plan.noise = 0.25
    return expect_no_loss(migrated_at=migrated, failed_at=ANY)


def pause_seconds_before_the_loss(scene: Scene) -> Label:
    """A pause of under a minute with the migration, 5 to 15 well minutes, then the loss itself: confirmed."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(75, 200))
    scene.reduce_traffic(migrated, migrated + timedelta(seconds=scene.rng.uniform(5, 50)), 0, 0)
    lost = scene.drop_traffic(scene.choose_time_after(migrated, 6, 15))
    return expect_flagged(migrated, lost)


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
