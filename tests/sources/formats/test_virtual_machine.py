"""A VM's own description, in REST's form and the CLI's."""

import pytest

from tests.sources import samples
from tests.sources.rows import EXAMPLES, NIC, TIME, VM, changed, heard, known, read, snapshots, vm
from vmdiag.model import Signal, VirtualMachine

NAME = "virtual-machine"
VIEW = {
    "vmAgent": {"statuses": [{"code": "ProvisioningState/succeeded", "displayStatus": "Ready", "time": TIME}]},
    "statuses": [{"code": "OSState/generalized"}, {"code": "powerstate/Deallocated"}],
}


def test_a_vm_of_rest_is_known_with_its_states() -> None:
    items = read(NAME, EXAMPLES[NAME])
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


def test_a_vm_of_the_cli_is_the_same() -> None:
    properties = EXAMPLES[NAME]["properties"]
    assert isinstance(properties, dict)
    flat = {"resourceGroup": "shop", "tags": {}, **changed(NAME, properties=None), **properties}

    assert read(NAME, flat) == read(NAME, EXAMPLES[NAME])
    assert read(NAME, {key: value for key, value in flat.items() if key != "type"}) == read(NAME, flat)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            {"id": VM, "hardwareProfile": {}, "powerState": "VM deallocated", "location": "West Europe"},
            {"power_state": "deallocated", "location": "westeurope"},
        ),
        ({"id": VM, "osProfile": {"windowsConfiguration": {"provisionVMAgent": True}}}, {"os": "windows"}),
        # Cloud Custodian puts the view beside the properties.
        (changed(NAME, properties={"hardwareProfile": {}}, instanceView=VIEW), {"power_state": "deallocated"}),
    ],
)
def test_a_vm_is_described_in_many_ways(row: dict[str, object], told: dict[str, str]) -> None:
    (item,) = known(read(NAME, row))
    assert {name: getattr(item.vm, name) for name in told} == told


def test_an_agent_with_a_time_is_heard_then() -> None:
    items = read(NAME, {"id": VM, "instanceView": VIEW})
    (record,) = heard(items)

    assert (record.signal, record.name, record.status) == (Signal.AGENT, "ProvisioningState/succeeded", "Ready")
    assert [item.name for item in snapshots(items)] == ["PowerState/deallocated"]


@pytest.mark.parametrize("view", [{"statuses": []}, {"statuses": None, "vmAgent": None}, {"vmAgent": {"statuses": []}}])
def test_a_vm_that_is_being_created_has_no_state(view: dict[str, object]) -> None:
    assert not snapshots(read(NAME, {"id": VM, "type": "Microsoft.Compute/virtualMachines", "instanceView": view}))


def test_a_bare_view_with_an_id_inside_is_used() -> None:
    items = read(NAME, {**VIEW, "extensions": [{"name": "a"}, {"id": f"{VM}/extensions/agent"}]})
    assert [item.vm.id for item in known(items)] == [vm()]


@samples.needs_samples
def test_recorded_vms_are_read() -> None:
    rows = [row for row in samples.rows("instance-view/*.json") if "error" not in row]
    states = [item.name for row in rows for item in snapshots(read(NAME, row))]

    assert states.count("PowerState/running") == 3
    assert set(states) == {f"PowerState/{state}" for state in ("running", "deallocated", "stopped", "starting")}
