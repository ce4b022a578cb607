"""The scenario itself: a live migration, and a loss of connectivity that begins with it."""

from datetime import datetime

from tests.incidents.labels import expect_flagged
from tests.incidents.model import Label
from tests.incidents.scene import SUCCEEDED_MIGRATIONS, Scene


def _migration_and_loss(
    scene: Scene, *, least: float = 45, most: float = 200, earliest: float = -1
) -> tuple[datetime, datetime]:
    """A migration, and an onset 1 minute before to 25 minutes after it; allowed are -2 to +30."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(least + 26, most + 26))
    offset = scene.rng.uniform(earliest, scene.rng.choice((10, 25)))
    return migrated, scene.choose_time_after(migrated, offset, offset)


def _perhaps_unavailable(scene: Scene, lost: datetime, end: datetime | None = None) -> None:
    """Azure's health has no network check, so it seldom notices; at times it does, minutes late."""
    if scene.rng.random() < 0.4:
        scene.change_health(scene.choose_time_after(lost, 0, 2), "Unavailable")
        if end is not None:
            scene.change_health(scene.choose_time_after(end, 0, 1), "Available", before="Unavailable")


def traffic_lost_after_migration(scene: Scene) -> Label:
    """Traffic collapses with the migration while CPU, disk or the availability metric go on."""
    migrated, lost = _migration_and_loss(scene)
    scene.drop_traffic(lost)
    if scene.rng.random() < 0.2:
        # A VM whose network did not come up may stay Unknown; that is weak, and decides nothing.
        scene.change_health(scene.choose_time_after(lost, 0, 1), "Unknown")
    else:
        _perhaps_unavailable(scene, lost)
    # One strong channel and the VM seen alive, all feeds read: confirmed, and open, so redeploy.
    return expect_flagged(migrated, lost)


def traffic_and_heartbeat_lost(scene: Scene) -> Label:
    """Traffic collapses and heartbeats stop; nothing shows whether the machine itself lives."""
    migrated, lost = _migration_and_loss(scene, earliest=0.5)
    scene.drop_traffic(lost)
    _perhaps_unavailable(scene, lost)
    scene.plan.feeds.add("heartbeat")
    scene.plan.alive = False
    # Two independent channels, both strong: confirmed.
    return expect_flagged(migrated, lost)


def heartbeat_lost_while_running(scene: Scene) -> Label:
    """No metrics were exported; the heartbeat stops and the host says that the VM is running."""
    migrated, lost = _migration_and_loss(scene, earliest=0.5)
    scene.drop_traffic(lost)
    _perhaps_unavailable(scene, lost)
    scene.select_feeds(("activity", "health", "heartbeat", "machine"))
    # One strong channel and the VM seen alive: confirmed.
    return expect_flagged(migrated, lost)


def traffic_lost_and_unavailable(scene: Scene) -> Label:
    """Traffic collapses and health turns Unavailable and stays so; no sign of life was exported."""
    migrated, lost = _migration_and_loss(scene)
    scene.drop_traffic(lost)
    scene.change_health(scene.choose_time_after(lost, 0, 2), "Unavailable")
    scene.plan.alive = False
    # A strong and a medium channel: confirmed.
    return expect_flagged(migrated, lost)


def accelnet_in_onset_window(scene: Scene) -> Label:
    """Azure calls accelerated networking unhealthy right after the migration, and traffic is gone."""
    migrated, lost = _migration_and_loss(scene)
    scene.drop_traffic(lost)
    scene.annotate_health(scene.choose_time_after(lost, 0, 2), "AccelnetUnhealthy")
    scene.change_health(scene.choose_time_after(lost, 0, 2), "Degraded")
    # Inside the onset window that is evidence for the scenario, not a rival: confirmed.
    return expect_flagged(migrated, lost)


def second_of_two_migrations(scene: Scene) -> Label:
    """Two migrations hours apart, which is normal; the first did no harm, the second did."""
    name = scene.rng.choice(SUCCEEDED_MIGRATIONS)
    migrated = scene.migrate_vm(scene.choose_time_before_end(75, 160), name=name)
    scene.migrate_vm(scene.choose_time_after(migrated, -220, -120), name=name)
    lost = scene.choose_time_after(migrated, -1, 15)
    scene.drop_traffic(lost)
    _perhaps_unavailable(scene, lost)
    # The loss begins with the second, so that is the migration blamed. Confirmed.
    return expect_flagged(migrated, lost)


def recovered_by_itself(scene: Scene) -> Label:
    """The loss ends after 20 to 90 minutes without anybody's doing."""
    migrated, lost = _migration_and_loss(scene, least=130, most=240)
    end = scene.choose_time_after(lost, 20, 90)
    scene.drop_traffic(lost, end)
    _perhaps_unavailable(scene, lost, end)
    # Longer than 15 minutes, so it was no healthy migration: confirmed, recovered, and nothing is left to do.
    return expect_flagged(migrated, lost, state="recovered", action=("none",))


def redeployed_and_fixed(scene: Scene) -> Label:
    """A customer redeploys the VM during the loss, and traffic returns with it: confirmed, redeployed."""
    migrated, lost = _migration_and_loss(scene, least=130, most=220)
    asked = scene.choose_time_after(lost, 18, 60)
    back = scene.act_as_customer(asked, "redeploy", seconds=scene.rng.uniform(50, 180))
    scene.drop_traffic(lost, back)
    _perhaps_unavailable(scene, lost, back)
    scene.omit_points(asked, back)
    return expect_flagged(migrated, lost, state="redeployed", action=("none",))


def redeployed_and_still_dead(scene: Scene) -> Label:
    """A customer redeployed the VM, and it is as dead as before."""
    migrated, lost = _migration_and_loss(scene, least=130, most=220)
    asked = scene.choose_time_after(lost, 18, 60)
    done = scene.act_as_customer(asked, "redeploy", seconds=scene.rng.uniform(50, 150))
    scene.drop_traffic(lost)
    scene.omit_points(asked, done)
    # The loss goes on at the end of the window: open. Redeployed already and still dead: escalate, never again
    # redeploy.
    return expect_flagged(migrated, lost, action=("escalate",))


def deallocated_and_started_cured(scene: Scene) -> Label:
    """A customer deallocates the VM and starts it minutes later, which moves it like a redeploy."""
    migrated, lost = _migration_and_loss(scene, least=130, most=220)
    stopped = scene.choose_time_after(lost, 20, 60)
    started = scene.choose_time_after(stopped, 3, 7)
    scene.act_as_customer(stopped, "deallocate")
    back = scene.act_as_customer(started, "start")
    scene.drop_traffic(lost, back)
    _perhaps_unavailable(scene, lost, back)
    scene.omit_points(stopped, back)
    # The stop itself lasts less than 15 minutes and is no loss of its own: confirmed, redeployed.
    return expect_flagged(migrated, lost, state="redeployed", action=("none",))


def holes_in_lost_traffic(scene: Scene) -> Label:
    """A tenth to a third of all points are missing, and those that are there show the collapse."""
    migrated, lost = _migration_and_loss(scene, least=60)
    scene.drop_traffic(lost)
    _perhaps_unavailable(scene, lost)
    scene.plan.holes = scene.rng.uniform(0.1, 0.3)
    scene.plan.feeds.add("machine")
    # Traffic is judged on reported points, of which there are plenty: confirmed.
    return expect_flagged(migrated, lost)


def operator_knows(scene: Scene) -> Label:
    """Metrics were refused; the operator states since when the VM cannot be reached, the host says running."""
    migrated, lost = _migration_and_loss(scene)
    scene.drop_traffic(lost)
    scene.unreachable_since = lost.replace(second=0, microsecond=0)
    scene.select_feeds(("activity", "health", "machine"))
    # The operator is a strong channel, and the VM is seen alive: confirmed.
    return expect_flagged(migrated, scene.unreachable_since)


def failed_migration_then_loss(scene: Scene) -> Label:
    """Azure tried to migrate the VM and failed; the VM's traffic is gone since, while it lives."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200), failed=True)
    lost = scene.choose_time_after(migrated, -1, 12)
    scene.drop_traffic(lost)
    # A failed migration carries at most suspected. Whether its time stands in `migrated_at` the contract leaves open.
    return expect_flagged("any", lost, verdict="suspected")
