"""Changes of the network that compete with a migration or do not, and losses that have nothing to do with one."""

from datetime import datetime

from tests.incidents.labels import expect_flagged, expect_other_cause
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene

_GROUPS = "Microsoft.Network/networkSecurityGroups/write"


def _migrated_and_lost(scene: Scene) -> tuple[datetime, datetime]:
    """The migration lies 8 to 25 minutes before the loss, so that there is room for something nearer."""
    lost = scene.drop_traffic(scene.choose_time_before_end(45, 200))
    return scene.migrate_vm(scene.choose_time_after(lost, -25, -8)), lost


def _just_before(scene: Scene, lost: datetime) -> datetime:
    return scene.choose_time_after(lost, -4, -1)


def network_change_after_migration(scene: Scene) -> Label:
    """A change that touches the VM succeeded right before the loss, nearer to it than the migration."""
    migrated, lost = _migrated_and_lost(scene)
    scene.change_own_network(_just_before(scene, lost))
    # It competes and wins: clear, `network-change`, investigate.
    return expect_other_cause("network-change", lost, migrated_at=migrated, action=("investigate",))


def network_change_without_migration(scene: Scene) -> Label:
    """The same without a migration: `network-change`."""
    lost = scene.drop_traffic(scene.choose_time_before_end(45, 200))
    scene.change_own_network(_just_before(scene, lost))
    return expect_other_cause("network-change", lost, action=("investigate",))


def network_change_of_unknown_relation(scene: Scene) -> Label:
    """A security group of the VM's resource group was changed before the loss; nothing tells whose it is."""
    migrated, lost = _migrated_and_lost(scene)
    target = scene.rng.choice((scene.get_security_group(), scene.get_security_group().replace("-nsg", "-shared-nsg")))
    scene.run_operation(_just_before(scene, lost), _GROUPS, target=target)
    # The VM may name its network interface; what that one names, its security group, was not exported.
    scene.plan.machine_forms = ("vm",)
    # The relation cannot be known: suspected, the change cited as evidence against.
    return expect_flagged(migrated, lost, verdict="suspected")


def network_change_in_another_group(scene: Scene) -> Label:
    """A security group of another resource group was changed: no reason to doubt. Confirmed."""
    migrated, lost = _migrated_and_lost(scene)
    target = scene.get_security_group().replace(scene.resource_group_id, f"{scene.resource_group_id}-other")
    scene.run_operation(_just_before(scene, lost), _GROUPS, target=target)
    if scene.rng.random() < 0.5:
        scene.show_network()
    return expect_flagged(migrated, lost)


def network_change_of_another_vm(scene: Scene) -> Label:
    """A network interface of the same resource group was changed that is known to be another VM's."""
    migrated, lost = _migrated_and_lost(scene)
    target = f"{scene.resource_group_id}/providers/Microsoft.Network/networkInterfaces/jump01-nic"
    scene.run_operation(_just_before(scene, lost), "Microsoft.Network/networkInterfaces/write", target=target)
    scene.show_network()
    # A change competes only where it touches the VM: confirmed.
    return expect_flagged(migrated, lost)


def network_change_failed(scene: Scene) -> Label:
    """The change of the VM's own security group failed, so it changed nothing: confirmed."""
    migrated, lost = _migrated_and_lost(scene)
    scene.run_operation(_just_before(scene, lost), _GROUPS, target=scene.get_security_group(), outcome="Failed")
    if scene.rng.random() < 0.5:
        scene.show_network()
    return expect_flagged(migrated, lost)


def network_change_further_away(scene: Scene) -> Label:
    """The VM's own network was changed 18 to 28 minutes before the loss, the migration came 1 to 6 before."""
    migrated, lost = scene.lose_traffic((45, 200), migrated=(-6, -1))
    scene.change_own_network(scene.choose_time_after(lost, -28, -18))
    # The migration is nearer to the onset, so the change does not compete: confirmed.
    return expect_flagged(migrated, lost)


def lost_before_migration(scene: Scene) -> Label:
    """Traffic was gone 8 to 60 minutes before the migration."""
    migrated, lost = scene.migrate_and_lose_traffic((45, 160), lost=(-60, -8))
    # More than 5 minutes earlier is not blamed on it: clear, `unexplained`, open, investigate.
    return expect_other_cause("unexplained", lost, migrated_at=migrated, action=("investigate",))


def lost_long_after_migration(scene: Scene) -> Label:
    """The loss begins 36 to 150 minutes after the migration, the onset window is 30: `unexplained`."""
    migrated, lost = scene.lose_traffic((45, 120), migrated=(-150, -36))
    return expect_other_cause("unexplained", lost, migrated_at=migrated, action=("investigate",))


def lost_without_migration(scene: Scene) -> Label:
    """All feeds were read, traffic is gone, and there was no migration: clear, `unexplained`."""
    lost = scene.drop_traffic(scene.choose_time_before_end(45, 200))
    return expect_other_cause("unexplained", lost, action=("investigate",))


def rebuilt_between(scene: Scene) -> Label:
    """Between migration and loss the VM is restarted, redeployed, or deallocated and started, and well."""
    lost = scene.drop_traffic(scene.choose_time_before_end(45, 200))
    done = scene.choose_time_after(lost, -12, -7)
    migrated = scene.migrate_vm(scene.choose_time_after(done, -14, -6))
    verb = scene.rng.choice(("restart", "redeploy", "start"))
    down = asked = scene.choose_time_after(done, -2, -1)
    if verb == "start":
        down = scene.choose_time_after(asked, -3, -2)
        scene.act_as_customer(down, "deallocate")
    scene.act_as_customer(asked, verb, seconds=(done - asked).total_seconds())
    scene.omit_points(down, done)
    # The port was rebuilt, the link is broken: clear. Whether a restart explains a loss that begins 7 to 12 minutes
    # later the contract leaves to judgement.
    return expect_other_cause(("unexplained", "guest-restart", "user-stop"), lost, migrated_at=migrated)


def deleted_and_recreated(scene: Scene) -> Label:
    """The migrated VM is deleted and created anew under its name; minutes later the new one is lost."""
    lost = scene.drop_traffic(scene.choose_time_before_end(45, 200))
    created = scene.choose_time_after(lost, -9, -7)
    deleted = scene.choose_time_after(created, -5, -3)
    scene.migrate_vm(scene.choose_time_after(deleted, -9, -3))
    scene.run_operation(deleted, "delete")
    scene.run_operation(created, "write", seconds=40)
    scene.omit_points(deleted, scene.choose_time_after(created, 0.5, 0.6))
    scene.plan.feeds.add("machine")
    # What happened to the old VM cannot be blamed for the new one's loss: its port was never migrated. Clear; the
    # contract names no scenario for it, so a customer's act or none may stand as the explanation. Nor does it say
    # whether a migration of the old VM stands in `migrated_at`.
    return expect_other_cause(("unexplained", "guest-restart", "user-stop"), lost, migrated_at=ANY)
