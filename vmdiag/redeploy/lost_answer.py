"""concluded(): what the traces of a redeploy mean whose answer was lost; pure, must not look for them."""

from datetime import datetime, timedelta

from vmdiag.diagnosis.event_kinds import Phase
from vmdiag.redeploy.journal import JournalEntry, Step
from vmdiag.redeploy.operation import Progress, Stage
from vmdiag.redeploy.request_traces import RedeployTraces

# Records were seen to come up to 4 minutes late, and are said to take up to 10; after this none is to come.
LOG_DELAY = timedelta(minutes=15)
# After so long a log that was read tells no more, and one that could not be read has forgotten it (Azure keeps it for
# 90 days).
GIVE_UP, LOG_KEPT = timedelta(days=1), timedelta(days=90)


def conclude_from_traces(found: RedeployTraces, deed: JournalEntry, now: datetime) -> Progress:
    """What the traces of a request mean; pure."""
    if found.is_gone:
        return Progress(stage=Stage.FAILED, says="the VM is gone", hint="Look at what became of it.")
    is_taken, age = bool(found.phases) or deed.step is Step.ACCEPTED, now - deed.at
    ended = _find_end(found, deed.at) if is_taken else None
    if ended is not None:
        return ended
    unread = f" ({found.unread})" if found.unread else ""
    if age >= (GIVE_UP if found.phases is not None else LOG_KEPT):
        return Progress(stage=Stage.UNKNOWN, says=f"what became of it cannot be found out any more{unread}")
    if is_taken:
        return Progress(stage=Stage.RUNNING, says=f"Azure has it, and shows no end of it yet{unread}")
    return _conclude_without_trace(found, age, unread)


def _conclude_without_trace(found: RedeployTraces, age: timedelta, unread: str) -> Progress:
    if found.provisioning == "updating":
        return Progress(stage=Stage.RUNNING, says="the VM is being changed, most likely by this redeploy")
    if age >= LOG_DELAY and found.phases is not None and found.provisioning:
        says = "Azure's log has no such redeploy: the request never arrived"
        return Progress(stage=Stage.VOID, says=says, hint="Nothing was done; run again.")
    wait = "whether Azure took the request is not known; its log can take 15 minutes to tell"
    return Progress(stage=Stage.RUNNING, says=f"{wait}{unread}")


def _find_end(found: RedeployTraces, posted_at: datetime) -> Progress | None:
    """The end of a request that Azure took; it may show in the VM's state before the log has it."""
    is_new = found.changed_at is not None and found.changed_at > posted_at
    state, at = (found.provisioning, found.changed_at) if is_new else ("", found.ended_at)
    phases = found.phases or frozenset()
    if Phase.DONE in phases or state == "succeeded":
        return Progress(stage=Stage.SUCCEEDED, says="Azure moved the VM and started it", ended_at=at)
    if Phase.FAILED in phases or state == "failed":
        code = f" ({found.code})" if found.code else ""
        hint = "Look at the VM's activity log."
        return Progress(stage=Stage.FAILED, says=f"the redeploy failed{code}", hint=hint, ended_at=at)
    return None
