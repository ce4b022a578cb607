"""The table that turns the platform's words into kinds, read forwards to interpret and backwards to filter; pure.

Sources: Microsoft's pages "Resource Health virtual machine annotations" (2026-03-18), "Azure activity log event schema"
and "Azure resource provider operations"; the names of 2021 come from the annotations' older catalogue.
Names are matched, sentences only where a record has no name that is known: titles are shared by opposite events.
A note of Resource Health's in words that stand nowhere here may tell of anything: it is kept as what it is.
"""

from collections.abc import Mapping
from enum import StrEnum

from vmdiag.diagnosis.health_sentences import interpret_sentences
from vmdiag.diagnosis.scheduled_event_kinds import interpret_scheduled_event
from vmdiag.model import Kind, Signal

MIGRATIONS = (Kind.LIVE_MIGRATION, Kind.LIVE_MIGRATION_FAILED)
# What rebuilds the VM's port: after it a migration no longer explains anything.
RESETS = (Kind.RESTART, Kind.REDEPLOY, Kind.DEALLOCATE, Kind.STOP, Kind.REIMAGE, Kind.RESIZE, Kind.DELETE)

# Resource Health annotations. A name may carry a suffix (LiveMigrationEligible, TrackingId, //...): the longest entry
# that begins the name decides.
ANNOTATIONS: Mapping[str, Kind] = {
    "LiveMigrationSucceeded": Kind.LIVE_MIGRATION,
    "LiveMigrationCompleted": Kind.LIVE_MIGRATION,  # 2021
    "LiveMigrationFailure": Kind.LIVE_MIGRATION_FAILED,
    "LiveMigrationFailed": Kind.LIVE_MIGRATION_FAILED,  # 2021
    "VirtualMachinePlannedFreezeStarted": Kind.FREEZE,
    "VirtualMachinePlannedFreezeSucceeded": Kind.FREEZE,
    "VirtualMachinePlannedFreezeFailed": Kind.PLANNED_REBOOT,  # a memory-preserving update that failed ends in a reboot
    "AccelnetUnhealthy": Kind.ACCELNET_UNHEALTHY,
    "NetworkUnhealthy": Kind.NETWORK_UNHEALTHY,
    "DependencyUnhealthyNetworkDevice": Kind.NETWORK_UNHEALTHY,  # 2021: the rack's switch
    "SIEOutage": Kind.SERVICE_INCIDENT,  # 2021: hit by an Azure service issue
    "NO_REASON_DEGRADED": Kind.DEGRADED,  # 2021
    "NO_REASON": Kind.UNAVAILABLE,  # 2021
    "SKIPPED_DATAMART": Kind.DEALLOCATE,  # 2021: an internal name that leaked for a customer's deallocation
    "VirtualMachinePossiblyDegradedDueToHardwareFailure": Kind.PRECURSOR,
    "PossiblyDegradedDueToHardwareFailure": Kind.PRECURSOR,  # also listed without its prefix
    "VirtualMachineMigrationScheduledForDegradedHardware": Kind.PRECURSOR,
    "VirtualMachineScheduledForServiceHealing": Kind.PRECURSOR,
    "VirtualMachineScheduledForMigrationWithGracePeriod": Kind.PRECURSOR,
    "VirtualMachineMigrationInitiatedForRepair": Kind.HOST_FAILURE,
    "VirtualMachineMigratedDueToHardwareFailure": Kind.HOST_FAILURE,
    "VirtualMachineMigrationInitiatedForUnplannedMaintenance": Kind.HOST_FAILURE,  # 2021
    "VirtualMachineHostRebootedForRepair": Kind.HOST_FAILURE,
    "VirtualMachineHostCrashed": Kind.HOST_FAILURE,
    "VirtualMachineMigrationInitiatedForPlannedMaintenance": Kind.PLANNED_REBOOT,  # with reboot: not a live migration
    "VirtualMachineRebootInitiatedForPlannedMaintenance": Kind.PLANNED_REBOOT,
    "VirtualMachineStorageOffline": Kind.STORAGE_OFFLINE,
    "VirtualMachineCrashed": Kind.GUEST_CRASH,
    "VirtualMachineFailedToSecureBoot": Kind.GUEST_CRASH,
    "VirtualMachineFailedSecureKeyRelease": Kind.GUEST_CRASH,
    "VirtualMachineProvisioningTimedOut": Kind.GUEST_CRASH,  # the page blames the guest or the customer's own script
    "VirtualMachineRestarted": Kind.RESTART,
    "VirtualMachineRebootInitiatedByControlPlane": Kind.RESTART,
    "VirtualMachineRedeployInitiatedByControlPlane": Kind.REDEPLOY,
    "VirtualMachineStopInitiatedByControlPlane": Kind.STOP,
    "VirtualMachineStoppedInternally": Kind.STOP,
    "VirtualMachineDeallocationInitiated": Kind.DEALLOCATE,
    "VirtualMachineAllocated": Kind.START,
    "VirtualMachineStartInitiatedByControlPlane": Kind.START,
    "VirtualMachineSizeChanged": Kind.RESIZE,
    "VirtualMachineConfigurationUpdated": Kind.CONFIGURE,
    "VirtualMachinePreempted": Kind.EVICTION,
}

# Resource Manager operations on a VM, after `Microsoft.Compute/virtualMachines/` or the scale-set form of it.
OPERATIONS: Mapping[str, Kind] = {
    "poweroff/action": Kind.STOP,
    "deallocate/action": Kind.DEALLOCATE,
    "start/action": Kind.START,
    "restart/action": Kind.RESTART,
    "redeploy/action": Kind.REDEPLOY,  # `az vm restart --force` calls it too
    "performmaintenance/action": Kind.REDEPLOY,  # moves the VM to an updated host, with a reboot
    "reimage/action": Kind.REIMAGE,
    "simulateeviction/action": Kind.EVICTION,
    "reapply/action": Kind.CONFIGURE,
    "attachdetachdatadisks/action": Kind.CONFIGURE,
    # The guest's patches: unless `rebootSetting` is Never the guest restarts, and the log does not say whether it did.
    "installpatches/action": Kind.RESTART,
    # Out of an availability set: "triggers a downtime" ("Move-AzVirtualMachineToVmss"), and the zone, the fault domain
    # and the size may be others afterwards: on another host, with a port built anew (inferred).
    "migratetovirtualmachinescaleset/action": Kind.REDEPLOY,
    # Of scale-set instances (2026-04-01), into another zone and so onto another host (inferred).
    "migratevmavailabilityzone/action": Kind.REDEPLOY,
    "write": Kind.CONFIGURE,
    "delete": Kind.DELETE,
    # One page of Microsoft names it, no payload shows it: accepted, never relied on.
    "livemigration/action": Kind.LIVE_MIGRATION,
}
VM_TYPES = ("microsoft.compute/virtualmachines/", "microsoft.compute/virtualmachinescalesets/virtualmachines/")

# Network resources whose change can cut a VM off (conventional Resource Manager types).
NETWORK_TYPES = frozenset(
    "microsoft.network/" + name
    for name in (
        "networksecuritygroups", "networkinterfaces", "routetables", "virtualnetworks", "publicipaddresses",
        "loadbalancers", "natgateways", "azurefirewalls", "firewallpolicies", "virtualnetworkgateways",
        "applicationgateways", "bastionhosts", "networkmanagers", "virtualhubs", "connections",
    )
)  # fmt: skip
CHANGING = ("write", "delete", "commit/action")

STATUSES: Mapping[str, Kind] = {
    "available": Kind.AVAILABLE,
    "unavailable": Kind.UNAVAILABLE,
    "degraded": Kind.DEGRADED,
    "unknown": Kind.UNKNOWN,
}

POWER: Mapping[str, Kind] = {
    "running": Kind.POWER_RUNNING,
    "stopped": Kind.POWER_STOPPED,
    "stopping": Kind.POWER_STOPPED,
    "deallocated": Kind.POWER_DEALLOCATED,
    "deallocating": Kind.POWER_DEALLOCATED,
}

# Priorities of VMs that Azure may evict; SpotPlus came with api-version 2026-04-01, Low is the scale sets' old word.
EVICTABLE = frozenset({"spot", "spotplus", "low"})

SAYS: Mapping[Kind, str] = {
    Kind.LIVE_MIGRATION: "Azure live-migrated the VM",
    Kind.LIVE_MIGRATION_FAILED: "a live migration of the VM failed",
    Kind.FREEZE: "Azure paused the VM for an update of its host, in place",
    Kind.PRECURSOR: "Azure expects the VM's host to fail and may move the VM",
    Kind.ACCELNET_UNHEALTHY: "Azure says that accelerated networking does not work",
    Kind.NETWORK_UNHEALTHY: "Azure says that the network below the VM is unhealthy",
    Kind.AVAILABLE: "Resource Health: Available",
    Kind.UNAVAILABLE: "Resource Health: Unavailable",
    Kind.DEGRADED: "Resource Health: Degraded",
    Kind.UNKNOWN: "Resource Health: Unknown",
    Kind.STOP: "the VM was stopped",
    Kind.DEALLOCATE: "the VM was deallocated",
    Kind.START: "the VM was started",
    Kind.RESTART: "the VM was restarted",
    Kind.REDEPLOY: "the VM was redeployed",
    Kind.RESIZE: "the VM was resized",
    Kind.REIMAGE: "the VM was reimaged",
    Kind.CONFIGURE: "the VM's configuration was written",
    Kind.DELETE: "the VM was deleted",
    Kind.GUEST_CRASH: "the guest crashed",
    Kind.HOST_FAILURE: "the VM's host failed",
    Kind.PLANNED_REBOOT: "planned maintenance rebooted the VM",
    Kind.STORAGE_OFFLINE: "the VM lost its disks",
    Kind.EVICTION: "Azure evicted the spot VM",
    Kind.NETWORK_CHANGE: "the network configuration was changed",
    Kind.SERVICE_INCIDENT: "Azure reports a service incident",
    Kind.SERVICE_RESOLVED: "Azure reports the service incident as resolved",
    Kind.POWER_RUNNING: "the host says that the VM runs",
    Kind.POWER_STOPPED: "the VM is stopped",
    Kind.POWER_DEALLOCATED: "the VM is deallocated",
    Kind.AGENT_READY: "the VM agent is ready",
    Kind.AGENT_NOT_READY: "the VM agent does not report",
    Kind.UNREACHABLE: "the operator says that the VM cannot be reached",
    Kind.PROBE_FAILED: "a connection from here was not answered",
    Kind.PROBE_ANSWERED: "a connection from here was answered",
    Kind.UNKNOWN_NOTE: "Azure noted something about the VM in words that are not known here",
    Kind.OTHER: "something else",
}
# Where an operation's own words say more than its kind's.
SAYS_OF: Mapping[str, str] = {
    "installpatches/action": "patches were installed in the guest, which may have restarted it",
    "performmaintenance/action": "the VM was moved to an updated host, with a reboot, as the customer asked",
    "migratetovirtualmachinescaleset/action": "the VM was moved into a scale set, with a downtime",
    "migratevmavailabilityzone/action": "the VM was moved to another availability zone",
    "virtualmachineprovisioningtimedout": "the VM's provisioning failed in the guest",
}


def describe_kind(kind: Kind, name: str) -> str:
    """What happened, for people: the words for an operation or annotation of this name, else those for its kind."""
    word = name.lower()
    for vm_type in VM_TYPES:
        word = word.removeprefix(vm_type)
    return SAYS_OF.get(word, SAYS[kind])


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


def interpret_record(signal: Signal, name: str, status: str, facts: Mapping[str, str]) -> Kind:  # noqa: PLR0911 - a table
    """What a record means; `Kind.OTHER` when it means nothing here."""
    match signal:
        case Signal.ACTIVITY:
            return Kind.OTHER if find_phase(status) is Phase.FAILED else _interpret_operation(name.lower(), facts)
        case Signal.HEALTH:
            return _interpret_health(name, status, facts)
        case Signal.SERVICE:
            return _interpret_incident(name, status)
        case Signal.POWER:
            return POWER.get(name.lower().removeprefix("powerstate/").removeprefix("vm "), Kind.OTHER)
        case Signal.AGENT:
            ready = status.lower() == "ready" or name.lower().startswith("provisioningstate/succeeded")
            return Kind.AGENT_READY if ready else Kind.AGENT_NOT_READY
        case Signal.OPERATOR:
            return Kind.UNREACHABLE
        case Signal.PROBE:
            return Kind.PROBE_ANSWERED if status.lower() == "answered" else Kind.PROBE_FAILED
        case Signal.TRAFFIC | Signal.AVAILABILITY | Signal.CPU | Signal.DISK | Signal.HEARTBEAT:
            return Kind.OTHER  # these are series, not records


def _interpret_operation(name: str, facts: Mapping[str, str]) -> Kind:
    for vm_type in VM_TYPES:
        if name.startswith(vm_type):
            # Resource Graph tells which properties a write changed: a new size is a reboot.
            if "hardwareprofile.vmsize" in facts.get("changed", "").lower():
                return Kind.RESIZE
            return OPERATIONS.get(name.removeprefix(vm_type), Kind.OTHER)
    if name.startswith("microsoft.network/") and name.endswith(CHANGING):
        provider, kind, *_ = name.split("/")
        return Kind.NETWORK_CHANGE if f"{provider}/{kind}" in NETWORK_TYPES else Kind.OTHER
    return Kind.OTHER


def _interpret_health(name: str, status: str, facts: Mapping[str, str]) -> Kind:
    if name == "availability":
        return STATUSES.get(status.lower(), Kind.OTHER)
    if "event_type" in facts:
        return interpret_scheduled_event(facts["event_type"], status, facts)
    word = name.partition("//")[0].lower()
    begun = [known for known in ANNOTATIONS if word.startswith(known.lower())]
    if begun:
        return ANNOTATIONS[max(begun, key=len)]
    kind = interpret_sentences(facts.get(part, "") for part in ("title", "details", "summary", "reason"))
    return Kind.UNKNOWN_NOTE if kind is Kind.OTHER and word and word not in STATUSES else kind


def _interpret_incident(name: str, status: str) -> Kind:
    word = name.lower().split("/")
    if "incident" not in word and "serviceissue" not in word:
        return Kind.OTHER  # planned maintenance, advisories, security and billing notes explain no loss
    return Kind.SERVICE_RESOLVED if status.lower() == "resolved" else Kind.SERVICE_INCIDENT
