"""The nouns of what was done to a VM: how it stands, what each guard answered, what is known of the VM before.

Must not know a diagnosis, a guard or Azure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from vmdiag.identity import VmId


class Status(StrEnum):
    """How a mitigation stands; the words are the report's."""

    PLANNED = "planned"  # it qualifies, and was not begun
    REFUSED = "refused"  # by a guard
    DECLINED = "declined"  # by the person at the prompt
    STARTED = "started"  # Azure still works on it
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"  # it may have happened, and nobody could say


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one guard says: its limit and the value found. `passes` is `None` where it was not asked, or not yet."""

    guard: str
    passes: bool | None
    limit: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mitigation:
    """A redeploy of one VM, planned, refused or made.

    `operation` is Azure's name for it, an URL; `correlation` and `request` are the ids that Azure's support asks for.
    `reachable_again` is `None` where that was not or could not be measured, and `says` tells why.
    """

    status: Status
    says: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    operation: str | None = None
    reachable_again: bool | None = None
    correlation: str | None = None
    request: str | None = None
    guards: tuple[Answer, ...] = ()
    loses: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentRedeploy:
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
class Circumstances:
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
    recent: tuple[RecentRedeploy, ...] = ()
    recent_unread: str = ""
    unread: Mapping[str, str] = field(default_factory=dict)
