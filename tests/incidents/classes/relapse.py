"""The latest loss decides what is said of now: losses that healed and came back."""

from datetime import datetime

from tests.incidents.labels import CONFIRMED_OR_SUSPECTED, expect_flagged
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene


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
    return expect_flagged(
        migrated, lost, verdict=CONFIRMED_OR_SUSPECTED, action=("redeploy", "investigate"), extent="intermittent"
    )


def relapse_after_half_an_hour(scene: Scene) -> Label:
    """Lost with the migration and healed for 18 to 28 minutes; lost again, later than a migration may be blamed."""
    migrated, _, healed = _migration_and_healed_loss(scene, 22, 45)
    lost = scene.drop_traffic(scene.choose_time_after(healed, 18, 28))
    # Two losses: the first is the migration's, the latest is unexplained and open, and decides state and action.
    return expect_flagged(
        migrated, lost, verdict=CONFIRMED_OR_SUSPECTED, explanation="unexplained", action=("investigate",)
    )


def relapse_that_healed_too(scene: Scene) -> Label:
    """The same, and the second loss healed after 20 to 35 minutes as well: recovered, the latest unexplained."""
    migrated, _, healed = _migration_and_healed_loss(scene, 18, 25)
    lost = scene.choose_time_after(healed, 18, 25)
    scene.drop_traffic(lost, scene.choose_time_after(lost, 18, 25))
    return expect_flagged(migrated, lost, verdict=CONFIRMED_OR_SUSPECTED, state="recovered", explanation="unexplained")


def relapse_after_redeploy(scene: Scene) -> Label:
    """A redeploy ends the migration's loss; 5 to 12 minutes later the VM is lost again, until the end."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(130, 220))
    lost = scene.choose_time_after(migrated, -0.5, 8)
    asked = scene.choose_time_after(lost, 20, 45)
    scene.annotate_health(asked, "VirtualMachineRedeployInitiatedByControlPlane")
    back = scene.run_operation(asked, "redeploy/action", seconds=scene.rng.uniform(50, 180))
    scene.drop_traffic(lost, back)
    scene.omit_points(asked, back)
    scene.plan.noise = 0.25
    again = scene.drop_traffic(scene.choose_time_after(back, 5, 12))
    # A reset lies between, so these are two losses, and the link of the latest to the migration is broken. Redeployed
    # already and dead: never "nothing to do", never another redeploy.
    return expect_flagged(
        migrated,
        again,
        verdict=CONFIRMED_OR_SUSPECTED,
        explanation=("unexplained", "guest-restart"),
        action=("escalate", "investigate"),
    )


def user_stop_after_a_healed_loss(scene: Scene) -> Label:
    """The migration's loss healed; an hour later a customer stops the VM, and it is stopped now."""
    migrated, _, healed = _migration_and_healed_loss(scene, 20, 35)
    stopped = scene.choose_time_after(healed, 25, 40)
    scene.run_operation(stopped, "deallocate/action")
    scene.annotate_health(scene.choose_time_after(stopped, 0.05, 0.2), "VirtualMachineDeallocationInitiated")
    scene.take_machine_down(scene.choose_time_after(stopped, 0.3, 0.4), reported=False)
    scene.change_health(scene.choose_time_after(stopped, 0.4, 0.5), "Unavailable", cause="UserInitiated")
    scene.set_description(power="deallocated")
    # The latest loss is the customer's: explained by the stop, and no reason to redeploy.
    return expect_flagged(migrated, stopped, verdict=CONFIRMED_OR_SUSPECTED, explanation="user-stop")


def pause_then_loss(scene: Scene) -> Label:
    """Dead for 5 to 8 minutes with the migration, well for 9 to 12, then lost until the end: one story, open."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(110, 200))
    paused = scene.choose_time_after(migrated, 0, 2)
    well = scene.choose_time_after(paused, 5, 8)
    scene.drop_traffic(paused, well)
    scene.drop_traffic(scene.choose_time_after(well, 9, 12))
    scene.plan.noise = 0.25
    # The pieces make one intermittent loss from the pause on; how exactly it is dated is not compared.
    return expect_flagged(migrated, ANY, verdict=CONFIRMED_OR_SUSPECTED, action=("redeploy",), extent=ANY)
