"""How Azure's operation goes on, by the address that Azure gave for it; must not begin one.

Source: "Track asynchronous Azure operations": the address answers with a status until it is Succeeded, Failed or
Canceled.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from vmdiag.arm import clouds, error_translation
from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.errors import BadAnswer
from vmdiag.redeploy import messages

PERMISSION = "Microsoft.Compute/locations/operations/read"


class Stage(StrEnum):
    """How far Azure's operation is."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    VOID = "void"  # there is no such operation
    UNKNOWN = "unknown"  # nobody can say any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What Azure says of the operation, and when it ended; `hint` is what to do about a failure."""

    stage: Stage
    says: str
    hint: str = ""
    ended_at: datetime | None = None


def read_progress(session: Session, operation: str) -> Progress:
    """What Azure says of an operation; raises `SourceError`. A token goes to the cloud's own host only."""
    arm = session.cloud.arm
    try:
        below = clouds.strip_origin(arm, urljoin(arm, operation))
    except ValueError as odd:
        message = "the operation's address is none"
        raise BadAnswer(message, "Look the VM up instead.") from odd
    if below is None:
        message = "the operation's address lies on another host, and the token is not taken there"
        raise BadAnswer(message, "Look the VM up instead.")
    there = urlsplit(below)
    request = Request(
        description="the redeploy's operation",
        service="",
        path=unquote(there.path),
        permission=PERMISSION,
        params=dict(parse_qsl(there.query)),
    )
    page = next(session.read_pages(request))
    told = page if isinstance(page, dict) else {}
    status, ended_at = str(told.get("status", "")).lower(), _parse_instant(told.get("endTime"))
    if status in ("failed", "canceled", "cancelled"):
        error = told.get("error")
        said = error if isinstance(error, dict) else {}
        meaning = messages.explain_failure(
            str(said.get("code") or status), error_translation.shorten_message(str(said.get("message") or ""))
        )
        return Progress(stage=Stage.FAILED, says=meaning.says, hint=meaning.hint, ended_at=ended_at)
    if status == "succeeded":
        return Progress(stage=Stage.SUCCEEDED, says="Azure moved the VM and started it", ended_at=ended_at)
    return Progress(stage=Stage.RUNNING, says=str(told.get("status") or "in progress")[:40])


def _parse_instant(told: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
