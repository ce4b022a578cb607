"""How Azure's operation goes on, by the address that Azure gave for it.

Source: "Track asynchronous Azure operations": the address answers with a status until it is Succeeded, Failed or
Canceled.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from vmdiag.arm import clouds, error_translation
from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.errors import BadAnswer
from vmdiag.mitigation import Status
from vmdiag.redeploy import messages
from vmdiag.redeploy.journal import Step

PERMISSION = "Microsoft.Compute/locations/operations/read"
LOOK = "Look the VM up instead."


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What Azure says of a redeploy: of the request, or of the operation that it began.

    `step` is `INTENDED` where no clear answer came, so that it may have happened. `outcome` and `ended_at` are of a
    `FINISHED` one; `hint` is what to do about a failure; `operation` is the address at which Azure tells of it.
    """

    step: Step
    says: str
    hint: str = ""
    outcome: Status | None = None
    ended_at: datetime | None = None
    operation: str | None = None
    correlation: str | None = None


def read_progress(session: Session, operation: str) -> Progress:
    """What Azure says of an operation; raises `SourceError`. A token goes to the cloud's own host only."""
    arm = session.cloud.arm
    try:
        below = clouds.strip_origin(arm, urljoin(arm, operation))
    except ValueError as odd:
        message = "the operation's address is none"
        raise BadAnswer(message, LOOK) from odd
    if below is None:
        message = "the operation's address lies on another host, and the token is not taken there"
        raise BadAnswer(message, LOOK)
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
        message = error_translation.shorten_message(str(said.get("message") or ""))
        says, hint = messages.explain_failure(str(said.get("code") or status), message)
        return Progress(step=Step.FINISHED, outcome=Status.FAILED, says=says, hint=hint, ended_at=ended_at)
    if status == "succeeded":
        return Progress(step=Step.FINISHED, outcome=Status.SUCCEEDED, says=messages.MOVED, ended_at=ended_at)
    return Progress(step=Step.ACCEPTED, says=str(told.get("status") or "in progress")[:40])


def _parse_instant(told: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
