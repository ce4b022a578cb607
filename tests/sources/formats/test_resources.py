"""Rows of Resource Graph's `resources`: what a VM's traffic passes through."""

import pytest

from tests.sources import samples
from tests.sources.rows import EXAMPLES, GROUP, NIC, NSG, SUBNET, VM, known, read, snapshots, vm
from vmdiag.model import Signal
from vmdiag.sources.items import NetworkLink, Row

NAME = "resources"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/shop-net"
BALANCER = f"{GROUP}/providers/Microsoft.Network/loadBalancers/front"
ADDRESS = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/web-ip"


def links(row: Row) -> dict[str, set[str]]:
    return {item.resource: set(item.through) for item in read(NAME, row) if isinstance(item, NetworkLink)}


def lower(*identifiers: str) -> set[str]:
    return {identifier.lower() for identifier in identifiers}


def test_an_interface_belongs_to_its_vm_and_links_what_lies_behind() -> None:
    assert [(item.vm.id, item.vm.network) for item in known(read(NAME, EXAMPLES[NAME]))] == [
        (vm(), frozenset(lower(NIC)))
    ]
    assert links(EXAMPLES[NAME]) == {NIC.lower(): lower(NSG, SUBNET, NETWORK)}


@pytest.mark.parametrize("spelling", ["publicIPAddress", "publicIpAddress"])
def test_an_interface_of_the_cli_has_its_members_on_top(spelling: str) -> None:
    configuration = {
        "subnet": {"id": SUBNET},
        spelling: {"id": ADDRESS},
        "loadBalancerBackendAddressPools": [{"id": f"{BALANCER}/backendAddressPools/web"}],
    }
    row = {"id": NIC, "type": "Microsoft.Network/networkInterfaces", "ipConfigurations": [configuration]}

    assert links(row) == {NIC.lower(): lower(SUBNET, NETWORK, ADDRESS, BALANCER)}


def test_a_network_links_its_peerings_and_each_subnet_its_rules_and_routes() -> None:
    routes = f"{GROUP}/providers/Microsoft.Network/routeTables/out"
    peering = f"{NETWORK}/virtualNetworkPeerings/hub"
    inside = {"networkSecurityGroup": {"id": NSG}, "routeTable": {"id": routes}}
    properties = {
        "subnets": [{"id": SUBNET, "properties": inside}, {"name": "no id"}],
        "virtualNetworkPeerings": [{"id": peering}],
    }
    row = {"id": NETWORK, "type": "microsoft.network/virtualnetworks", "properties": properties}

    assert links(row) == {NETWORK.lower(): lower(peering), SUBNET.lower(): lower(NSG, routes, NETWORK)}


def test_a_vm_of_resource_graph_has_its_power_in_a_small_view() -> None:
    extended = {"instanceView": {"powerState": {"code": "PowerState/deallocated"}}}
    properties = {"hardwareProfile": {"vmSize": "Standard_D2s_v5"}, "extended": extended}
    row = {"id": VM, "type": "microsoft.compute/virtualmachines", "location": "westeurope", "properties": properties}
    items = read(NAME, row)

    assert [(item.vm.size, item.vm.power_state) for item in known(items)] == [("Standard_D2s_v5", "deallocated")]
    assert [(item.signal, item.name) for item in snapshots(items)] == [(Signal.POWER, "PowerState/deallocated")]


@samples.needs_samples
def test_published_rows_of_other_types_say_nothing() -> None:
    rows = samples.rows("resource-graph/15*.json")
    assert [read(NAME, row) for row in rows] == [[], []]
