"""Answers that must be had whole or not at all; must not know what they say.

Elsewhere a row that is none costs only itself. Here it may be the one that forbids a redeploy, or tells of one.
"""

from collections.abc import Iterator

from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.completeness import Missing, find_missing_part
from vmdiag.errors import BadAnswer
from vmdiag.sources.items import Row

RETRY_LATER_HINT = "Run again later; 'vmdiag doctor' tries every feed."


def read_rows(session: Session, request: Request) -> list[Row]:
    """The rows of every page; raises `SourceError`, also for an answer that is no list and for a row that is none."""
    found: list[Row] = []
    for found in read_growing_rows(session, request):  # noqa: B007 - the last is the whole
        pass
    return found


def read_growing_rows(session: Session, request: Request) -> Iterator[list[Row]]:
    """The same, growing page by page: what could be read was given out before an error is raised."""
    found: list[Row] = []
    said: Row = {}
    for page in session.read_pages(request):
        said = page if isinstance(page, dict) else {}
        held = said.get("value", said.get("data"))
        rows = [row for row in held if isinstance(row, dict)] if isinstance(held, list) else []
        found = [*found, *rows]
        yield found
        if not isinstance(held, list) or len(rows) < len(held):
            message = f"{request.description}: the answer is not a list that can be understood"
            raise BadAnswer(message, RETRY_LATER_HINT)
        _require_whole(request, find_missing_part(said, len(found), is_followed=True))
    _require_whole(request, find_missing_part(said, len(found)))


def _require_whole(request: Request, lack: Missing | None) -> None:
    if lack is not None:
        message = f"{request.description}: {lack.reason}"
        raise BadAnswer(message, RETRY_LATER_HINT)


def read_resource(session: Session, request: Request) -> Row:
    """The one resource that was asked for; raises `SourceError`, also for an answer that is none."""
    page = next(session.read_pages(request))
    if not isinstance(page, dict):
        message = f"{request.description}: the answer is no resource"
        raise BadAnswer(message, RETRY_LATER_HINT)
    return page
