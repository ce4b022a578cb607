"""Many VMs in one subscription or several, of which some were live-migrated; must not know how they are served."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.arm import metric_catalogue
from tests.arm.initial_state import InitialState, VmTraits
from tests.arm.metric_generator import MINUTE, StateChange, TrafficState
from tests.incidents.catalogue import SIZES
from tests.incidents.model import GroundTruth, HealthAnnotation, HealthChange, Machine, Operation
from tests.incidents.wire.plain import make_guid

UNHARMED_COUNT = 6
"""So many more VMs were migrated and took no harm."""
_NOISE_OPERATIONS = (
    ("Microsoft.Compute/virtualMachines/extensions/write", "/extensions/AzureMonitorAgent", "Administrative"),
    ("Microsoft.Compute/virtualMachines/extensions/write", "/extensions/MicrosoftAntimalware", "Administrative"),
    ("Microsoft.Authorization/policies/auditIfNotExists/action", "", "Policy"),
    ("Microsoft.Authorization/policies/audit/action", "", "Policy"),
    ("Microsoft.Resources/tags/write", "/providers/Microsoft.Resources/tags/default", "Administrative"),
    ("Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action", "", "Administrative"),
)


def create_fleet(  # noqa: PLR0913 - the knobs of a fleet
    vms: int, groups: int, migrated: int, seed: int, now: datetime, *, subscriptions: int = 1
) -> InitialState:
    """The first `migrated` VMs, in a shuffled order, are cut off since their migration; a group lies whole in one."""
    rng = random.Random(f"fleet/{seed}")  # noqa: S311 - a story, no secret
    owners = [make_guid(rng) for _ in range(subscriptions)]
    machines = [_create_machine(rng, owners[number % groups % subscriptions], number, groups) for number in range(vms)]
    ids = [machine.vm for machine in machines]
    moved = rng.sample(ids, k=min(vms, migrated + UNHARMED_COUNT))
    times = {vm: now - timedelta(minutes=rng.uniform(120, 480)) for vm in moved}
    truth = GroundTruth(
        until=now,
        annotations=tuple(
            HealthAnnotation(at=at, vm=vm, name="LiveMigrationSucceeded")
            for vm, at in sorted(times.items(), key=_get_time)
        ),
        health=tuple(
            HealthChange(at=now - timedelta(days=rng.uniform(15, 60)), vm=vm, before="Unknown", after="Available")
            for vm in ids
        ),
        operations=tuple(operation for vm in ids for operation in _create_noise(rng, vm, now)),
        series=tuple(series for vm in ids for series in metric_catalogue.generate_hour(rng, vm, now - 60 * MINUTE)),
        beats={vm: (now - rng.uniform(0.1, 1) * MINUTE,) for vm in ids if rng.random() < 0.8},
        machines=tuple(machines),
    )
    return InitialState(
        truth=truth,
        traits={vm: VmTraits(tags={"env": rng.choice(("prod", "test"))}) for vm in ids},
        state_changes={
            vm: (StateChange(times[vm] + rng.uniform(0, 4) * MINUTE, TrafficState.CUT_OFF),) for vm in moved[:migrated]
        },
    )


def _get_time(item: tuple[str, datetime]) -> datetime:
    return item[1]


def _create_machine(rng: random.Random, subscription: str, number: int, groups: int) -> Machine:
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
        guid=make_guid(rng),
        nic=f"{network}/networkInterfaces/{name}-nic",
        subnet=f"{network}/virtualNetworks/vnet/subnets/default",
        security_group=f"{network}/networkSecurityGroups/{name}-nsg",
    )


def _create_noise(rng: random.Random, vm: str, now: datetime) -> Iterator[Operation]:
    """A handful of events over a fortnight."""
    for _ in range(rng.randint(2, 5)):
        name, below, category = rng.choice(_NOISE_OPERATIONS)
        at = now - timedelta(days=rng.uniform(0.1, 14))
        yield Operation(at=at, target=f"{vm}{below}", name=name, category=category)
