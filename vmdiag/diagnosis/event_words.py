"""The platform's words and the kinds that they mean: tables, read forwards to interpret and backwards to filter.

Sources: Microsoft's pages "Resource Health virtual machine annotations" (2025-06-06, 2026-03-18), "Resource Health
Check Support for Azure Cloud Services", whose annotations are those of VMs (2024-07-24), "Azure activity log event
schema", "Azure resource provider operations", "Scheduled events overview", "... for Linux VMs", "... in Event Grid"
(2026-05-01), and the sentences of Azure-Samples/scheduled-events-mock-server; the names of 2021 come from the
annotations' older catalogue.
"""

from collections.abc import Mapping

from vmdiag.model import Kind

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

# What a live reading calls such an event, which dates nothing; files name none.
UNTIMED_EVENT = Kind.SCHEDULED_EVENT.value
CONSOLE: Mapping[str, Kind] = {
    Kind.DATA_PATH_FAILED.value: Kind.DATA_PATH_FAILED,
    Kind.INTERFACE_ABSENT.value: Kind.INTERFACE_ABSENT,
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
    Kind.PROOF_REACHED: "Network Watcher reaches the VM",
    Kind.PROOF_LOST: "Network Watcher does not reach the VM",
    Kind.PROOF_DENIED: "Network Watcher says that a rule or a route keeps others from the VM",
    Kind.PROOF_ALLOWED: "Network Watcher says that rules and routes let others in",
    Kind.PROOF_APPLIANCE: "Network Watcher says that the VM's answers go through an appliance",
    Kind.BACKEND_UP: "the load balancer's probe reaches the VM",
    Kind.BACKEND_DOWN: "the load balancer's probe gets no answer from the VM",
    Kind.BACKEND_PLATFORM_DOWN: "the load balancer says that Azure's own infrastructure keeps the VM down",
    Kind.APPLICATION_HEALTHY: "the Application Health extension finds the application healthy, from inside the VM",
    Kind.SCHEDULED_EVENT: "Azure's Scheduled Events tell of a live migration, and not when it was",
    Kind.DATA_PATH_FAILED: "the guest's network driver failed to switch its data path",
    Kind.INTERFACE_ABSENT: "the guest has lost its accelerated interface (no outage by itself)",
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

# Sentences of Resource Health, for notes that carry no name: the pages word one event in ways that differ, so fragments
# are matched, not sentences. The first that stands in the text decides: a host that is expected to fail may be left by
# live migration, and a migration may be a part of routine maintenance.
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

# Scheduled events. `Freeze` is every pause that keeps the memory: only the description says whether the VM left its
# host. What was announced may still be taken back: such an event vanishes, and nothing has happened.
ANNOUNCED = frozenset({"scheduled", "canceled", "cancelled"})
HAPPENING = frozenset({"started", "completed"})
IN_PLACE = (
    "host server is undergoing maintenance",
    "host server infrastructure is undergoing maintenance",
    "host server is undergoing an emergency repair",
)
# A host that fails skips the announcement: the redeploy comes as Started at once.
FAILURES = ("encountered a failure", "emergency repair")
PLATFORM_EVENTS: Mapping[str, Kind] = {
    "reboot": Kind.PLANNED_REBOOT,
    "redeploy": Kind.PLANNED_REBOOT,
    "preempt": Kind.EVICTION,
    "terminate": Kind.DELETE,
}
# What a customer asked for is announced in the same way, with another source.
CUSTOMER_EVENTS: Mapping[str, Kind] = {**PLATFORM_EVENTS, "reboot": Kind.RESTART, "redeploy": Kind.REDEPLOY}
AS_REQUESTED = "requested by authorized user"

# The Application Health extension's state; the codes of the other states stand on no page, and none of them says that
# the network is at fault (inferred). Source: "Using Application Health extension".
HEALTHY = "healthstate/healthy"
# What a load balancer says of a backend, by the reason. `Down_Admin` and `Up_Admin` are somebody's will, and where all
# probes fail `AllDownIsUp` sends traffic blindly: they tell nothing of the VM. Source: "Manage health status".
BACKEND_REASONS: Mapping[str, Kind] = {
    "up_probe_success": Kind.BACKEND_UP,
    "up_probe_approachingunhealthythreshold": Kind.BACKEND_UP,
    "down_platform": Kind.BACKEND_PLATFORM_DOWN,
    "down_probe_tcpprobetimeout": Kind.BACKEND_DOWN,
    # The handshake worked: the network lives, the application does not.
    "down_probe_httpstatuscodeerror": Kind.BACKEND_UP,
    "down_probe_httpendpointunreachable": Kind.BACKEND_UP,
    "down_probe_httpnoresponse": Kind.BACKEND_UP,
    # An Application Gateway's states, and those in which what was answered did not please it. Sources: "Application
    # Gateways - Backend Health", "Troubleshoot backend health issues in Application Gateway".
    "gateway_up": Kind.BACKEND_UP,
    "gateway_down": Kind.BACKEND_DOWN,
    "gateway_down_answered": Kind.BACKEND_UP,
}

# The names of what is counted in flow logs, a reading a minute.
HOST_STACK = "flows that the host's stack was ready for"
PUBLIC_FLOWS, PRIVATE_FLOWS = "answered flows from public addresses", "answered flows from private addresses"
