"""Heartbeats that end while traffic is normal: a silent agent, not a loss of connectivity."""

from dataclasses import replace
from datetime import datetime

from tests.incidents.labels import SCENARIO, hit, quiet, unjudged
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene

_SILENT = quiet(failed_at=ANY, action=("investigate",))


def silent_agent(scene: Scene) -> Label:
    """The agent was removed or crashed, traffic is normal, no migration is near: no loss, and told as such."""
    scene.falls_silent(scene.ago(45, 240))
    scene.plan.feeds.add("heartbeat")
    return _SILENT


def silent_agent_long_after_migration(scene: Scene) -> Label:
    """The same, 45 to 150 minutes after a migration: outside its onset window, so clear."""
    silent = scene.falls_silent(scene.ago(45, 120))
    migrated = scene.migrates(scene.after(silent, -150, -45))
    scene.plan.feeds.add("heartbeat")
    return replace(_SILENT, migrated_at=migrated)


def _fall_silent_together(scene: Scene) -> datetime:
    """Four to six neighbours and the first VM stop within a minute or two, as when a workspace breaks."""
    silent = scene.falls_silent(scene.ago(60, 180))
    for _ in range(scene.rng.randint(4, 6)):
        scene.falls_silent(scene.after(silent, -1, 1), vm=scene.neighbour(_SILENT))
    scene.plan.feeds |= {"heartbeat", "machine"}
    return silent


def silent_agents_of_a_workspace(scene: Scene) -> Label:
    """Agents of several VMs fall silent at once, traffic is normal on all of them: no loss of any."""
    _fall_silent_together(scene)
    return _SILENT


def silent_agents_and_a_migration(scene: Scene) -> Label:
    """The same, and one of them was migrated minutes before.

    Most of those that fell silent were not migrated, so its silence is theirs: clear.
    """
    silent = _fall_silent_together(scene)
    return replace(_SILENT, migrated_at=scene.migrates(scene.after(silent, -12, -2)))


def silent_agent_in_onset_window(scene: Scene) -> Label:
    """Heartbeats end within minutes of the migration while traffic stays normal.

    They went to an address outside, so this cannot be told: inconclusive. Whether the silence is a loss with
    a state of its own is not compared.
    """
    migrated = scene.migrates(scene.ago(75, 200))
    scene.falls_silent(scene.after(migrated, 1, 15))
    scene.plan.feeds.add("heartbeat")
    return unjudged(
        migrated_at=migrated,
        failed_at=ANY,
        explanation=(None, SCENARIO),
        state=(None, "open"),
        action=("investigate",),
        extent=ANY,
    )


def silent_agent_and_the_operators_word(scene: Scene) -> Label:
    """The same, and the operator cannot reach the VM since then: suspected, for traffic speaks against."""
    migrated = scene.migrates(scene.ago(75, 200))
    silent = scene.falls_silent(scene.after(migrated, 1, 15))
    scene.plan.feeds.add("heartbeat")
    scene.unreachable_since = silent.replace(second=0, microsecond=0)
    return hit(migrated, silent, verdict="suspected", extent=ANY)
