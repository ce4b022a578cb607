"""Changes of the network's configuration: those that compete, and those that do not."""

from datetime import datetime

from tests.incidents.labels import expect_flagged, expect_other_cause
from tests.incidents.model import Label
from tests.incidents.scene import Scene

_GROUPS = "Microsoft.Network/networkSecurityGroups/write"
_NICS = "Microsoft.Network/networkInterfaces/write"


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
    scene.run_operation(_just_before(scene, lost), _GROUPS, target=scene.get_foreign_resource("networkSecurityGroups"))
    if scene.rng.random() < 0.5:
        scene.show_network()
    return expect_flagged(migrated, lost)


def network_change_of_another_vm(scene: Scene) -> Label:
    """A network interface of the same resource group was changed that is known to be another VM's."""
    migrated, lost = _migrated_and_lost(scene)
    scene.run_operation(
        _just_before(scene, lost), _NICS, target=scene.get_group_resource("networkInterfaces", "jump01-nic")
    )
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
