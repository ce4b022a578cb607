"""A window that is shorter than the story: it says which losses are told, not how far back is read."""

from tests.incidents.labels import explained, hit, quiet
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene


def _asks(scene: Scene) -> None:
    scene.since = scene.rng.choice(("30m", "1h"))


def short_window_on_an_open_loss(scene: Scene) -> Label:
    """Lost with its migration two to six hours ago, and `--since` says less: judged whole, confirmed, open."""
    _asks(scene)
    migrated = scene.migrates(scene.ago(120, 360))
    return hit(migrated, scene.loses_traffic(scene.after(migrated, -0.5, 12)))


def short_window_on_a_stopped_vm(scene: Scene) -> Label:
    """Stopped by a customer hours ago, minutes after a migration: the stop explains it, however short the window."""
    _asks(scene)
    stopped = scene.ago(130, 360)
    migrated = scene.migrates(scene.after(stopped, -20, -5))
    scene.operates(stopped, "deallocate/action")
    scene.annotated(scene.after(stopped, 0.05, 0.2), "VirtualMachineDeallocationInitiated")
    scene.dies(scene.after(stopped, 0.3, 0.4), reported=False)
    scene.turns(scene.after(stopped, 0.4, 0.5), "Unavailable", cause="UserInitiated")
    scene.becomes(power="deallocated")
    return explained("user-stop", stopped, migrated_at=migrated)


def short_window_behind_a_change(scene: Scene) -> Label:
    """Lost hours ago right after a change of its own network, a migration further away: the change explains it."""
    _asks(scene)
    lost = scene.loses_traffic(scene.ago(120, 360))
    migrated = scene.migrates(scene.after(lost, -25, -10))
    scene.touches_network(scene.after(lost, -4, -1.5))
    return explained("network-change", lost, migrated_at=migrated, action=("investigate",))


def short_window_after_all_was_over(scene: Scene) -> Label:
    """Lost and recovered hours before the window began: no loss reaches into it, so none is told.

    Whether a migration from before the window is shown is not compared.
    """
    _asks(scene)
    migrated = scene.migrates(scene.ago(240, 400))
    lost = scene.after(migrated, 0, 10)
    scene.loses_traffic(lost, scene.after(lost, 20, 60))
    return quiet(migrated_at=ANY, failed_at=ANY)


def short_window_on_a_quiet_vm(scene: Scene) -> Label:
    """Nothing happened, in the window or before it: clear."""
    _asks(scene)
    return quiet()


def short_window_recovered_inside(scene: Scene) -> Label:
    """Lost hours ago and back 8 to 20 minutes ago: the loss reaches into the window, judged whole, recovered."""
    _asks(scene)
    back = scene.ago(8, 20)
    lost = scene.after(back, -240, -120)
    scene.loses_traffic(lost, back)
    return hit(scene.migrates(scene.after(lost, -10, -0.5)), lost, state="recovered", action=("none",))
