"""Answers that must be had whole or not at all; must not know what they say.

Elsewhere a row that is none costs only itself. Here it may be the one that forbids a redeploy, or tells of one.
"""

from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.completeness import Missing, missing_part
from vmdiag.errors import BadAnswer
from vmdiag.sources._items import Row

HINT = "Run again later; 'vmdiag doctor' tries every feed."


def listed(session: Session, request: Request) -> list[Row]:
    """The rows of every page; raises `SourceError`, also for an answer that is no list and for a row that is none."""
    found: list[Row] = []
    said: Row = {}
    for page in session.pages(request):
        said = page if isinstance(page, dict) else {}
        held = said.get("value", said.get("data"))
        if not isinstance(held, list) or not all(isinstance(row, dict) for row in held):
            message = f"{request.what}: the answer is not a list that can be understood"
            raise BadAnswer(message, HINT)
        found += held
        _refuse(request, missing_part(said, len(found), is_followed=True))
    _refuse(request, missing_part(said, len(found)))
    return found


def _refuse(request: Request, lack: Missing | None) -> None:
    if lack is not None:
        message = f"{request.what}: {lack.reason}"
        raise BadAnswer(message, HINT)


def single(session: Session, request: Request) -> Row:
    """The one resource that was asked for; raises `SourceError`, also for an answer that is none."""
    page = next(session.pages(request))
    if not isinstance(page, dict):
        message = f"{request.what}: the answer is no resource"
        raise BadAnswer(message, HINT)
    return page
