"""What ends a loss and what does not: stray beats, creeping traffic, an agent that stays away."""

from datetime import datetime, timedelta

from tests.incidents.labels import LIKELY, hit
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene


def _migration(scene: Scene) -> tuple[datetime, datetime]:
    migrated = scene.migrates(scene.ago(130, 230))
    return migrated, scene.after(migrated, 0.5, 10)


def stray_beat(scene: Scene) -> Label:
    """One heartbeat gets through after half an hour of silence, and none after it, on a running VM.

    One stray beat ends nothing: confirmed by the heartbeat and the power state, and open.
    """
    migrated, lost = _migration(scene)
    stray = scene.after(lost, 25, 60)
    scene.loses_traffic(lost, stray)
    scene.loses_traffic(stray + timedelta(seconds=60))
    scene.reads(("activity", "health", "heartbeat", "machine"))
    return hit(migrated, lost)


def stray_minute_of_traffic(scene: Scene) -> Label:
    """One minute of usual traffic amid the collapse ends nothing: confirmed, open, one full loss."""
    migrated, lost = _migration(scene)
    stray = scene.after(lost, 25, 60)
    scene.loses_traffic(lost, stray)
    scene.loses_traffic(stray + timedelta(seconds=60))
    return hit(migrated, lost)


def creeping_traffic(scene: Scene) -> Label:
    """Dead for 20 to 40 minutes, then 7 to 20 % of the usual traffic until the end: not "reachable again".

    Between 5 % and 50 % without heartbeats the loss goes on as a partial one; which of the two words then
    stands in `extent` is not compared.
    """
    migrated, lost = _migration(scene)
    crept = scene.after(lost, 20, 40)
    scene.loses_traffic(lost, crept)
    scene.plan.noise = 0.12
    scene.slows(crept, None, 0.07, 0.2)
    return hit(migrated, lost, verdict=LIKELY, extent=ANY)


def creeping_traffic_with_heartbeats_back(scene: Scene) -> Label:
    """The same, and heartbeats that had stopped are back to stay.

    In between 5 % and 50 % heartbeats that are back end the loss: recovered.
    """
    migrated, lost = _migration(scene)
    crept = scene.after(lost, 25, 40)
    scene.loses_traffic(lost, crept)
    scene.plan.noise = 0.12
    scene.slows(crept, None, 0.2, 0.34)
    scene.plan.feeds.add("heartbeat")
    return hit(migrated, lost, verdict=LIKELY, state="recovered", extent=ANY)


def agent_stays_away(scene: Scene) -> Label:
    """Traffic comes back, at two thirds and more or in full, and only heartbeats stay away.

    Above 50 % the loss has ended, whatever the agent does: confirmed, recovered; nothing to redeploy.
    """
    migrated, lost = _migration(scene)
    back = scene.after(lost, 25, 60)
    scene.loses_traffic(lost, back)
    if scene.rng.random() < 0.5:
        scene.plan.noise = 0.08
        scene.slows(back, None, 0.68, 0.9)
    scene.falls_silent(back)
    scene.plan.feeds |= {"heartbeat", "machine"}
    return hit(migrated, lost, state="recovered", action=("none", "investigate"))


def heartbeats_go_on(scene: Scene) -> Label:
    """Traffic collapses with the migration while heartbeats get through as ever.

    A strong channel that is normal while another says "lost" is evidence against: suspected at most.
    """
    migrated, lost = _migration(scene)
    scene.loses_traffic(lost, silent=False)
    scene.plan.feeds |= {"heartbeat", "machine"}
    return hit(migrated, lost, verdict="suspected")
