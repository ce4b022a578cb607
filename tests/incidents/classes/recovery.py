"""What ends a loss and what does not: recoveries, relapses of which the latest decides, resets around migrations."""

from datetime import datetime, timedelta

from tests.incidents.labels import expect_affected, expect_flagged, expect_no_loss, expect_other_cause
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
    return expect_affected(migrated, lost, extent=ANY)


def creeping_traffic_with_heartbeats_back(scene: Scene) -> Label:
    """The same, and heartbeats that had stopped are back to stay."""
    migrated, lost = _migration(scene)
    crept = scene.choose_time_after(lost, 25, 40)
    scene.drop_traffic(lost, crept)
    scene.plan.noise = 0.12
    scene.reduce_traffic(crept, None, 0.2, 0.34)
    scene.plan.feeds.add("heartbeat")
    # In between 5 % and 50 % heartbeats that are back end the loss: recovered.
    return expect_affected(migrated, lost, state="recovered", extent=ANY)


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


def _migration_and_healed_loss(scene: Scene, least: float, most: float) -> tuple[datetime, datetime, datetime]:
    """Migration, onset, and the end of a loss of so many minutes."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(140, 240))
    lost = scene.choose_time_after(migrated, -0.5, 8)
    healed = scene.choose_time_after(lost, least, most)
    scene.drop_traffic(lost, healed)
    scene.plan.noise = 0.25
    return migrated, lost, healed


def relapse_after_minutes(scene: Scene) -> Label:
    """Lost with the migration, well for 4 to 12 minutes, lost again until the end."""
    migrated, lost, healed = _migration_and_healed_loss(scene, 20, 50)
    scene.drop_traffic(scene.choose_time_after(healed, 4.2, 12))
    # Fewer than 15 well minutes between, together down for most of the time: one intermittent loss from the first
    # onset, and open. Never "reachable again, nothing to do".
    return expect_affected(migrated, lost, action=("redeploy", "investigate"), extent="intermittent")


def relapse_after_half_an_hour(scene: Scene) -> Label:
    """Lost with the migration and healed for 18 to 28 minutes; lost again, later than a migration may be blamed."""
    migrated, _, healed = _migration_and_healed_loss(scene, 22, 45)
    lost = scene.drop_traffic(scene.choose_time_after(healed, 18, 28))
    # Two losses: the first is the migration's, the latest is unexplained and open, and decides state and action.
    return expect_affected(migrated, lost, explanation="unexplained", action=("investigate",))


def relapse_that_healed_too(scene: Scene) -> Label:
    """The same, and the second loss healed after 20 to 35 minutes as well: recovered, the latest unexplained."""
    migrated, _, healed = _migration_and_healed_loss(scene, 18, 25)
    lost = scene.choose_time_after(healed, 18, 25)
    scene.drop_traffic(lost, scene.choose_time_after(lost, 18, 25))
    return expect_affected(migrated, lost, state="recovered", explanation="unexplained")


def relapse_after_redeploy(scene: Scene) -> Label:
    """A redeploy ends the migration's loss; 5 to 12 minutes later the VM is lost again, until the end."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(130, 220))
    lost = scene.choose_time_after(migrated, -0.5, 8)
    asked = scene.choose_time_after(lost, 20, 45)
    back = scene.act_as_customer(asked, "redeploy", seconds=scene.rng.uniform(50, 180))
    scene.drop_traffic(lost, back)
    scene.omit_points(asked, back)
    scene.plan.noise = 0.25
    again = scene.drop_traffic(scene.choose_time_after(back, 5, 12))
    # A reset lies between, so these are two losses, and the link of the latest to the migration is broken. Redeployed
    # already and dead: never "nothing to do", never another redeploy.
    return expect_affected(
        migrated, again, explanation=("unexplained", "guest-restart"), action=("escalate", "investigate")
    )


def user_stop_after_a_healed_loss(scene: Scene) -> Label:
    """The migration's loss healed; an hour later a customer stops the VM, and it is stopped now."""
    migrated, _, healed = _migration_and_healed_loss(scene, 20, 35)
    stopped = scene.choose_time_after(healed, 25, 40)
    scene.deallocate_for_good(stopped)
    # The latest loss is the customer's: explained by the stop, and no reason to redeploy.
    return expect_affected(migrated, stopped, explanation="user-stop")


def pause_then_loss(scene: Scene) -> Label:
    """Dead for 5 to 8 minutes with the migration, well for 9 to 12, then lost until the end: one story, open."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(110, 200))
    paused = scene.choose_time_after(migrated, 0, 2)
    well = scene.choose_time_after(paused, 5, 8)
    scene.drop_traffic(paused, well)
    scene.drop_traffic(scene.choose_time_after(well, 9, 12))
    scene.plan.noise = 0.25
    # The pieces make one intermittent loss from the pause on; how exactly it is dated is not compared.
    return expect_affected(migrated, ANY, action=("redeploy",), extent=ANY)


def restart_before_migration(scene: Scene) -> Label:
    """A customer restarts the VM, which is well again for 4 to 10 minutes; then it is migrated and lost."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    up = scene.choose_time_after(migrated, -10, -4)
    asked = scene.choose_time_after(up, -1.2, -0.8)
    scene.act_as_customer(asked, "restart")
    scene.take_machine_down(asked, up)
    # A reset before the migration, with the VM well in between, breaks nothing and explains nothing: confirmed.
    return expect_flagged(migrated, scene.drop_traffic(scene.choose_time_after(migrated, 0.3, 8)))


def start_before_migration(scene: Scene) -> Label:
    """The same with a deallocate and start of some minutes, from which points are missing: confirmed."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    up = scene.choose_time_after(migrated, -16, -8)
    started = scene.choose_time_after(up, -1, -0.7)
    stopped = scene.choose_time_after(started, -6, -3)
    scene.act_as_customer(stopped, "deallocate")
    scene.act_as_customer(started, "start")
    scene.omit_points(stopped, up)
    return expect_flagged(migrated, scene.drop_traffic(scene.choose_time_after(migrated, 0.3, 8)))


def restart_before_a_clean_migration(scene: Scene) -> Label:
    """A restart minutes before a healthy migration: clear."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    asked = scene.choose_time_after(migrated, -12, -5)
    scene.act_as_customer(asked, "restart")
    scene.take_machine_down(asked, scene.choose_time_after(asked, 0.7, 1.2))
    return expect_no_loss(migrated_at=migrated, failed_at=ANY)


def _off_for_minutes(scene: Scene, at: datetime) -> None:
    """A resize, or a deallocate and start, during which no points are reported."""
    back = scene.choose_time_after(at, 4, 9)
    if scene.rng.random() < 0.6:
        scene.act_as_customer(at, "resize", seconds=(back - at).total_seconds())
    else:
        scene.act_as_customer(at, "deallocate")
        started = scene.choose_time_after(back, -1, -0.7)
        scene.act_as_customer(started, "start")
    scene.omit_points(at, back)


def resized_after_migration(scene: Scene) -> Label:
    """Migrated, and minutes later resized or stopped and started for 4 to 9 minutes; traffic normal otherwise."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(75, 200))
    _off_for_minutes(scene, scene.choose_time_after(migrated, 3, 20))
    # The missing points are that cause's and not a gap: judged normal before and after, clear.
    return expect_no_loss(migrated_at=migrated, failed_at=ANY)


def _redeployed(scene: Scene, done: datetime, *, outcome: str = "Succeeded") -> tuple[datetime, datetime]:
    """A loss with its migration, and a redeploy within it that ends at `done`."""
    asked = scene.choose_time_after(done, -3, -1.5)
    lost = scene.drop_traffic(scene.choose_time_after(asked, -60, -25))
    migrated = scene.migrate_vm(scene.choose_time_after(lost, -9, -0.3))
    scene.act_as_customer(asked, "redeploy", outcome=outcome, seconds=(done - asked).total_seconds())
    scene.omit_points(asked, done)
    return migrated, lost


def redeploy_just_ended(scene: Scene) -> Label:
    """The redeploy ended 3.5 to 7.5 minutes ago, and the VM is not back yet."""
    migrated, lost = _redeployed(scene, scene.choose_time_before_end(3.5, 7.5))
    # Confirmed and open; the action is to wait for 10 minutes, never "did not help" before.
    return expect_flagged(migrated, lost, action=("wait",))


def redeploy_under_way(scene: Scene) -> Label:
    """The log shows the redeploy's begin and not its end: wait, as long as it is under way."""
    migrated, lost = _redeployed(scene, scene.choose_time_before_end(0, 0.1), outcome="Running")
    return expect_flagged(migrated, lost, action=("wait",))


def redeploy_did_not_help(scene: Scene) -> Label:
    """The redeploy ended 14 to 40 minutes ago, and the VM is as dead as before: escalate."""
    migrated, lost = _redeployed(scene, scene.choose_time_before_end(14, 40))
    return expect_flagged(migrated, lost, action=("escalate",))


def freeze_and_lasting_loss(scene: Scene) -> Label:
    """The host was updated in place, and traffic is gone since; an in-place freeze reboots and explains nothing."""
    frozen = scene.choose_time_before_end(60, 200)
    scene.annotate_health(scene.choose_time_after(frozen, -4, -1), "VirtualMachinePlannedFreezeStarted")
    scene.annotate_health(frozen, "VirtualMachinePlannedFreezeSucceeded")
    lost = scene.drop_traffic(scene.choose_time_after(frozen, 0, 4))
    return expect_other_cause("unexplained", lost, action=("investigate",))


def freeze_before_migration(scene: Scene) -> Label:
    """An in-place freeze minutes before or after the migration is no rival of it: confirmed."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    frozen = scene.choose_time_after(migrated, -25, 3)
    scene.annotate_health(scene.choose_time_after(frozen, -4, -1), "VirtualMachinePlannedFreezeStarted")
    scene.annotate_health(frozen, "VirtualMachinePlannedFreezeSucceeded")
    return expect_flagged(migrated, scene.drop_traffic(scene.choose_time_after(migrated, 0.3, 8)))
