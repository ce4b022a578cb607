"""The nouns of what was done to a VM: how it stands, what each guard answered, what is known of the VM before."""

from datetime import datetime, timedelta
from enum import StrEnum

from vmdiag.values import Struct

# After a redeploy a VM boots, and metrics come minutes late: so long nothing is said of it but that it is too early
# (contract, sections 3 and 4).
SETTLES = timedelta(minutes=10)
# No VM is redeployed twice within minutes: what two feeds tell so near to each other is one redeploy.
SAME_REDEPLOY = timedelta(minutes=10)
REDEPLOY_ACTION = "Microsoft.Compute/virtualMachines/redeploy/action"
LINUX = "https://learn.microsoft.com/troubleshoot/azure/virtual-machines/linux/redeploy-to-new-node-linux"
WINDOWS = "https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/redeploy-to-new-node-windows"


class Status(StrEnum):
    """How a mitigation stands; the words are the report's."""

    PLANNED = "planned"  # it qualifies, and was not begun
    REFUSED = "refused"  # by a guard
    DECLINED = "declined"  # by the person at the prompt
    STARTED = "started"  # Azure still works on it
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"  # it may have happened, and nobody could say


class GuardResult(Struct, frozen=True, kw_only=True):
    """What one guard says: its limit and the value found. `passes` is `None` where it was not asked, or not yet."""

    guard: str
    passes: bool | None
    limit: str
    found: str


class Mitigation(Struct, frozen=True, kw_only=True):
    """A redeploy of one VM, planned, refused or made.

    `operation` is Azure's name for it, a URL; `correlation` and `request` are the ids that Azure's support asks for.
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
    guards: tuple[GuardResult, ...] = ()
    loses: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()


def list_instructions(os: str | None) -> tuple[tuple[str, str], ...]:
    """Label and address of the instructions for this operating system; both when it is not known."""
    both = (("Linux", LINUX), ("Windows", WINDOWS))
    return tuple(pair for pair in both if pair[0].lower() == (os or "").strip().lower()) or both
