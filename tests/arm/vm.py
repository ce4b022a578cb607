"""One VM of a world, and what becomes of it; must not know JSON."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.arm.initial_state import Premise, Traits
from tests.arm.metric_generator import Meter, Pulse, Turn
from tests.incidents.model import HealthChanged, Machine, Series, Truth
from tests.incidents.wire.plain import group_of, name_of, subscription_of


@dataclass(frozen=True, slots=True)
class Condition:
    """What the compute provider says of a VM from this time on."""

    at: datetime
    power: str
    provisioning: str


@dataclass(slots=True, kw_only=True)
class Vm:
    """A VM; what is to become of it is written down at once, and shows when its time has come."""

    machine: Machine
    traits: Traits
    born: datetime
    truth: Truth
    """Its own annotations and health, and nothing of other VMs."""
    meters: dict[str, Meter]
    pulse: Pulse
    turns: list[Turn]
    conditions: list[Condition]
    sends_heartbeats: bool

    @property
    def id(self) -> str:
        """As Azure writes it; ids are compared without letter case."""
        return self.machine.vm

    @property
    def name(self) -> str:
        """The last segment."""
        return name_of(self.id)

    @property
    def group(self) -> str:
        """Its resource group."""
        return group_of(self.id)

    @property
    def subscription(self) -> str:
        """Its subscription."""
        return subscription_of(self.id)

    @property
    def root(self) -> str:
        """Id of its resource group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    def condition(self, at: datetime) -> Condition:
        """Power and provisioning state at that time."""
        return next(each for each in reversed(self.conditions) if each.at <= at or each is self.conditions[0])

    def turns_at(self, at: datetime) -> list[Turn]:
        """What has become of it by that time."""
        return [turn for turn in self.turns if turn.at <= at]

    def machine_at(self, at: datetime) -> Machine:
        """The VM's description with the power state of that time."""
        return replace(self.machine, power=self.condition(at).power)

    def health_at(self, at: datetime) -> tuple[HealthChanged, ...]:
        """Its availability states so far, oldest first."""
        return tuple(changed for changed in self.truth.health if changed.at <= at)


def vms_of(premise: Premise) -> dict[str, Vm]:
    """All VMs, by id in lower case."""
    truth = premise.truth
    series: dict[str, list[Series]] = {machine.vm: [] for machine in truth.machines}
    for each in truth.series:
        series[each.vm].append(each)
    return {machine.vm.lower(): _vm(machine, premise, series[machine.vm]) for machine in truth.machines}


def _vm(machine: Machine, premise: Premise, series: list[Series]) -> Vm:
    truth, traits = premise.truth, premise.traits.get(machine.vm, Traits())
    own = Truth(
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
        born=born,
        truth=own,
        meters={each.name: Meter(each, born) for each in series},
        pulse=Pulse(beats, born, truth.until),
        turns=list(premise.turns.get(machine.vm, ())),
        conditions=[Condition(born, machine.power, traits.provisioning)],
        sends_heartbeats=bool(beats),
    )
