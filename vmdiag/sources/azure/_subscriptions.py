"""Subscriptions by the names that people give them; must not know what is read of one.

Source: "REST API: Subscriptions - List", which shows those that the sign-in can see. Names need not be unique.
"""

import re
from collections.abc import Mapping

from vmdiag.arm.session import Session
from vmdiag.errors import NotFound, UsageError
from vmdiag.sources.azure import inventory
from vmdiag.sources.azure.whole_lists import read_rows
from vmdiag.sources.decoding.fields import to_text
from vmdiag.sources.scope_words import LISTED_LIMIT, find_similar_names, join_with_limit, shorten_word

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def resolve_subscription_ids(session: Session, names_or_ids: frozenset[str]) -> frozenset[str]:
    """The ids, in lower case, of subscriptions that are given by id or by name; nothing is asked where all are ids.

    Raises `NotFound` for a name that there is not, `UsageError` for one that several have.
    """
    if all(GUID.fullmatch(word) for word in names_or_ids):
        return names_or_ids
    rows = read_rows(session, inventory.build_subscription_request())
    names_by_id = {to_text(row.get("subscriptionId")).lower(): to_text(row.get("displayName")) for row in rows}
    return frozenset(_resolve_subscription_id(word, names_by_id) for word in names_or_ids)


def build_invisible_error(words: list[str], names_by_id: Mapping[str, str]) -> NotFound:
    """The error for subscriptions that the sign-in does not see."""
    message = f"this sign-in cannot see the subscription {', '.join(map(shorten_word, words))}"
    known = [f"{name} ({one})" if name else one for one, name in names_by_id.items()]
    alike = [each for word in words for each in find_similar_names(word, [*names_by_id, *names_by_id.values()])]
    guess = f"Did you mean {' or '.join(map(shorten_word, alike))}? " if alike else ""
    there = f"It sees {join_with_limit(known)}. " if known else ""
    return NotFound(message, f"{guess}{there}Check --subscription, AZURE_SUBSCRIPTION_ID and who is signed in.")


def _resolve_subscription_id(word: str, names_by_id: Mapping[str, str]) -> str:
    if word in names_by_id or GUID.fullmatch(word):
        return word
    found = [one for one, name in names_by_id.items() if name.lower() == word]
    if len(found) > 1:
        rows = "\n  ".join(sorted(found)[:LISTED_LIMIT])
        message = f"{len(found)} subscriptions are called {shorten_word(word)}:\n  {rows}"
        raise UsageError(message, "Give the id of the one that is meant.")
    if not found:
        raise build_invisible_error([word], names_by_id)
    return found[0]
