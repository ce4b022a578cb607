"""The nouns of deciding on a mitigation: plans, the operator's policy, how many VMs are hit; must not decide."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vmdiag.diagnosis import Case
from vmdiag.identity import VmId
from vmdiag.incidents import plain
from vmdiag.mitigation import Circumstances


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done to a VM, on which grounds and at what price.

    `facts` is `None` where it was not asked for them; `earlier` are those of the look before, once there was a second
    one. `again` is the case as it was read once more right before, and `looked_at` when that look began, by the clock
    that runs on while the process is stopped; `normal` is what strong channels say that were well at it, and
    `unmeasured` why traffic cannot be compared with what it was. `request` is the id under which Azure will know the
    request.
    """

    case: Case
    facts: Circumstances | None = None
    earlier: Circumstances | None = None
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
        return plain(self.latest.vm.location or self.case.vm.location or "")

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
class Unfinished:
    """A redeploy whose end nobody has seen yet."""

    vm: VmId
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the operator allows, and what else this machine is doing.

    `storm` is a share of the scope in percent. `rival` says who holds the lock; `unfinished` are redeploys of earlier
    runs that were not verified; `skew` is how far Azure's clock is ahead of this machine's,
    `None` where Azure's answers tell no time.
    """

    most: int = 1
    storm: int = 20
    include_suspected: bool = False
    allow_data_loss: bool = False
    consent: Consent = Consent.NOBODY
    dry_run: bool = False
    waits: bool = True
    is_live: bool = True
    rival: str | None = None
    unfinished: tuple[Unfinished, ...] = ()
    skew: timedelta | None = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
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
    struck: tuple[Struck, ...]
    candidates: int
