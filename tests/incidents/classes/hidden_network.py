"""Network changes whose relation to the VM cannot be known."""

from dataclasses import replace
from datetime import datetime

from tests.incidents.labels import expect_flagged, expect_other_cause
from tests.incidents.model import Label
from tests.incidents.scene import Scene


def _changes(scene: Scene, at: datetime, root: str) -> None:
    """A route table, a route, a peering, a firewall or a load balancer of that resource group is written."""
    name, target = scene.rng.choice(
        (
            ("routeTables/write", "routeTables/spokes"),
            ("routeTables/routes/write", "routeTables/spokes/routes/default"),
            ("virtualNetworks/virtualNetworkPeerings/write", "virtualNetworks/core/virtualNetworkPeerings/spoke"),
            ("azureFirewalls/write", "azureFirewalls/edge"),
            ("loadBalancers/write", "loadBalancers/front"),
        )
    )
    scene.run_operation(at, f"Microsoft.Network/{name}", target=f"{root}/providers/Microsoft.Network/{target}")


def _shows_no_network(scene: Scene) -> None:
    """At most the VM names its network interface; nothing tells what that one belongs to."""
    scene.plan.machine_forms = ("vm",)


def hidden_network_change(scene: Scene) -> Label:
    """A change in the VM's resource group right before the loss, in an archive that shows no network."""
    migrated, lost = scene.lose_traffic((60, 200), migrated=(-25, -8))
    _changes(scene, scene.choose_time_after(lost, -4, -1.5), scene.resource_group_id)
    _shows_no_network(scene)
    # The relation cannot be known: suspected, the change cited against.
    return expect_flagged(migrated, lost, verdict="suspected")


def hidden_network_change_without_migration(scene: Scene) -> Label:
    """The same without a migration: clear; whether the change may be named as the cause is left open."""
    lost = scene.drop_traffic(scene.choose_time_before_end(60, 200))
    _changes(scene, scene.choose_time_after(lost, -4, -1.5), scene.resource_group_id)
    _shows_no_network(scene)
    return expect_other_cause(("unexplained", "network-change"), lost, action=("investigate",))


def hidden_network_change_further_away(scene: Scene) -> Label:
    """Such a change, but farther from the onset than the migration by more than 3 minutes: confirmed."""
    migrated, lost = scene.lose_traffic((60, 200), migrated=(-6, -1))
    _changes(scene, scene.choose_time_after(lost, -28, -14), scene.resource_group_id)
    _shows_no_network(scene)
    return expect_flagged(migrated, lost)


def _network_of_another_group(scene: Scene) -> str:
    """The VM's subnet lies in a network of another group, of which the export shows no row; that group."""
    group = f"{scene.resource_group_id}-net"
    subnet = f"{group}/providers/Microsoft.Network/virtualNetworks/hub/subnets/default"
    scene.machines[0] = replace(scene.machines[0], subnet=subnet)
    scene.show_network()
    return group


def change_in_the_group_of_a_hidden_network(scene: Scene) -> Label:
    """The subnet's own network is not shown, so neither is its route table; one of that group was written."""
    migrated, lost = scene.lose_traffic((60, 200), migrated=(-25, -8))
    _changes(scene, scene.choose_time_after(lost, -4, -1.5), _network_of_another_group(scene))
    # A change in the group of what could not be seen: relation unknown, suspected.
    return expect_flagged(migrated, lost, verdict="suspected")


def change_as_near_as_the_migration(scene: Scene) -> Label:
    """A change of the VM's own network and the migration within 2 minutes of each other, the loss 6 to 12 later."""
    migrated, lost = scene.lose_traffic((60, 200), migrated=(-12, -6))
    scene.change_own_network(scene.choose_time_after(migrated, -1.5, 1))
    # Within 3 minutes neither is nearer: suspected.
    return expect_flagged(migrated, lost, verdict="suspected")


def change_after_the_loss(scene: Scene) -> Label:
    """Somebody changes the VM's own network 5 to 20 minutes into the loss, in vain: too late to compete. Confirmed."""
    migrated, lost = scene.lose_traffic((75, 200), migrated=(-10, 0))
    scene.change_own_network(scene.choose_time_after(lost, 5, 20))
    return expect_flagged(migrated, lost)
