"""Health notes in words that no published table has: they may be rivals."""

from datetime import datetime

from tests.incidents.catalogue import UNKNOWN_ANNOTATIONS
from tests.incidents.labels import SCENARIO, expect_flagged, expect_inconclusive, expect_no_loss, expect_other_cause
from tests.incidents.model import Label
from tests.incidents.scene import Scene


def _is_noted(scene: Scene, at: datetime) -> None:
    """Health is annotated in words that no table has."""
    scene.annotate_health(at, scene.rng.choice(tuple(UNKNOWN_ANNOTATIONS)))


def unknown_note_and_health_alone(scene: Scene) -> Label:
    """A note between 25 minutes before and 1 after the onset, a loss that health alone shows: inconclusive."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(75, 200))
    lost = scene.change_health(scene.drop_traffic(scene.choose_time_after(migrated, 0.5, 12)), "Unavailable")
    _is_noted(scene, scene.choose_time_after(lost, -25, 0.8))
    scene.select_feeds(("activity", "health"))
    scene.plan.metrics_refused = scene.rng.random() < 0.5
    return expect_inconclusive(
        (SCENARIO, None), lost, migrated_at=migrated, state="open", action=("investigate", "wait"), extent="full"
    )


def unknown_note_before_a_confirmed_loss(scene: Scene) -> Label:
    """The same note beside traffic that collapsed on a living machine: confirmed becomes suspected."""
    migrated, lost = scene.migrate_and_lose_traffic((75, 200), lost=(0.5, 12))
    _is_noted(scene, scene.choose_time_after(lost, -25, 0.8))
    return expect_flagged(migrated, lost, verdict="suspected")


def unknown_note_far_from_the_loss(scene: Scene) -> Label:
    """A note 45 to 120 minutes before the onset, or well after it, is no rival: confirmed."""
    migrated, lost = scene.migrate_and_lose_traffic((75, 200), lost=(0.5, 12))
    _is_noted(scene, scene.choose_time_after(lost, *scene.rng.choice(((-120, -45), (8, 40)))))
    return expect_flagged(migrated, lost)


def unknown_note_without_migration(scene: Scene) -> Label:
    """A note, a loss, and no migration: clear, and nothing that is known explains it."""
    lost = scene.drop_traffic(scene.choose_time_before_end(60, 200))
    _is_noted(scene, scene.choose_time_after(lost, -25, 0.8))
    return expect_other_cause("unexplained", lost, action=("investigate",))


def unknown_note_and_nothing_lost(scene: Scene) -> Label:
    """A note near a healthy migration takes nothing away from normal traffic: clear."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    _is_noted(scene, scene.choose_time_after(migrated, -20, 10))
    return expect_no_loss(migrated_at=migrated)
