"""What only shows beyond the one VM: incidents of a service, outages shared with neighbours."""

from datetime import datetime

from tests.incidents.catalogue import OTHER_REGIONS, REGIONS
from tests.incidents.labels import expect_flagged, expect_no_loss, expect_other_cause
from tests.incidents.model import Label
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
