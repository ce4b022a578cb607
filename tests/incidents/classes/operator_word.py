"""What the operator says, beside what was measured."""

from datetime import datetime, timedelta

from tests.incidents.labels import SCENARIO, expect_flagged, expect_inconclusive
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
    return expect_inconclusive(
        migrated_at=migrated, failed_at=ANY, explanation=(None, SCENARIO), state=None, extent=ANY
    )
