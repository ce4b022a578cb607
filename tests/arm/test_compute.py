"""VMs as the compute provider describes them, and what their refusals say."""

from datetime import timedelta

import pytest

from tests.arm import World
from tests.arm.client import COMPUTE, Client
from tests.arm.conftest import ServerStarter


def test_the_instance_view_comes_only_when_it_is_asked_for(client: Client) -> None:
    (vm,) = client.arm.world
    plain = client.get(vm.id, COMPUTE).json["properties"]
    whole = client.get(vm.id.upper(), COMPUTE, _expand="InstanceView").json["properties"]
    refused = client.get(vm.id, COMPUTE, _expand="everything")

    assert "instanceView" not in plain
    codes = [each["code"] for each in whole["instanceView"]["statuses"]]
    assert codes == ["ProvisioningState/succeeded", "PowerState/running"]
    assert refused.status == 400


def test_every_knob_shows_in_the_vm(serve: ServerStarter) -> None:
    world = World.with_one_vm(
        os="windows",
        ephemeral=True,
        tags={"env": "prod"},
        power="deallocated",
        zone="2",
        availability_set="front",
        proximity_group="near",
        scale_set="flexible",
        spot=True,
        provisioning="Failed",
    )
    (vm,) = world
    found = serve(world).get(vm.id, COMPUTE, _expand="instanceView").json
    properties = found["properties"]

    assert (found["tags"], found["zones"]) == ({"env": "prod"}, ["2"])
    assert properties["storageProfile"]["osDisk"]["diffDiskSettings"]["option"] == "Local"
    assert properties["storageProfile"]["osDisk"]["osType"] == "Windows"
    assert properties["availabilitySet"]["id"].endswith("/availabilitySets/front")
    assert properties["proximityPlacementGroup"]["id"].endswith("/proximityPlacementGroups/near")
    assert properties["virtualMachineScaleSet"]["id"].endswith("/virtualMachineScaleSets/flexible")
    assert (properties["priority"], properties["provisioningState"]) == ("Spot", "Failed")
    assert properties["instanceView"]["statuses"][1]["code"] == "PowerState/deallocated"
    assert "vmAgent" not in properties["instanceView"]


def test_lists_are_paged_and_leave_out_the_instance_view(serve: ServerStarter) -> None:
    world = World.with_fleet(vms=7, groups=2, migrated=1)
    subscription = next(iter(world)).subscription
    path = f"/subscriptions/{subscription}/providers/Microsoft.Compute/virtualMachines"
    client = serve(world, page=3)
    reply = client.get(path, COMPUTE)
    found = list(reply.json["value"])
    while link := reply.json.get("nextLink"):
        reply = client.follow_link(link)
        found += reply.json["value"]
    group = client.get(f"/subscriptions/{subscription}/resourcegroups/RG-00{path[len(subscription) + 15 :]}", COMPUTE)

    assert len({each["id"] for each in found}) == 7
    assert all("instanceView" not in each["properties"] for each in found)
    assert len(group.json["value"]) == 3


def test_a_list_of_statuses_has_nothing_else(client: Client) -> None:
    (vm,) = client.arm.world
    path = f"/subscriptions/{vm.subscription}/providers/Microsoft.Compute/virtualMachines"
    (found,) = client.get(path, COMPUTE, statusOnly="true").json["value"]

    assert found["id"] == vm.id
    assert list(found["properties"]) == ["instanceView"]


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        (
            "/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/nope",
            "ResourceNotFound",
            "The Resource 'Microsoft.Compute/virtualMachines/nope' under resource group 'prod' was not found.",
        ),
        (
            "/resourceGroups/nope/providers/Microsoft.Compute/virtualMachines/web-01",
            "ResourceGroupNotFound",
            "Resource group 'nope' could not be found.",
        ),
        (
            "/resourceGroups/nope/providers/Microsoft.Compute/virtualMachines",
            "ResourceGroupNotFound",
            "Resource group 'nope' could not be found.",
        ),
    ],
)
def test_what_is_not_there_is_not_found(client: Client, path: str, code: str, message: str) -> None:
    (vm,) = client.arm.world
    reply = client.get(f"/subscriptions/{vm.subscription}{path}", COMPUTE)

    assert (reply.status, reply.error_code) == (404, code)
    assert reply.json["error"]["message"].startswith(message)


def test_a_cloud_that_lags_names_the_versions_that_it_knows(serve: ServerStarter) -> None:
    client = serve(World.with_one_vm(api_ceiling="2021-07-01"))
    (vm,) = client.arm.world
    refused, known = client.get(vm.id, "2023-03-01"), client.get(vm.id, "2021-07-01")
    unknown = client.get(vm.id, "2017-01-01")

    assert (refused.status, refused.error_code) == (400, "NoRegisteredProviderFound")
    assert "The supported api-versions are '2021-07-01, " in refused.json["error"]["message"]
    assert "2023-03-01" not in refused.json["error"]["message"].partition("supported")[2]
    assert (known.status, unknown.status) == (200, 400)


def test_an_instance_of_a_uniform_scale_set_is_no_vm_of_its_own(serve: ServerStarter) -> None:
    client = serve(World.with_one_vm(scale_set="front", uniform=True))
    (vm,) = client.arm.world
    root = f"/subscriptions/{vm.subscription}/providers/Microsoft.Compute/virtualMachines"
    instance = client.get(vm.id, COMPUTE).json
    vms = client.get(root, COMPUTE).json["value"]

    assert vm.id.endswith("/virtualMachineScaleSets/front/virtualMachines/0")
    assert (instance["name"], instance["instanceId"]) == ("front_0", "0")
    assert vms == []


def _list_lock_levels(client: Client, scope: str, **query: str) -> list[str]:
    path = f"{scope}/providers/Microsoft.Authorization/locks"
    return [each["properties"]["level"] for each in client.get(path, "2016-09-01", **query).json["value"]]


def test_locks_hold_for_what_lies_below(serve: ServerStarter) -> None:
    client = serve(World.with_one_vm(locks=("CanNotDelete",)))
    (vm,) = client.arm.world
    subscription = f"/subscriptions/{vm.subscription}"

    assert _list_lock_levels(client, vm.id, _filter="atScope()") == ["CanNotDelete"]
    assert _list_lock_levels(client, subscription, _filter="atScope()") == []
    assert _list_lock_levels(client, subscription) == ["CanNotDelete"]
    refused = client.get(f"{vm.id}/providers/Microsoft.Authorization/locks", "2016-09-01", _filter="name eq 'x'")
    assert refused.status == 400


def test_permissions_are_those_of_the_role_less_what_is_denied(serve: ServerStarter) -> None:
    world = World.with_one_vm()
    (vm,) = world
    world.denied.add(("Microsoft.Compute/virtualMachines/redeploy/action", f"/subscriptions/{vm.subscription}"))
    client = serve(world)
    path = f"{vm.id}/providers/Microsoft.Authorization/permissions"
    (contributor,) = client.get(path, "2022-04-01").json["value"]
    world.role = "reader"
    (reader,) = client.get(path, "2022-04-01").json["value"]

    assert contributor["actions"] == ["*"]
    assert "Microsoft.Compute/virtualMachines/redeploy/action" in contributor["notActions"]
    assert reader["actions"] == ["*/read"]


def test_a_vm_that_was_made_today_was_not_there_yesterday() -> None:
    world = World.with_one_vm()
    (vm,) = world

    assert vm.created_at == vm.truth.health[0].at
    assert world.now() - vm.created_at > timedelta(days=29)
