"""How Azure's operation goes on, by the address that Azure gave for it.

Source: "Track asynchronous Azure operations": the address answers with a status until it is Succeeded, Failed or
Canceled.
"""

from datetime import datetime
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from vmdiag.arm import clouds, error_translation
from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.errors import BadAnswer
from vmdiag.mitigation import Status
from vmdiag.redeploy import messages
from vmdiag.redeploy.journal import Step
from vmdiag.sources.decoding.fields import to_mapping
from vmdiag.sources.decoding.timestamps import parse_time
from vmdiag.values import Struct

PERMISSION = "Microsoft.Compute/locations/operations/read"


class Progress(Struct, frozen=True, kw_only=True):
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
        message = "what Azure gave for the operation's address is no address"
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
    answer = to_mapping(page)
    status, ended_at = str(answer.get("status", "")).lower(), parse_time(answer.get("endTime"))
    if status in ("failed", "canceled", "cancelled"):
        error = to_mapping(answer.get("error"))
        message = error_translation.shorten_message(str(error.get("message") or ""))
        says, hint = messages.explain_failure(str(error.get("code") or status), message)
        return Progress(step=Step.FINISHED, outcome=Status.FAILED, says=says, hint=hint, ended_at=ended_at)
    if status == "succeeded":
        return Progress(step=Step.FINISHED, outcome=Status.SUCCEEDED, says=messages.MOVED, ended_at=ended_at)
    return Progress(step=Step.ACCEPTED, says=str(answer.get("status") or "in progress")[:40])
