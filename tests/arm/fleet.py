"""One subscription with many VMs, of which some were live-migrated; must not know how they are served."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.arm import metric_catalogue
from tests.arm.initial_state import Premise, Traits
from tests.arm.metric_generator import MINUTE, Mood, Turn
from tests.incidents.catalogue import SIZES
from tests.incidents.model import Annotated, HealthChanged, Machine, Operation, Truth
from tests.incidents.wire.plain import guid

CLEAN = 6
"""So many more VMs were migrated and took no harm."""
_NOISE = (
    ("Microsoft.Compute/virtualMachines/extensions/write", "/extensions/AzureMonitorAgent", "Administrative"),
    ("Microsoft.Compute/virtualMachines/extensions/write", "/extensions/MicrosoftAntimalware", "Administrative"),
    ("Microsoft.Authorization/policies/auditIfNotExists/action", "", "Policy"),
    ("Microsoft.Authorization/policies/audit/action", "", "Policy"),
    ("Microsoft.Resources/tags/write", "/providers/Microsoft.Resources/tags/default", "Administrative"),
    ("Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action", "", "Administrative"),
)


def premise(vms: int, groups: int, migrated: int, seed: int, now: datetime) -> Premise:
    """The first `migrated` VMs, in a shuffled order, are cut off since their migration."""
    rng = random.Random(f"fleet/{seed}")  # noqa: S311 - a story, no secret
    subscription = guid(rng)
    machines = [_machine(rng, subscription, number, groups) for number in range(vms)]
    ids = [machine.vm for machine in machines]
    moved = rng.sample(ids, k=min(vms, migrated + CLEAN))
    times = {vm: now - timedelta(minutes=rng.uniform(120, 480)) for vm in moved}
    truth = Truth(
        until=now,
        annotations=tuple(
            Annotated(at=at, vm=vm, name="LiveMigrationSucceeded") for vm, at in sorted(times.items(), key=_time_of)
        ),
        health=tuple(
            HealthChanged(at=now - timedelta(days=rng.uniform(15, 60)), vm=vm, before="Unknown", after="Available")
            for vm in ids
        ),
        operations=tuple(operation for vm in ids for operation in _noise(rng, vm, now)),
        series=tuple(series for vm in ids for series in metric_catalogue.hour(rng, vm, now - 60 * MINUTE)),
        beats={vm: (now - rng.uniform(0.1, 1) * MINUTE,) for vm in ids if rng.random() < 0.8},
        machines=tuple(machines),
    )
    return Premise(
        truth=truth,
        traits={vm: Traits(tags={"env": rng.choice(("prod", "test"))}) for vm in ids},
        turns={vm: (Turn(times[vm] + rng.uniform(0, 4) * MINUTE, Mood.CUT),) for vm in moved[:migrated]},
    )


def _time_of(item: tuple[str, datetime]) -> datetime:
    return item[1]


def _machine(rng: random.Random, subscription: str, number: int, groups: int) -> Machine:
    name = f"{('web', 'api', 'sql', 'job')[number % 4]}-{number:04d}"
    root = f"/subscriptions/{subscription}/resourceGroups/rg-{number % groups:02d}/providers"
    network = f"{root}/Microsoft.Network"
    return Machine(
        vm=f"{root}/Microsoft.Compute/virtualMachines/{name}",
        location="westeurope",
        size=rng.choice(SIZES),
        linux=rng.random() < 0.6,
        power="running",
        agent_ready=True,
        guid=guid(rng),
        nic=f"{network}/networkInterfaces/{name}-nic",
        subnet=f"{network}/virtualNetworks/vnet/subnets/default",
        group_of_rules=f"{network}/networkSecurityGroups/{name}-nsg",
    )


def _noise(rng: random.Random, vm: str, now: datetime) -> Iterator[Operation]:
    """A handful of events over a fortnight."""
    for _ in range(rng.randint(2, 5)):
        name, below, category = rng.choice(_NOISE)
        at = now - timedelta(days=rng.uniform(0.1, 14))
        yield Operation(at=at, target=f"{vm}{below}", name=name, category=category)
