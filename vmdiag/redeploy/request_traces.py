"""What can be seen of a redeploy whose answer was lost: the VM's state, and the log's records of that very request.

Must not conclude. Source: "Azure Activity Log event schema" (`httpRequest.clientRequestId` is the id that was sent).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmdiag.arm.session import Session
from vmdiag.diagnosis.event_kinds import Phase, find_phase, interpret_record
from vmdiag.errors import NotFound, SourceError
from vmdiag.identity import VmId
from vmdiag.model import Kind, Signal, Window
from vmdiag.sources.azure import activity_log, virtual_machine
from vmdiag.sources.azure.feed_request import get_subscription_id
from vmdiag.sources.azure.whole_lists import read_resource, read_rows
from vmdiag.sources.decoding.fields import get_path, iter_objects, to_mapping, to_text
from vmdiag.sources.decoding.log_entry import LogEntry
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.sources.formats import activity_log as wire
from vmdiag.sources.items import MalformedRow, Row

# This machine's clock and Azure's may differ by so much unnoticed.
CLOCK_TOLERANCE = timedelta(minutes=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeployTraces:
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


def find_redeploy_traces(session: Session, vm: VmId, request_id: str, since: datetime) -> RedeployTraces:
    """Look at the VM and at its log; what could not be read is told, never raised."""
    phases, code, ended_at, unread = None, "", None, []
    try:
        entries = list(
            _read_log_entries(session, vm, request_id, Window(since - CLOCK_TOLERANCE, session.now + CLOCK_TOLERANCE))
        )
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
    provisioning, changed_at = _read_provisioning_state(machine)
    return RedeployTraces(
        provisioning=provisioning,
        changed_at=changed_at,
        phases=phases,
        ended_at=ended_at,
        code=code,
        is_gone=is_gone,
        unread="; ".join(unread),
    )


def _read_log_entries(session: Session, vm: VmId, request_id: str, span: Window) -> Iterator[LogEntry]:
    for row in read_rows(session, activity_log.build_request(get_subscription_id(vm), span, vm=vm)):
        entry = wire.decode_log_entry(row)
        is_redeploy = interpret_record(Signal.ACTIVITY, entry.operation, "", {}) is Kind.REDEPLOY
        if is_redeploy and to_text(get_path(row, "httpRequest", "clientRequestId")).lower() in ("", request_id.lower()):
            yield entry


def _read_provisioning_state(machine: Row) -> tuple[str, datetime | None]:
    members = to_mapping(machine.get("properties"))
    for each in iter_objects(get_path(members, "instanceView", "statuses")):
        code = to_text(each.get("code")).lower()
        if code.startswith("provisioningstate/"):
            return code.split("/")[1], parse_time(each.get("time"))
    return to_text(members.get("provisioningState")).lower(), None
