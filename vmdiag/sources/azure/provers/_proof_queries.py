"""What Resource Graph is asked so that suspects can be looked at: by whom, at which addresses and ports, from where.

Sources: "Understanding the Azure Resource Graph query language"; "REST API: Network Interfaces - Get", "Virtual
Networks - Get", "Load Balancers - Get", "Virtual Machine Extensions - Get", whose members Resource Graph shows.
"""

from collections.abc import Iterable

from vmdiag.sources import kql

# One page of Resource Graph's, and enough to choose from.
ORIGIN_LIMIT = 1_000


def write_watcher_query() -> str:
    """The Network Watchers, one a region and subscription."""
    kind = "type =~ 'microsoft.network/networkwatchers'"
    return kql.join_lines("resources", f"where {kind}", "project id, location, subscriptionId", "order by id asc")


def write_target_query(ids: Iterable[str]) -> str:
    """Of VMs the addresses at which they can be looked at, and what their networks are peered with."""
    return kql.join_lines(
        "resources",
        "where type =~ 'microsoft.network/networkinterfaces'",
        "extend vm = tolower(tostring(properties.virtualMachine.id))",
        f"where vm in~ ({kql.list_literals(ids)})",
        f"mv-expand way = properties.ipConfigurations {kql.MOST}",
        "extend subnet = tolower(tostring(way.properties.subnet.id))",
        "extend public = tolower(tostring(way.properties.publicIPAddress.id))",
        "extend vnet = tostring(split(subnet, '/subnets/')[0])",
        "join kind=leftouter ("
        "resources"
        " | where type =~ 'microsoft.network/publicipaddresses'"
        " | project public = tolower(id), address = tostring(properties.ipAddress)"
        ") on public",
        "join kind=leftouter ("
        "resources"
        " | where type =~ 'microsoft.network/virtualnetworks'"
        " | project vnet = tolower(id), peerings = properties.virtualNetworkPeerings"
        ") on vnet",
        "project id, vm, private = tostring(way.properties.privateIPAddress), main = tostring(properties.primary),"
        " leading = tostring(way.properties.primary),"
        " subnet, vnet, address, peerings",
        "order by id asc",
    )


def write_origin_query(condition: str) -> str:
    """VMs from which others can be looked at, with the state of their Network Watcher agent; empty without it.

    The condition is on the columns `vm`, `agent`, `subnet`, `vnet`.
    """
    return kql.join_lines(
        "resources",
        "where type =~ 'microsoft.compute/virtualmachines'",
        "extend vm = tolower(id)",
        "extend power = tostring(properties.extended.instanceView.powerState.code)",
        "join kind=leftouter ("
        "resources"
        " | where type =~ 'microsoft.compute/virtualmachines/extensions'"
        " | where properties.publisher =~ 'Microsoft.Azure.NetworkWatcher'"
        " | project vm = tostring(split(tolower(id), '/extensions/')[0]),"
        " agent = tostring(properties.provisioningState)"
        ") on vm",
        "join kind=leftouter ("
        "resources"
        " | where type =~ 'microsoft.network/networkinterfaces'"
        " | extend vm = tolower(tostring(properties.virtualMachine.id))"
        f" | mv-expand way = properties.ipConfigurations {kql.MOST}"
        " | project vm, subnet = tolower(tostring(way.properties.subnet.id)),"
        " private = tostring(way.properties.privateIPAddress)"
        ") on vm",
        "extend vnet = tostring(split(subnet, '/subnets/')[0])",
        f"where {condition}",
        "project id, power, agent, subnet, vnet, private, location",
        "order by id asc",
        f"take {ORIGIN_LIMIT}",
    )


def write_port_query(ids: Iterable[str]) -> str:
    """The rules of load balancers, which name the ports that their backends serve."""
    return kql.join_lines(
        "resources",
        "where type =~ 'microsoft.network/loadbalancers'",
        "extend balancer = tolower(id)",
        f"where balancer in~ ({kql.list_literals(ids)})",
        "project id, balancer, rules = properties.loadBalancingRules",
        "order by id asc",
    )
