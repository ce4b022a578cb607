"""Health notes in words that no published table has: they may be rivals."""

from datetime import datetime

from tests.incidents.catalogue import UNLISTED
from tests.incidents.labels import SCENARIO, explained, hit, quiet, unjudged
from tests.incidents.model import Label
from tests.incidents.scene import Scene


def _is_noted(scene: Scene, at: datetime) -> None:
    """Health is annotated in words that no table has."""
    scene.annotated(at, scene.rng.choice(tuple(UNLISTED)))


def unknown_note_and_health_alone(scene: Scene) -> Label:
    """A note between 25 minutes before and 1 after the onset, a loss that health alone shows: inconclusive."""
    migrated = scene.migrates(scene.ago(75, 200))
    lost = scene.turns(scene.loses_traffic(scene.after(migrated, 0.5, 12)), "Unavailable")
    _is_noted(scene, scene.after(lost, -25, 0.8))
    scene.reads(("activity", "health"))
    scene.plan.metrics_refused = scene.rng.random() < 0.5
    return unjudged(
        migrated_at=migrated,
        failed_at=lost,
        explanation=(SCENARIO, None),
        state="open",
        action=("investigate", "wait"),
        extent="full",
    )


def unknown_note_before_a_confirmed_loss(scene: Scene) -> Label:
    """The same note beside traffic that collapsed on a living machine: confirmed becomes suspected."""
    migrated = scene.migrates(scene.ago(75, 200))
    lost = scene.loses_traffic(scene.after(migrated, 0.5, 12))
    _is_noted(scene, scene.after(lost, -25, 0.8))
    return hit(migrated, lost, verdict="suspected")


def unknown_note_far_from_the_loss(scene: Scene) -> Label:
    """A note 45 to 120 minutes before the onset, or well after it, is no rival: confirmed."""
    migrated = scene.migrates(scene.ago(75, 200))
    lost = scene.loses_traffic(scene.after(migrated, 0.5, 12))
    _is_noted(scene, scene.after(lost, *scene.rng.choice(((-120, -45), (8, 40)))))
    return hit(migrated, lost)


def unknown_note_without_migration(scene: Scene) -> Label:
    """A note, a loss, and no migration: clear, and nothing that is known explains it."""
    lost = scene.loses_traffic(scene.ago(60, 200))
    _is_noted(scene, scene.after(lost, -25, 0.8))
    return explained("unexplained", lost, action=("investigate",))


def unknown_note_and_nothing_lost(scene: Scene) -> Label:
    """A note near a healthy migration takes nothing away from normal traffic: clear."""
    migrated = scene.migrates(scene.ago(60, 200))
    _is_noted(scene, scene.after(migrated, -20, 10))
    return quiet(migrated_at=migrated)
