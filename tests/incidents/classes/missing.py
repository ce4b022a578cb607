"""What was not read: missing data is never good news, and never hides evidence."""

from datetime import timedelta

from tests.incidents.labels import (
    SCENARIO,
    expect_affected,
    expect_flagged,
    expect_inconclusive,
    expect_label,
    expect_no_loss,
)
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene


def traffic_alone(scene: Scene) -> Label:
    """Traffic collapses, and nothing shows whether the VM lives: no CPU, power or availability state."""
    migrated, lost = scene.migrate_and_lose_traffic((60, 200), lost=(-1, 20))
    scene.select_feeds(("activity", "health", "metrics"))
    scene.plan.alive = False
    scene.plan.health_states = False
    # One strong channel without a sign of life: suspected.
    return expect_flagged(migrated, lost, verdict="suspected")


def heartbeat_alone(scene: Scene) -> Label:
    """A workspace is all there is: AzureActivity shows the migration, Heartbeat stops, a neighbour's not."""
    scene.add_neighbour(expect_no_loss())
    migrated, lost = scene.migrate_and_lose_traffic((60, 200), lost=(0.5, 20))
    scene.select_feeds(("activity", "heartbeat"))
    # One strong channel without a sign of life: suspected.
    return expect_flagged(migrated, lost, verdict="suspected")


def operator_knows_of_a_silent_vm(scene: Scene) -> Label:
    """The operator cannot reach the VM, and nothing shows whether it lives: suspected."""
    migrated, lost = scene.migrate_and_lose_traffic((60, 200), lost=(0, 15))
    scene.unreachable_since = lost
    scene.select_feeds(("activity", "health"))
    scene.plan.health_states = False
    return expect_flagged(migrated, lost, verdict="suspected")


def activity_log_not_read(scene: Scene) -> Label:
    """Migration, collapse and signs of life are there, but not the log that would show a customer's doing."""
    migrated, lost = scene.migrate_and_lose_traffic((60, 200), lost=(-1, 20))
    scene.select_feeds(("health", "metrics"))
    # Where the feeds that show competing causes were not read, confirmed becomes suspected.
    return expect_flagged(migrated, lost, verdict="suspected")


def health_history_not_read(scene: Scene) -> Label:
    """The activity log shows the migration, the metrics the collapse; the health history was not exported."""
    migrated, lost = scene.migrate_and_lose_traffic((60, 200), lost=(-1, 20))
    scene.select_feeds(("activity", "metrics"))
    # Two verdicts: annotations of rivals are written to the activity log, too, so one may hold that the competing
    # causes were read (confirmed), or that their own feed was not (suspected). Flagged in any case.
    return expect_affected(migrated, lost)


def health_alone_after_migration(scene: Scene) -> Label:
    """Metrics were refused; health has been Unavailable since minutes after the migration."""
    migrated, lost = scene.migrate_and_lose_traffic((60, 200), lost=(0.2, 15))
    scene.change_health(lost, "Unavailable")
    scene.select_feeds(("activity", "health"))
    scene.plan.metrics_refused = scene.rng.random() < 0.5
    # A loss seen by health alone: suspected.
    return expect_flagged(migrated, lost, verdict="suspected")


def accelnet_after_migration_without_metrics(scene: Scene) -> Label:
    """Metrics were refused; accelerated networking is unhealthy and the VM Degraded since the migration."""
    migrated, lost = scene.migrate_and_lose_traffic((60, 200), lost=(0.2, 15))
    scene.annotate_health(lost, "AccelnetUnhealthy")
    scene.change_health(scene.choose_time_after(lost, 0, 0.5), "Degraded")
    scene.select_feeds(("activity", "health"))
    scene.plan.metrics_refused = scene.rng.random() < 0.5
    # Degraded and AccelnetUnhealthy are a medium channel, inside the onset window evidence for it: suspected.
    return expect_flagged(migrated, lost, verdict="suspected")


def too_early(scene: Scene) -> Label:
    """Traffic has been gone for 12 to 14 minutes when the window ends."""
    migrated, lost = scene.lose_traffic((12.2, 14.2), migrated=(-10, 0.5))
    scene.plan.whole_tail, scene.plan.holes = True, 0.0
    # Open, and the window ends less than 15 minutes after the onset: inconclusive, wait. An inconclusive case names the
    # best explanation of its loss, which is the migration.
    return expect_inconclusive(SCENARIO, lost, migrated_at=migrated, state="open", action=("wait",), extent="full")


def idle_vm(scene: Scene) -> Label:
    """A VM that hardly ever receives anything falls silent after the migration."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    scene.drop_traffic(scene.choose_time_after(migrated, 0, 20))
    scene.plan.idle = True
    # Below 10 kB and 2 flows a minute the baseline is not worth the name, nothing else judges: inconclusive.
    return expect_inconclusive(migrated_at=migrated)


def activity_log_alone_with_migration(scene: Scene) -> Label:
    """A migration in the activity log and no other feed: whether anything was lost cannot be judged."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 600))
    scene.select_feeds(("activity",))
    return expect_inconclusive(migrated_at=migrated)


def activity_log_alone_and_quiet(scene: Scene) -> Label:
    """An activity log with neither a migration nor a loss, only a command run: clear, gaps listed."""
    scene.run_operation(scene.choose_time_before_end(60, 300), "runCommand/action")
    scene.select_feeds(("activity",))
    return expect_no_loss(action=None)


def activity_log_alone_with_loss(scene: Scene) -> Label:
    """The log shows the VM Unavailable, by the platform and still so, and no migration."""
    lost = scene.change_health(scene.choose_time_before_end(40, 300), "Unavailable")
    scene.select_feeds(("activity",))
    # The log does not show every migration: inconclusive. The explanation is null by "null without one", or
    # `unexplained` by "null when nothing was lost"; the contract says both.
    return expect_inconclusive((None, "unexplained"), lost, state="open", extent="full")


def metrics_refused(scene: Scene) -> Label:
    """A migration, health is fine, and no strong channel could be read: inconclusive."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 300))
    scene.plan.feeds.discard("metrics")
    scene.plan.metrics_refused = scene.rng.random() < 0.5
    return expect_inconclusive(migrated_at=migrated)


def metrics_tail_missing(scene: Scene) -> Label:
    """From about the time of the migration on no points are reported, although the window goes on."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    scene.omit_points(scene.choose_time_after(migrated, -2, 2))
    # A missing point is not a zero, a tail without points is a gap: inconclusive.
    return expect_inconclusive(migrated_at=migrated)


def short_unavailable_without_metrics(scene: Scene) -> Label:
    """Unavailable for 2 to 10 minutes at the migration, well since; metrics were refused."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    down = scene.change_health(scene.choose_time_after(migrated, 0, 2), "Unavailable")
    scene.change_health(scene.choose_time_after(down, 2, 10), "Available", before="Unavailable")
    scene.select_feeds(("activity", "health"))
    # Two verdicts: a loss shorter than 15 minutes is clear, and with no strong channel a migration without a visible
    # loss is inconclusive. Never flagged.
    return expect_label(("clear", "inconclusive"), migrated_at=migrated, failed_at=ANY)


def portal_csv_only(scene: Scene) -> Label:
    """The portal's CSV: display names without properties, so that annotation and state are lost."""
    scene.migrate_vm(scene.choose_time_before_end(60, 300))
    scene.change_health(scene.choose_time_before_end(20, 50), "Degraded")
    scene.select_feeds(("csv",))
    # Two verdicts: the feed that would show a migration could not be read (inconclusive), or it is a log with neither
    # migration nor loss (clear). Never flagged.
    return expect_label(("clear", "inconclusive"), (None, "unexplained"), ANY, state=(None, "open"))


def heartbeats_go_on_without_metrics(scene: Scene) -> Label:
    """A workspace is all there is; the heartbeat goes on through the migration."""
    scene.add_neighbour(expect_no_loss())
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    scene.select_feeds(("activity", "heartbeat"))
    # A loss is denied by traffic alone, which was not read: inconclusive.
    return expect_inconclusive(migrated_at=migrated)


def clean_by_traffic_without_health_history(scene: Scene) -> Label:
    """Activity log and metrics only: the migration is in the log, traffic is normal."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    scene.select_feeds(("activity", "metrics"))
    scene.reduce_traffic(migrated, migrated + timedelta(seconds=scene.rng.uniform(1, 10)), 0, 0)
    # Traffic judged and normal makes the migration clear, whatever else could not be read.
    return expect_no_loss(migrated_at=migrated)
