"""What a run of redeploys is given: its session, its journal, how it reads a VM again, and whom it tells."""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from vmdiag.arm.session import Session
from vmdiag.diagnosis.model import Case
from vmdiag.identity import VmId
from vmdiag.model import Timeline
from vmdiag.redeploy.guards import Refusal
from vmdiag.redeploy.journal import Journal, JournalEntry, Step
from vmdiag.redeploy.model import Policy
from vmdiag.values import Struct, replace

# Reads one VM again: its id, from when on, and since when the operator says that it cannot be reached.
VmReader = Callable[[VmId, datetime, datetime | None], tuple[Case, Timeline]]


class Reporter(Protocol):
    """The operator as a run sees him: told how it goes, shown what is to be done, asked for consent."""

    def report_progress(
        self, vm: VmId, says: str, elapsed: timedelta | None = None, limit: timedelta | None = None
    ) -> None:
        """How it stands with a VM; `elapsed` of at most `limit`. The same words again only change the time."""
        ...

    def warn(self, text: str) -> None:
        """Tell that something is wrong; the run goes on."""
        ...

    def show_proposals(self, proposals: Sequence[Refusal]) -> None:
        """Show what is to be done, why, and what it costs: nothing refuses it, and some guards were not asked yet."""
        ...

    def show_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Show what is not done, and why."""
        ...

    def ask_for_consent(self, proposals: Sequence[Refusal]) -> bool:
        """Whether the operator types yes."""
        ...


class RedeployContext(Struct, frozen=True, kw_only=True):
    """What it takes to redeploy a VM and to follow that, `wait_for` at most.

    `read_vm` reads and judges one VM once more, and raises `SourceError`; `read_after` does so once it was redeployed,
    without asking anybody to look at it from elsewhere.
    """

    session: Session
    sign_in: Callable[[], None]
    read_vm: VmReader
    journal: Journal
    reporter: Reporter
    wait_for: timedelta
    read_after: VmReader | None = None

    def is_over(self) -> bool:
        """Whether the run was asked to end."""
        return self.session.stop.is_set()

    def wait_until(self, seconds: float, until: float) -> bool:
        """Wait so long, at most to a time of the monotonic clock; false when that is reached, or the run is ended."""
        left = until - time.monotonic()
        return left > 0 and not self.session.stop.wait(min(seconds, left))

    def report_progress(self, entry: JournalEntry, says: str, pause: float, until: float) -> None:
        """Tell how it stands, of how long at most, and when it is looked at next."""
        left = max(0.0, until - time.monotonic())
        self.reporter.report_progress(
            entry.vm,
            f"{says}; next look in {min(pause, left):.0f} s; Ctrl-C is safe ('vmdiag mitigations --resume' goes on)",
            self.session.now - entry.at,
            self.wait_for,
        )

    def record_step(self, entry: JournalEntry, step: Step, **facts: Any) -> JournalEntry:  # noqa: ANN401 - its fields
        """Write down how it went on; warn where that fails and go on, for nothing can be undone any more."""
        try:
            return self.journal.record_step(entry, step, self.session.now, **facts)
        except OSError as error:
            self.reporter.warn(f"the journal {self.journal.path} cannot be written: {error.strerror or error}")
            return replace(entry, step=step, **facts)


class WorkflowContext(Struct, frozen=True, kw_only=True):
    """What `redeploy_affected` is given: `redeploying` is `None` for an archive, of which nothing can be redeployed.

    `stated` is since when the operator says that the VMs cannot be reached; `earlier` are the VMs whose cases come from
    an earlier report and were not looked at in this run.
    """

    reporter: Reporter
    policy: Policy
    now: datetime
    redeploying: RedeployContext | None = None
    stated: datetime | None = None
    earlier: Collection[VmId] = ()


class FollowedRedeploy(Struct, frozen=True, kw_only=True):
    """How a redeploy stands when nobody waits any longer; `case` is the last look, where there was one."""

    entry: JournalEntry
    hint: str = ""
    case: Case | None = None
