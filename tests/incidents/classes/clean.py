"""Healthy migrations, and healthy VMs: what must never be flagged."""

from dataclasses import replace
from datetime import timedelta

from tests.incidents.labels import expect_no_loss
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene


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
    return replace(
        expect_no_loss(migrated_at=migrated, failed_at=ANY, action=None),
        explanation=frozenset({None, "unexplained"}),
        state=frozenset({None, "recovered"}),
    )
