"""Who looks at the VM from elsewhere: tests of Connection Monitor and a load balancer, for and against the scenario."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from tests.incidents.labels import expect_flagged, expect_no_loss, expect_other_cause, expect_undecided
from tests.incidents.model import BalancerProbe, Label, ReachTest
from tests.incidents.scene import Scene

_UNMEASURED = ("activity", "health", "machine")
_Place = Literal["inside", "other", "outside"]


def _watch(scene: Scene, places: dict[_Place, datetime | None], vm: str | None = None) -> None:
    """Tests of the VM from some places: each fails from its time on, if there is one."""
    for place, lost in places.items():
        if place == "outside":
            source = f"{scene.resource_group_id}/providers/Microsoft.HybridCompute/machines/office"
        else:
            known = [each.vm for each in scene.machines if each.vm.endswith(f"/{place}-prober")]
            source = known[0] if known else scene.add_machine(f"{place}-prober", "vnet" if place == "inside" else "hub")
            scene.bystanders[source] = expect_no_loss()
        minutes = scene.rng.choice((1, 2, 3))
        scene.tests.append(ReachTest(source=source, vm=vm or scene.vm, minutes=minutes, lost=lost))
    scene.show_network()


def _migrate(scene: Scene) -> tuple[datetime, datetime]:
    """When Azure migrated the VM, and minutes later, when something may begin."""
    migrated = scene.migrate_vm(scene.choose_time_before_end(60, 200))
    return migrated, scene.choose_time_after(migrated, 0.5, 12)


def _balance(scene: Scene, lost: datetime | None = None, reason: str = "") -> None:
    """The VM is in a load balancer's pool."""
    scene.set_description(balancer=f"{scene.resource_group_id}/providers/Microsoft.Network/loadBalancers/front")
    scene.probes.append(BalancerProbe(vm=scene.vm, lost=lost, reason=reason))
    scene.show_network()


def reached_from_inside_alone(scene: Scene) -> Label:
    """No metrics, no heartbeats: a test from outside fails since the migration, one from the VM's network passes."""
    migrated, lost = _migrate(scene)
    scene.drop_traffic(lost)
    scene.select_feeds(_UNMEASURED)
    place: _Place = scene.rng.choice(("outside", "other"))
    _watch(scene, {"inside": None, place: lost})
    # Outside fails while inside passes: strong by itself, and the VM is seen alive.
    return replace(expect_flagged(migrated, lost), scope="outside" if place == "outside" else "peered")


def health_and_a_pair_of_tests(scene: Scene) -> Label:
    """Health says Unavailable, which alone is suspected; a pair of tests proves it."""
    migrated, lost = _migrate(scene)
    scene.drop_traffic(lost)
    scene.change_health(scene.choose_time_after(lost, 0.2, 2), "Unavailable")
    scene.select_feeds(_UNMEASURED)
    _watch(scene, {"inside": None, "outside": lost})
    return replace(expect_flagged(migrated, lost), scope="outside")


def partial_loss_with_a_pair_of_tests(scene: Scene) -> Label:
    """A part of the traffic, from inside, goes on; a pair of tests shows that the outside is cut off."""
    migrated, lost = _migrate(scene)
    scene.plan.noise = 0.15
    scene.reduce_traffic(lost, None, 0.2, 0.35)
    _watch(scene, {"inside": None, "outside": lost})
    return replace(expect_flagged(migrated, lost, extent="partial"), scope="outside")


def health_and_platform_down(scene: Scene) -> Label:
    """Health says Unavailable, and the load balancer blames Azure's own infrastructure: confirmed."""
    migrated, lost = _migrate(scene)
    scene.drop_traffic(lost)
    told = scene.change_health(scene.choose_time_after(lost, 0.2, 2), "Unavailable")
    scene.select_feeds(_UNMEASURED)
    _balance(scene, lost, reason="Down_Platform")
    # Nobody looked from anywhere.
    return replace(expect_flagged(migrated, told), scope="unknown")


def nobody_reaches_it(scene: Scene) -> Label:
    """Traffic is gone, and tests from inside fail as those from outside do: guest, host or interface."""
    migrated, lost = _migrate(scene)
    scene.drop_traffic(lost)
    _watch(scene, {"inside": lost, "outside": lost})
    # Both fail: suspected at most.
    return replace(expect_flagged(migrated, lost, verdict="suspected"), scope="inside")


def clean_migration_with_witnesses(scene: Scene) -> Label:
    """A healthy migration, seen by everybody: clear."""
    migrated, _ = _migrate(scene)
    _watch(scene, {"inside": None, "other": None, "outside": None})
    _balance(scene)
    return expect_no_loss(migrated_at=migrated)


def connections_that_died(scene: Scene) -> Label:
    """Clients hold connections that died in a healthy migration: no traffic, and new connections are answered."""
    migrated, lost = _migrate(scene)
    scene.drop_traffic(lost, silent=False)
    _watch(scene, {"inside": None, "outside": None})
    # It is reached from outside: not this scenario, whatever the traffic says.
    return expect_undecided(migrated_at=migrated)


def only_other_networks_cut(scene: Scene) -> Label:
    """Tests from another network fail since the migration; from outside and inside the VM is reached: a peering."""
    migrated, lost = _migrate(scene)
    _watch(scene, {"inside": None, "other": lost, "outside": None})
    return expect_no_loss(migrated_at=migrated)


def balancer_probe_only(scene: Scene) -> Label:
    """The load balancer's probe fails since the migration, and traffic goes on as ever: clear."""
    migrated, lost = _migrate(scene)
    _balance(scene, lost)
    # The application on that port is to be looked at, and no redeploy helps.
    return expect_no_loss(migrated_at=migrated, action=("investigate",))


def egress_only(scene: Scene) -> Label:
    """Heartbeats end with the migration, metrics were not exported, and the VM is reached from outside."""
    migrated, lost = _migrate(scene)
    scene.stop_heartbeats(lost)
    scene.select_feeds((*_UNMEASURED, "heartbeat"))
    _watch(scene, {"outside": None})
    return expect_undecided(migrated_at=migrated)


def port_down_seen_from_outside(scene: Scene) -> Label:
    """The one port that is tested, from outside alone, is closed since the migration; traffic goes on as ever."""
    migrated, lost = _migrate(scene)
    _watch(scene, {"outside": lost})
    return expect_undecided(migrated_at=migrated)


def appliance_in_the_path(scene: Scene) -> Label:
    """A firewall between the office and the network fails minutes after the migration: a neighbour is cut off, too."""
    migrated, lost = _migrate(scene)
    scene.select_feeds(_UNMEASURED)
    neighbour = scene.add_neighbour(expect_other_cause("unexplained", lost, action=("investigate",)))
    _watch(scene, {"inside": None, "outside": lost})
    _watch(scene, {"inside": None, "outside": lost + timedelta(seconds=20)}, neighbour)
    return expect_undecided(migrated_at=migrated)
