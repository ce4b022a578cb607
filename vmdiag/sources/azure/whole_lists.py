"""Answers that must be had whole or not at all.

Elsewhere a row that is none costs only itself. Here it may be the one that forbids a redeploy, or tells of one.
"""

from collections.abc import Iterator

from vmdiag.arm.request import Request, get_members
from vmdiag.arm.session import Session
from vmdiag.completeness import Row, find_missing_part
from vmdiag.errors import BadAnswer


def read_rows(session: Session, request: Request) -> list[Row]:
    """The rows of every page; raises `SourceError`, also for an answer that is no list and for a row that is none."""
    *_, rows = read_growing_rows(session, request)
    return rows


def read_growing_rows(session: Session, request: Request) -> Iterator[list[Row]]:
    """The same, growing page by page: what could be read was given out before an error is raised."""
    found: list[Row] = []
    said = get_members(None)
    for page in session.read_pages(request):
        said = get_members(page)
        held = said.get("value", said.get("data"))
        rows = [row for row in held if isinstance(row, dict)] if isinstance(held, list) else []
        found = [*found, *rows]
        yield found
        if not isinstance(held, list) or len(rows) < len(held):
            raise _build_error(request, "the answer is not a list that can be understood")
        if lack := find_missing_part(said, len(found), is_followed=True):
            raise _build_error(request, lack.reason)
    if lack := find_missing_part(said, len(found)):
        raise _build_error(request, lack.reason)


def read_resource(session: Session, request: Request) -> Row:
    """The one resource that was asked for; raises `SourceError`, also for an answer that is none."""
    page = next(session.read_pages(request))
    if not isinstance(page, dict):
        raise _build_error(request, "the answer is no resource")
    return page


def _build_error(request: Request, reason: str) -> BadAnswer:
    return BadAnswer(f"{request.description}: {reason}", "Run again later; 'vmdiag doctor' tries every feed.")
