"""The nouns of deciding on a mitigation: plans, the operator's policy, how many VMs are hit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from vmdiag.diagnosis.model import Case
from vmdiag.diagnosis.service_health import normalize_region
from vmdiag.identity import VmId
from vmdiag.mitigation import GuardResult

NOT_ASKED = "not looked at: another guard refuses already"
_TWO_HOURS, _TWO_DAYS = 120, 2 * 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRedeploy:
    """A redeploy of any VM, whoever began it; `region` is empty where it is not known."""

    vm: VmId
    at: datetime
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What tells that a VM is the same one, made the same way, as at an earlier look; `None` where it is not told."""

    vm_id: str | None = None
    created_at: datetime | None = None
    size: str | None = None
    priority: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What must be known of a VM before it is redeployed, as it was when it was asked.

    `locks`, `scheduled` and `may_redeploy` are `None` where they could not be read; `unread` says of what has to be
    read why it was not, by topic. `unread_locks` are the levels (VM, group, subscription) whose list could not be read,
    `untold` the fields that answers of this cloud's api-version cannot have. `incidents` are of the VM's region and go
    on. The log of seven days holds `redeploys` and `writes`, what customers changed, with the operation's name;
    `changed_at` is when the VM's provisioning state began. `recent` are redeploys of the last hour, of any VM of the
    subscription and of this machine's journal; `recent_unread` says why the subscription's were not read. Tags' names
    are in lower case. `narrow` says what limits where Azure may place the VM, `address` is a public one that may
    change, `address_unread` why that is not known, `approves_itself` that nothing in the guest can delay a redeploy,
    `announces` whether what Azure schedules for the VM is published at all: `None` where that is not known.
    """

    power: str | None = None
    provisioning: str | None = None
    changed_at: datetime | None = None
    hardware: Hardware = Hardware()
    ephemeral: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    managed_by: str | None = None
    narrow: tuple[str, ...] = ()
    address: str | None = None
    address_unread: str = ""
    approves_itself: bool = False
    locks: tuple[str, ...] | None = None
    unread_locks: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    scheduled: tuple[str, ...] | None = None
    announces: bool | None = None
    may_redeploy: bool | None = None
    redeploys: tuple[datetime, ...] = ()
    writes: tuple[tuple[datetime, str], ...] = ()
    recent: tuple[KnownRedeploy, ...] = ()
    recent_unread: str = ""
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done to a VM, on which grounds and what it may cost.

    `preflight` is `None` where it was not asked for them; `earlier` are those of the look before, once there was a
    second one. `again` is the case as it was read once more right before, and `looked_at` when that look began, by the
    clock that runs on while the process is stopped; `normal` is what strong channels say that were well at it, and
    `unmeasured` why traffic cannot be compared with what it was. `request` is the id under which Azure will know the
    request.
    """

    case: Case
    preflight: Preflight | None = None
    earlier: Preflight | None = None
    again: Case | None = None
    again_fails: str | None = None
    looked_at: float | None = None
    normal: tuple[str, ...] = ()
    unmeasured: str = ""
    request: str = ""
    loses: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()

    @property
    def vm(self) -> VmId:
        """Whom it is about."""
        return self.case.vm.id

    @property
    def region(self) -> str:
        """Its region in Azure's short form, empty where it is not known."""
        return normalize_region(self.latest.vm.location or self.case.vm.location or "")

    @property
    def latest(self) -> Case:
        """The case as it was read last."""
        return self.again or self.case


class Consent(StrEnum):
    """Whether the operator agrees."""

    GIVEN = "given"  # --yes, or typed
    ASKABLE = "askable"  # somebody sits at a terminal
    NOBODY = "nobody"  # no terminal, and no --yes
    NEEDLESS = "needless"  # --dry-run


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the operator allows, and what else this machine is doing.

    `storm` is a share of the scope in percent. `lock_holder` says who holds the lock; `unfinished` are redeploys of
    earlier runs that were not verified; `skew` is how far Azure's clock is ahead of this machine's, `None` where
    Azure's answers tell no time. `budget` is how many redeploys a day are allowed, `None` for a run that somebody asked
    for, and `spent` how many the journal tells of the last 24 hours, whichever run made them.
    """

    most: int = 1
    storm: int = 20
    include_suspected: bool = False
    allow_data_loss: bool = False
    consent: Consent = Consent.NOBODY
    dry_run: bool = False
    waits: bool = True
    is_live: bool = True
    lock_holder: str | None = None
    unfinished: tuple[KnownRedeploy, ...] = ()
    skew: timedelta | None = timedelta()
    budget: int | None = None
    spent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedVm:
    """A VM that is affected, or was migrated and cannot be judged; where it is, and since when that is so."""

    vm: VmId
    region: str
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """How many VMs were judged in this run, which of them are struck, and how many of those the policy would redeploy.

    A VM that cannot be judged, and one that an earlier report tells of, makes no storm look smaller: it is not counted.
    """

    vms: int
    affected: tuple[AffectedVm, ...]
    candidates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardContext:
    """All that a guard may look at; `now` is Azure's time."""

    plan: Plan
    policy: Policy
    population: Population
    now: datetime


def describe_unknown(guard: str, limit: str, facts: Preflight | None, topic: str) -> GuardResult:
    """The answer of a guard that lacks facts: none where it was not asked for them, no where they could not be read."""
    if facts is None:
        return GuardResult(guard=guard, passes=None, limit=limit, found=NOT_ASKED)
    return GuardResult(guard=guard, passes=False, limit=limit, found=f"could not be read: {facts.unread[topic]}")


def format_age(span: timedelta) -> str:
    """A span of time in its largest unit."""
    minutes = round(span / timedelta(minutes=1))
    if minutes < _TWO_HOURS:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < _TWO_DAYS else f"{minutes // (24 * 60)} days"
