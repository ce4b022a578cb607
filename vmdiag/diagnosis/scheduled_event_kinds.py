"""What an event of "Azure Metadata Service: Scheduled Events" means for its VM; pure.

Sources: Microsoft's pages "Scheduled events overview", "... for Linux VMs", "... in Event Grid" (2026-05-01), and the
sentences of Azure-Samples/scheduled-events-mock-server. `Freeze` is every pause that keeps the memory: only the
description says whether the VM left its host.
"""

from collections.abc import Mapping

from vmdiag.model import Kind

# What was announced may still be taken back: such an event vanishes, and nothing has happened.
ANNOUNCED = frozenset({"scheduled", "canceled", "cancelled"})
HAPPENING = frozenset({"started", "completed"})
MIGRATION = "live migration"
IN_PLACE = (
    "host server is undergoing maintenance",
    "host server infrastructure is undergoing maintenance",
    "host server is undergoing an emergency repair",
)
# A host that fails skips the announcement: the redeploy comes as Started at once.
FAILURES = ("encountered a failure", "emergency repair")
PLATFORMS: Mapping[str, Kind] = {
    "reboot": Kind.PLANNED_REBOOT,
    "redeploy": Kind.PLANNED_REBOOT,
    "preempt": Kind.EVICTION,
    "terminate": Kind.DELETE,
}
# What a customer asked for is announced in the same way, with another source.
CUSTOMERS: Mapping[str, Kind] = {**PLATFORMS, "reboot": Kind.RESTART, "redeploy": Kind.REDEPLOY}
AS_REQUESTED = "requested by authorized user"


def interpret_scheduled_event(event_type: str, status: str, facts: Mapping[str, str]) -> Kind:
    """The kind of an event of this `EventType` and `EventStatus`; the facts have its `summary` and its `source`."""
    stage, word = status.lower(), event_type.lower()
    if stage in ANNOUNCED:
        return Kind.OTHER
    if stage not in HAPPENING:
        return Kind.UNKNOWN_NOTE
    description = facts.get("summary", "").lower()
    if word == "freeze":
        return _parse_pause(description)
    by_customer = facts.get("source", "").lower() == "user" or AS_REQUESTED in description
    kind = (CUSTOMERS if by_customer else PLATFORMS).get(word, Kind.UNKNOWN_NOTE)
    failed = kind is Kind.PLANNED_REBOOT and any(words in description for words in FAILURES)
    return Kind.HOST_FAILURE if failed else kind


def _parse_pause(description: str) -> Kind:
    if MIGRATION in description:
        return Kind.LIVE_MIGRATION
    # A capture of 2024 shows a sentence that stands on no page: neither "moved" nor "same host" can be read into it.
    return Kind.FREEZE if any(words in description for words in IN_PLACE) else Kind.UNKNOWN_NOTE
