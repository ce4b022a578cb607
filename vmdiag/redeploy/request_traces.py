"""What can be seen of a redeploy whose answer was lost: the VM's state, and the log's records of that very request.

Must not conclude. Source: "Azure Activity Log event schema" (`httpRequest.clientRequestId` is the id that was sent).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmdiag.arm.session import Session
from vmdiag.diagnosis.event_kinds import Phase, interpret, phase
from vmdiag.errors import NotFound, SourceError
from vmdiag.identity import VmId
from vmdiag.model import Kind, Signal, Window
from vmdiag.sources.azure import activity_log, virtual_machine
from vmdiag.sources.azure.feed_request import subscription_of
from vmdiag.sources.azure.whole_lists import listed, single
from vmdiag.sources.decoding.fields import at, mapping, objects, text
from vmdiag.sources.decoding.log_entry import Entry
from vmdiag.sources.decoding.timestamps import parse
from vmdiag.sources.formats import activity_log as wire
from vmdiag.sources.items import Malformed, Row

# This machine's clock and Azure's may differ by so much unnoticed.
SLACK = timedelta(minutes=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What was seen; `phases` is `None` where the log could not be read, `ended_at` when it tells of an end.

    `changed_at` is when the provisioning state began.
    """

    provisioning: str = ""
    changed_at: datetime | None = None
    phases: frozenset[Phase] | None = None
    ended_at: datetime | None = None
    code: str = ""
    is_gone: bool = False
    unread: str = ""


def trace(session: Session, vm: VmId, request: str, since: datetime) -> Trace:
    """Look at the VM and at its log; what could not be read is told, never raised."""
    phases, code, ended_at, unread = None, "", None, []
    try:
        entries = list(_entries(session, vm, request, Window(since - SLACK, session.now + SLACK)))
        phases = frozenset(phase(entry.status) for entry in entries)
        ends = (entry.at for entry in entries if phase(entry.status) in (Phase.DONE, Phase.FAILED))
        ended_at = max(ends, default=None)
        code = next((entry.substatus for entry in entries if phase(entry.status) is Phase.FAILED), "")
    except SourceError as error:
        unread.append(error.message)
    except Malformed as fault:
        unread.append(f"a record of the log has {fault.reason}")
    machine: Row = {}
    is_gone = False
    try:
        machine = single(session, virtual_machine.request(vm))
    except NotFound:
        is_gone = True
    except SourceError as error:
        unread.append(error.message)
    provisioning, changed_at = _state(machine)
    return Trace(
        provisioning=provisioning,
        changed_at=changed_at,
        phases=phases,
        ended_at=ended_at,
        code=code,
        is_gone=is_gone,
        unread="; ".join(unread),
    )


def _entries(session: Session, vm: VmId, request: str, span: Window) -> Iterator[Entry]:
    for row in listed(session, activity_log.request(subscription_of(vm), span, vm=vm)):
        entry = wire.entry(row)
        is_redeploy = interpret(Signal.ACTIVITY, entry.operation, "", {}) is Kind.REDEPLOY
        if is_redeploy and text(at(row, "httpRequest", "clientRequestId")).lower() in ("", request.lower()):
            yield entry


def _state(machine: Row) -> tuple[str, datetime | None]:
    members = mapping(machine.get("properties"))
    for each in objects(at(members, "instanceView", "statuses")):
        code = text(each.get("code")).lower()
        if code.startswith("provisioningstate/"):
            return code.split("/")[1], parse(each.get("time"))
    return text(members.get("provisioningState")).lower(), None
