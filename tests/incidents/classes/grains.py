"""Metrics in points of 5 and 15 minutes and of an hour."""

from datetime import datetime

from tests.incidents.labels import CONFIRMED_OR_SUSPECTED, expect_flagged, expect_no_loss, expect_undecided
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene


def _migration(scene: Scene, grain: int) -> datetime:
    scene.plan.grain = grain
    scene.plan.holes = 0.0
    scene.plan.hours_before = 4
    return scene.migrate_vm(scene.choose_time_before_end(120, 240))


def loss_in_quarter_hours(scene: Scene) -> Label:
    """Traffic is gone with the migration, in points of 15 minutes: judged as far as they go, so flagged."""
    migrated = _migration(scene, 15)
    scene.drop_traffic(scene.choose_time_after(migrated, 0, 8))
    # How firmly, and to which quarter it is dated, is not compared.
    return expect_flagged(migrated, ANY, verdict=CONFIRMED_OR_SUSPECTED)


def loss_in_five_minutes(scene: Scene) -> Label:
    """The same in points of 5 minutes."""
    migrated = _migration(scene, 5)
    scene.drop_traffic(scene.choose_time_after(migrated, 0, 8))
    return expect_flagged(migrated, ANY, verdict=CONFIRMED_OR_SUSPECTED)


def clean_in_coarse_points(scene: Scene) -> Label:
    """A healthy migration in points of 5 or 15 minutes: judged and normal, so clear."""
    return expect_no_loss(migrated_at=_migration(scene, scene.rng.choice((5, 15))))


def loss_in_hours(scene: Scene) -> Label:
    """Points of an hour tell too little: inconclusive, and the report asks for PT1M."""
    migrated = _migration(scene, 60)
    if scene.rng.random() < 0.6:
        scene.drop_traffic(scene.choose_time_after(migrated, 0, 8))
    return expect_undecided(migrated_at=migrated)
