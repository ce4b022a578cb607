"""What ends a loss and what does not: stray beats, creeping traffic, an agent that stays away."""

from datetime import datetime, timedelta

from tests.incidents.labels import CONFIRMED_OR_SUSPECTED, expect_flagged
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene


def _migration(scene: Scene) -> tuple[datetime, datetime]:
    migrated = scene.migrate_vm(scene.choose_time_before_end(130, 230))
    return migrated, scene.choose_time_after(migrated, 0.5, 10)


def stray_beat(scene: Scene) -> Label:
    """One heartbeat gets through after half an hour of silence, and none after it, on a running VM."""
    migrated, lost = _migration(scene)
    stray = scene.choose_time_after(lost, 25, 60)
    scene.drop_traffic(lost, stray)
    scene.drop_traffic(stray + timedelta(seconds=60))
    scene.select_feeds(("activity", "health", "heartbeat", "machine"))
    # One stray beat ends nothing: confirmed by the heartbeat and the power state, and open.
    return expect_flagged(migrated, lost)


def stray_minute_of_traffic(scene: Scene) -> Label:
    """One minute of usual traffic amid the collapse ends nothing: confirmed, open, one full loss."""
    migrated, lost = _migration(scene)
    stray = scene.choose_time_after(lost, 25, 60)
    scene.drop_traffic(lost, stray)
    scene.drop_traffic(stray + timedelta(seconds=60))
    return expect_flagged(migrated, lost)


def creeping_traffic(scene: Scene) -> Label:
    """Dead for 20 to 40 minutes, then 7 to 20 % of the usual traffic until the end: not "reachable again"."""
    migrated, lost = _migration(scene)
    crept = scene.choose_time_after(lost, 20, 40)
    scene.drop_traffic(lost, crept)
    scene.plan.noise = 0.12
    scene.reduce_traffic(crept, None, 0.07, 0.2)
    # Between 5 % and 50 % without heartbeats the loss goes on as a partial one; which of the two words then stands in
    # `extent` is not compared.
    return expect_flagged(migrated, lost, verdict=CONFIRMED_OR_SUSPECTED, extent=ANY)


def creeping_traffic_with_heartbeats_back(scene: Scene) -> Label:
    """The same, and heartbeats that had stopped are back to stay."""
    migrated, lost = _migration(scene)
    crept = scene.choose_time_after(lost, 25, 40)
    scene.drop_traffic(lost, crept)
    scene.plan.noise = 0.12
    scene.reduce_traffic(crept, None, 0.2, 0.34)
    scene.plan.feeds.add("heartbeat")
    # In between 5 % and 50 % heartbeats that are back end the loss: recovered.
    return expect_flagged(migrated, lost, verdict=CONFIRMED_OR_SUSPECTED, state="recovered", extent=ANY)


def agent_stays_away(scene: Scene) -> Label:
    """Traffic comes back, at two thirds and more or in full, and only heartbeats stay away."""
    migrated, lost = _migration(scene)
    back = scene.choose_time_after(lost, 25, 60)
    scene.drop_traffic(lost, back)
    if scene.rng.random() < 0.5:
        scene.plan.noise = 0.08
        scene.reduce_traffic(back, None, 0.68, 0.9)
    scene.stop_heartbeats(back)
    scene.plan.feeds |= {"heartbeat", "machine"}
    # Above 50 % the loss has ended, whatever the agent does: confirmed, recovered; nothing to redeploy.
    return expect_flagged(migrated, lost, state="recovered", action=("none", "investigate"))


def heartbeats_go_on(scene: Scene) -> Label:
    """Traffic collapses with the migration while heartbeats get through as ever."""
    migrated, lost = _migration(scene)
    scene.drop_traffic(lost, silent=False)
    scene.plan.feeds |= {"heartbeat", "machine"}
    # A strong channel that is normal while another says "lost" is evidence against: suspected at most.
    return expect_flagged(migrated, lost, verdict="suspected")
