"""Answers that must be had whole or not at all; must not know what they say.

Elsewhere a row that is none costs only itself. Here it may be the one that forbids a redeploy, or tells of one.
"""

from vmdiag.arm.request import Request
from vmdiag.arm.session import Session
from vmdiag.errors import BadAnswer
from vmdiag.sources._items import Row

HINT = "Run again later; 'vmdiag doctor' tries every feed."


def listed(session: Session, request: Request) -> list[Row]:
    """The rows of every page; raises `SourceError`, also for an answer that is no list and for a row that is none.

    So it does for an answer that says, or shows, that it is not whole: an error beside the rows, a cut, a link that
    nobody can follow, fewer rows than it names.
    """
    found: list[Row] = []
    total: object = None
    for page in session.pages(request):
        if isinstance(page, dict) and _is_cut(page):
            message = f"{request.what}: the answer says that it is not whole"
            raise BadAnswer(message, HINT)
        total = page.get("totalRecords") if isinstance(page, dict) else None
        held = page.get("value", page.get("data")) if isinstance(page, dict) else None
        if not isinstance(held, list) or not all(isinstance(row, dict) for row in held):
            message = f"{request.what}: the answer is not a list that can be understood"
            raise BadAnswer(message, HINT)
        found += held
    if isinstance(total, int) and total > len(found):
        message = f"{request.what}: {len(found)} of {total} rows came"
        raise BadAnswer(message, HINT)
    return found


def _is_cut(page: dict[str, object]) -> bool:
    """Whether a page shows that something is missing beside or after it ("REST API: Resources", `resultTruncated`)."""
    is_truncated = str(page.get("resultTruncated", "")).lower() == "true" and not page.get("$skipToken")
    links = [page.get("nextLink"), page.get("$skipToken")]
    return bool(page.get("error")) or is_truncated or any(link and not isinstance(link, str) for link in links)


def single(session: Session, request: Request) -> Row:
    """The one resource that was asked for; raises `SourceError`, also for an answer that is none."""
    page = next(session.pages(request))
    if not isinstance(page, dict):
        message = f"{request.what}: the answer is no resource"
        raise BadAnswer(message, HINT)
    return page
