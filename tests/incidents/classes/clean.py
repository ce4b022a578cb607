"""What is well: a guest that lives, the baseline before a loss, and migrations that do no harm, never to be flagged."""

from datetime import datetime, timedelta
from functools import partial

from tests.incidents.labels import (
    expect_affected,
    expect_flagged,
    expect_label,
    expect_no_loss,
    expect_other_cause,
    expect_undecided,
)
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene


def _migration_and_onset(scene: Scene) -> tuple[datetime, datetime]:
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    return migrated, scene.choose_time_after(migrated, 0, 12)


def dead_guest(scene: Scene) -> Label:
    """CPU and disk are at zero since the onset, perhaps the availability metric, too, and heartbeats are gone."""
    migrated, lost = _migration_and_onset(scene)
    scene.take_machine_down(lost)
    guest = ("Percentage CPU", "Disk Write Bytes")
    scene.plan.vital_metrics = scene.rng.choice((guest, (*guest, "VmAvailabilityMetric")))
    if scene.rng.random() < 0.5:
        scene.plan.feeds.add("heartbeat")
    if scene.rng.random() < 0.5:
        scene.change_health(scene.choose_time_after(lost, 0, 2), "Unavailable")
    # The guest is seen dead: suspected at most, whatever the channels.
    return expect_flagged(migrated, lost, verdict="suspected")


def alive_before_the_loss_only(scene: Scene) -> Label:
    """CPU and disk were reported until the onset and no longer; no power state, no availability state."""
    migrated, lost = _migration_and_onset(scene)
    scene.drop_traffic(lost)
    scene.plan.vital_metrics_until = scene.choose_time_after(lost, -6, -3)
    scene.select_feeds(("activity", "health", "metrics"))
    scene.plan.health_states = False
    # Readings from before the onset, or a state that the migration's own record carries, are no sign of life during the
    # loss: one strong channel, suspected.
    return expect_flagged(migrated, lost, verdict="suspected")


def one_sign_of_life(scene: Scene) -> Label:
    """One of CPU, disk and availability goes on through the loss, and nothing else tells: confirmed."""
    migrated, lost = _migration_and_onset(scene)
    scene.drop_traffic(lost)
    scene.plan.vital_metrics = (scene.rng.choice(("Percentage CPU", "Disk Write Bytes", "VmAvailabilityMetric")),)
    scene.select_feeds(("activity", "health", "metrics"))
    return expect_flagged(migrated, lost)


_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_EXPECT_HABIT = partial(expect_undecided, action=("investigate", "wait"))
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
    return expect_affected(scene.migrate_vm(scene.choose_time_after(fell, -10, -0.5)), fell, action=None, extent=ANY)


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


def quiet_vm(scene: Scene) -> Label:
    """Nothing happened, or no more than a VM being idle for a night: clear."""
    scene.plan.idle = scene.rng.random() < 0.3
    return expect_no_loss()


def clean_migration(scene: Scene) -> Label:
    """A pause of seconds, traffic normal; health may be Unknown for minutes, as on every new host: clear."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(45, 250))
    scene.reduce_traffic(migrated, migrated + timedelta(seconds=scene.rng.uniform(1, 30)), 0, 0)
    if scene.rng.random() < 0.4:
        unknown = scene.change_health(scene.choose_time_after(migrated, 0.1, 0.5), "Unknown")
        scene.change_health(scene.choose_time_after(unknown, 2, 8), "Available", before="Unknown")
    return expect_no_loss(migrated_at=migrated)


def tcp_tails(scene: Scene) -> Label:
    """Clients retry on dead connections for up to 14 minutes; traffic is thin or gone, and comes back."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 250))
    start = scene.choose_time_after(migrated, 0, 1)
    if scene.rng.random() < 0.5:
        scene.reduce_traffic(start, scene.choose_time_after(start, 5, 15), 0.1, 0.5)
    else:
        scene.reduce_traffic(start, scene.choose_time_after(start, 3, 13), 0.0, 0.03)
    # A closed loss of under 15 minutes is what a healthy migration looks like: clear, nothing lost, the pause is told
    # (so `failed_at` is not compared).
    return expect_no_loss(migrated_at=migrated, failed_at=ANY)


def vf_swap_dip(scene: Scene) -> Label:
    """The virtual function is taken away and given back: little traffic for 2 to 5 minutes. Clear."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 250))
    start = scene.choose_time_after(migrated, -1, 4)
    scene.reduce_traffic(start, scene.choose_time_after(start, 2, 5), 0.0, 0.6)
    return expect_no_loss(migrated_at=migrated, failed_at=ANY)


def short_health_flap(scene: Scene) -> Label:
    """Unavailable for less than 35 seconds in the pause; such flaps are noise, traffic is normal: clear."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(45, 250))
    down = scene.change_health(scene.choose_time_after(migrated, 0, 0.3), "Unavailable")
    scene.change_health(down + timedelta(seconds=scene.rng.uniform(3, 33)), "Available", before="Unavailable")
    return expect_no_loss(migrated_at=migrated)


def agent_not_ready(scene: Scene) -> Label:
    """The agent is Not Ready since the migration, traffic is normal: weak against strong. Clear."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(45, 250))
    scene.set_description(agent_ready=False)
    scene.plan.feeds.add("machine")
    scene.plan.machine_forms = ("vm",)
    return expect_no_loss(migrated_at=migrated)


def pause_with_missing_points(scene: Scene) -> Label:
    """One or two points are missing at the pause; a missing point is not a zero: clear."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(45, 250))
    scene.omit_points(migrated, scene.choose_time_after(migrated, 0.2, 1.5))
    return expect_no_loss(migrated_at=migrated)


def holes_in_normal_traffic(scene: Scene) -> Label:
    """A tenth to a third of the points are missing, 5 to 8 in a row once; the others are normal: clear."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 250))
    hole = scene.choose_time_after(migrated, 1, 15)
    scene.omit_points(hole, scene.choose_time_after(hole, 5, 8))
    scene.plan.holes = scene.rng.uniform(0.1, 0.3)
    return expect_no_loss(migrated_at=migrated)


def planned_freeze_without_migration(scene: Scene) -> Label:
    """The host was updated in place; a freeze is no migration: clear, and no `migrated_at`."""
    started = scene.annotate_health(scene.choose_time_before_end(50, 250), "VirtualMachinePlannedFreezeStarted")
    frozen = scene.annotate_health(scene.choose_time_after(started, 1, 4), "VirtualMachinePlannedFreezeSucceeded")
    scene.reduce_traffic(frozen, frozen + timedelta(seconds=scene.rng.uniform(5, 30)), 0, 0)
    return expect_no_loss()


def failed_migration_harmless(scene: Scene) -> Label:
    """A migration failed and nothing was lost: clear. Whether it counts for `migrated_at` is left open."""
    scene.migrate_vm(scene.choose_time_before_end(45, 250), failed=True)
    return expect_no_loss(migrated_at=ANY)


def unavailable_but_traffic_normal(scene: Scene) -> Label:
    """Health says Degraded for 20 to 40 minutes after the migration while traffic flows as ever."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(80, 250))
    down = scene.change_health(scene.choose_time_after(migrated, 0, 5), "Degraded")
    scene.change_health(scene.choose_time_after(down, 20, 40), "Available", before="Degraded")
    # Traffic judged and normal makes the migration clear. Whether health's word counts as a loss of its own the
    # contract does not say, so explanation and state are open.
    return expect_label("clear", (None, "unexplained"), ANY, state=(None, "recovered"), migrated_at=migrated)
