"""Changes of a network that lies in another resource group, which this sign-in may see, or may not."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.arm import World
from tests.arm.single_vm import SUBSCRIPTION
from tests.live.conftest import AzureStarter, LocalAzure, get_gap_reasons, log_operation

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
ID = f"{GROUP}/prod/providers/Microsoft.Compute/virtualMachines/web-01"
NETWORKS, LOG = "Microsoft.Network/virtualNetworks/read", "Microsoft.Insights/eventtypes/values/read"
INTERFACES = "Microsoft.Network/networkInterfaces/read"
HIDDEN = "the subnet default of its virtual network vnet is not shown to this sign-in"


def build_network_world(group: str, *denied: tuple[str, str]) -> World:
    """A VM whose network lies in `hub`; a route was written in a group 100 s before the VM was cut off."""
    one = World.with_one_vm(network_group="hub")
    one.denied.update((action, f"{GROUP}/{where}") for action, where in denied)
    route = f"{GROUP}/{group}/providers/Microsoft.Network/routeTables/rt/routes/default"
    log_operation(one, route, "Microsoft.Network/routeTables/routes/write", timedelta(minutes=118, seconds=100))
    return one


def list_changes(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [event for event in case["events"] if event["kind"] == "network-change"]


def record_relations(there: LocalAzure, named: str) -> set[tuple[str, str]]:
    """How the changes that were recorded stand to the VM, and why where that is not known."""
    lines = there.run_command("record", named, "--since", "1d").out.splitlines()
    facts = [record["facts"] for line in lines for record in json.loads(line)["records"]]
    return {(each["relation"], each.get("relation_reason", "")) for each in facts if "relation" in each}


@pytest.mark.parametrize("group", ["hub", "prod"])
def test_where_the_network_is_hidden_a_route_of_its_group_or_the_vms_lowers_the_verdict(
    azure: AzureStarter, group: str
) -> None:
    there = azure(build_network_world(group, (NETWORKS, "hub")))
    _, (case,) = there.check_vms(ID)

    assert len(list_changes(case)) == 1
    assert case["verdict"] == "suspected"
    assert sum(seen.authorized for seen in there.arm.requests) == 18
    assert record_relations(there, ID) == {("unknown", HIDDEN)}


@pytest.mark.parametrize(("group", "denied"), [("hub", ()), ("prod", ()), ("dev", ((NETWORKS, "hub"),))])
def test_where_the_network_is_shown_a_foreign_route_is_nobodys_as_is_one_of_a_third_group(
    azure: AzureStarter, group: str, denied: tuple[tuple[str, str], ...]
) -> None:
    there = azure(build_network_world(group, *denied))
    _, (case,) = there.check_vms(ID)

    assert list_changes(case) == []
    assert case["verdict"] == "confirmed"
    if not denied:
        assert case["gaps"] == []
        # One log more than where the network lies in the VM's own group.
        assert sum(seen.authorized for seen in there.arm.requests) == 18


@pytest.mark.parametrize("denied", [((LOG, "hub"),), ((LOG, "hub"), (NETWORKS, "hub"))])
def test_where_the_log_of_the_networks_group_may_not_be_read_its_changes_are_missed(
    azure: AzureStarter, denied: tuple[tuple[str, str], ...]
) -> None:
    _, (case,) = azure(build_network_world("hub", *denied)).check_vms(ID)

    assert "resource group hub were not seen" in get_gap_reasons(case)["activity"]
    assert "activity log of hub" in get_gap_reasons(case)["activity"]
    assert [gap["partial"] for gap in case["gaps"]] == [True]
    assert case["verdict"] == "suspected"


def test_an_interface_that_is_hidden_is_told(azure: AzureStarter) -> None:
    _, (case,) = azure(build_network_world("prod", (INTERFACES, "prod"))).check_vms(ID)

    assert len(list_changes(case)) == 1
    assert get_gap_reasons(case)["activity"] == (
        "its network interfaces are not shown to this sign-in; changes of networks in other groups are not seen"
    )
    assert case["verdict"] == "suspected"


def test_in_a_fleet_the_hidden_network_is_looked_at_too(azure: AzureStarter) -> None:
    there = azure(build_network_world("hub", (NETWORKS, "hub")))
    _, (case,) = there.check_vms("--all")

    assert len(list_changes(case)) == 1
    assert case["verdict"] == "suspected"
    assert record_relations(there, "--all") == {("unknown", HIDDEN)}
