"""Rows of Resource Graph's `resources`, and REST's answers of the same shape; must not know who asks for the network.

Sources: "Azure Resource Graph: query language", "REST API: Network Interfaces - Get", "Virtual Networks - Get". A VM
gives its inventory and power state, an interface and a network what traffic through them also passes through.
"""

from collections.abc import Iterator, Mapping

from vmdiag.model import Signal, VirtualMachine
from vmdiag.sources.decoding import virtual_machine
from vmdiag.sources.decoding.fields import mapping, objects, text
from vmdiag.sources.decoding.resource_ids import parent, resource, vm_itself
from vmdiag.sources.items import Item, Known, Link, Row

SIGNALS = (Signal.POWER,)

# Types that are no resources, or tell more than that they exist: other formats read them.
OTHERS = (
    "/providers/microsoft.resourcehealth/",
    "microsoft.insights/metrics",
    "microsoft.resourcehealth/",
    "microsoft.resources/changes",
    "microsoft.maintenance/scheduledevents",
)
INTERFACE = "microsoft.network/networkinterfaces"
NETWORK = "microsoft.network/virtualnetworks"
POOLS = ("loadBalancerBackendAddressPools", "loadBalancerInboundNatRules", "applicationGatewayBackendAddressPools")


def recognises(row: Row) -> bool:
    """A row has a resource's id and type; a VM's only where Resource Graph gave it."""
    if "id" not in row or "timeseries" in row or "specversion" in row:
        return False
    kind = text(row.get("type")).lower()
    if "/" not in kind or kind.startswith(OTHERS[::2]) or kind in OTHERS:
        return False
    return kind not in virtual_machine.TYPES or virtual_machine.is_graph_row(row)


def items(row: Row, ref: str) -> Iterator[Item]:
    """What is known of a VM, or what lies behind an interface or a network; nothing of other resources."""
    kind = text(row.get("type")).lower()
    if kind in virtual_machine.TYPES:
        vm = vm_itself(resource(row.get("id")))
        if vm is not None:
            yield from virtual_machine.described(vm, row, ref)
    elif kind == INTERFACE:
        yield from _interface(resource(row.get("id")).lower(), virtual_machine.body(row))
    elif kind == NETWORK:
        yield from _network(resource(row.get("id")).lower(), virtual_machine.body(row))


def _interface(identifier: str, members: Mapping[str, object]) -> Iterator[Item]:
    vm = vm_itself(_id(members, "virtualMachine"))
    if vm is not None:
        yield Known(VirtualMachine(id=vm, network=frozenset({identifier})))
    through = {_id(members, "networkSecurityGroup")}
    for each in objects(members.get("ipConfigurations")):
        configuration = mapping(each.get("properties")) or each
        subnet = _id(configuration, "subnet")
        through |= {subnet, parent(subnet) if subnet else "", _id(configuration, "publicIPAddress")}
        # The CLI spells it so.
        through.add(_id(configuration, "publicIpAddress"))
        pools = [pool for key in POOLS for pool in objects(configuration.get(key))]
        through |= {parent(text(pool.get("id"))) for pool in pools if text(pool.get("id"))}
    yield _link(identifier, through)


def _network(identifier: str, members: Mapping[str, object]) -> Iterator[Item]:
    """A network's peerings, and for each of its subnets the rules, routes and gateway in the way."""
    yield _link(identifier, {text(each.get("id")).lower() for each in objects(members.get("virtualNetworkPeerings"))})
    for each in objects(members.get("subnets")):
        subnet = text(each.get("id")).lower()
        if subnet:
            inside = mapping(each.get("properties")) or each
            ways = {_id(inside, key) for key in ("networkSecurityGroup", "routeTable", "natGateway")}
            yield _link(subnet, ways | {identifier})


def _id(members: Mapping[str, object], key: str) -> str:
    """The id, in lower case, of a resource that another one refers to; empty without."""
    return text(mapping(members.get(key)).get("id")).lower()


def _link(identifier: str, through: set[str]) -> Link:
    return Link(resource=identifier, through=frozenset(through - {""}))
