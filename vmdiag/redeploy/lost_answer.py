"""A redeploy whose answer was lost: what can be seen of it, in the VM's state and in the log, and what that means.

Source: "Azure Activity Log event schema" (`httpRequest.clientRequestId` is the id that was sent).
"""

from datetime import datetime, timedelta

from vmdiag.arm.session import Session
from vmdiag.completeness import MalformedRow, Row
from vmdiag.diagnosis.event_kinds import Phase, find_phase, interpret_record
from vmdiag.errors import NotFound, SourceError
from vmdiag.identity import VmId
from vmdiag.mitigation import Status
from vmdiag.model import Kind, Signal, Window
from vmdiag.redeploy.journal import JournalEntry, Step
from vmdiag.redeploy.messages import MOVED
from vmdiag.redeploy.operation import Progress
from vmdiag.sources.azure.feed_request import get_subscription_id
from vmdiag.sources.azure.feeds import activity_log, virtual_machine
from vmdiag.sources.azure.whole_lists import read_resource, read_rows
from vmdiag.sources.decoding.fields import get_path, to_mapping, to_text
from vmdiag.sources.decoding.log_entry import LogEntry
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.sources.formats import activity_log as wire
from vmdiag.sources.formats.virtual_machine import iter_statuses
from vmdiag.values import Struct

# This machine's clock and Azure's may differ by so much unnoticed.
CLOCK_TOLERANCE = timedelta(minutes=3)
# Records were seen to come up to 4 minutes late, and are said to take up to 10; after this none is to come.
LOG_DELAY = timedelta(minutes=15)
# After so long a log that was read tells no more, and one that could not be read has forgotten it (Azure keeps it for
# 90 days).
GIVE_UP, LOG_KEPT = timedelta(days=1), timedelta(days=90)


class RedeployTraces(Struct, frozen=True, kw_only=True):
    """What was seen of a request in the VM's log and state.

    `phases` are those of its records, `None` where the log could not be read; `ended_at` is when the log says that it
    ended, `code` the error of a failed one. `changed_at` is when the VM's `provisioning` state began.
    """

    provisioning: str = ""
    changed_at: datetime | None = None
    phases: frozenset[Phase] | None = None
    ended_at: datetime | None = None
    code: str = ""
    is_gone: bool = False
    unread: str = ""


def find_redeploy_traces(session: Session, vm: VmId, request_id: str, since: datetime) -> RedeployTraces:
    """Look at the VM and at its log; what could not be read is told, never raised."""
    phases, code, ended_at, unread, entries = None, "", None, [], list[LogEntry]()
    try:
        span = Window(since - CLOCK_TOLERANCE, session.now + CLOCK_TOLERANCE)
        for row in read_rows(session, activity_log.build_request(get_subscription_id(vm), span, vm=vm)):
            entry, sent = wire.decode_log_entry(row), to_text(get_path(row, "httpRequest", "clientRequestId")).lower()
            # Whatever its status: one that failed is a trace, too.
            is_redeploy = interpret_record(Signal.ACTIVITY, entry.operation, "", {}) is Kind.REDEPLOY
            if is_redeploy and sent in ("", request_id.lower()):
                entries.append(entry)
        phases = frozenset(find_phase(entry.status) for entry in entries)
        ends = (entry.at for entry in entries if find_phase(entry.status) in (Phase.DONE, Phase.FAILED))
        ended_at = max(ends, default=None)
        code = next((entry.substatus for entry in entries if find_phase(entry.status) is Phase.FAILED), "")
    except SourceError as error:
        unread.append(error.message)
    except MalformedRow as fault:
        unread.append(f"a record of the log has {fault.reason}")
    machine: Row = {}
    is_gone = False
    try:
        machine = read_resource(session, virtual_machine.build_request(vm))
    except NotFound:
        is_gone = True
    except SourceError as error:
        unread.append(error.message)
    members = to_mapping(machine.get("properties"))
    provisioning, changed_at = to_text(members.get("provisioningState")).lower(), None
    for code, status in iter_statuses(to_mapping(members.get("instanceView"))):
        subject, _, state = code.lower().partition("/")
        if subject == "provisioningstate" and state:
            provisioning, changed_at = state.partition("/")[0], parse_time(status.get("time"))
            break
    return RedeployTraces(
        provisioning=provisioning,
        changed_at=changed_at,
        phases=phases,
        ended_at=ended_at,
        code=code,
        is_gone=is_gone,
        unread="; ".join(unread),
    )


def conclude_from_traces(found: RedeployTraces, entry: JournalEntry, now: datetime) -> Progress:
    """What the traces of a request mean; pure."""
    if found.is_gone:
        hint = "Look at what became of it."
        return Progress(step=Step.FINISHED, outcome=Status.FAILED, says="the VM is gone", hint=hint)
    is_taken, age = bool(found.phases) or entry.step is Step.ACCEPTED, now - entry.at
    # The end may show in the VM's state before the log has it.
    is_new = found.changed_at is not None and found.changed_at > entry.at
    state, ended_at = (found.provisioning, found.changed_at) if is_new else ("", found.ended_at)
    phases = found.phases or frozenset()
    if is_taken and (Phase.DONE in phases or state == "succeeded"):
        return Progress(step=Step.FINISHED, outcome=Status.SUCCEEDED, says=MOVED, ended_at=ended_at)
    if is_taken and (Phase.FAILED in phases or state == "failed"):
        says, hint = f"the redeploy failed{f' ({found.code})' if found.code else ''}", "Look at the VM's activity log."
        return Progress(step=Step.FINISHED, outcome=Status.FAILED, says=says, hint=hint, ended_at=ended_at)
    unread = f" ({found.unread})" if found.unread else ""
    if age >= (GIVE_UP if found.phases is not None else LOG_KEPT):
        says = f"what became of it cannot be found out any more{unread}"
        return Progress(step=Step.FINISHED, outcome=Status.UNKNOWN, says=says)
    if not is_taken and found.provisioning not in ("", "updating") and age >= LOG_DELAY and found.phases is not None:
        says = "Azure's log has no such redeploy: the request never arrived"
        return Progress(step=Step.VOID, says=says, hint="Nothing was done; run again.")
    if is_taken:
        says = f"Azure has it, and shows no end of it yet{unread}"
    elif found.provisioning == "updating":
        says = "the VM is being changed, most likely by this redeploy"
    else:
        says = f"whether Azure took the request is not known; its log can take 15 minutes to tell{unread}"
    return Progress(step=Step.ACCEPTED if is_taken else Step.INTENDED, says=says)
