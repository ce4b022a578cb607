"""Rows of Resource Graph's `resources`, and REST's answers of the same shape.

Sources: "Azure Resource Graph: query language", "REST API: Network Interfaces - Get", "Virtual Networks - Get". A VM
gives its inventory and power state, an interface and a network what traffic through them also passes through.
"""

import re
from collections.abc import Iterator

from vmdiag.completeness import Row
from vmdiag.identity import ADDRESS_LENGTH
from vmdiag.model import Signal, VirtualMachine
from vmdiag.sources.decoding.fields import (
    find_resource_id,
    find_text,
    get_path,
    iter_objects,
    parse_parent_id,
    parse_vm_id,
    to_mapping,
    to_text,
)
from vmdiag.sources.formats import Signature, virtual_machine
from vmdiag.sources.items import InterfaceAddress, Item, NetworkLink, VmInventory

SIGNALS = (Signal.POWER,)
# Types that are no resources, or tell more than that they exist, are other formats': a VM's where REST gave it, too.
RESOURCE_TYPE = re.compile(
    r"(?is)(?!(?:/providers/)?microsoft\.resourcehealth/|microsoft\.maintenance/scheduledevents"
    r"|microsoft\.(?:insights/metrics|resources/changes|compute/(?:virtualmachinescalesets/)?virtualmachines)\Z).*/.*"
)
NO_RESOURCE = {"timeseries", "specversion"}
SIGNATURES = (
    Signature(all_of={"id"}, none_of=NO_RESOURCE, kind=RESOURCE_TYPE),
    Signature(all_of={"id"}, none_of=NO_RESOURCE, kind=virtual_machine.VM_TYPE, condition=virtual_machine.is_graph_row),
)
INTERFACE_TYPE = "microsoft.network/networkinterfaces"
NETWORK_TYPE = "microsoft.network/virtualnetworks"
POOL_KEYS = ("loadBalancerBackendAddressPools", "loadBalancerInboundNatRules", "applicationGatewayBackendAddressPools")


def decode_row(row: Row, ref: str) -> Iterator[Item]:
    """What is known of a VM, or what lies behind an interface or a network; nothing of other resources."""
    kind, members = find_text(row, "type").lower(), virtual_machine.find_properties(row)
    if virtual_machine.VM_TYPE.fullmatch(kind):
        vm = parse_vm_id(find_resource_id(row.get("id")))
        if vm is not None:
            yield from virtual_machine.decode_vm(vm, row, ref)
    elif kind == INTERFACE_TYPE:
        identifier = find_resource_id(row.get("id")).lower()
        vm = parse_vm_id(_find_referenced_id(members, "virtualMachine"))
        if vm is not None:
            yield VmInventory(VirtualMachine(id=vm, network=frozenset({identifier})))
        through = {_find_referenced_id(members, "networkSecurityGroup")}
        # Its address on the link names it in flow logs.
        addresses = {re.sub(r"[^0-9a-f]", "", find_text(members, "macAddress").lower())[:ADDRESS_LENGTH]}
        for each in iter_objects(members.get("ipConfigurations")):
            inside = to_mapping(each.get("properties")) or each
            # The CLI spells the address in the second way.
            named = [_find_referenced_id(inside, key) for key in ("subnet", "publicIPAddress", "publicIpAddress")]
            pools = [find_text(pool, "id") for key in POOL_KEYS for pool in iter_objects(inside.get(key))]
            through |= {*named, *(parse_parent_id(part) for part in (named[0], *pools) if part)}
            addresses.add(find_text(inside, "privateIPAddress", "privateIpAddress").lower()[:ADDRESS_LENGTH])
        yield _make_link(identifier, through)
        yield InterfaceAddress(identifier, frozenset(addresses - {""}))
    elif kind == NETWORK_TYPE:
        # A network's peerings, and for each of its subnets the rules, routes and gateway in the way.
        identifier = find_resource_id(row.get("id")).lower()
        peerings = iter_objects(members.get("virtualNetworkPeerings"))
        yield _make_link(identifier, {find_text(each, "id").lower() for each in peerings})
        for each in iter_objects(members.get("subnets")):
            inside = to_mapping(each.get("properties")) or each
            ways = {_find_referenced_id(inside, key) for key in ("networkSecurityGroup", "routeTable", "natGateway")}
            if subnet := find_text(each, "id").lower():
                yield _make_link(subnet, ways | {identifier})


def _find_referenced_id(members: Row, key: str) -> str:
    """The id, in lower case, of a resource that another one refers to; empty without."""
    return to_text(get_path(members, key, "id")).lower()


def _make_link(identifier: str, through: set[str]) -> NetworkLink:
    return NetworkLink(resource=identifier, through=frozenset(through - {""}))
