"""The names that portals show for operations, and what Resource Manager calls them; must not know what they mean.

Source: the `localizedValue` of recorded activity-log events, and "Azure resource provider operations". A portal in
another language shows other names; those stay as they are.
"""

_VM = "Microsoft.Compute/virtualMachines"
_NET = "Microsoft.Network"

VM_ACTIONS = {
    "start": "start",
    "restart": "restart",
    "power off": "powerOff",
    "stop": "powerOff",
    "deallocate": "deallocate",
    "redeploy": "redeploy",
    "reapply": "reapply",
    "reimage": "reimage",
    "generalize": "generalize",
    "capture": "capture",
    "run command on": "runCommand",
    "perform maintenance on": "performMaintenance",
    "simulate eviction of": "simulateEviction",
    "live migrate": "liveMigration",
}
RESOURCE_TYPES = {
    "virtual machine": _VM,
    "virtual machine extension": f"{_VM}/extensions",
    "application gateway": f"{_NET}/applicationGateways",
    "azure firewall": f"{_NET}/azureFirewalls",
    "firewall policy": f"{_NET}/firewallPolicies",
    "load balancer": f"{_NET}/loadBalancers",
    "nat gateway": f"{_NET}/natGateways",
    "network interface": f"{_NET}/networkInterfaces",
    "network security group": f"{_NET}/networkSecurityGroups",
    "public ip address": f"{_NET}/publicIPAddresses",
    "route": f"{_NET}/routeTables/routes",
    "route table": f"{_NET}/routeTables",
    "security rule": f"{_NET}/networkSecurityGroups/securityRules",
    "virtual network": f"{_NET}/virtualNetworks",
    "virtual network gateway": f"{_NET}/virtualNetworkGateways",
    "virtual network peering": f"{_NET}/virtualNetworks/virtualNetworkPeerings",
    "virtual network subnet": f"{_NET}/virtualNetworks/subnets",
}
HEALTH_EVENTS = ("Activated", "Updated", "Resolved", "InProgress", "Pending")

BY_DISPLAY_NAME = {
    **{f"{words} virtual machine": f"{_VM}/{action}/action" for words, action in VM_ACTIONS.items()},
    **{f"create or update {words}": f"{kind}/write" for words, kind in RESOURCE_TYPES.items()},
    **{f"delete {words}": f"{kind}/delete" for words, kind in RESOURCE_TYPES.items()},
    **{f"health event {verb.lower()}": f"Microsoft.Resourcehealth/healthevent/{verb}/action" for verb in HEALTH_EVENTS},
}


def find_operation_name(written: str) -> str:
    """Resource Manager's name of an operation that is told by its display name; any other text as it is."""
    return BY_DISPLAY_NAME.get(written.lower(), written)
