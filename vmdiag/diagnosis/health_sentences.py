"""What Resource Health's sentences mean, for notes that carry no name; pure.

Sources: Microsoft's pages "Resource Health virtual machine annotations" (2025-06-06, 2026-03-18) and "Resource Health
Check Support for Azure Cloud Services", whose annotations are those of VMs (2024-07-24). Both word one event in ways
that differ, so fragments are matched, not sentences.
"""

from collections.abc import Iterable, Mapping

from vmdiag.model import Kind

# The first that stands in the text decides: a host that is expected to fail may be left by live migration, and a
# migration may be a part of routine maintenance.
CATALOGUE: Mapping[str, Kind] = {
    "might be experiencing issues": Kind.PRECURSOR,
    "might have degraded": Kind.PRECURSOR,
    "potentially degraded": Kind.PRECURSOR,
    "predicted to fail": Kind.PRECURSOR,
    "due to degraded hardware": Kind.PRECURSOR,
    "routine update that resulted in a freeze": Kind.FREEZE,
    "undergoing freeze impact": Kind.FREEZE,
    # What failed to preserve the memory ends in a reboot.
    "might result in a freeze impact": Kind.PLANNED_REBOOT,
    "top-of-rack network device": Kind.NETWORK_UNHEALTHY,
    "temporary loss of access to disk": Kind.STORAGE_OFFLINE,
    "connectivity loss to the remote disk": Kind.STORAGE_OFFLINE,
    "remote disk disconnected": Kind.STORAGE_OFFLINE,
    "disk problems are preventing": Kind.STORAGE_OFFLINE,
    "preempted": Kind.EVICTION,
    "failure on the host server": Kind.HOST_FAILURE,
    "host server experiencing": Kind.HOST_FAILURE,
    "unexpected host": Kind.HOST_FAILURE,
    "unplanned host maintenance": Kind.HOST_FAILURE,
    "host server hardware failure": Kind.HOST_FAILURE,
    "redeploying due to host failure": Kind.HOST_FAILURE,
    "routine maintenance started by an authorized user": Kind.REDEPLOY,
    "routine maintenance workflows orchestrated by the platform": Kind.PLANNED_REBOOT,
    "part of a planned maintenance": Kind.PLANNED_REBOOT,
    "maintenance updates are being applied to the host server": Kind.PLANNED_REBOOT,
    "apply a new guest os update": Kind.PLANNED_REBOOT,
    "guest os crash": Kind.GUEST_CRASH,
    "machine crashed": Kind.GUEST_CRASH,
    "from booting securely": Kind.GUEST_CRASH,
    "problems with the guest os": Kind.GUEST_CRASH,
    "azure service issue": Kind.SERVICE_INCIDENT,
    "ongoing azure service outage": Kind.SERVICE_INCIDENT,
    "azure service outage possibly": Kind.SERVICE_INCIDENT,
    "hardware resources allocated": Kind.START,
}
CUSTOMERS = ("authorized user", "by user")
CUSTOMER_PHRASES: Mapping[str, Kind] = {  # first match wins: "stopped and deallocated" is a deallocation
    "deallocat": Kind.DEALLOCATE,
    "redeploy": Kind.REDEPLOY,
    "to a different host": Kind.REDEPLOY,
    "resiz": Kind.RESIZE,
    "reboot": Kind.RESTART,
    "restart": Kind.RESTART,
    "stop": Kind.STOP,
    "start": Kind.START,
    "being set up": Kind.START,
    "configuration": Kind.CONFIGURE,
}
MIGRATION = "live migration"
FAILED = ("fail", "couldn't be", "could not be")
# A migration that is spoken of and has not been: no sentence of the catalogue, but words like its own.
NOT_YET = ("will be", "scheduled", "if possible", "if feasible", "attempts to", "eligible")

# These say no more than the state that is told beside them.
STATES = frozenset({"available", "unavailable", "degraded", "unknown", "unhealthy", "healthy", "active", "resolved"})
# Whole sentences of a status; with a "because" behind them they say more.
BARE = frozenset({"we're sorry, your virtual machine isn't available", "your virtual machine is degraded"})
OF_STATES = (
    "health status changed",
    "has been unavailable for",
    "known azure platform problems",
    "unable to determine the health",
    "unable to determine the reason",
    "setting up resource health",
    "is running normally",
    "we're working to automatically recover",
    "couldn't automatically recover",
    "has experienced an unexpected event",
    # The portal's names for the operations.
    "health event activated",
    "health event inprogress",
    "health event pending",
    "health event resolved",
    "health event updated",
)


def interpret_sentences(sentences: Iterable[str]) -> Kind:
    """The event that a note's sentences tell of together.

    `OTHER` when they tell of none, `UNKNOWN_NOTE` when they say something that stands in no catalogue.
    """
    plain = [sentence.replace("\u2019", "'").strip(" .").lower() for sentence in sentences]
    kind = _match_sentence(" ".join(plain))
    if kind is not None:
        return kind
    silent = all(not said or said in STATES | BARE or any(part in said for part in OF_STATES) for said in plain)
    return Kind.OTHER if silent else Kind.UNKNOWN_NOTE


def _match_sentence(text: str) -> Kind | None:
    told = next((kind for fragment, kind in CATALOGUE.items() if fragment in text), None)
    precedes = told in (None, Kind.PLANNED_REBOOT)  # a live migration may be a part of maintenance
    if MIGRATION in text and precedes:
        return _match_migration(text)
    if told is not None:
        return told
    if "paused" in text and "maintenance" in text:
        return Kind.FREEZE
    if any(words in text for words in CUSTOMERS):
        return next((kind for verb, kind in CUSTOMER_PHRASES.items() if verb in text), None)
    return None


def _match_migration(text: str) -> Kind:
    if any(word in text for word in FAILED):
        return Kind.LIVE_MIGRATION_FAILED
    return Kind.UNKNOWN_NOTE if any(words in text for words in NOT_YET) else Kind.LIVE_MIGRATION
