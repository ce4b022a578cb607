"""What the platform's words mean: a record's name, status and sentences as a kind of event; pure.

Names are matched, sentences only where a record has no name that is known: titles are shared by opposite events.
A note of Resource Health's in words that stand in no table may tell of anything: it is kept as what it is.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from vmdiag.diagnosis import event_words as words
from vmdiag.diagnosis.proof_words import PROOFS
from vmdiag.identity import NETWORK_TYPES
from vmdiag.model import Kind, Signal


class Phase(StrEnum):
    """How far a Resource Manager operation has come."""

    BEGUN = "begun"
    ACCEPTED = "accepted"  # `EndRequest` with this status is the rule, a later Succeeded the exception
    DONE = "done"
    FAILED = "failed"


PHASES: Mapping[str, Phase] = {
    "start": Phase.BEGUN,
    "started": Phase.BEGUN,
    "succeeded": Phase.DONE,
    "success": Phase.DONE,
    "resolved": Phase.DONE,
    "failed": Phase.FAILED,
    "failure": Phase.FAILED,
    "canceled": Phase.FAILED,
    "cancelled": Phase.FAILED,
}


def find_phase(status: str) -> Phase:
    """How far an operation with this status has come; a word nobody knows counts as accepted."""
    return PHASES.get(status.lower(), Phase.ACCEPTED)


def interpret_record(signal: Signal, name: str, status: str, facts: Mapping[str, str]) -> Kind:  # noqa: C901, PLR0911 - a table
    """What a record means; `Kind.OTHER` when it means nothing here."""
    match signal:
        case Signal.ACTIVITY:
            return Kind.OTHER if find_phase(status) is Phase.FAILED else _interpret_operation(name.lower(), facts)
        case Signal.HEALTH:
            return _interpret_health(name, status, facts)
        case Signal.SERVICE:
            if {"incident", "serviceissue"}.isdisjoint(name.lower().split("/")):
                return Kind.OTHER  # planned maintenance, advisories, security and billing notes explain no loss
            return Kind.SERVICE_RESOLVED if status.lower() == "resolved" else Kind.SERVICE_INCIDENT
        case Signal.POWER:
            return words.POWER.get(name.lower().removeprefix("powerstate/").removeprefix("vm "), Kind.OTHER)
        case Signal.AGENT:
            ready = status.lower() == "ready" or name.lower().startswith("provisioningstate/succeeded")
            return Kind.AGENT_READY if ready else Kind.AGENT_NOT_READY
        case Signal.OPERATOR:
            return Kind.UNREACHABLE
        case Signal.PROBE:
            return Kind.PROBE_ANSWERED if status.lower() == "answered" else Kind.PROBE_FAILED
        case Signal.BALANCER | Signal.CONSOLE:
            return (words.BACKEND_REASONS if signal is Signal.BALANCER else words.CONSOLE).get(name.lower(), Kind.OTHER)
        case Signal.PROOF:
            found = PROOFS.get((name.lower(), status.lower()), Kind.OTHER)
            return Kind.PROOF_DENIED if found is Kind.PROOF_LOST and "denied" in facts else found
        case Signal.APPLICATION:
            return Kind.APPLICATION_HEALTHY if name.lower() == words.HEALTHY else Kind.OTHER
        case (
            Signal.TRAFFIC
            | Signal.AVAILABILITY
            | Signal.CPU
            | Signal.DISK
            | Signal.HEARTBEAT
            | Signal.MONITOR
            | Signal.FLOWS
        ):
            return Kind.OTHER  # these are series, not records


def collect_names(kinds: Collection[Kind]) -> Mapping[Signal, frozenset[str]]:
    """The words, in lower case, by which a query finds the records that mean one of these kinds: the table backwards.

    Of `ACTIVITY` whole operations on VMs, of `HEALTH` the beginnings of annotations' names, and the states, of `POWER`
    the states. Sentences are not among them: who looks for health records that have no name must take all of those.
    """
    operations = {
        f"{vm_type}{name}" for vm_type in words.VM_TYPES for name, kind in words.OPERATIONS.items() if kind in kinds
    }
    health = {name.lower() for name, kind in words.ANNOTATIONS.items() if kind in kinds}
    states = {name for name, kind in words.STATUSES.items() if kind in kinds}
    power = {name for name, kind in words.POWER.items() if kind in kinds}
    return {
        Signal.ACTIVITY: frozenset(operations),
        Signal.HEALTH: frozenset(health | states),
        Signal.POWER: frozenset(power),
    }


def _interpret_operation(name: str, facts: Mapping[str, str]) -> Kind:
    for vm_type in words.VM_TYPES:
        if name.startswith(vm_type):
            # Resource Graph tells which properties a write changed: a new size is a reboot.
            if "hardwareprofile.vmsize" in facts.get("changed", "").lower():
                return Kind.RESIZE
            return words.OPERATIONS.get(name.removeprefix(vm_type), Kind.OTHER)
    if name.startswith("microsoft.network/") and name.endswith(words.CHANGING):
        provider, kind, *_ = name.split("/")
        return Kind.NETWORK_CHANGE if f"{provider}/{kind}" in NETWORK_TYPES else Kind.OTHER
    return Kind.OTHER


def _interpret_health(name: str, status: str, facts: Mapping[str, str]) -> Kind:
    if name == "availability":
        return words.STATUSES.get(status.lower(), Kind.OTHER)
    if name == words.UNTIMED_EVENT:
        return Kind.SCHEDULED_EVENT
    if "event_type" in facts:
        return _interpret_scheduled_event(facts["event_type"].lower(), status.lower(), facts)
    word = name.partition("//")[0].lower()
    begun = [known for known in words.ANNOTATIONS if word.startswith(known.lower())]
    if begun:
        return words.ANNOTATIONS[max(begun, key=len)]
    kind = _interpret_sentences(facts.get(part, "") for part in ("title", "details", "summary", "reason"))
    return Kind.UNKNOWN_NOTE if kind is Kind.OTHER and word and word not in words.STATUSES else kind


def _interpret_scheduled_event(event_type: str, status: str, facts: Mapping[str, str]) -> Kind:
    """The kind of an event of this `EventType` and `EventStatus`; the facts have its `summary` and its `source`."""
    if status in words.ANNOUNCED:
        return Kind.OTHER
    if status not in words.HAPPENING:
        return Kind.UNKNOWN_NOTE
    description = facts.get("summary", "").lower()
    if event_type == "freeze":
        if words.MIGRATION in description:
            return Kind.LIVE_MIGRATION
        # A capture of 2024 shows a sentence that stands on no page: neither "moved" nor "same host" can be read into
        # it.
        return Kind.FREEZE if any(part in description for part in words.IN_PLACE) else Kind.UNKNOWN_NOTE
    by_customer = facts.get("source", "").lower() == "user" or words.AS_REQUESTED in description
    kind = (words.CUSTOMER_EVENTS if by_customer else words.PLATFORM_EVENTS).get(event_type, Kind.UNKNOWN_NOTE)
    failed = kind is Kind.PLANNED_REBOOT and any(part in description for part in words.FAILURES)
    return Kind.HOST_FAILURE if failed else kind


def _interpret_sentences(sentences: Iterable[str]) -> Kind:
    """The event that a note's sentences tell of together.

    `OTHER` when they tell of none, `UNKNOWN_NOTE` when they say something that stands in no catalogue.
    """
    plain = [sentence.replace("\u2019", "'").strip(" .").lower() for sentence in sentences]
    text = " ".join(plain)
    told = next((kind for fragment, kind in words.CATALOGUE.items() if fragment in text), None)
    # A live migration may be a part of maintenance.
    if words.MIGRATION in text and told in (None, Kind.PLANNED_REBOOT):
        if any(part in text for part in words.FAILED):
            return Kind.LIVE_MIGRATION_FAILED
        return Kind.UNKNOWN_NOTE if any(part in text for part in words.NOT_YET) else Kind.LIVE_MIGRATION
    if told is None and "paused" in text and "maintenance" in text:
        told = Kind.FREEZE
    elif told is None and any(part in text for part in words.CUSTOMERS):
        told = next((kind for verb, kind in words.CUSTOMER_PHRASES.items() if verb in text), None)
    known = words.STATES | words.BARE
    is_state = all(not said or said in known or any(part in said for part in words.OF_STATES) for said in plain)
    return told or (Kind.OTHER if is_state else Kind.UNKNOWN_NOTE)
