"""The actions of `--prove`: the only POSTs besides queries that a reading may send, and how their answers are had.

Each looks at a VM from somewhere else and changes nothing; each needs a right that Reader lacks. Azure works at some
for minutes: it answers 202 and names the address (`Location`) at which the answer is to be fetched.

Sources: "REST API: Network Watchers - Check Connectivity", "- Verify IP Flow", "- Get Next Hop", "Load Balancer Load
Balancing Rules - Health", "Application Gateways - Backend Health"; "Track asynchronous Azure operations".
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from vmdiag.arm import clouds
from vmdiag.arm.rate_limits import parse_retry_after
from vmdiag.arm.request import Request
from vmdiag.errors import BadAnswer, NotAllowed

if TYPE_CHECKING:
    from vmdiag.arm.session import Session

OPERATION_PERMISSION = "Microsoft.Network/locations/operationResults/read"
_NAMED = r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.network"
PROOF_PATHS = (
    re.compile(rf"{_NAMED}/networkwatchers/[^/]+/(connectivitycheck|ipflowverify|nexthop)", re.IGNORECASE),
    re.compile(rf"{_NAMED}/loadbalancers/[^/]+/loadbalancingrules/[^/]+/health", re.IGNORECASE),
    re.compile(rf"{_NAMED}/applicationgateways/[^/]+/backendhealth", re.IGNORECASE),
)
# Seconds between two looks, where Azure does not say when to look again, at least and at most.
POLL_PAUSE, POLL_LEAST, POLL_LIMIT = 5.0, 0.2, 30.0


@dataclass(frozen=True, slots=True)
class PendingAnswer:
    """Azure works at it (202): the headers say where the answer will be, and when to look again."""

    headers: Mapping[str, str]


def require_proof_action(request: Request, *, proves: bool) -> None:
    """Raise for an action that this run may not send: without `--prove` any, with it what is none of its own."""
    if request.is_action and not (proves and any(path.fullmatch(request.path) for path in PROOF_PATHS)):
        message = f"{request.description}: an action that was not asked for"
        raise NotAllowed(message, "Only --prove sends actions, and only those that look.")


def run_action(session: "Session", request: Request, limit: timedelta) -> object:
    """What an action answers, however long Azure works at it, within a limit and the run's time; or `SourceError`."""
    ends = time.monotonic() + limit.total_seconds()
    answer = session.read_page(request, "", request.body)
    origin = session.cloud.arm
    while isinstance(answer, PendingAnswer):
        location = answer.headers.get("Location", "")
        below = clouds.strip_origin(origin, f"{origin}{location}" if location.startswith("/") else location)
        if below is None:
            message = f"{request.description}: Azure works at it, and names no place of its own for the answer"
            raise BadAnswer(message, "A token is taken to no other host; run again.")
        told = parse_retry_after(answer.headers, session.now)
        pause = POLL_PAUSE if told is None else max(POLL_LEAST, min(told, POLL_LIMIT))
        if time.monotonic() + pause > ends:
            message = f"{request.description}: Azure had not ended it after {limit.total_seconds():.0f} s"
            raise BadAnswer(message, "Run again later.")
        session.wait_seconds(pause, request)
        poll = replace(request, is_action=False, is_operation=True, body=None, permission=OPERATION_PERMISSION)
        answer = session.read_page(poll, f"{origin}{below}", None)
    return answer
