"""From where VMs of a world can be looked at, and what is then found; must not know HTTP.

What is asked of Network Watcher is answered by how the VMs fare, unless a test says otherwise: who is cut off is
reached from its own virtual network alone.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.arm.metric_generator import TrafficState, find_state
from tests.arm.vm import Vm, create_vms

if TYPE_CHECKING:
    from tests.arm.world import World

PUBLISHER = "Microsoft.Azure.NetworkWatcher"
PLACES = frozenset({"inside", "peered", "outside"})


@dataclass(slots=True)
class Witnesses:
    """Who can look, and what is in the way; VMs by id in lower case."""

    agents: dict[str, str] = field(default_factory=dict)
    """The provisioning states of Network Watcher's agents."""
    regions: set[str] = field(default_factory=set)
    """Those with a Network Watcher."""
    peerings: set[tuple[str, str]] = field(default_factory=set)
    """Pairs of virtual networks by id in lower case."""
    reached: dict[str, frozenset[str]] = field(default_factory=dict)
    """From where a VM is reached, whatever its traffic: some of `PLACES`."""
    issue: str = ""
    """Of the hop where a check that fails ends; without it `Platform`."""
    flows: dict[str, str] = field(default_factory=dict)
    """Names of rules that deny what comes to a VM."""
    hops: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Type and address of the next hop of a VM's answers; without it the internet, or the network itself."""
    pending: int = 1
    """How often an operation answers 202 before it ends; -1: for ever."""
    asked: dict[str, object] = field(default_factory=dict)
    """The answers that wait to be fetched, by operation, and how often they were asked for."""
    looks: dict[str, int] = field(default_factory=dict)


def add_witnesses(world: "World", *, inside: bool = True, peered: bool = True) -> None:
    """Beside `prod/web-01` a VM of its subnet, and one of a peered network, both with the agent."""
    (first,) = world
    world.witnesses.regions.add(first.machine.location)
    for name, group, address, wanted in (
        ("web-02", "prod", "10.0.0.5", inside),
        ("jump", "hub", "10.1.0.4", peered),
    ):
        if not wanted:
            continue
        vm = add_vm(world, name, group, address)
        world.witnesses.agents[vm.id.lower()] = "Succeeded"
        if group == "hub":
            pair = find_network(first), find_network(vm)
            world.witnesses.peerings |= {pair, pair[::-1]}


def add_vm(world: "World", name: str, group: str, address: str) -> Vm:
    """A healthy VM that was never migrated."""
    from tests.arm.single_vm import SingleVm, create_single_vm

    story = SingleVm(name=name, group=group, migrated_ago=None, lost_ago=None, public_ip=None)
    (vm,) = create_vms(create_single_vm(story, world.now())).values()
    vm.machine = replace(vm.machine, address=address)
    world.vms[vm.id.lower()] = vm
    return vm


def find_network(vm: Vm) -> str:
    """The id of a VM's virtual network, in lower case."""
    return vm.machine.subnet.lower().partition("/subnets/")[0]


def find_destination(world: "World", source: Vm, address: str) -> tuple[Vm, str] | None:
    """The VM at an address as it is seen from another one, and from where that looks."""
    own = find_network(source)
    for vm in world:
        if vm.traits.public_ip == address:
            return vm, "outside"
        if vm.machine.address == address and vm is not source:
            if find_network(vm) == own:
                return vm, "inside"
            if (own, find_network(vm)) in world.witnesses.peerings:
                return vm, "peered"
    return None


def is_reached(world: "World", vm: Vm, place: str) -> bool:
    """Whether a VM is reached from there."""
    told = world.witnesses.reached.get(vm.id.lower())
    state = find_state(vm.state_changes, world.now())
    by_state = {TrafficState.CUT_OFF: frozenset({"inside"}), TrafficState.DOWN: frozenset[str]()}
    usual = PLACES if state is None else by_state.get(state, PLACES)
    return place in (usual if told is None else told)
