"""A window that is shorter than the story: it says which losses are told, not how far back is read."""

from tests.incidents.labels import expect_flagged, expect_no_loss, expect_other_cause
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
    scene.run_operation(stopped, "deallocate/action")
    scene.annotate_health(scene.choose_time_after(stopped, 0.05, 0.2), "VirtualMachineDeallocationInitiated")
    scene.take_machine_down(scene.choose_time_after(stopped, 0.3, 0.4), reported=False)
    scene.change_health(scene.choose_time_after(stopped, 0.4, 0.5), "Unavailable", cause="UserInitiated")
    scene.set_description(power="deallocated")
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
