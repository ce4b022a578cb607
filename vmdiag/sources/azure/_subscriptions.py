"""Subscriptions by the names that people give them; must not know what is read of one.

Source: "REST API: Subscriptions - List", which shows those that the sign-in can see. Names need not be unique.
"""

import re
from collections.abc import Mapping

from vmdiag.arm.session import Session
from vmdiag.errors import NotFound, UsageError
from vmdiag.sources.azure import inventory
from vmdiag.sources.azure.whole_lists import listed as rows_of
from vmdiag.sources.decoding.fields import text
from vmdiag.sources.scope_words import MOST_LISTED, listed, near, shown

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def ids_of(session: Session, words: frozenset[str]) -> frozenset[str]:
    """The ids, in lower case, of subscriptions that are given by id or by name; nothing is asked where all are ids.

    Raises `NotFound` for a name that there is not, `UsageError` for one that several have.
    """
    if all(GUID.fullmatch(word) for word in words):
        return words
    rows = rows_of(session, inventory.trial_subscriptions())
    called = {text(row.get("subscriptionId")).lower(): text(row.get("displayName")) for row in rows}
    return frozenset(_id(word, called) for word in words)


def unseen(words: list[str], called: Mapping[str, str]) -> NotFound:
    """The error for subscriptions that the sign-in does not see."""
    message = f"this sign-in cannot see the subscription {', '.join(map(shown, words))}"
    known = [f"{name} ({one})" if name else one for one, name in called.items()]
    alike = [each for word in words for each in near(word, [*called, *called.values()])]
    guess = f"Did you mean {' or '.join(map(shown, alike))}? " if alike else ""
    there = f"It sees {listed(known)}. " if known else ""
    return NotFound(message, f"{guess}{there}Check --subscription, AZURE_SUBSCRIPTION_ID and who is signed in.")


def _id(word: str, called: Mapping[str, str]) -> str:
    if word in called or GUID.fullmatch(word):
        return word
    found = [one for one, name in called.items() if name.lower() == word]
    if len(found) > 1:
        rows = "\n  ".join(sorted(found)[:MOST_LISTED])
        message = f"{len(found)} subscriptions are called {shown(word)}:\n  {rows}"
        raise UsageError(message, "Give the id of the one that is meant.")
    if not found:
        raise unseen([word], called)
    return found[0]
