"""What all questions to Resource Graph have in common; must not know what is asked."""

from collections.abc import Iterable

from vmdiag.arm.request import Request

PERMISSIONS = ("Microsoft.ResourceGraph/resources/read",)
PAGE_SIZE = 1_000


def build_graph_request(what: str, query: str, subscriptions: Iterable[str]) -> Request:
    """A query over some subscriptions, or without any over all that the sign-in can see."""
    body: dict[str, object] = {
        "query": query,
        "options": {"$top": PAGE_SIZE, "resultFormat": "objectArray"},
    }
    named = sorted(subscriptions)
    if named:
        body["subscriptions"] = named
    return Request(
        description=f"Resource Graph: {what}",
        service="graph",
        path="/providers/Microsoft.ResourceGraph/resources",
        permission=PERMISSIONS[0],
        body=body,
    )
