"""The dialects in which Azure tells a VM's health, as one; must not know where they were read or what a name means.

Sources: "Azure Activity Log event schema: Resource Health category" (flat, nested and older keys), "Resource health
virtual machine Health Annotations", "Azure Resource Graph sample queries for HealthResources" (annotation and
availability rows). All say the same few things under different keys.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from vmdiag.identity import VmId
from vmdiag.model import Record, Signal
from vmdiag.sources.decoding.fields import brief, facts, mapping, text
from vmdiag.sources.items import Heard, Malformed

STATES = frozenset({"available", "unavailable", "degraded", "unknown"})
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
HUMPS = re.compile(r"[A-Z].*[A-Z]")
# One word of English in these fields ("Unavailable") is shorter, and the names of annotations in lower case are longer.
LONG_FOR_A_WORD = 16
UNREADABLE = "a health event without properties that can be read: what it says of the VM is not known"
REQUESTS = frozenset({"beginrequest", "endrequest"})  # what `eventName` says of an operation, not of health


def heard(vm: VmId, at: datetime, said: Mapping[str, object], ref: str) -> Iterator[Heard]:
    """Up to two records: the availability state, and the annotation or the words that came with it.

    Among the words may be `eventName`, which Microsoft maps to the annotation's name, and `stage`, the event's status.
    """
    said = mapping(said.get("eventProperties")) or said
    title = text(said.get("title")) or text(said.get("reason"))
    details = text(said.get("details")) or text(said.get("detailedStatus"))
    summary = text(said.get("summary"))
    cause = _first(said, "cause", "healthEventCause", "context", "reasonType")
    state = brief(_first(said, "currentHealthStatus", "healthStatus", "availabilityState"))
    if state:
        previous = _first(said, "previousHealthStatus", "previousAvailabilityState")
        known = facts(previous=previous, cause=cause, title=title, details=details)
        yield Heard(vm, Record(at=at, signal=Signal.HEALTH, name="availability", status=state, facts=known, ref=ref))

    named = text(said.get("annotationName")).partition("//")[0].strip()
    name = brief(named or _name(details, title, text(said.get("eventName"))))
    if name or _tells(title, details, summary):
        known = facts(
            title=title,
            details="" if name and details.startswith(name) else details,
            summary=summary,
            cause=cause,
            category=_first(said, "category", "healthEventCategory"),
            impact=said.get("impactType"),
            stage=said.get("stage"),
        )
        yield Heard(vm, Record(at=at, signal=Signal.HEALTH, name=name, facts=known, ref=ref))


def understood(vm: VmId, at: datetime, said: Mapping[str, object], ref: str) -> Iterator[Heard]:
    """The same of an event that must say something: it may be the one that tells of a loss.

    Raises `Malformed` behind a note that there was one, where its properties are missing or are no JSON.
    """
    found = None
    for found in heard(vm, at, said, ref):
        yield found
    if found is None:
        known = facts(title=UNREADABLE, stage=said.get("stage"))
        yield Heard(vm, Record(at=at, signal=Signal.HEALTH, name="", facts=known, ref=ref))
        raise Malformed(UNREADABLE, vm)


def _first(said: Mapping[str, object], *keys: str) -> str:
    return next((word for key in keys if (word := text(said.get(key)))), "")


def _name(*candidates: str) -> str:
    """The first that looks like an identifier rather than a word or a sentence.

    A public query of Microsoft's cuts annotation names at `//` before it compares them, so they may carry a suffix.
    """
    for candidate in candidates:
        name = candidate.partition("//")[0].strip()
        if not WORD.fullmatch(name) or name.lower() in REQUESTS:
            continue
        if "_" in name or len(name) >= LONG_FOR_A_WORD or (HUMPS.search(name) and not name.isupper()):
            return name
    return ""


def _tells(title: str, details: str, summary: str) -> bool:
    """Whether the words say more than a state, which the other record holds already."""
    words = {title.lower(), details.lower(), summary.lower()} - {""}
    return bool(words - STATES)
