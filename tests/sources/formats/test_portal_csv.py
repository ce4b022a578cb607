"""The portal's CSV: display names, and no properties."""

import pytest

from tests.sources.rows import EXAMPLES, GROUP, NSG, REF, SUBSCRIPTION, VM, changed, covered, heard, nearby, read
from vmdiag.model import Record, Signal
from vmdiag.sources.decoding.timestamps import require_time

NAME = "portal-csv"
VM_TYPE = "Microsoft.Compute/virtualMachines"


def test_a_policy_says_nothing_of_the_vm() -> None:
    assert not heard(read(NAME, changed(NAME, **{"Event category": "Policy"})))


def test_an_incident_without_its_properties_says_nothing() -> None:
    row = changed(NAME, **{"Event category": "Service health", "Operation name": "Incident", "Resource": SUBSCRIPTION})
    assert Signal.SERVICE not in covered(read(NAME, row))


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ("Restart Virtual Machine", f"{VM_TYPE}/restart/action"),
        ("Deallocate Virtual Machine", f"{VM_TYPE}/deallocate/action"),
        ("Power Off Virtual Machine", f"{VM_TYPE}/powerOff/action"),
        ("start virtual machine", f"{VM_TYPE}/start/action"),
        ("Redeploy Virtual Machine", f"{VM_TYPE}/redeploy/action"),
        ("Create or Update Virtual Machine", f"{VM_TYPE}/write"),
        ("Delete Virtual Machine", f"{VM_TYPE}/delete"),
        ("Virtuellen Computer neu starten", "Virtuellen Computer neu starten"),
    ],
)
def test_a_display_name_is_given_back_as_azures_where_it_is_known(shown: str, name: str) -> None:
    (record,) = heard(read(NAME, changed(NAME, **{"Operation name": shown})))
    assert (record.name, record.status, record.facts["resource"]) == (name, "Succeeded", VM.lower())


def test_a_health_event_is_told_by_its_display_name_only() -> None:
    row = changed(
        NAME, **{"Operation name": "Health Event Activated", "Event category": "Resource health", "Status": "Active"}
    )
    facts = {"title": "Health Event Activated", "stage": "Active"}
    at = require_time(None, EXAMPLES[NAME]["Time"])

    assert heard(read(NAME, row)) == [Record(at=at, signal=Signal.HEALTH, name="", facts=facts, ref=REF)]


def test_a_live_migration_is_said_to_be_out_of_sight() -> None:
    partial = covered(read(NAME, EXAMPLES[NAME]))

    assert partial[Signal.ACTIVITY] is None
    assert partial[Signal.HEALTH] == "the portal's CSV has no properties: a live migration cannot be seen in it"


@pytest.mark.parametrize(
    "row",
    [
        changed(NAME, Resource=VM),
        changed(NAME, **{"Resource type": "Virtual machine"}),
        {key.upper(): value for key, value in EXAMPLES[NAME].items()},
    ],
)
def test_the_vm_is_named_by_id_or_by_parts_under_headings_in_any_case(row: dict[str, object]) -> None:
    assert heard(read(NAME, row)) == heard(read(NAME, EXAMPLES[NAME]))


def test_a_change_of_a_rule_is_nearby() -> None:
    kind = "Microsoft.Network/networkSecurityGroups/securityRules"
    members = {"Resource": "web-nsg/deny", "Resource type": kind, "Operation name": "Create or Update Security Rule"}
    (near,) = nearby(read(NAME, changed(NAME, **members)))

    assert near.resource == f"{NSG}/securityRules/deny".lower()
    assert near.record.name == f"{kind}/write"


def test_an_older_file_without_resources_only_covers() -> None:
    items = read(NAME, changed(NAME, Resource=None))

    assert not heard(items)
    assert {each.scope for each in items if hasattr(each, "scope")} == {GROUP.lower()}
