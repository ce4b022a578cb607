"""Whether the guest lives: seen during the loss, and not before it."""

from datetime import datetime

from tests.incidents.labels import expect_flagged
from tests.incidents.model import Label
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
