"""Lists in pages, with an absolute `nextLink`; must not know what is listed."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from tests.arm.call import Answer, ApiCall, refuse
from tests.incidents.wire.plain import JsonObject

TOKEN = "$skiptoken"  # noqa: S105 - where a page begins, no secret

Item = TypeVar("Item")


def build_page(
    call: ApiCall, items: Sequence[Item], key: Callable[[Item], str], describe: Callable[[Item], JsonObject]
) -> Answer:
    """The page that the call asks for; the items are in order, and `key` tells them apart.

    A page begins behind the item at which the one before ended, so nothing shifts when something new turns up.
    """
    start = 0
    if TOKEN in call.query:
        behind = _decode_token(call.query[TOKEN])
        start = next((number + 1 for number, item in enumerate(items) if key(item) == behind), len(items))
    shown = items[start : start + call.page_size]
    body: JsonObject = {"value": [describe(item) for item in shown]}
    if start + call.page_size < len(items):
        body["nextLink"] = build_next_link(call, key(shown[-1]))
    return Answer(body=body)


def build_id_page(call: ApiCall, items: Sequence[JsonObject]) -> Answer:
    """The page of items that have an `id`."""
    return build_page(call, items, lambda item: str(item["id"]), lambda item: item)


def build_next_link(call: ApiCall, behind: str) -> str:
    """The same request, for what comes behind that item."""
    token = base64.urlsafe_b64encode(behind.encode()).decode()
    return f"{call.origin}{call.path}?{urlencode({**call.query, TOKEN: token}, safe='$')}"


def _decode_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, ValueError):
        refuse(400, "InvalidSkipToken", "The skip token is invalid.")
