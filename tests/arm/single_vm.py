"""The main story: one VM, live-migrated and cut off, with a knob for whatever a test wants otherwise."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.arm import metric_catalogue
from tests.arm.initial_state import Lock, Premise, Traits
from tests.arm.metric_generator import MINUTE, Mood, Turn
from tests.incidents.model import Annotated, HealthChanged, Machine, Operation, Truth

SUBSCRIPTION = "5a1e0c2d-7d3b-4f7e-a5c1-0d9c8b7a6f5e"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
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
    ephemeral: bool = False
    public_ip: str | None = "203.0.113.10"
    static_ip: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    network_group: str = ""
    """The resource group of its virtual network where that is another than the VM's."""
    zone: str | None = None
    availability_set: str | None = None
    proximity_group: str | None = None
    scale_set: str | None = None
    uniform: bool = False
    """Whether it is an instance of a uniform scale set, and no VM of its own."""
    provisioning: str = "Succeeded"
    managed_by: str | None = None
    publishes: bool = True
    locks: tuple[str, ...] = ()
    """Levels of locks on the VM: `ReadOnly`, `CanNotDelete`."""

    @property
    def root(self) -> str:
        """The resource group's id."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    @property
    def vm(self) -> str:
        """The VM's id."""
        compute = f"{self.root}/providers/Microsoft.Compute"
        if self.uniform:
            return f"{compute}/virtualMachineScaleSets/{self.scale_set}/virtualMachines/0"
        return f"{compute}/virtualMachines/{self.name}"


def premise(story: Story, now: datetime) -> Premise:
    """The story as it stands now."""
    vm, rng = story.vm, random.Random(story.name)  # noqa: S311 - a story, no secret
    born = now - timedelta(days=30)
    truth = Truth(
        until=now,
        annotations=_migration(story, now),
        health=(HealthChanged(at=born, vm=vm, before="Unknown", after="Available"),),
        operations=_noise(story, now),
        series=metric_catalogue.hour(rng, vm, now - 60 * MINUTE),
        beats={vm: (now - MINUTE,)} if story.heartbeats else {},
        machines=(_machine(story),),
    )
    return Premise(
        truth=truth,
        traits={vm: _traits(story)},
        turns={vm: (Turn(now - story.lost_ago, Mood.CUT),)} if story.lost_ago else {},
        locks=tuple(Lock(scope=vm, level=level) for level in story.locks),
    )


def _migration(story: Story, now: datetime) -> tuple[Annotated, ...]:
    if story.migrated_ago is None:
        return ()
    return (Annotated(at=now - story.migrated_ago, vm=story.vm, name=story.annotation),)


def _noise(story: Story, now: datetime) -> tuple[Operation, ...]:
    """What goes on around any VM, days ago."""
    keys = f"{story.root}/providers/Microsoft.Storage/storageAccounts/logs01"
    return (
        Operation(
            at=now - timedelta(days=9, hours=2),
            target=f"{story.vm}/extensions/AzureMonitorAgent",
            name="Microsoft.Compute/virtualMachines/extensions/write",
        ),
        Operation(at=now - timedelta(days=3), target=keys, name="Microsoft.Storage/storageAccounts/listKeys/action"),
        Operation(
            at=now - timedelta(days=1),
            target=story.vm,
            name="Microsoft.Authorization/policies/auditIfNotExists/action",
            category="Policy",
        ),
    )


def _machine(story: Story) -> Machine:
    network = f"{story.root}/providers/Microsoft.Network"
    return Machine(
        vm=story.vm,
        location=story.location,
        size=story.size,
        linux=story.os == "linux",
        power=story.power,
        agent_ready=story.agent_ready,
        guid="2c5f1f0e-9a64-4d8e-8a39-5d1f7c6b4a32",
        nic=f"{network}/networkInterfaces/{story.name}-nic",
        subnet=f"{_network_root(story)}/virtualNetworks/vnet/subnets/default",
        group_of_rules=f"{network}/networkSecurityGroups/{story.name}-nsg",
        spot=story.spot,
    )


def _network_root(story: Story) -> str:
    group = story.network_group or story.group
    return f"/subscriptions/{story.subscription}/resourceGroups/{group}/providers/Microsoft.Network"


def _traits(story: Story) -> Traits:
    return Traits(
        tags=story.tags,
        ephemeral=story.ephemeral,
        public_ip=story.public_ip,
        static_ip=story.static_ip,
        zone=story.zone,
        availability_set=story.availability_set,
        proximity_group=story.proximity_group,
        scale_set=None if story.uniform else story.scale_set,
        provisioning=story.provisioning,
        managed_by=story.managed_by,
        publishes=story.publishes,
    )
