"""The main story: one VM, live-migrated and cut off, with a knob for whatever a test wants otherwise."""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.arm import metric_catalogue
from tests.arm.initial_state import InitialState, Lock, VmTraits
from tests.arm.metric_generator import MINUTE, StateChange, TrafficState
from tests.incidents.model import GroundTruth, HealthAnnotation, HealthChange, Machine, Operation

SUBSCRIPTION = "5a1e0c2d-7d3b-4f7e-a5c1-0d9c8b7a6f5e"


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleVm(VmTraits):
    """What is true of the VM. The defaults are an affected VM that a redeploy may cure."""

    name: str = "web-01"
    group: str = "prod"
    subscription: str = SUBSCRIPTION
    location: str = "westeurope"
    migrated_ago: timedelta | None = timedelta(hours=2)
    """None: it was not migrated."""
    lost_ago: timedelta | None = timedelta(minutes=118)
    """None: its network works."""
    annotation: str = "LiveMigrationSucceeded"
    size: str = "Standard_D4s_v5"
    os: str = "linux"
    power: str = "running"
    """What the compute provider says; the measurements go on all the same."""
    spot: bool = False
    agent_ready: bool = True
    heartbeats: bool = True
    public_ip: str | None = "203.0.113.10"
    network_group: str = ""
    """The resource group of its virtual network where that is another than the VM's."""
    uniform: bool = False
    """Whether it is an instance of a uniform scale set, and no VM of its own."""
    locks: tuple[str, ...] = ()
    """Levels of locks on the VM: `ReadOnly`, `CanNotDelete`."""

    @property
    def group_id(self) -> str:
        """The resource group's id."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    @property
    def vm_id(self) -> str:
        """The VM's id."""
        compute = f"{self.group_id}/providers/Microsoft.Compute"
        if self.uniform:
            return f"{compute}/virtualMachineScaleSets/{self.scale_set}/virtualMachines/0"
        return f"{compute}/virtualMachines/{self.name}"


def create_single_vm(story: SingleVm, now: datetime) -> InitialState:
    """The story as it stands now."""
    vm, rng = story.vm_id, random.Random(story.name)  # noqa: S311 - a story, no secret
    born, migrated = now - timedelta(days=30), story.migrated_ago
    truth = GroundTruth(
        until=now,
        annotations=() if migrated is None else (HealthAnnotation(at=now - migrated, vm=vm, name=story.annotation),),
        health=(HealthChange(at=born, vm=vm, before="Unknown", after="Available"),),
        operations=_list_noise(story, now),
        series=metric_catalogue.generate_hour(rng, vm, now - 60 * MINUTE),
        beats={vm: (now - MINUTE,)} if story.heartbeats else {},
        machines=(_create_machine(story),),
    )
    return InitialState(
        truth=truth,
        traits={vm: replace(story, scale_set=None) if story.uniform else story},
        state_changes={vm: (StateChange(now - story.lost_ago, TrafficState.CUT_OFF),)} if story.lost_ago else {},
        locks=tuple(Lock(scope=vm, level=level) for level in story.locks),
    )


def _list_noise(story: SingleVm, now: datetime) -> tuple[Operation, ...]:
    """What goes on around any VM, days ago."""
    keys = f"{story.group_id}/providers/Microsoft.Storage/storageAccounts/logs01"
    return (
        Operation(
            at=now - timedelta(days=9, hours=2),
            target=f"{story.vm_id}/extensions/AzureMonitorAgent",
            name="Microsoft.Compute/virtualMachines/extensions/write",
        ),
        Operation(at=now - timedelta(days=3), target=keys, name="Microsoft.Storage/storageAccounts/listKeys/action"),
        Operation(
            at=now - timedelta(days=1),
            target=story.vm_id,
            name="Microsoft.Authorization/policies/auditIfNotExists/action",
            category="Policy",
        ),
    )


def _create_machine(story: SingleVm) -> Machine:
    network = f"{story.group_id}/providers/Microsoft.Network"
    around = f"/subscriptions/{story.subscription}/resourceGroups/{story.network_group or story.group}"
    return Machine(
        vm=story.vm_id,
        location=story.location,
        size=story.size,
        linux=story.os == "linux",
        power=story.power,
        agent_ready=story.agent_ready,
        guid="2c5f1f0e-9a64-4d8e-8a39-5d1f7c6b4a32",
        nic=f"{network}/networkInterfaces/{story.name}-nic",
        subnet=f"{around}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/default",
        security_group=f"{network}/networkSecurityGroups/{story.name}-nsg",
        spot=story.spot,
    )
