"""What a resource id says, in the shapes recorded."""

import pytest

from tests.sources.reading import vm
from tests.sources.rows import GROUP, NSG, SUBNET, SUBSCRIPTION, VM
from vmdiag.sources.decoding.fields import (
    find_resource_id,
    parse_health_vm,
    parse_network_id,
    parse_parent_id,
    parse_scope,
    parse_subscription,
    parse_vm_id,
)
from vmdiag.sources.items import MalformedRow

NETWORK = f"{GROUP}/providers/Microsoft.Network"


@pytest.mark.parametrize("written", [VM, VM.upper(), VM[1:], f"{VM}/", f" {VM}"])
def test_a_vm_is_known_in_any_spelling(written: str) -> None:
    assert parse_vm_id(find_resource_id(written)) == vm()


@pytest.mark.parametrize(
    "below", ["/extensions/agent", "/providers/Microsoft.Authorization/locks/x", "s", "/runCommands/x"]
)
def test_what_lies_below_a_vm_is_not_the_vm(below: str) -> None:
    assert parse_vm_id(f"{VM}{below}") != vm()


def test_a_health_record_below_a_vm_is_the_vms() -> None:
    assert parse_health_vm(f"{VM}/providers/Microsoft.ResourceHealth/resourceAnnotations/current") == vm()
    assert parse_health_vm(f"{NSG}/providers/Microsoft.ResourceHealth/availabilityStatuses/current") is None


@pytest.mark.parametrize(
    "written", ["", None, 7, "/RESOURCE_ID", "/subscriptions//resourceGroups//x", [], "subscriptions"]
)
def test_what_is_no_id_is_malformed(written: object) -> None:
    with pytest.raises(MalformedRow):
        find_resource_id(written)


def test_an_id_has_a_group_a_subscription_or_neither() -> None:
    assert parse_scope(VM) == GROUP.lower()
    assert parse_scope(SUBSCRIPTION) == parse_subscription(VM) == SUBSCRIPTION
    assert parse_scope("/providers/Microsoft.Management/managementGroups/x") is None


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        ("networkSecurityGroups/a", True),
        ("networkSecurityGroups/a/securityRules/b", True),
        ("loadBalancers/x", True),
        ("networkWatchers/w", False),
        ("networkSecurityGroups", False),
        ("networkSecurityGroups/a/providers/microsoft.insights/diagnosticSettings/d", False),
    ],
)
def test_traffic_passes_through_network_resources_and_not_what_only_watches(name: str, *, passes: bool) -> None:
    assert parse_network_id(f"{NETWORK}/{name}") == (f"{NETWORK}/{name}".lower() if passes else None)
    assert parse_network_id(VM) is None


def test_a_part_belongs_to_its_top_resource() -> None:
    assert parse_parent_id(SUBNET) == f"{NETWORK}/virtualNetworks/shop-net".lower()
