"""The baseline is a time that was well: earlier losses, and falls that are the VM's habit."""

from datetime import datetime, timedelta
from functools import partial

from tests.incidents.labels import (
    CONFIRMED_OR_SUSPECTED,
    SCENARIO,
    expect_flagged,
    expect_inconclusive,
    expect_no_loss,
    expect_other_cause,
)
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_EXPECT_HABIT = partial(
    expect_inconclusive,
    failed_at=ANY,
    explanation=(None, SCENARIO),
    state=(None, "open"),
    action=("investigate", "wait"),
    extent=ANY,
)
"""The VM's habit alone shows no loss. Its words are told; state and times are not compared."""


def earlier_outage_in_the_hour(scene: Scene) -> Label:
    """An outage of 35 to 50 minutes ended 18 to 24 minutes before the loss; what it left is noise."""
    lost = scene.drop_traffic(scene.choose_time_before_end(60, 180))
    well = scene.choose_time_after(lost, -24, -18)
    scene.drop_traffic(scene.choose_time_after(well, -50, -35), well)
    # An earlier loss inside the hour is left out of the baseline: confirmed, and dated to the latest loss.
    return expect_flagged(scene.migrate_vm(scene.choose_time_after(lost, -7, -0.5)), lost)


def change_that_ended_an_earlier_loss(scene: Scene) -> Label:
    """A change of the VM's own network ended an outage; 18 to 24 minutes later the migrated VM is lost again."""
    changed = scene.choose_time_before_end(80, 200)
    scene.change_own_network(changed)
    scene.drop_traffic(scene.choose_time_after(changed, -50, -35), scene.choose_time_after(changed, 0.4, 0.9))
    migrated = scene.migrate_vm(scene.choose_time_after(changed, 1.5, 3))
    lost = scene.drop_traffic(scene.choose_time_after(changed, 19, 25))
    # A change that ended an earlier loss is not the cause of the next: confirmed, although it lies as near to the onset
    # as the migration does.
    return expect_flagged(migrated, lost)


def _falls_each_night(scene: Scene) -> datetime:
    """Traffic fell at this hour on the two or three days before; when it fell today."""
    fell = scene.choose_time_before_end(50, 110)
    scene.plan.vital_metrics = scene.rng.choice((("Percentage CPU",), ("Disk Write Bytes",)))
    for day in range(1, scene.rng.choice((3, 4))):
        began = scene.choose_time_after(fell - day * _DAY, -3, 3)
        scene.drop_traffic(began, scene.choose_time_after(began, 160, 200), silent=False)
    return fell


def nightly_fall(scene: Scene) -> Label:
    """Traffic falls at the same hour as on the days before, and tonight there was a migration, too."""
    fell = scene.drop_traffic(_falls_each_night(scene))
    # The VM's habit alone shows no loss: inconclusive. Its words are told; state and times are not compared.
    return _EXPECT_HABIT(migrated_at=scene.migrate_vm(scene.choose_time_after(fell, -10, -0.5)))


def nightly_fall_without_migration(scene: Scene) -> Label:
    """The same habit and no migration: the fall shows no loss, so clear."""
    scene.drop_traffic(_falls_each_night(scene))
    return expect_no_loss(failed_at=ANY, action=None)


def nightly_fall_with_heartbeats_gone(scene: Scene) -> Label:
    """On earlier nights heartbeats went on through the fall; tonight, with the migration, they stop."""
    fell = scene.drop_traffic(_falls_each_night(scene))
    scene.plan.feeds |= {"heartbeat", "machine"}
    # Beside other channels the habit is cited against: flagged by the heartbeat.
    return expect_flagged(
        scene.migrate_vm(scene.choose_time_after(fell, -10, -0.5)),
        fell,
        verdict=CONFIRMED_OR_SUSPECTED,
        action=None,
        extent=ANY,
    )


def hourly_fall(scene: Scene) -> Label:
    """Traffic falls at the same minutes of every hour, for 25 to 28 minutes; a migration came right before the last."""
    fell = scene.choose_time_before_end(23.5, 24.5)
    for hour in range(1, 5):
        began = scene.choose_time_after(fell - hour * _HOUR, -0.4, 0.4)
        scene.drop_traffic(began, scene.choose_time_after(began, 25, 28), silent=False)
    scene.drop_traffic(fell)
    scene.plan.whole_tail = True
    # Three of the last four hours make it a habit: alone inconclusive.
    return _EXPECT_HABIT(migrated_at=scene.migrate_vm(scene.choose_time_after(fell, -10, -0.5)))


def one_night_is_no_habit(scene: Scene) -> Label:
    """It fell at this hour on one of the three days before, which is no habit: confirmed."""
    lost = scene.choose_time_before_end(50, 110)
    night = scene.choose_time_after(lost - scene.rng.choice((1, 2)) * _DAY, -3, 3)
    scene.plan.vital_metrics = ("Percentage CPU",)
    scene.drop_traffic(night, scene.choose_time_after(night, 160, 200))
    scene.omit_points(lost - 3 * _DAY, scene.choose_time_after(lost - 3 * _DAY, 0.5, 1))
    scene.drop_traffic(lost)
    return expect_flagged(scene.migrate_vm(scene.choose_time_after(lost, -10, -0.5)), lost)


def lost_without_migration_after_an_outage(scene: Scene) -> Label:
    """Two outages with 18 to 24 well minutes between and no migration: the latest is open, unexplained."""
    lost = scene.drop_traffic(scene.choose_time_before_end(60, 180))
    well = scene.choose_time_after(lost, -24, -18)
    scene.drop_traffic(scene.choose_time_after(well, -50, -35), well)
    return expect_other_cause("unexplained", lost, action=("investigate",))
