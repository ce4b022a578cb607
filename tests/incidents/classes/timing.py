"""What minutes decide: too early, the log not complete yet, a migration that has just been."""

from tests.incidents.labels import expect_flagged, expect_no_loss
from tests.incidents.model import Label
from tests.incidents.scene import Scene


def loss_of_twenty_minutes(scene: Scene) -> Label:
    """Traffic has been gone for 16.5 to 20 minutes: the log may still lack the cause. Suspected at most, wait."""
    lost = scene.drop_traffic(scene.choose_time_before_end(16.5, 20))
    scene.plan.whole_tail = True
    scene.plan.holes = 0.0
    return expect_flagged(
        scene.migrate_vm(scene.choose_time_after(lost, -10, -0.3)), lost, verdict="suspected", action=("wait",)
    )


def migration_of_minutes_ago(scene: Scene) -> Label:
    """Migrated 6 to 25 minutes ago and normal to the end of the window: clear, and wait until 30 minutes after."""
    scene.plan.whole_tail = True
    scene.plan.holes = 0.0
    return expect_no_loss(migrated_at=scene.migrate_vm(scene.choose_time_before_end(6, 25)), action=("wait",))


def loss_of_half_an_hour(scene: Scene) -> Label:
    """Traffic has been gone for 25 to 40 minutes, late enough for the log: confirmed."""
    lost = scene.drop_traffic(scene.choose_time_before_end(25, 40))
    scene.plan.whole_tail = True
    scene.plan.holes = 0.0
    return expect_flagged(scene.migrate_vm(scene.choose_time_after(lost, -10, -0.3)), lost)


def lost_late_in_the_onset_window(scene: Scene) -> Label:
    """The loss begins 24 to 28 minutes after the migration, well inside 30: confirmed."""
    lost = scene.drop_traffic(scene.choose_time_before_end(60, 200))
    return expect_flagged(scene.migrate_vm(scene.choose_time_after(lost, -28, -24)), lost)
