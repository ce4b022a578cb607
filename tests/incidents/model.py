"""What an incident is: what truly happened, what the files show of it, and what must be said about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

TOLERANCE = timedelta(minutes=3)
"""How far a time may be off: metrics and heartbeats come once a minute, health records minutes late."""

ANY: Literal["any"] = "any"
"""The contract does not say what stands in this field; it is not compared."""

ExpectedTime = datetime | Literal["any"] | None
Extent = Literal["full", "partial", "intermittent", "any"] | None
Scope = Literal["outside", "peered", "inside", "unknown", "any"]

FLAGGED = frozenset({"confirmed", "suspected"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What the contract says about one VM. More than one value only where the contract leaves it open."""

    verdict: frozenset[str]
    explanation: frozenset[str | None]
    state: frozenset[str | None]
    migrated_at: ExpectedTime
    failed_at: ExpectedTime
    action: frozenset[str] | None = None  # None: the contract dictates no action here
    extent: Extent = ANY  # of the latest loss; None where there is none
    scope: Scope = ANY  # likewise: from where it was cut off

    @property
    def is_flagged(self) -> bool:
        """Whether the VM must be reported as affected; no label mixes flagged and other verdicts."""
        return self.verdict <= FLAGGED


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthAnnotation:
    """Azure annotated the VM's health: the name is Azure's, of the older or the current catalogue."""

    at: datetime
    vm: str
    name: str
    phrase_only: bool = False  # the activity log names it by a sentence in the title and not in `details`
    log_late: timedelta = timedelta()  # so much later the activity log dates it than health does


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChange:
    """The VM's availability state changed."""

    at: datetime
    vm: str
    before: str
    after: str
    cause: str = "PlatformInitiated"
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Somebody called Azure Resource Manager, or a policy looked at a resource."""

    at: datetime
    target: str
    name: str
    outcome: str = "Succeeded"  # of ARM's words; `Running`: the log does not show its end yet
    duration: timedelta = timedelta(seconds=20)
    category: str = "Administrative"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceIssue:
    """Azure told the subscription of an incident of a service in a region."""

    at: datetime
    subscription: str
    region: str  # display name, as service health writes it: `West Europe`
    service: str
    mitigated: datetime | None = None
    tracking: str = "VT60-LPZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One platform metric of one VM, a value a minute; None is a minute without a report."""

    vm: str
    name: str
    aggregation: str
    unit: str
    start: datetime
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachTest:
    """Connection Monitor tests a port of a VM from a source, and fails between two times."""

    source: str  # the id of a VM or of a machine that Azure Arc knows
    vm: str
    minutes: int  # between two tests
    lost: datetime | None = None
    back: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancerProbe:
    """A load balancer probes a VM and gets no answer from some time on; `reason` is what its health answer says."""

    vm: str
    lost: datetime | None = None
    reason: str = ""
    port: str = "443"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The VM as the compute provider and Resource Graph describe it at the end of the window."""

    vm: str
    location: str
    size: str
    linux: bool
    power: str
    agent_ready: bool
    guid: str
    nic: str
    subnet: str
    security_group: str  # id of the network security group on the network interface
    spot: bool = False
    balancer: str = ""  # id of the load balancer whose pool it is in
    gateway: str = ""  # id of the Application Gateway, likewise
    address: str = "10.0.0.4"  # in its virtual network


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTruth:
    """Everything that happened, in the words of the trade and without a wire form."""

    until: datetime
    annotations: tuple[HealthAnnotation, ...] = ()
    health: tuple[HealthChange, ...] = ()
    operations: tuple[Operation, ...] = ()
    issues: tuple[ServiceIssue, ...] = ()
    series: tuple[Series, ...] = ()
    beats: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    machines: tuple[Machine, ...] = ()
    probes: tuple[BalancerProbe, ...] = ()
    tests: tuple[ReachTest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WireFile:
    """One exported file: where it lies below the incident's folder, its form, and its bytes."""

    path: str
    form: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleFacts:
    """What the files let a reader see of the facts that simple rules are built on."""

    migrations: tuple[datetime, ...]
    health: tuple[HealthChange, ...]
    power: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One story in one subscription of its own, the files it left behind, and the labels of its VMs."""

    name: str  # of the class
    seed: int
    index: int
    until: datetime
    vm: str
    label: Label
    truth: GroundTruth
    visible_facts: VisibleFacts
    files: tuple[WireFile, ...]
    bystanders: Mapping[str, Label]  # labelled VMs beside the one the story is about
    unreachable_since: datetime | None = None
    """What the operator knows; it holds for the whole run, so such an incident is a batch of its own."""
    since: str | None = None
    """The window that was asked for, as on the command line; None: the default. It holds for the whole run, too."""

    def write_files(self, folder: Path) -> None:
        """Write the files below `folder`."""
        for file in self.files:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)


@dataclass(frozen=True, slots=True)
class Batch:
    """Incidents that one run judges: one `--until`, and one `--since`, for all of them."""

    until: datetime
    incidents: tuple[Incident, ...]

    @property
    def unreachable_since(self) -> datetime | None:
        """What the operator states for this run."""
        return next((each.unreachable_since for each in self.incidents if each.unreachable_since), None)

    @property
    def since(self) -> str | None:
        """The window of this run."""
        return self.incidents[0].since

    def write_files(self, folder: Path) -> None:
        """Write every incident into a folder of its own below `folder`."""
        for incident in self.incidents:
            incident.write_files(folder / f"{incident.index:05d}")
