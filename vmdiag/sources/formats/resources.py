"""Rows of Resource Graph's `resources`, and REST's answers of the same shape; must not know who asks for the network.

Sources: "Azure Resource Graph: query language", "REST API: Network Interfaces - Get", "Virtual Networks - Get". A VM
gives its inventory and power state, an interface and a network what traffic through them also passes through.
"""

from collections.abc import Iterator, Mapping

from vmdiag.model import Signal, VirtualMachine
from vmdiag.sources.decoding.fields import (
    find_resource_id,
    iter_objects,
    parse_parent_id,
    parse_vm_id,
    to_mapping,
    to_text,
)
from vmdiag.sources.formats import virtual_machine
from vmdiag.sources.items import Item, NetworkLink, Row, VmInventory

SIGNALS = (Signal.POWER,)

# Types that are no resources, or tell more than that they exist: other formats read them.
OTHER_TYPES = (
    "/providers/microsoft.resourcehealth/",
    "microsoft.insights/metrics",
    "microsoft.resourcehealth/",
    "microsoft.resources/changes",
    "microsoft.maintenance/scheduledevents",
)
INTERFACE_TYPE = "microsoft.network/networkinterfaces"
NETWORK_TYPE = "microsoft.network/virtualnetworks"
POOL_KEYS = ("loadBalancerBackendAddressPools", "loadBalancerInboundNatRules", "applicationGatewayBackendAddressPools")


def recognises_row(row: Row) -> bool:
    """A row has a resource's id and type; a VM's only where Resource Graph gave it."""
    if "id" not in row or "timeseries" in row or "specversion" in row:
        return False
    kind = to_text(row.get("type")).lower()
    if "/" not in kind or kind.startswith(OTHER_TYPES[::2]) or kind in OTHER_TYPES:
        return False
    return kind not in virtual_machine.VM_TYPES or virtual_machine.is_graph_row(row)


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What is known of a VM, or what lies behind an interface or a network; nothing of other resources."""
    kind = to_text(row.get("type")).lower()
    if kind in virtual_machine.VM_TYPES:
        vm = parse_vm_id(find_resource_id(row.get("id")))
        if vm is not None:
            yield from virtual_machine.decode_vm(vm, row, ref)
    elif kind == INTERFACE_TYPE:
        yield from _decode_interface(find_resource_id(row.get("id")).lower(), virtual_machine.find_properties(row))
    elif kind == NETWORK_TYPE:
        yield from _decode_network(find_resource_id(row.get("id")).lower(), virtual_machine.find_properties(row))


def _decode_interface(identifier: str, members: Mapping[str, object]) -> Iterator[Item]:
    vm = parse_vm_id(_find_referenced_id(members, "virtualMachine"))
    if vm is not None:
        yield VmInventory(VirtualMachine(id=vm, network=frozenset({identifier})))
    through = {_find_referenced_id(members, "networkSecurityGroup")}
    for each in iter_objects(members.get("ipConfigurations")):
        configuration = to_mapping(each.get("properties")) or each
        subnet = _find_referenced_id(configuration, "subnet")
        through |= {
            subnet,
            parse_parent_id(subnet) if subnet else "",
            _find_referenced_id(configuration, "publicIPAddress"),
        }
        # The CLI spells it so.
        through.add(_find_referenced_id(configuration, "publicIpAddress"))
        pools = [pool for key in POOL_KEYS for pool in iter_objects(configuration.get(key))]
        through |= {parse_parent_id(to_text(pool.get("id"))) for pool in pools if to_text(pool.get("id"))}
    yield _make_link(identifier, through)


def _decode_network(identifier: str, members: Mapping[str, object]) -> Iterator[Item]:
    """A network's peerings, and for each of its subnets the rules, routes and gateway in the way."""
    yield _make_link(
        identifier, {to_text(each.get("id")).lower() for each in iter_objects(members.get("virtualNetworkPeerings"))}
    )
    for each in iter_objects(members.get("subnets")):
        subnet = to_text(each.get("id")).lower()
        if subnet:
            inside = to_mapping(each.get("properties")) or each
            ways = {_find_referenced_id(inside, key) for key in ("networkSecurityGroup", "routeTable", "natGateway")}
            yield _make_link(subnet, ways | {identifier})


def _find_referenced_id(members: Mapping[str, object], key: str) -> str:
    """The id, in lower case, of a resource that another one refers to; empty without."""
    return to_text(to_mapping(members.get(key)).get("id")).lower()


def _make_link(identifier: str, through: set[str]) -> NetworkLink:
    return NetworkLink(resource=identifier, through=frozenset(through - {""}))
