"""One VM of a world, and what becomes of it; must not know JSON."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.arm.initial_state import InitialState, VmTraits
from tests.arm.metric_generator import HeartbeatGenerator, MetricGenerator, StateChange
from tests.incidents.model import GroundTruth, HealthChange, Machine, Series
from tests.incidents.wire.plain import get_group_name, get_resource_name, get_subscription_id


@dataclass(frozen=True, slots=True)
class ComputeState:
    """What the compute provider says of a VM from this time on."""

    at: datetime
    power: str
    provisioning: str


@dataclass(slots=True, kw_only=True)
class Vm:
    """A VM; what is to become of it is written down at once, and shows when its time has come."""

    machine: Machine
    traits: VmTraits
    created_at: datetime
    truth: GroundTruth
    """Its own annotations and health, and nothing of other VMs."""
    metrics: dict[str, MetricGenerator]
    heartbeats: HeartbeatGenerator
    state_changes: list[StateChange]
    compute_states: list[ComputeState]
    sends_heartbeats: bool

    @property
    def id(self) -> str:
        """As Azure writes it; ids are compared without letter case."""
        return self.machine.vm

    @property
    def name(self) -> str:
        """The last segment."""
        return get_resource_name(self.id)

    @property
    def group(self) -> str:
        """Its resource group."""
        return get_group_name(self.id)

    @property
    def subscription(self) -> str:
        """Its subscription."""
        return get_subscription_id(self.id)

    @property
    def group_id(self) -> str:
        """Id of its resource group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    def find_compute_state(self, at: datetime) -> ComputeState:
        """Power and provisioning state at that time."""
        return next(each for each in reversed(self.compute_states) if each.at <= at or each is self.compute_states[0])

    def list_state_changes(self, at: datetime) -> list[StateChange]:
        """What has become of it by that time."""
        return [turn for turn in self.state_changes if turn.at <= at]

    def build_machine(self, at: datetime) -> Machine:
        """The VM's description with the power state of that time."""
        return replace(self.machine, power=self.find_compute_state(at).power)

    def list_health(self, at: datetime) -> tuple[HealthChange, ...]:
        """Its availability states so far, oldest first."""
        return tuple(changed for changed in self.truth.health if changed.at <= at)


def create_vms(premise: InitialState) -> dict[str, Vm]:
    """All VMs, by id in lower case."""
    truth = premise.truth
    series: dict[str, list[Series]] = {machine.vm: [] for machine in truth.machines}
    for each in truth.series:
        series[each.vm].append(each)
    return {machine.vm.lower(): _create_vm(machine, premise, series[machine.vm]) for machine in truth.machines}


def _create_vm(machine: Machine, premise: InitialState, series: list[Series]) -> Vm:
    truth, traits = premise.truth, premise.traits.get(machine.vm, VmTraits())
    own = GroundTruth(
        until=truth.until,
        annotations=tuple(each for each in truth.annotations if each.vm == machine.vm),
        health=tuple(sorted((each for each in truth.health if each.vm == machine.vm), key=lambda each: each.at)),
        machines=(machine,),
    )
    born = own.health[0].at if own.health and own.health[0].before == "Unknown" else truth.until - timedelta(days=30)
    beats = truth.beats.get(machine.vm, ())
    return Vm(
        machine=machine,
        traits=traits,
        created_at=born,
        truth=own,
        metrics={each.name: MetricGenerator(each, born) for each in series},
        heartbeats=HeartbeatGenerator(beats, born, truth.until),
        state_changes=list(premise.state_changes.get(machine.vm, ())),
        compute_states=[ComputeState(born, machine.power, traits.provisioning)],
        sends_heartbeats=bool(beats),
    )
