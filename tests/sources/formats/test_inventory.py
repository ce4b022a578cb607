"""What a VM is, and what its traffic passes through."""

import pytest

from tests.sources import samples
from tests.sources.reading import changed, heard, known, read, snapshots, vm
from tests.sources.rows import EXAMPLES, GROUP, NIC, NSG, SUBNET, TIME, VM
from vmdiag.completeness import Row
from vmdiag.model import Signal, VirtualMachine
from vmdiag.sources.items import NetworkLink

RESOURCES = "resources"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/shop-net"
BALANCER = f"{GROUP}/providers/Microsoft.Network/loadBalancers/front"
ADDRESS = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/web-ip"


def links(row: Row) -> dict[str, set[str]]:
    return {item.resource: set(item.through) for item in read(RESOURCES, row) if isinstance(item, NetworkLink)}


def lower(*identifiers: str) -> set[str]:
    return {identifier.lower() for identifier in identifiers}


def test_an_interface_belongs_to_its_vm_and_links_what_lies_behind() -> None:
    assert [(item.vm.id, item.vm.network) for item in known(read(RESOURCES, EXAMPLES[RESOURCES]))] == [
        (vm(), frozenset(lower(NIC)))
    ]
    assert links(EXAMPLES[RESOURCES]) == {NIC.lower(): lower(NSG, SUBNET, NETWORK)}


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
    items = read(RESOURCES, row)

    assert [(item.vm.size, item.vm.power_state) for item in known(items)] == [("Standard_D2s_v5", "deallocated")]
    assert [(item.signal, item.name) for item in snapshots(items)] == [(Signal.POWER, "PowerState/deallocated")]


MACHINE = "virtual-machine"
VIEW = {
    "vmAgent": {"statuses": [{"code": "ProvisioningState/succeeded", "displayStatus": "Ready", "time": TIME}]},
    "statuses": [{"code": "OSState/generalized"}, {"code": "powerstate/Deallocated"}],
}


def test_a_vm_of_rest_is_known_with_its_states() -> None:
    items = read(MACHINE, EXAMPLES[MACHINE])
    expected = VirtualMachine(
        id=vm(),
        location="westeurope",
        os="linux",
        size="Standard_D2s_v5",
        power_state="running",
        network=frozenset({NIC.lower()}),
    )

    assert [item.vm for item in known(items)] == [expected]
    assert [(item.signal, item.name, item.status) for item in snapshots(items)] == [
        (Signal.POWER, "PowerState/running", ""),
        (Signal.AGENT, "ProvisioningState/Unavailable", "Not Ready"),
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            {"id": VM, "hardwareProfile": {}, "powerState": "VM deallocated", "location": "West Europe"},
            {"power_state": "deallocated", "location": "westeurope"},
        ),
        ({"id": VM, "osProfile": {"windowsConfiguration": {"provisionVMAgent": True}}}, {"os": "windows"}),
        # Cloud Custodian puts the view beside the properties.
        (changed(MACHINE, properties={"hardwareProfile": {}}, instanceView=VIEW), {"power_state": "deallocated"}),
    ],
)
def test_a_vm_is_described_in_many_ways(row: dict[str, object], told: dict[str, str]) -> None:
    (item,) = known(read(MACHINE, row))
    assert {name: getattr(item.vm, name) for name in told} == told


def test_an_agent_with_a_time_is_heard_then() -> None:
    items = read(MACHINE, {"id": VM, "instanceView": VIEW})
    (record,) = heard(items)

    assert (record.signal, record.name, record.status) == (Signal.AGENT, "ProvisioningState/succeeded", "Ready")
    assert [item.name for item in snapshots(items)] == ["PowerState/deallocated"]


@pytest.mark.parametrize("view", [{"statuses": []}, {"statuses": None, "vmAgent": None}, {"vmAgent": {"statuses": []}}])
def test_a_vm_that_is_being_created_has_no_state(view: dict[str, object]) -> None:
    assert not snapshots(read(MACHINE, {"id": VM, "type": "Microsoft.Compute/virtualMachines", "instanceView": view}))


def test_a_bare_view_with_an_id_inside_is_used() -> None:
    items = read(MACHINE, {**VIEW, "extensions": [{"name": "a"}, {"id": f"{VM}/extensions/agent"}]})
    assert [item.vm.id for item in known(items)] == [vm()]


@samples.needs_samples
def test_recorded_vms_are_read() -> None:
    rows = [row for row in samples.rows("instance-view/*.json") if "error" not in row]
    states = [item.name for row in rows for item in snapshots(read(MACHINE, row))]

    assert states.count("PowerState/running") == 3
    assert set(states) == {f"PowerState/{state}" for state in ("running", "deallocated", "stopped", "starting")}
