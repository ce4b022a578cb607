"""What all questions to Resource Graph have in common; must not know what is asked."""

from collections.abc import Iterable

from vmdiag.arm.request import Request

PERMISSIONS = ("Microsoft.ResourceGraph/resources/read",)
LARGEST_PAGE = 1_000


def request(what: str, query: str, subscriptions: Iterable[str]) -> Request:
    """A query over some subscriptions, or without any over all that the sign-in can see."""
    body: dict[str, object] = {
        "query": query,
        "options": {"$top": LARGEST_PAGE, "resultFormat": "objectArray"},
    }
    named = sorted(subscriptions)
    if named:
        body["subscriptions"] = named
    return Request(
        what=f"Resource Graph: {what}",
        service="graph",
        path="/providers/Microsoft.ResourceGraph/resources",
        permission=PERMISSIONS[0],
        body=body,
    )
