"""What Azure works at for minutes: it answers 202, and names the address (`Location`) at which the answer is fetched.

Source: "Track asynchronous Azure operations".
"""

import time
from datetime import timedelta

from vmdiag.arm import clouds
from vmdiag.arm.rate_limits import parse_retry_after
from vmdiag.arm.request import PendingAnswer, Request
from vmdiag.arm.session import Session
from vmdiag.errors import BadAnswer
from vmdiag.values import replace

OPERATION_PERMISSION = "Microsoft.Network/locations/operationResults/read"
# Seconds between two looks, where Azure does not say when to look again, at least and at most.
POLL_PAUSE, POLL_LEAST, POLL_LIMIT = 5.0, 0.2, 30.0


def run_action(session: Session, request: Request, limit: timedelta) -> object:
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
