"""The stage on which a class tells its story: a VM in a subscription, and verbs for what happens to it."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.incidents.catalogue import REGIONS, SIZES
from tests.incidents.model import (
    BalancerProbe,
    HealthAnnotation,
    HealthChange,
    Label,
    Machine,
    Operation,
    ReachTest,
    ServiceIssue,
)
from tests.incidents.wire.plain import make_guid

SUCCEEDED_MIGRATIONS = ("LiveMigrationSucceeded", "LiveMigrationCompleted")
FAILED_MIGRATIONS = ("LiveMigrationFailure", "LiveMigrationFailed")
Minutes = tuple[float, float]
CUSTOMER_ACTS = {
    "restart": ("restart/action", "VirtualMachineRebootInitiatedByControlPlane"),
    "redeploy": ("redeploy/action", "VirtualMachineRedeployInitiatedByControlPlane"),
    "deallocate": ("deallocate/action", "VirtualMachineDeallocationInitiated"),
    "start": ("start/action", "VirtualMachineStartInitiatedByControlPlane"),
    "resize": ("write", "VirtualMachineSizeChanged"),
}
"""What a customer asks for: the operation, and the annotation that tells of it."""
NOT_REPORTED = -1.0
"""Level of a dip in which no point is reported at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficDip:
    """For a while a VM's traffic is only so much of the usual, and the machine itself may be dead, too."""

    vm: str
    start: datetime
    end: datetime | None
    level: float  # share of the usual traffic; GONE: no points are reported
    alive: bool = True
    silent: bool | None = None  # whether heartbeats stay away; None: they do where traffic is at 5 % or less


@dataclass(slots=True)
class ExportPlan:
    """How the files are to be written; a class changes what matters to it and leaves the rest to chance."""

    feeds: set[str] = field(default_factory=lambda: {"activity", "health", "metrics"})
    machine_forms: tuple[str, ...] | None = None  # of `vm` and `resources`; None leaves it to chance
    health_states: bool = True  # False: annotations were exported and availability states were not
    alive: bool = True  # whether CPU, disk or the availability metric are among the metrics
    vital_metrics: tuple[str, ...] | None = None  # which of them; None leaves it to chance
    vital_metrics_until: datetime | None = None  # from then on no point of them is reported
    noise: float | None = None  # largest spread of the values; 0 makes them level; None leaves it to chance
    grain: int = 1  # minutes that a metric point stands for in the export
    hours_before: float = 0.0  # so much longer before the story the series begin
    idle: bool = False
    holes: float = -1.0  # share of missing points; negative leaves a small one to chance
    whole_tail: bool = False  # whether the newest minutes are certainly there
    metrics_refused: bool = False
    config_changes: bool = False  # whether `resourcechanges` was exported as well
    migrations_in_both: bool = False  # whether activity log and health both show migrations; else one of them may not


class Scene:
    """One subscription with one VM in trouble, or not. All chance is in `rng`, so a seed is a story."""

    def __init__(self, seed: int, index: int, until: datetime) -> None:
        self.rng = random.Random(f"{seed}/{index}")  # noqa: S311 - a story, no secret
        self.until = until
        self.region = list(REGIONS)[index % len(REGIONS)]
        self.subscription = make_guid(self.rng)
        group = self.rng.choice(("prod", "rg-web", "TEST_VM", "app.rg01")) + f"-{self.rng.randint(1, 99)}"
        self.resource_group_id = f"/subscriptions/{self.subscription}/resourceGroups/{group}"
        self.plan = ExportPlan()
        self.annotations: list[HealthAnnotation] = []
        self.health: list[HealthChange] = []
        self.operations: list[Operation] = []
        self.issues: list[ServiceIssue] = []
        self.dips: list[TrafficDip] = []
        self.machines: list[Machine] = []
        self.bystanders: dict[str, Label] = {}
        self.tests: list[ReachTest] = []
        self.probes: list[BalancerProbe] = []
        self.unreachable_since: datetime | None = None
        self.since: str | None = None
        if self.rng.random() < 0.6:
            self.plan.feeds.add("machine")
        self.vm = self.add_machine(self.rng.choice(("web", "sql", "App", "vm_")) + f"{self.rng.randint(0, 999):03d}")

    # who and where

    def add_machine(self, name: str, network: str = "vnet") -> str:
        """A VM that has been healthy for days; its id."""
        vm = f"{self.resource_group_id}/providers/Microsoft.Compute/virtualMachines/{name}"
        provider = f"{self.resource_group_id}/providers/Microsoft.Network"
        self.machines.append(
            Machine(
                vm=vm,
                location=self.region,
                size=self.rng.choice(SIZES),
                linux=self.rng.random() < 0.6,
                power="running",
                agent_ready=self.rng.random() < 0.8,
                guid=make_guid(self.rng),
                nic=f"{provider}/networkInterfaces/{name}-nic",
                subnet=f"{provider}/virtualNetworks/{network}/subnets/default",
                security_group=f"{provider}/networkSecurityGroups/{name}-nsg",
            )
        )
        created = self.until - timedelta(days=self.rng.uniform(5, 13))
        # Two states, so that a history cannot be taken for an answer that tells the current state alone.
        self.health.append(HealthChange(at=created, vm=vm, before="Available", after="Unknown"))
        known = created + timedelta(minutes=self.rng.uniform(2, 6))
        self.health.append(HealthChange(at=known, vm=vm, before="Unknown", after="Available"))
        return vm

    def add_neighbour(self, label: Label, network: str = "vnet") -> str:
        """Another VM, of the same virtual network or another one, with a label of its own."""
        vm = self.add_machine(f"node{len(self.machines):02d}", network)
        self.bystanders[vm] = label
        return vm

    def set_description(self, **said: Any) -> None:
        """What the description of the first VM says at the end of the window: power, spot, agent_ready."""
        self.machines[0] = replace(self.machines[0], **said)

    # when

    def choose_time_before_end(self, least: float, most: float) -> datetime:
        """Some minutes before the end of the window."""
        return self.until - timedelta(minutes=self.rng.uniform(least, most))

    def choose_time_after(self, at: datetime, least: float, most: float) -> datetime:
        """Some minutes after `at`, before it where they are negative."""
        return at + timedelta(minutes=self.rng.uniform(least, most))

    # what happens

    def migrate_vm(
        self,
        at: datetime,
        *,
        vm: str | None = None,
        failed: bool = False,
        name: str | None = None,
        log_late: timedelta = timedelta(),
    ) -> datetime:
        """Azure live-migrates the VM, or tries to; returns the time. A bare phrase cannot tell a failure."""
        known = name or self.rng.choice(FAILED_MIGRATIONS if failed else SUCCEEDED_MIGRATIONS)
        phrase_only = not failed and self.rng.random() < 0.25
        note = HealthAnnotation(at=at, vm=vm or self.vm, name=known, phrase_only=phrase_only, log_late=log_late)
        self.annotations.append(note)
        return at

    def annotate_health(self, at: datetime, name: str, *, vm: str | None = None) -> datetime:
        """Azure annotates the VM's health."""
        self.annotations.append(HealthAnnotation(at=at, vm=vm or self.vm, name=name))
        return at

    def change_health(
        self, at: datetime, after: str, *, before: str = "Available", cause: str = "PlatformInitiated", title: str = ""
    ) -> datetime:
        """The first VM's availability state changes."""
        self.health.append(HealthChange(at=at, vm=self.vm, before=before, after=after, cause=cause, title=title))
        return at

    def run_operation(
        self, at: datetime, verb: str, *, target: str | None = None, outcome: str = "Succeeded", seconds: float = 0.0
    ) -> datetime:
        """Somebody asks for `verb`, an operation below the VM's type or a full name. Returns the end."""
        name = verb if verb.startswith("Microsoft.") else f"Microsoft.Compute/virtualMachines/{verb}"
        takes = timedelta(seconds=seconds or self.rng.uniform(10, 40))
        self.operations.append(Operation(at=at, target=target or self.vm, name=name, outcome=outcome, duration=takes))
        return at + takes

    def act_as_customer(self, at: datetime, act: str, *, outcome: str = "Succeeded", seconds: float = 0.0) -> datetime:
        """A customer asks for one of `CUSTOMER_ACTS`, and health is annotated with it. Returns the end."""
        verb, note = CUSTOMER_ACTS[act]
        self.annotate_health(at, note)
        return self.run_operation(at, verb, outcome=outcome, seconds=seconds)

    def deallocate_for_good(self, at: datetime) -> None:
        """A customer deallocates the VM, and it is off at the end of the window."""
        self.run_operation(at, "deallocate/action")
        self.annotate_health(self.choose_time_after(at, 0.05, 0.2), "VirtualMachineDeallocationInitiated")
        self.take_machine_down(self.choose_time_after(at, 0.3, 0.4), reported=False)
        self.change_health(self.choose_time_after(at, 0.4, 0.5), "Unavailable", cause="UserInitiated")
        self.set_description(power="deallocated")

    def announce_incident(self, at: datetime, service: str, region: str, *, mitigated: datetime | None = None) -> None:
        """Azure tells the subscription of a service incident."""
        issue = ServiceIssue(at=at, subscription=self.subscription, region=region, service=service, mitigated=mitigated)
        self.issues.append(issue)

    def drop_traffic(
        self, start: datetime, end: datetime | None = None, *, vm: str | None = None, silent: bool | None = None
    ) -> datetime:
        """Traffic collapses to 0-3 % of the usual while the machine works on; heartbeats stop with it, if not told."""
        level = self.rng.choice((0.0, self.rng.uniform(0, 0.03)))
        self.dips.append(TrafficDip(vm=vm or self.vm, start=start, end=end, level=level, silent=silent))
        return start

    def lose_traffic(self, before_end: tuple[float, float], migrated: tuple[float, float]) -> tuple[datetime, datetime]:
        """Traffic collapses so many minutes before the end, with a migration so many after that; when both happened."""
        lost = self.drop_traffic(self.choose_time_before_end(*before_end))
        return self.migrate_vm(self.choose_time_after(lost, *migrated)), lost

    def migrate_and_lose_traffic(self, before_end: Minutes, lost: Minutes) -> tuple[datetime, datetime]:
        """Azure migrates the VM so many minutes before the end, and traffic collapses so many after that."""
        migrated = self.migrate_vm(self.choose_time_before_end(*before_end))
        return migrated, self.drop_traffic(self.choose_time_after(migrated, *lost))

    def reduce_traffic(
        self, start: datetime, end: datetime | None, least: float, most: float, *, silent: bool | None = None
    ) -> datetime:
        """Traffic falls to such a share of the usual, for a while or for good."""
        dip = TrafficDip(vm=self.vm, start=start, end=end, level=self.rng.uniform(least, most), silent=silent)
        self.dips.append(dip)
        return start

    def stop_heartbeats(self, start: datetime, end: datetime | None = None, *, vm: str | None = None) -> datetime:
        """Heartbeats stop, and nothing else."""
        self.dips.append(TrafficDip(vm=vm or self.vm, start=start, end=end, level=1.0, silent=True))
        return start

    def take_machine_down(self, start: datetime, end: datetime | None = None, *, reported: bool = True) -> datetime:
        """The machine itself is down: no traffic, no CPU; a deallocated one reports no points at all."""
        level = 0.0 if reported else NOT_REPORTED
        self.dips.append(TrafficDip(vm=self.vm, start=start, end=end, level=level, alive=False))
        return start

    def omit_points(self, start: datetime, end: datetime | None = None) -> None:
        """Points are missing while nothing is known to be wrong."""
        self.dips.append(TrafficDip(vm=self.vm, start=start, end=end, level=NOT_REPORTED))

    # what is exported

    def select_feeds(self, feeds: Iterable[str]) -> None:
        """The feeds that were exported: of activity, health, metrics, heartbeat, machine, service, csv."""
        self.plan.feeds = set(feeds)

    def show_network(self) -> None:
        """Each network interface's own description was exported: only that tells its security group and subnet."""
        self.plan.feeds.add("machine")
        self.plan.machine_forms = ("resources",)

    def change_own_network(self, at: datetime) -> None:
        """The VM's own network interface is changed, its security group, a rule of it, or its subnet, and it shows."""
        own = self.machines[0]
        name, target = self.rng.choice(
            (
                ("networkInterfaces/write", own.nic),
                ("networkSecurityGroups/write", own.security_group),
                ("networkSecurityGroups/securityRules/write", f"{own.security_group}/securityRules/deny-all"),
                ("virtualNetworks/subnets/write", own.subnet),
            )
        )
        self.run_operation(at, f"Microsoft.Network/{name}", target=target)
        # Only the network interface's own description tells its security group and subnet.
        self.plan.feeds.add("machine")
        self.plan.machine_forms = self.rng.choice((("resources",), ("vm", "resources")))
        self.plan.config_changes = self.rng.random() < 0.3

    def get_security_group(self) -> str:
        """Id of the security group of the first VM's network interface."""
        return self.machines[0].security_group
