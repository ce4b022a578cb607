"""Weak signs: what the operator says beside what was measured, and traffic between 5 % and 50 % of the usual."""

from datetime import datetime, timedelta

from tests.incidents.labels import (
    SCENARIO,
    expect_flagged,
    expect_inconclusive,
    expect_label,
    expect_no_loss,
    expect_other_cause,
)
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene


def _rounded_down(at: datetime, minutes: int) -> datetime:
    """The latest full five or ten minutes that lie at least two minutes back."""
    early = at - timedelta(minutes=2)
    return early.replace(minute=early.minute // minutes * minutes, second=0, microsecond=0)


def operator_rounds_down(scene: Scene) -> Label:
    """The operator states a time 2 to 12 minutes before traffic collapsed; traffic was normal then."""
    migrated, lost = scene.migrate_and_lose_traffic((75, 200), lost=(0.5, 10))
    scene.unreachable_since = _rounded_down(lost, scene.rng.choice((5, 10)))
    # A strong channel shows the VM well at the stated time, so the measured onset counts: confirmed.
    return expect_flagged(migrated, lost)


def operator_rounds_down_beside_heartbeats(scene: Scene) -> Label:
    """The same without metrics: heartbeats went on after the stated time, then they stopped. Confirmed."""
    migrated, lost = scene.migrate_and_lose_traffic((75, 200), lost=(0.5, 10))
    scene.unreachable_since = _rounded_down(lost, scene.rng.choice((5, 10)))
    scene.select_feeds(("activity", "health", "heartbeat", "machine"))
    return expect_flagged(migrated, lost)


def operator_contradicted(scene: Scene) -> Label:
    """The operator cannot reach the VM since its migration, and traffic is as ever."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(75, 200))
    scene.unreachable_since = scene.choose_time_after(migrated, 0, 10).replace(second=0, microsecond=0)
    # Nothing measured shows a loss, so the contradicted word shows none: inconclusive, and told.
    return expect_inconclusive((None, SCENARIO), ANY, migrated_at=migrated, extent=ANY)


# Far from both limits, with a spread that seldom carries three minutes in a row over one of them.
_LEVELS = (0.12, 0.34)


def _migration_and_fall(scene: Scene, *, silent: bool = False) -> tuple[datetime, datetime]:
    """A migration, and traffic that falls with it to between an eighth and a third."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(75, 200))
    fell = scene.choose_time_after(migrated, 0, 10)
    scene.plan.noise = 0.12
    scene.reduce_traffic(fell, None, *_LEVELS, silent=silent)
    return migrated, fell


def partial_loss_alone(scene: Scene) -> Label:
    """Traffic falls to a part with the migration and stays there; nothing else speaks."""
    migrated, fell = _migration_and_fall(scene)
    # A partial loss with its name, weak: alone inconclusive, and no time will tell.
    return expect_inconclusive(
        SCENARIO, fell, migrated_at=migrated, state="open", action=("investigate",), extent="partial"
    )


def partial_loss_with_heartbeats_gone(scene: Scene) -> Label:
    """Cut off from outside while the inside talks on: traffic at a part, heartbeats gone since the migration."""
    migrated, fell = _migration_and_fall(scene, silent=True)
    scene.plan.feeds.add("heartbeat")
    # Weak with a strong channel, and no witness from outside: suspected, never more.
    return expect_flagged(migrated, fell, verdict="suspected", extent="partial")


def partial_loss_and_unavailable(scene: Scene) -> Label:
    """Traffic at a part and health Unavailable since the migration: weak with a medium channel, suspected."""
    migrated, fell = _migration_and_fall(scene)
    scene.change_health(scene.choose_time_after(fell, 0, 2), "Unavailable")
    return expect_flagged(migrated, fell, verdict="suspected", extent="partial")


def partial_loss_healed(scene: Scene) -> Label:
    """Traffic was at a part for 45 to 70 minutes and is back: a loss, alone inconclusive, recovered."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(120, 220))
    fell = scene.choose_time_after(migrated, 0, 10)
    scene.plan.noise = 0.12
    scene.reduce_traffic(fell, scene.choose_time_after(fell, 45, 70), *_LEVELS)
    return expect_inconclusive(SCENARIO, fell, migrated_at=migrated, state="recovered", extent="partial")


def partial_pause(scene: Scene) -> Label:
    """A partial fall that heals within 30 minutes is a pause: clear."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(75, 200))
    fell = scene.choose_time_after(migrated, 0, 5)
    scene.plan.noise = 0.12
    scene.reduce_traffic(fell, scene.choose_time_after(fell, 8, 26), *_LEVELS)
    return expect_no_loss(migrated_at=migrated, failed_at=ANY)


def partial_fall_without_migration(scene: Scene) -> Label:
    """The same fall and no migration: clear."""
    fell = scene.choose_time_before_end(75, 200)
    scene.plan.noise = 0.12
    scene.reduce_traffic(fell, None, *_LEVELS)
    # Whether a fall to a part that nothing else supports is a loss without a migration the contract leaves open (the
    # channel is "since the migration").
    return expect_label("clear", (None, "unexplained"), ANY, state=(None, "open"))


def fall_to_two_thirds(scene: Scene) -> Label:
    """Traffic stays at 68 to 85 % after the migration: at or above half is normal, so clear."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(75, 200))
    scene.plan.noise = 0.08
    scene.reduce_traffic(scene.choose_time_after(migrated, 0, 5), None, 0.68, 0.85)
    return expect_no_loss(migrated_at=migrated)


def partial_fall_explained_by_a_change(scene: Scene) -> Label:
    """A change of the VM's own network right before traffic fell to a part with heartbeats gone."""
    fell = scene.choose_time_before_end(75, 200)
    migrated = scene.migrate_vm(scene.choose_time_after(fell, -25, -12))
    scene.change_own_network(scene.choose_time_after(fell, -4, -1.5))
    scene.plan.noise = 0.12
    scene.reduce_traffic(fell, None, *_LEVELS, silent=True)
    scene.plan.feeds.add("heartbeat")
    # The migration lies 8 to 20 minutes further away: the change explains the loss. Clear.
    return expect_other_cause("network-change", fell, migrated_at=migrated, action=("investigate",), extent="partial")
