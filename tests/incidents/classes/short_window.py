"""What leaves doubt: short windows, silent heartbeats beside normal traffic, minutes near the end, unknown notes."""

from dataclasses import replace
from datetime import datetime

from tests.incidents.catalogue import UNKNOWN_ANNOTATIONS
from tests.incidents.labels import (
    SCENARIO,
    expect_flagged,
    expect_inconclusive,
    expect_no_loss,
    expect_other_cause,
    expect_undecided,
)
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene


def _asks(scene: Scene) -> None:
    scene.since = scene.rng.choice(("30m", "1h"))


def short_window_on_an_open_loss(scene: Scene) -> Label:
    """Lost with its migration two to six hours ago, and `--since` says less: judged whole, confirmed, open."""
    _asks(scene)
    migrated = scene.migrate_vm(scene.choose_time_before_end(120, 360))
    return expect_flagged(migrated, scene.drop_traffic(scene.choose_time_after(migrated, -0.5, 12)))


def short_window_on_a_stopped_vm(scene: Scene) -> Label:
    """Stopped by a customer hours ago, minutes after a migration: the stop explains it, however short the window."""
    _asks(scene)
    stopped = scene.choose_time_before_end(130, 360)
    migrated = scene.migrate_vm(scene.choose_time_after(stopped, -20, -5))
    scene.deallocate_for_good(stopped)
    return expect_other_cause("user-stop", stopped, migrated_at=migrated)


def short_window_behind_a_change(scene: Scene) -> Label:
    """Lost hours ago right after a change of its own network, a migration further away: the change explains it."""
    _asks(scene)
    migrated, lost = scene.lose_traffic((120, 360), migrated=(-25, -10))
    scene.change_own_network(scene.choose_time_after(lost, -4, -1.5))
    return expect_other_cause("network-change", lost, migrated_at=migrated, action=("investigate",))


def short_window_after_all_was_over(scene: Scene) -> Label:
    """Lost and recovered hours before the window began: no loss reaches into it, so none is told."""
    _asks(scene)
    migrated = scene.migrate_vm(scene.choose_time_before_end(240, 400))
    lost = scene.choose_time_after(migrated, 0, 10)
    scene.drop_traffic(lost, scene.choose_time_after(lost, 20, 60))
    # Whether a migration from before the window is shown is not compared.
    return expect_no_loss(migrated_at=ANY, failed_at=ANY)


def short_window_on_a_quiet_vm(scene: Scene) -> Label:
    """Nothing happened, in the window or before it: clear."""
    _asks(scene)
    return expect_no_loss()


def short_window_recovered_inside(scene: Scene) -> Label:
    """Lost hours ago and back 8 to 20 minutes ago: the loss reaches into the window, judged whole, recovered."""
    _asks(scene)
    back = scene.choose_time_before_end(8, 20)
    lost = scene.choose_time_after(back, -240, -120)
    scene.drop_traffic(lost, back)
    return expect_flagged(
        scene.migrate_vm(scene.choose_time_after(lost, -10, -0.5)), lost, state="recovered", action=("none",)
    )


_SILENT = expect_no_loss(failed_at=ANY, action=("investigate",))


def silent_agent(scene: Scene) -> Label:
    """The agent was removed or crashed, traffic is normal, no migration is near: no loss, and told as such."""
    scene.stop_heartbeats(scene.choose_time_before_end(45, 240))
    scene.plan.feeds.add("heartbeat")
    return _SILENT


def silent_agent_long_after_migration(scene: Scene) -> Label:
    """The same, 45 to 150 minutes after a migration: outside its onset window, so clear."""
    silent = scene.stop_heartbeats(scene.choose_time_before_end(45, 120))
    migrated = scene.migrate_vm(scene.choose_time_after(silent, -150, -45))
    scene.plan.feeds.add("heartbeat")
    return replace(_SILENT, migrated_at=migrated)


def _fall_silent_together(scene: Scene) -> datetime:
    """Four to six neighbours and the first VM stop within a minute or two, as when a workspace breaks."""
    silent = scene.stop_heartbeats(scene.choose_time_before_end(60, 180))
    for _ in range(scene.rng.randint(4, 6)):
        scene.stop_heartbeats(scene.choose_time_after(silent, -1, 1), vm=scene.add_neighbour(_SILENT))
    scene.plan.feeds |= {"heartbeat", "machine"}
    return silent


def silent_agents_of_a_workspace(scene: Scene) -> Label:
    """Agents of several VMs fall silent at once, traffic is normal on all of them: no loss of any."""
    _fall_silent_together(scene)
    return _SILENT


def silent_agents_and_a_migration(scene: Scene) -> Label:
    """The same, and one of them was migrated minutes before."""
    silent = _fall_silent_together(scene)
    # Most of those that fell silent were not migrated, so its silence is theirs: clear.
    return replace(_SILENT, migrated_at=scene.migrate_vm(scene.choose_time_after(silent, -12, -2)))


def silent_agent_in_onset_window(scene: Scene) -> Label:
    """Heartbeats end within minutes of the migration while traffic stays normal."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(75, 200))
    scene.stop_heartbeats(scene.choose_time_after(migrated, 1, 15))
    scene.plan.feeds.add("heartbeat")
    # They went to an address outside, so this cannot be told: inconclusive. Whether the silence is a loss with a state
    # of its own is not compared.
    return expect_undecided(migrated_at=migrated)


def silent_agent_and_the_operators_word(scene: Scene) -> Label:
    """The same, and the operator cannot reach the VM since then: suspected, for traffic speaks against."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(75, 200))
    silent = scene.stop_heartbeats(scene.choose_time_after(migrated, 1, 15))
    scene.plan.feeds.add("heartbeat")
    scene.unreachable_since = silent.replace(second=0, microsecond=0)
    return expect_flagged(migrated, silent, verdict="suspected", extent=ANY)


def loss_of_twenty_minutes(scene: Scene) -> Label:
    """Traffic has been gone for 16.5 to 20 minutes: the log may still lack the cause. Suspected at most, wait."""
    lost = scene.drop_traffic(scene.choose_time_before_end(16.5, 20))
    scene.plan.whole_tail, scene.plan.holes = True, 0.0
    return expect_flagged(
        scene.migrate_vm(scene.choose_time_after(lost, -10, -0.3)), lost, verdict="suspected", action=("wait",)
    )


def migration_of_minutes_ago(scene: Scene) -> Label:
    """Migrated 6 to 25 minutes ago and normal to the end of the window: clear, and wait until 30 minutes after."""
    scene.plan.whole_tail, scene.plan.holes = True, 0.0
    return expect_no_loss(migrated_at=scene.migrate_vm(scene.choose_time_before_end(6, 25)), action=("wait",))


def loss_of_half_an_hour(scene: Scene) -> Label:
    """Traffic has been gone for 25 to 40 minutes, late enough for the log: confirmed."""
    lost = scene.drop_traffic(scene.choose_time_before_end(25, 40))
    scene.plan.whole_tail, scene.plan.holes = True, 0.0
    return expect_flagged(scene.migrate_vm(scene.choose_time_after(lost, -10, -0.3)), lost)


def lost_late_in_the_onset_window(scene: Scene) -> Label:
    """The loss begins 24 to 28 minutes after the migration, well inside 30: confirmed."""
    lost = scene.drop_traffic(scene.choose_time_before_end(60, 200))
    return expect_flagged(scene.migrate_vm(scene.choose_time_after(lost, -28, -24)), lost)


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
