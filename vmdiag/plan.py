"""The nouns of deciding on a mitigation: plans, the operator's policy, how many VMs are hit; must not decide."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vmdiag.diagnosis import Case
from vmdiag.identity import VmId
from vmdiag.mitigation import Circumstances


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done to a VM, on which grounds and at what price.

    `facts` is `None` where it was not asked for them, `again` the case as it was read once more right before;
    `request` is the id under which Azure will know the request.
    """

    case: Case
    facts: Circumstances | None = None
    again: Case | None = None
    again_fails: str | None = None
    request: str = ""
    loses: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()

    @property
    def vm(self) -> VmId:
        """Whom it is about."""
        return self.case.vm.id

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

    `rival` says who holds the lock; `unfinished` are redeploys of earlier runs that were not verified.
    """

    most: int = 1
    include_suspected: bool = False
    allow_data_loss: bool = False
    consent: Consent = Consent.NOBODY
    dry_run: bool = False
    waits: bool = True
    is_live: bool = True
    rival: str | None = None
    unfinished: tuple[Unfinished, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A VM that is affected, or was migrated and cannot be judged; where it is, and since when that is so."""

    vm: VmId
    region: str
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """How many VMs were looked at, which of them are struck, and how many of those the policy would redeploy."""

    vms: int
    struck: tuple[Struck, ...]
    candidates: int
