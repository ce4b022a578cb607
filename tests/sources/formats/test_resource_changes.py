"""Changes of VMs and networks in Resource Graph."""

import pytest

from tests.sources.rows import CHANGE, GROUP, NSG, VM, covered, heard, nearby, read
from vmdiag.model import Signal

NAME = "resource-changes"


def change(target: str, **members: object) -> dict[str, object]:
    properties = CHANGE["properties"]
    assert isinstance(properties, dict)
    return {**CHANGE, "properties": {**properties, "targetResourceId": target, **members}}


@pytest.mark.parametrize("kind", ["Microsoft.Storage/storageAccounts", "Microsoft.Compute/disks"])
def test_another_resource_says_nothing_but_that_the_feed_was_read(kind: str) -> None:
    items = read(NAME, change(f"{GROUP}/providers/{kind}/x"))

    assert not heard(items)
    assert not nearby(items)
    assert Signal.ACTIVITY in covered(items)


def test_a_state_that_the_platform_writes_is_nobodys_operation() -> None:
    states = {"properties.extended.instanceView.powerState.code": {"newValue": "PowerState/running"}}
    assert not heard(read(NAME, change(VM, changes=states)))


def test_a_change_of_a_rule_set_is_nearby_and_names_nobody() -> None:
    (near,) = nearby(read(NAME, CHANGE))

    assert near.resource == NSG.lower()
    assert (near.record.name, near.record.status) == ("microsoft.network/networksecuritygroups/write", "Succeeded")
    assert near.record.facts == {
        "resource": NSG.lower(),
        "changed": "properties.securityRules[0].properties.access",
        "clientType": "Azure Portal",
        "operation": "microsoft.network/networksecuritygroups/write",
    }


@pytest.mark.parametrize(("kind", "verb"), [("Create", "write"), ("Update", "write"), ("Delete", "delete")])
def test_a_change_of_the_vm_is_an_operation_on_it(kind: str, verb: str) -> None:
    (record,) = heard(read(NAME, change(VM.lower(), changeType=kind, targetResourceType=None)))
    assert record.name == f"Microsoft.Compute/virtualMachines/{verb}"


def test_the_type_is_read_from_the_id_where_it_is_missing() -> None:
    (near,) = nearby(read(NAME, change(NSG, targetResourceType=None)))
    assert near.record.name == "Microsoft.Network/networkSecurityGroups/write"


def test_restarts_are_said_to_be_out_of_sight() -> None:
    assert covered(read(NAME, CHANGE)) == {
        Signal.ACTIVITY: "resource changes show what was written or deleted, not restarts and redeploys"
    }


def test_only_the_first_paths_of_a_great_change_are_told() -> None:
    changes: dict[str, object] = {f"properties.p{number}": {} for number in range(500)}
    (record,) = heard(read(NAME, change(VM, changes=changes)))

    assert record.facts["changed"].count(",") == 19
