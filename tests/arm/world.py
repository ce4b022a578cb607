"""What is true in one Azure, and how it goes on: VMs, log, measurements, rights; must not know HTTP or JSON.

Whatever is to come of what was begun is written down at once; whoever reads sees what is past by the server's
present, `now()`. Everybody who reads or changes a world while it is served holds its `lock`.
"""

import random
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from tests.arm import fleet, single_vm
from tests.arm.initial_state import InitialState, Lock, shift_to_now
from tests.arm.journal import ActivityLog
from tests.arm.kusto_tables import KustoTables
from tests.arm.redeploy import RedeployBehaviour, RedeployOperation, schedule_changes
from tests.arm.vm import Vm, create_vms
from tests.arm.witnesses import Witnesses
from tests.incidents import model
from tests.incidents.model import BalancerProbe, GroundTruth, HealthAnnotation, Incident, ServiceIssue
from tests.incidents.wire.plain import JsonObject, make_guid

METRICS_HOST = "metrics.monitor.azure.com"
"""In front of it stands a region."""
PUBLIC_AUDIENCES = {
    "arm": ("https://management.azure.com",),
    "logs": ("https://api.loganalytics.io",),
    "metrics": (f"https://{METRICS_HOST}",),
}
REDEPLOY_ANNOTATION = "VirtualMachineRedeployInitiatedByControlPlane"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who may sign in, and with what."""

    tenant: str = "72f98888-8abc-4dcb-9a1b-2d7cd011db00"
    client: str = "0a1b2c3d-1111-4222-a333-444455556666"
    object_id: str = "0b1b2c3d-1111-4222-a333-444455556666"
    secret: str = "open-sesame"  # noqa: S105 - of a principal that exists nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedEvent:
    """An event that the platform has announced for a VM, or for VMs of a set."""

    vm: str
    """Whose it is: a VM's id, or a set's."""
    kind: str
    """`Redeploy`, `Reboot`, `Freeze`, `Preempt` or `Terminate`."""
    not_before: datetime
    status: str = "Scheduled"
    names: tuple[str, ...] = ()
    """The VMs that an event of a set names."""
    description: str = ""


@dataclass(slots=True, kw_only=True)
class Settings:
    """How this Azure behaves; tests change it as they go."""

    principal: Principal = field(default_factory=Principal)
    skew: timedelta = timedelta()
    """How far the server's clock is ahead of the real one."""
    expires_in: int = 3599
    """Seconds for which a token holds."""
    role: str = "contributor"
    """`reader` may not redeploy."""
    denied: set[tuple[str, str]] = field(default_factory=set)
    """Pairs of action and scope: the action is refused in the scope and all below."""
    graph: bool = True
    maintenance_table: bool = True
    """False: a cloud whose Resource Graph has no table of what is announced."""
    features: set[str] = field(default_factory=lambda: {"SendScheduledEventsPolicy"})
    """The feature flags of Microsoft.Compute that the subscriptions have registered."""
    """False: a cloud without Resource Graph."""
    metadata: str | None = None
    """`array` or `object` forces the form of the endpoints' list, whatever version is asked for."""
    graph_bytes: int = 16 << 20
    """The largest answer of Resource Graph, as its refusals name it."""
    audience: str | None = None
    """What this cloud announces as Resource Manager's audience, in place of its own address."""
    logs: str | None = None
    """Where it says that its logs are, in place of this server."""
    public: bool = False
    """Whether it is Azure's public cloud, which is reached through a proxy; else one that nobody knows."""
    metrics_absent: set[str] = field(default_factory=set)
    """Names of metrics that this cloud does not know."""
    api_ceiling: str | None = None
    """The newest api-version of the compute provider that this cloud knows."""
    log_delay: timedelta = timedelta(seconds=1)
    """How long after the fact a new record shows."""
    redeploying: RedeployBehaviour = field(default_factory=RedeployBehaviour)
    workspace: str = "7a1b2c3d-5555-4666-a777-888899990000"
    """GUID of the workspace to which heartbeats go."""
    test_workspace: str = "7a1b2c3d-5555-4666-a777-888899991111"
    """GUID of the workspace to which connection monitors write; without tests nobody knows it."""
    row_cap: int = 500_000
    """So many rows a log query gives at most."""
    tables: KustoTables | None = None
    """What Log Analytics, Azure Data Explorer and Resource Graph answer queries from, in place of what is true here."""
    balancer_sku: str = "Standard"
    locks: list[Lock] = field(default_factory=list)
    maintenance: list[AnnouncedEvent] = field(default_factory=list)
    witnesses: Witnesses = field(default_factory=Witnesses)


# A story's locks are levels, and of its one VM.
SETTING_NAMES = frozenset(each.name for each in fields(Settings)) - {"locks"}


class World(Settings):
    """The one that a server shows."""

    def __init__(self, premise: InitialState, *, seed: int = 1) -> None:
        super().__init__(locks=list(premise.locks))
        self.lock = threading.RLock()
        self.vms: dict[str, Vm] = create_vms(premise)
        self.issues: list[ServiceIssue] = list(premise.truth.issues)
        self.changes: list[model.Operation] = list(premise.truth.operations)
        self.probes: list[BalancerProbe] = list(premise.truth.probes)
        self.balancer_answers: dict[str, list[JsonObject | None]] = {}
        self.started_at = premise.truth.until
        self.tests: list[model.ReachTest] = list(premise.truth.tests)
        self._leaps: list[tuple[datetime, timedelta]] = []
        self.operations: dict[str, RedeployOperation] = {}
        self.activity_log = ActivityLog(premise.truth, seed)
        self._rng = random.Random(f"world/{seed}")  # noqa: S311 - a story, no secret

    @classmethod
    def from_incidents(cls, *incidents: Incident) -> Self:
        """The incidents, each with its end moved to now."""
        return cls(shift_to_now(incidents, datetime.now(UTC)))

    @classmethod
    def with_one_vm(cls, **knobs: Any) -> Self:
        """One VM that a live migration cut off from the network; the knobs are those of `SingleVm` and `Settings`."""
        own = {name: knobs.pop(name) for name in SETTING_NAMES & knobs.keys()}
        world = cls(single_vm.create_single_vm(single_vm.SingleVm(**knobs), datetime.now(UTC)))
        for name, value in own.items():
            setattr(world, name, value)
        return world

    @classmethod
    def with_fleet(
        cls, vms: int = 200, groups: int = 4, migrated: int = 10, *, seed: int = 1, subscriptions: int = 1
    ) -> Self:
        """That many VMs, of which `migrated` are cut off since their live migration."""
        now = datetime.now(UTC)
        return cls(fleet.create_fleet(vms, groups, migrated, seed, now, subscriptions=subscriptions), seed=seed)

    @classmethod
    def with_tables(cls, tables: KustoTables) -> Self:
        """No VMs, and tables that tell of some."""
        world = cls(InitialState(truth=GroundTruth(until=datetime.now(UTC))))
        world.tables = tables
        return world

    def now(self) -> datetime:
        """The server's present."""
        real = datetime.now(UTC)
        return real + self.skew + sum((leap for at, leap in self._leaps if at <= real), timedelta())

    def __iter__(self) -> Iterator[Vm]:
        """All VMs, by id."""
        return iter(self.vms[key] for key in sorted(self.vms))

    def find_vm(self, vm: str) -> Vm | None:
        """The VM of this id, in any letter case."""
        return self.vms.get(vm.lower())

    @property
    def subscriptions(self) -> Mapping[str, str]:
        """Id and display name of each."""
        ids = sorted({vm.subscription for vm in self})
        return {each: f"contoso-{number}" for number, each in enumerate(ids, start=1)}

    def list_groups(self, subscription: str) -> Mapping[str, str]:
        """Name and location of the resource groups."""
        inside = [vm for vm in self if vm.subscription.lower() == subscription.lower()]
        return {vm.group: vm.machine.location for vm in inside}

    def add_balancer(self, name: str, *vms: str, port: str = "443") -> str:
        """Put VMs behind a load balancer that probes a port of each; its id."""
        balancer = ""
        for number, vm in enumerate(map(self.vms.__getitem__, map(str.lower, vms)), start=4):
            balancer = balancer or f"{vm.group_id}/providers/Microsoft.Network/loadBalancers/{name}"
            vm.machine = replace(vm.machine, balancer=balancer, address=f"10.0.0.{number}")
            self.probes.append(BalancerProbe(vm=vm.id, port=port))
        return balancer

    def add_gateway(self, name: str, *vms: str) -> str:
        """Put VMs behind an Application Gateway; its id."""
        gateway = ""
        for vm in map(self.vms.__getitem__, map(str.lower, vms)):
            gateway = gateway or f"{vm.group_id}/providers/Microsoft.Network/applicationGateways/{name}"
            vm.machine = replace(vm.machine, gateway=gateway)
        return gateway

    def allows_action(self, action: str, scope: str) -> bool:
        """Whether the principal may do that there."""
        if self.role == "reader" and not action.lower().endswith("/read"):
            return False
        return not any(_matches_action(denied, action) and _lies_within(scope, where) for denied, where in self.denied)

    def list_locks(self, scope: str) -> list[Lock]:
        """The locks that hold for the scope: its own and those above."""
        return [lock for lock in self.locks if _lies_within(scope, lock.scope)]

    def find_running_redeploy(self, vm: Vm) -> RedeployOperation | None:
        """The redeploy that is under way."""
        now = self.now()
        return next((each for each in self.operations.values() if each.vm == vm.id and each.is_running(now)), None)

    def start_redeploy(self, vm: Vm | str, *, correlation: str = "", client_request_id: str = "") -> RedeployOperation:
        """Begin to redeploy a VM: what the POST does, once nothing speaks against it."""
        with self.lock:
            found = self.vms[vm.lower()] if isinstance(vm, str) else vm
            operation = self._create_operation(found)
            self.operations[operation.name] = operation
            schedule_changes(found, operation.started, self.redeploying)
            self._leaps.append((datetime.now(UTC) + self.redeploying.takes, self.redeploying.leap))
            note = HealthAnnotation(at=operation.started, vm=found.id, name=REDEPLOY_ANNOTATION)
            found.truth = replace(found.truth, annotations=(*found.truth.annotations, note))
            self.activity_log.add_entries(
                GroundTruth(until=operation.ends, annotations=(note,), operations=(_convert_operation(operation),)),
                self.log_delay,
                caller=self.principal.client,
                correlation=correlation or make_guid(self._rng),
                client_request_id=client_request_id,
            )
            return operation

    def _create_operation(self, vm: Vm) -> RedeployOperation:
        how, start = self.redeploying, self.now()
        return RedeployOperation(
            name=make_guid(self._rng),
            vm=vm.id,
            subscription=vm.subscription,
            location=vm.machine.location,
            started=start,
            ends=start + how.takes,
            outcome=how.outcome,
            code=how.code,
            message=how.message,
        )


def _convert_operation(operation: RedeployOperation) -> model.Operation:
    kind = "virtualMachineScaleSets/virtualMachines" if "/virtualmachinescalesets/" in operation.vm.lower() else ""
    return model.Operation(
        at=operation.started,
        target=operation.vm,
        name=f"Microsoft.Compute/{kind or 'virtualMachines'}/redeploy/action",
        outcome=operation.outcome,
        duration=operation.ends - operation.started,
    )


def _matches_action(denied: str, action: str) -> bool:
    """Whether an action, or a pattern as role definitions have them, covers the action."""
    head, star, tail = denied.lower().partition("*")
    name = action.lower()
    return name.startswith(head) and name.endswith(tail) if star else name == head


def _lies_within(scope: str, above: str) -> bool:
    """Whether the scope is that one or below it."""
    return f"{scope.rstrip('/')}/".lower().startswith(f"{above.rstrip('/')}/".lower())
