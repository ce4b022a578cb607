"""The nouns of deciding on a mitigation: plans, the operator's policy, how many VMs are hit."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from vmdiag.diagnosis.model import Case
from vmdiag.diagnosis.service_health import normalize_region
from vmdiag.identity import VmId
from vmdiag.mitigation import GuardResult
from vmdiag.values import Struct, field

NOT_ASKED = "not looked at: another guard refuses already"
_TWO_HOURS, _TWO_DAYS = 120, 2 * 24 * 60


class KnownRedeploy(Struct, frozen=True, kw_only=True):
    """A redeploy of any VM, whoever began it; `region` is empty where it is not known."""

    vm: VmId
    at: datetime
    region: str = ""


class Hardware(Struct, frozen=True, kw_only=True):
    """What tells that a VM is the same one, made the same way, as at an earlier look; `None` where it is not told."""

    vm_id: str | None = None
    created_at: datetime | None = None
    size: str | None = None
    priority: str | None = None


class Preflight(Struct, frozen=True, kw_only=True):
    """What Azure says of a VM before it is redeployed; `None` and `unread` (by topic) tell what could not be read."""

    power: str | None = None
    provisioning: str | None = None
    changed_at: datetime | None = None  # when the provisioning state began
    hardware: Hardware = Hardware()
    ephemeral: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    managed_by: str | None = None
    narrow: tuple[str, ...] = ()  # what limits where Azure may place the VM
    address: str | None = None  # a public one that may change
    address_unread: str = ""
    approves_itself: bool = False  # nothing in the guest can delay a redeploy
    locks: tuple[str, ...] | None = None
    unread_locks: tuple[str, ...] = ()  # the levels (VM, group, subscription) whose list could not be read
    untold: tuple[str, ...] = ()  # fields that answers of this cloud's api-version cannot have
    incidents: tuple[str, ...] = ()  # of the VM's region, that go on
    scheduled: tuple[str, ...] | None = None
    announces: bool | None = None  # whether what Azure schedules for the VM is published at all
    may_redeploy: bool | None = None
    redeploys: tuple[datetime, ...] = ()  # of this VM, within seven days
    writes: tuple[tuple[datetime, str], ...] = ()  # what customers changed within seven days, by the operation's name
    recent: tuple[KnownRedeploy, ...] = ()  # of any VM of the subscription and of the journal, within the hour
    recent_unread: str = ""  # why the subscription's were not read
    unread: Mapping[str, str] = field(default_factory=dict)


class Plan(Struct, frozen=True, kw_only=True):
    """The redeploy of one VM that is considered: on which grounds, and what it may cost."""

    case: Case
    preflight: Preflight | None = None  # `None` where nothing was read of the VM yet
    earlier: Preflight | None = None  # of the first look, once there was a second one
    again: Case | None = None  # the case as it was read a second time, right before the request
    again_fails: str | None = None
    looked_at: float | None = None  # when that look began, by a clock that runs on while the process is stopped
    normal: tuple[str, ...] = ()  # what strong channels say that were well at it
    unmeasured: str = ""  # why traffic cannot be compared with what it was
    request: str = ""  # the id under which Azure will know the request
    loses: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()

    @property
    def vm(self) -> VmId:
        """The VM to redeploy."""
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


class Policy(Struct, frozen=True, kw_only=True):
    """What the operator allows, and what else this machine is doing."""

    most: int = 1  # candidates (--max)
    storm: int = 20  # percent of the scope
    include_suspected: bool = False
    allow_data_loss: bool = False
    consent: Consent = Consent.NOBODY
    dry_run: bool = False
    waits: bool = True
    is_live: bool = True
    lock_holder: str | None = None
    unfinished: tuple[KnownRedeploy, ...] = ()  # of earlier runs, not verified yet
    skew: timedelta | None = timedelta()  # how far Azure's clock is ahead; `None` where its answers tell no time
    budget: int | None = None  # redeploys a day; `None` for a run that somebody asked for
    spent: int = 0  # of them within the last 24 hours by the journal, whichever run made them


class AffectedVm(Struct, frozen=True, kw_only=True):
    """A VM that is affected, or was migrated and cannot be judged; where it is, and since when that is so."""

    vm: VmId
    region: str
    since: datetime | None


class Population(Struct, frozen=True, kw_only=True):
    """How many VMs this run judged, which of them are or may be affected, and how many the policy would redeploy.

    A VM that cannot be judged, and one that an earlier report tells of, makes no storm look smaller: it is not counted.
    """

    vms: int
    affected: tuple[AffectedVm, ...]
    candidates: int


class GuardContext(Struct, frozen=True, kw_only=True):
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
