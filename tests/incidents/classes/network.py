"""Changes of the network's configuration: those that compete, and those that do not."""

from datetime import datetime

from tests.incidents.labels import explained, hit
from tests.incidents.model import Label
from tests.incidents.scene import Scene

_GROUPS = "Microsoft.Network/networkSecurityGroups/write"
_NICS = "Microsoft.Network/networkInterfaces/write"


def _migrated_and_lost(scene: Scene) -> tuple[datetime, datetime]:
    """The migration lies 8 to 25 minutes before the loss, so that there is room for something nearer."""
    lost = scene.loses_traffic(scene.ago(45, 200))
    return scene.migrates(scene.after(lost, -25, -8)), lost


def _just_before(scene: Scene, lost: datetime) -> datetime:
    return scene.after(lost, -4, -1)


def network_change_after_migration(scene: Scene) -> Label:
    """A change that touches the VM succeeded right before the loss, nearer to it than the migration.

    It competes and wins: clear, `network-change`, investigate.
    """
    migrated, lost = _migrated_and_lost(scene)
    scene.touches_network(_just_before(scene, lost))
    return explained("network-change", lost, migrated_at=migrated, action=("investigate",))


def network_change_without_migration(scene: Scene) -> Label:
    """The same without a migration: `network-change`."""
    lost = scene.loses_traffic(scene.ago(45, 200))
    scene.touches_network(_just_before(scene, lost))
    return explained("network-change", lost, action=("investigate",))


def network_change_of_unknown_relation(scene: Scene) -> Label:
    """A security group of the VM's resource group was changed before the loss; nothing tells whose it is.

    The relation cannot be known: suspected, the change cited as evidence against.
    """
    migrated, lost = _migrated_and_lost(scene)
    target = scene.rng.choice((scene.rules(), scene.rules().replace("-nsg", "-shared-nsg")))
    scene.operates(_just_before(scene, lost), _GROUPS, target=target)
    # The VM may name its network interface; what that one names, its security group, was not exported.
    scene.plan.machine_forms = ("vm",)
    return hit(migrated, lost, verdict="suspected")


def network_change_in_another_group(scene: Scene) -> Label:
    """A security group of another resource group was changed: no reason to doubt. Confirmed."""
    migrated, lost = _migrated_and_lost(scene)
    scene.operates(_just_before(scene, lost), _GROUPS, target=scene.elsewhere("networkSecurityGroups"))
    if scene.rng.random() < 0.5:
        scene.plan.feeds.add("machine")
        scene.plan.machine_forms = ("resources",)
    return hit(migrated, lost)


def network_change_of_another_vm(scene: Scene) -> Label:
    """A network interface of the same resource group was changed that is known to be another VM's.

    A change competes only where it touches the VM: confirmed.
    """
    migrated, lost = _migrated_and_lost(scene)
    scene.operates(_just_before(scene, lost), _NICS, target=scene.elsewhere_in_group("networkInterfaces", "jump01-nic"))
    scene.plan.feeds.add("machine")
    scene.plan.machine_forms = ("resources",)
    return hit(migrated, lost)


def network_change_failed(scene: Scene) -> Label:
    """The change of the VM's own security group failed, so it changed nothing: confirmed."""
    migrated, lost = _migrated_and_lost(scene)
    scene.operates(_just_before(scene, lost), _GROUPS, target=scene.rules(), outcome="Failed")
    if scene.rng.random() < 0.5:
        scene.plan.feeds.add("machine")
        scene.plan.machine_forms = ("resources",)
    return hit(migrated, lost)


def network_change_further_away(scene: Scene) -> Label:
    """The VM's own network was changed 18 to 28 minutes before the loss, the migration came 1 to 6 before.

    The migration is nearer to the onset, so the change does not compete: confirmed.
    """
    lost = scene.loses_traffic(scene.ago(45, 200))
    migrated = scene.migrates(scene.after(lost, -6, -1))
    scene.touches_network(scene.after(lost, -28, -18))
    return hit(migrated, lost)
