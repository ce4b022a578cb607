"""Heartbeats that end while traffic is normal: a silent agent, not a loss of connectivity."""

from dataclasses import replace
from datetime import datetime

from tests.incidents.labels import SCENARIO, expect_flagged, expect_inconclusive, expect_no_loss
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene

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
    return expect_inconclusive(
        migrated_at=migrated,
        failed_at=ANY,
        explanation=(None, SCENARIO),
        state=(None, "open"),
        action=("investigate",),
        extent=ANY,
    )


def silent_agent_and_the_operators_word(scene: Scene) -> Label:
    """The same, and the operator cannot reach the VM since then: suspected, for traffic speaks against."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(75, 200))
    silent = scene.stop_heartbeats(scene.choose_time_after(migrated, 1, 15))
    scene.plan.feeds.add("heartbeat")
    scene.unreachable_since = silent.replace(second=0, microsecond=0)
    return expect_flagged(migrated, silent, verdict="suspected", extent=ANY)
