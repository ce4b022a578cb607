"""What the export shows: other VMs and incidents of a service, coarse points, networks that stay hidden."""

from dataclasses import replace
from datetime import datetime

from tests.incidents.catalogue import OTHER_REGIONS, REGIONS
from tests.incidents.labels import expect_affected, expect_flagged, expect_no_loss, expect_other_cause, expect_undecided
from tests.incidents.model import ANY, Label
from tests.incidents.scene import Scene

_NETWORK = ("Virtual Machines", "Virtual Network", "Network Infrastructure")
_UNRELATED = ("Azure Cognitive Search", "Azure Data Factory", "Power BI Embedded")


def _migrated_and_lost(scene: Scene) -> tuple[datetime, datetime]:
    lost = scene.drop_traffic(scene.choose_time_before_end(60, 200))
    scene.plan.feeds.add("machine")
    return scene.migrate_vm(scene.choose_time_after(lost, -20, 1)), lost


def _announced(scene: Scene, lost: datetime, services: tuple[str, ...], region: str) -> None:
    """The incident begins within an hour of the loss; service health's own list may be there, too."""
    scene.announce_incident(scene.choose_time_after(lost, -45, 5), scene.rng.choice(services), region)
    if scene.rng.random() < 0.4:
        scene.plan.feeds.add("service")


def service_incident(scene: Scene) -> Label:
    """Azure announces a network or compute incident in the VM's region: `service-incident`, no migration."""
    lost = scene.drop_traffic(scene.choose_time_before_end(60, 200))
    scene.plan.feeds.add("machine")
    _announced(scene, lost, _NETWORK, REGIONS[scene.region])
    return expect_other_cause("service-incident", lost, action=("investigate",))


def service_incident_after_migration(scene: Scene) -> Label:
    """The same with a migration before the loss: the incident is the better explanation. Clear."""
    migrated, lost = _migrated_and_lost(scene)
    _announced(scene, lost, _NETWORK, REGIONS[scene.region])
    return expect_other_cause("service-incident", lost, migrated_at=migrated, action=("investigate",))


def service_incident_in_another_region(scene: Scene) -> Label:
    """An incident of another region explains nothing here: confirmed."""
    migrated, lost = _migrated_and_lost(scene)
    _announced(scene, lost, _NETWORK, scene.rng.choice(OTHER_REGIONS))
    return expect_flagged(migrated, lost)


def service_incident_of_another_service(scene: Scene) -> Label:
    """An incident of a service that carries no VM's traffic explains nothing here: confirmed."""
    migrated, lost = _migrated_and_lost(scene)
    _announced(scene, lost, _UNRELATED, REGIONS[scene.region])
    return expect_flagged(migrated, lost)


def shared_outage(scene: Scene) -> Label:
    """Five to eight VMs of a virtual network lose traffic in the same minutes; one of them was migrated."""
    migrated, lost = scene.lose_traffic((60, 180), migrated=(-12, 0))
    for _ in range(scene.rng.randint(4, 7)):
        also = scene.choose_time_after(lost, -1.5, 2.5)
        scene.drop_traffic(also, vm=scene.add_neighbour(expect_other_cause("unexplained", also)))
    scene.show_network()
    # Most were not migrated, which points to a shared cause: the migrated one is at most suspected, the others are
    # clear and `unexplained`.
    return expect_flagged(migrated, lost, verdict="suspected")


def shared_outage_of_a_region(scene: Scene) -> Label:
    """The same across four to six virtual networks of one region: suspected at most, the others unexplained."""
    migrated, lost = scene.lose_traffic((60, 180), migrated=(-12, 0))
    for number in range(scene.rng.randint(4, 6)):
        also = scene.choose_time_after(lost, -1.5, 2.5)
        scene.drop_traffic(also, vm=scene.add_neighbour(expect_other_cause("unexplained", also), f"vnet{number}"))
    scene.show_network()
    return expect_flagged(migrated, lost, verdict="suspected")


def neighbours_without_harm(scene: Scene) -> Label:
    """Five neighbours of the lost VM go on as ever: nothing shared, confirmed."""
    lost = scene.drop_traffic(scene.choose_time_before_end(60, 180))
    for _ in range(5):
        scene.add_neighbour(expect_no_loss())
    scene.show_network()
    return expect_flagged(scene.migrate_vm(scene.choose_time_after(lost, -12, -0.3)), lost)


def _migration(scene: Scene, grain: int) -> datetime:
    scene.plan.grain = grain
    scene.plan.holes = 0.0
    scene.plan.hours_before = 4
    return scene.migrate_vm(scene.choose_time_before_end(120, 240))


def loss_in_quarter_hours(scene: Scene) -> Label:
    """Traffic is gone with the migration, in points of 15 minutes: judged as far as they go, so flagged."""
    migrated = _migration(scene, 15)
    scene.drop_traffic(scene.choose_time_after(migrated, 0, 8))
    # How firmly, and to which quarter it is dated, is not compared.
    return expect_affected(migrated, ANY)


def loss_in_five_minutes(scene: Scene) -> Label:
    """The same in points of 5 minutes."""
    migrated = _migration(scene, 5)
    scene.drop_traffic(scene.choose_time_after(migrated, 0, 8))
    return expect_affected(migrated, ANY)


def clean_in_coarse_points(scene: Scene) -> Label:
    """A healthy migration in points of 5 or 15 minutes: judged and normal, so clear."""
    return expect_no_loss(migrated_at=_migration(scene, scene.rng.choice((5, 15))))


def loss_in_hours(scene: Scene) -> Label:
    """Points of an hour tell too little: inconclusive, and the report asks for PT1M."""
    migrated = _migration(scene, 60)
    if scene.rng.random() < 0.6:
        scene.drop_traffic(scene.choose_time_after(migrated, 0, 8))
    return expect_undecided(migrated_at=migrated)


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
