"""Azure's words: health annotations with their sentences, regions, sizes, names of operations.

Annotations as in Microsoft's "Resource health virtual machine health annotations"; the older names of live
migrations are those of the self-help articles of 2021.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Annotation:
    """The platform's words that come with an annotation name."""

    title: str
    summary: str
    context: str
    category: str
    impact: str

    @property
    def cause(self) -> str:
        """The same as `context`, in the activity log's words."""
        initiated = {"Customer Initiated": "UserInitiated", "Platform Initiated": "PlatformInitiated"}
        return initiated.get(self.context, "Unknown")

    @property
    def members(self) -> dict[str, str]:
        """The words as Resource Graph and Event Grid name them."""
        return {
            "reason": self.title,
            "summary": self.summary,
            "context": self.context,
            "category": self.category,
            "impactType": self.impact,
        }


_PLATFORM = ("Platform Initiated", "Unplanned")
_PLANNED = ("Platform Initiated", "Planned")
_CUSTOMER = ("Customer Initiated", "Not Applicable", "Informational")
_LIVE_MIGRATION = Annotation(
    "Live Migration",
    "This virtual machine was paused because of a memory-preserving Live Migration operation. "
    "The virtual machine typically resumes within 10 seconds.",
    *_PLATFORM,
    "Downtime Freeze",
)
UNKNOWN_ANNOTATIONS = {
    "VirtualMachineFabricRebalanced": Annotation(
        "Fabric rebalancing", "The platform rebalanced resources of this virtual machine.", *_PLATFORM,
        "Informational"),
    "VirtualMachineGuestFaultDetected": Annotation(
        "Operating system fault", "The operating system of this virtual machine stopped responding.", "VM Initiated",
        "Not Applicable", "Informational"),
    "VirtualMachineCapacityReclaimed": Annotation(
        "Capacity reclaimed", "Capacity of this virtual machine was reclaimed.", *_PLATFORM, "Informational"),
    "VirtualMachineHostServiceRequired": Annotation(
        "Host servicing", "The server below this virtual machine was taken for scheduled work.", *_PLANNED, "Degraded"),
}  # fmt: skip
"""Made-up notes, as Azure adds some every year: names and sentences that no published catalogue has."""

ANNOTATIONS = {
    **UNKNOWN_ANNOTATIONS,
    "LiveMigrationSucceeded": _LIVE_MIGRATION,
    "LiveMigrationCompleted": _LIVE_MIGRATION,
    "LiveMigrationFailure": _LIVE_MIGRATION,
    "LiveMigrationFailed": _LIVE_MIGRATION,
    "VirtualMachinePlannedFreezeStarted": Annotation(
        "Planned maintenance", "A memory-preserving update of the host begins.", *_PLANNED, "Informational"),
    "VirtualMachinePlannedFreezeSucceeded": Annotation(
        "Planned maintenance", "This virtual machine was paused during planned maintenance of its host.", *_PLANNED,
        "Downtime Freeze"),
    "AccelnetUnhealthy": Annotation(
        "Accelerated networking unhealthy",
        "Accelerated networking of this virtual machine is not functioning as expected.", *_PLATFORM, "Degraded"),
    "NetworkUnhealthy": Annotation(
        "Network issue", "This virtual machine lost connectivity because of a network failure in the infrastructure.",
        *_PLATFORM, "Downtime Reboot"),
    "DependencyUnhealthyNetworkDevice": Annotation(
        "Network issue", "This virtual machine is impacted by a top-of-rack network device.", *_PLATFORM, "Degraded"),
    "VirtualMachineCrashed": Annotation(
        "Guest OS crash", "This virtual machine is rebooting because of a guest operating system crash.",
        "VM Initiated", "Not Applicable", "Downtime Reboot"),
    "VirtualMachineHostCrashed": Annotation(
        "Host server crash", "The host server of this virtual machine crashed.", *_PLATFORM, "Downtime Reboot"),
    "VirtualMachineHostRebootedForRepair": Annotation(
        "Host server reboot", "The host server failed and is being rebooted for repair.", *_PLATFORM,
        "Downtime Reboot"),
    "VirtualMachineMigrationInitiatedForRepair": Annotation(
        "Service healing", "The host server failed; this virtual machine is redeployed.", *_PLATFORM,
        "Downtime Reboot"),
    "VirtualMachineRebootInitiatedForPlannedMaintenance": Annotation(
        "Planned reboot", "This virtual machine is rebooted by planned maintenance.", *_PLANNED, "Downtime Reboot"),
    "VirtualMachineMigrationInitiatedForPlannedMaintenance": Annotation(
        "Planned redeploy", "This virtual machine moves to newer hardware as planned.", *_PLANNED, "Downtime Reboot"),
    "VirtualMachineStorageOffline": Annotation(
        "Storage offline", "This virtual machine lost connectivity to its remote disk.", *_PLATFORM, "Downtime Reboot"),
    "VirtualMachinePreempted": Annotation(
        "Preempted", "This spot virtual machine was preempted.", *_PLATFORM, "Informational"),
    "VirtualMachineRestarted": Annotation("Restarted", "This virtual machine was restarted.", *_CUSTOMER),
    "VirtualMachineRebootInitiatedByControlPlane": Annotation(
        "Rebooted by user", "This virtual machine is rebooting as requested by an authorized user.", *_CUSTOMER),
    "VirtualMachineRedeployInitiatedByControlPlane": Annotation(
        "Redeploying", "This virtual machine is being redeployed as requested by an authorized user.", *_CUSTOMER),
    "VirtualMachineStopInitiatedByControlPlane": Annotation(
        "Stopping", "This virtual machine is stopping as requested by an authorized user or process.", *_CUSTOMER),
    "VirtualMachineStoppedInternally": Annotation(
        "Stopped", "This virtual machine was stopped from inside or by an authorized user.", *_CUSTOMER),
    "VirtualMachineDeallocationInitiated": Annotation(
        "Stopping and deallocating",
        "This virtual machine is stopped and deallocated as requested by an authorized user or process.", *_CUSTOMER),
    "VirtualMachineStartInitiatedByControlPlane": Annotation(
        "Starting",
        "This virtual machine is starting as requested by an authorized user or process. It will be online shortly.",
        *_CUSTOMER),
    "VirtualMachineSizeChanged": Annotation(
        "Resizing", "This virtual machine is being resized as requested by an authorized user.", *_CUSTOMER),
}  # fmt: skip

REGIONS = {
    "australiacentral": "Australia Central", "australiaeast": "Australia East",
    "australiasoutheast": "Australia Southeast", "austriaeast": "Austria East", "belgiumcentral": "Belgium Central",
    "brazilsouth": "Brazil South", "canadacentral": "Canada Central", "canadaeast": "Canada East",
    "centralindia": "Central India", "centralus": "Central US", "chilecentral": "Chile Central",
    "eastasia": "East Asia", "eastus": "East US", "eastus2": "East US 2", "francecentral": "France Central",
    "germanywestcentral": "Germany West Central", "indonesiacentral": "Indonesia Central",
    "israelcentral": "Israel Central", "italynorth": "Italy North", "japaneast": "Japan East",
    "japanwest": "Japan West", "koreacentral": "Korea Central", "koreasouth": "Korea South",
    "malaysiawest": "Malaysia West", "mexicocentral": "Mexico Central", "newzealandnorth": "New Zealand North",
    "northcentralus": "North Central US", "northeurope": "North Europe", "norwayeast": "Norway East",
    "polandcentral": "Poland Central", "qatarcentral": "Qatar Central", "southafricanorth": "South Africa North",
    "southcentralus": "South Central US", "southindia": "South India", "southeastasia": "Southeast Asia",
    "spaincentral": "Spain Central", "swedencentral": "Sweden Central", "switzerlandnorth": "Switzerland North",
    "uaenorth": "UAE North", "uksouth": "UK South",
}  # fmt: skip
"""One region an incident of a block: outages are shared in a region, and incidents must not mix."""

OTHER_REGIONS = ("UK West", "West Europe", "West India", "West US", "West US 2", "West US 3", "West Central US")
"""Regions in which no VM of the corpus runs."""

SIZES = (
    "Standard_D2s_v5", "Standard_D4s_v5", "Standard_E8ds_v5", "Standard_B2ms", "Standard_F4s_v2", "Standard_DS1_v2",
)  # fmt: skip

OPERATIONS = {
    "Microsoft.Compute/virtualMachines/start/action": "Start Virtual Machine",
    "Microsoft.Compute/virtualMachines/restart/action": "Restart Virtual Machine",
    "Microsoft.Compute/virtualMachines/powerOff/action": "Power Off Virtual Machine",
    "Microsoft.Compute/virtualMachines/deallocate/action": "Deallocate Virtual Machine",
    "Microsoft.Compute/virtualMachines/redeploy/action": "Redeploy Virtual Machine",
    "Microsoft.Compute/virtualMachines/reimage/action": "Reimage Virtual Machine",
    "Microsoft.Compute/virtualMachines/write": "Create or Update Virtual Machine",
    "Microsoft.Compute/virtualMachines/delete": "Delete Virtual Machine",
    "Microsoft.Compute/virtualMachines/extensions/write": "Create or Update Virtual Machine Extension",
    "Microsoft.Compute/disks/read": "Get Disk",
    "Microsoft.Network/networkSecurityGroups/write": "Create or Update Network Security Group",
    "Microsoft.Network/networkSecurityGroups/securityRules/write": "Create or Update Security Rule",
    "Microsoft.Network/networkInterfaces/write": "Create or Update Network Interface",
    "Microsoft.Network/virtualNetworks/subnets/write": "Create or Update Virtual Network Subnet",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write": "Create or Update Virtual Network Peering",
    "Microsoft.Network/routeTables/write": "Create or Update Route Table",
    "Microsoft.Network/routeTables/routes/write": "Create or Update Route",
    "Microsoft.Network/azureFirewalls/write": "Create or Update Azure Firewall",
    "Microsoft.Network/loadBalancers/write": "Create or Update Load Balancer",
    "Microsoft.Storage/storageAccounts/listKeys/action": "List Storage Account Keys",
    "Microsoft.KeyVault/vaults/write": "Update Key Vault",
    "Microsoft.Authorization/policies/auditIfNotExists/action": "'auditIfNotExists' Policy action.",
    "Microsoft.Resources/tags/write": "Write Tags",
}
