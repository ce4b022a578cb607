"""Lists in pages, with an absolute `nextLink`; must not know what is listed."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from tests.arm.call import Answer, Call, refuse
from tests.incidents.wire.plain import JsonObject

TOKEN = "$skiptoken"  # noqa: S105 - where a page begins, no secret

Item = TypeVar("Item")


def page_of(
    call: Call, items: Sequence[Item], key: Callable[[Item], str], shows: Callable[[Item], JsonObject]
) -> Answer:
    """The page that the call asks for; the items are in order, and `key` tells them apart.

    A page begins behind the item at which the one before ended, so nothing shifts when something new turns up.
    """
    start = 0
    if TOKEN in call.query:
        behind = _opened(call.query[TOKEN])
        start = next((number + 1 for number, item in enumerate(items) if key(item) == behind), len(items))
    shown = items[start : start + call.page]
    body: JsonObject = {"value": [shows(item) for item in shown]}
    if start + call.page < len(items):
        body["nextLink"] = next_link(call, key(shown[-1]))
    return Answer(body=body)


def listed(call: Call, items: Sequence[JsonObject]) -> Answer:
    """The page of items that have an `id`."""
    return page_of(call, items, lambda item: str(item["id"]), lambda item: item)


def next_link(call: Call, behind: str) -> str:
    """The same request, for what comes behind that item."""
    token = base64.urlsafe_b64encode(behind.encode()).decode()
    return f"{call.origin}{call.path}?{urlencode({**call.query, TOKEN: token}, safe='$')}"


def _opened(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, ValueError):
        refuse(400, "InvalidSkipToken", "The skip token is invalid.")
