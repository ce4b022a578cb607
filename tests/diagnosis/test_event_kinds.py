"""The table of words, forwards and backwards, and what a scheduled event means."""

import pytest

from vmdiag.diagnosis.event_kinds import Phase, collect_names, find_phase, interpret_record
from vmdiag.diagnosis.event_words import ANNOTATIONS, OPERATIONS, POWER, SAYS, STATUSES
from vmdiag.model import Kind, Signal

VM = "Microsoft.Compute/virtualMachines/"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("VirtualMachineMigrationInitiatedForPlannedMaintenance", Kind.PLANNED_REBOOT),
        ("VirtualMachineMigrationInitiatedForRepair", Kind.HOST_FAILURE),
        ("VirtualMachinePlannedFreezeSucceeded", Kind.FREEZE),
        ("VirtualMachinePossiblyDegradedDueToHardwareFailureLiveMigrationEligible", Kind.PRECURSOR),
        ("VirtualMachineScheduledForServiceHealingLiveMigrationNotEligible", Kind.PRECURSOR),
        ("VirtualMachineRedeployInitiatedByControlPlaneDueToPlannedMaintenance", Kind.REDEPLOY),
        ("LiveMigrationFailed", Kind.LIVE_MIGRATION_FAILED),
        ("LiveMigrationCompleted", Kind.LIVE_MIGRATION),
        ("livemigrationsucceeded//2", Kind.LIVE_MIGRATION),
        ("NO_REASON_DEGRADED", Kind.DEGRADED),
        ("VirtualMachineProvisioningTimedOut", Kind.GUEST_CRASH),
        ("VirtualMachineFabricRebalanced", Kind.UNKNOWN_NOTE),
        ("Unknown", Kind.OTHER),
        ("", Kind.OTHER),
    ],
)
def test_annotations_are_told_by_their_names(name: str, kind: Kind) -> None:
    assert interpret_record(Signal.HEALTH, name, "", {}) is kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Virtual Machine health status changed to unavailable", Kind.OTHER),
        ("Down: Virtual machine has been unavailable for 15 minutes", Kind.OTHER),
        ("Paused because of a memory-preserving Live Migration operation.", Kind.LIVE_MIGRATION),
        ("The live migration failed", Kind.LIVE_MIGRATION_FAILED),
        ("The VM is paused for maintenance", Kind.FREEZE),
        ("This virtual machine is impacted by a top-of-rack network device.", Kind.NETWORK_UNHEALTHY),
        ("Stopped and deallocated as requested by an authorized user or process", Kind.DEALLOCATE),
        ("It is starting as requested by an authorized user or process", Kind.START),
        ("Rebooted by user", Kind.RESTART),
        ("Changed by user", Kind.UNKNOWN_NOTE),
        ("Available", Kind.OTHER),
        ("There aren\u2019t any known Azure platform problems affecting this virtual machine.", Kind.OTHER),
        ("Health Event Activated", Kind.OTHER),
        ("If feasible, we Live Migrate your VM; the host has a disk that is predicted to fail", Kind.PRECURSOR),
        ("Azure attempts to move your VM to a healthy host using Live Migration.", Kind.UNKNOWN_NOTE),
        ("This virtual machine was preempted.", Kind.EVICTION),
        ("We're sorry, your virtual machine isn't available because of an unexpected host failure.", Kind.HOST_FAILURE),
        ("Redeploying due to unplanned host maintenance", Kind.HOST_FAILURE),
        ("It is redeployed as part of a planned maintenance event", Kind.PLANNED_REBOOT),
        ("The platform rebalanced resources of this virtual machine.", Kind.UNKNOWN_NOTE),
        ("Der Computer wurde neu gestartet.", Kind.UNKNOWN_NOTE),
    ],
)
def test_sentences_count_only_where_there_is_no_known_name(text: str, kind: Kind) -> None:
    assert interpret_record(Signal.HEALTH, "", "", {"title": text}) is kind
    assert interpret_record(Signal.HEALTH, "VirtualMachineStorageOffline", "", {"title": text}) is Kind.STORAGE_OFFLINE


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        (VM + "restart/action", "Succeeded", Kind.RESTART),
        (VM.upper() + "POWEROFF/ACTION", "Success", Kind.STOP),
        (VM + "restart/action", "Failed", Kind.OTHER),
        (VM + "runCommand/action", "Succeeded", Kind.OTHER),
        (VM + "assessPatches/action", "Succeeded", Kind.OTHER),
        (VM + "installPatches/action", "Succeeded", Kind.RESTART),
        (VM + "migrateToVirtualMachineScaleSet/action", "Accepted", Kind.REDEPLOY),
        (VM + "attachDetachDataDisks/action", "Accepted", Kind.CONFIGURE),
        ("Microsoft.Compute/virtualMachineScaleSets/virtualMachines/redeploy/action", "Accepted", Kind.REDEPLOY),
        ("Microsoft.Compute/virtualMachineScaleSets/redeploy/action", "Accepted", Kind.OTHER),
        ("Microsoft.Resourcehealth/healthevent/Updated/action", "Updated", Kind.OTHER),
        ("Microsoft.Network/networkSecurityGroups/securityRules/write", "Succeeded", Kind.NETWORK_CHANGE),
        ("Microsoft.Network/networkManagers/commit/action", "Succeeded", Kind.NETWORK_CHANGE),
        ("Microsoft.Network/networkSecurityGroups/join/action", "Succeeded", Kind.OTHER),
        ("Microsoft.Network/dnsZones/write", "Succeeded", Kind.OTHER),
    ],
)
def test_operations_are_told_by_whole_segments(name: str, status: str, kind: Kind) -> None:
    assert interpret_record(Signal.ACTIVITY, name, status, {}) is kind


def test_a_write_that_changes_the_size_is_a_reboot() -> None:
    changed = {"changed": "properties.hardwareProfile.vmSize, properties.provisioningState"}

    assert interpret_record(Signal.ACTIVITY, VM + "write", "Succeeded", changed) is Kind.RESIZE


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({}, Kind.OTHER),
        ({"cause": "PlatformInitiated", "stage": "Active"}, Kind.OTHER),
        ({"title": "Unavailable", "details": "Down: Virtual machine has been unavailable for 15 minutes"}, Kind.OTHER),
        ({"title": "Unavailable", "details": "Its host ran out of luck"}, Kind.UNKNOWN_NOTE),
    ],
)
def test_a_note_is_unknown_only_where_it_says_more_than_a_state(facts: dict[str, str], kind: Kind) -> None:
    assert interpret_record(Signal.HEALTH, "", "Unavailable", facts) is kind
    assert interpret_record(Signal.HEALTH, "availability", "Unavailable", facts) is Kind.UNAVAILABLE


def test_an_unknown_name_with_a_known_sentence_is_what_the_sentence_says() -> None:
    facts = {"summary": "The Virtual Machine is undergoing a reboot due to a guest OS crash."}

    assert interpret_record(Signal.HEALTH, "VirtualMachineWentAway", "", facts) is Kind.GUEST_CRASH


@pytest.mark.parametrize(
    ("signal", "name", "status", "kind"),
    [
        (Signal.HEALTH, "availability", "Degraded", Kind.DEGRADED),
        (Signal.HEALTH, "availability", "Odd", Kind.OTHER),
        (Signal.POWER, "PowerState/deallocating", "", Kind.POWER_DEALLOCATED),
        (Signal.POWER, "VM running", "", Kind.POWER_RUNNING),
        (Signal.POWER, "PowerState/starting", "", Kind.OTHER),
        (Signal.AGENT, "ProvisioningState/Unavailable", "Not Ready", Kind.AGENT_NOT_READY),
        (Signal.AGENT, "ProvisioningState/succeeded", "", Kind.AGENT_READY),
        (Signal.SERVICE, "Incident", "Active", Kind.SERVICE_INCIDENT),
        (Signal.SERVICE, "ServiceIssue", "Resolved", Kind.SERVICE_RESOLVED),
        (Signal.SERVICE, "Maintenance", "Active", Kind.OTHER),
        (Signal.OPERATOR, "unreachable", "", Kind.UNREACHABLE),
        (Signal.PROBE, "tcp", "answered", Kind.PROBE_ANSWERED),
        (Signal.PROBE, "tcp", "timed out", Kind.PROBE_FAILED),
        (Signal.TRAFFIC, "Network In Total", "", Kind.OTHER),
    ],
)
def test_every_other_signal_has_its_words(signal: Signal, name: str, status: str, kind: Kind) -> None:
    assert interpret_record(signal, name, status, {}) is kind


@pytest.mark.parametrize(
    ("status", "expected"),
    [("Start", Phase.BEGUN), ("Accept", Phase.ACCEPTED), ("SUCCESS", Phase.DONE), ("Failure", Phase.FAILED)],
)
def test_both_dialects_of_a_status_are_one(status: str, expected: Phase) -> None:
    assert find_phase(status) is expected


def test_every_kind_has_its_sentence() -> None:
    assert set(SAYS) == set(Kind)
    assert set(ANNOTATIONS.values()) | set(OPERATIONS.values()) <= set(Kind)


MIGRATION = "Virtual machine is being paused because of a memory-preserving Live Migration operation."


def _interpret_scheduled(event_type: str, status: str, description: str = "", source: str = "Platform") -> Kind:
    facts = {"event_type": event_type, "summary": description, "source": source}
    return interpret_record(Signal.HEALTH, "", status, facts)


@pytest.mark.parametrize("status", ["Scheduled", "Canceled"])
@pytest.mark.parametrize("event_type", ["Freeze", "Reboot", "Redeploy", "Preempt", "Terminate", "Hibernate"])
def test_what_was_only_announced_has_not_happened(event_type: str, status: str) -> None:
    assert _interpret_scheduled(event_type, status, MIGRATION) is Kind.OTHER


@pytest.mark.parametrize(
    ("description", "kind"),
    [
        ("Host server is undergoing maintenance.", Kind.FREEZE),
        ("Host Server infrastructure is undergoing maintenance.", Kind.FREEZE),
        ("Virtual machine is undergoing maintenance", Kind.UNKNOWN_NOTE),
        ("", Kind.UNKNOWN_NOTE),
        (MIGRATION, Kind.LIVE_MIGRATION),
        (MIGRATION.upper(), Kind.LIVE_MIGRATION),
    ],
)
@pytest.mark.parametrize("status", ["Started", "Completed", "started"])
def test_a_freeze_is_what_its_description_says(description: str, status: str, kind: Kind) -> None:
    assert _interpret_scheduled("Freeze", status, description) is kind


@pytest.mark.parametrize(
    ("event_type", "description", "source", "kind"),
    [
        ("Reboot", "Host server is undergoing maintenance.", "Platform", Kind.PLANNED_REBOOT),
        ("Reboot", "Virtual machine is going to be restarted as requested by authorized user.", "User", Kind.RESTART),
        ("Redeploy", "Host server is undergoing maintenance.", "Platform", Kind.PLANNED_REBOOT),
        ("Redeploy", "Virtual machine is going to be redeployed as requested by authorized user.", "", Kind.REDEPLOY),
        ("Redeploy", "Host server is undergoing an emergency repair.", "Platform", Kind.HOST_FAILURE),
        ("Redeploy", "Virtual machine has encountered a failure.", "Platform", Kind.HOST_FAILURE),
        ("Preempt", "", "Platform", Kind.EVICTION),
        ("Terminate", "", "User", Kind.DELETE),
        ("Hibernate", "", "Platform", Kind.UNKNOWN_NOTE),
        ("Reboot", MIGRATION, "Platform", Kind.PLANNED_REBOOT),
    ],
)
def test_every_other_type_has_its_kind(event_type: str, description: str, source: str, kind: Kind) -> None:
    assert _interpret_scheduled(event_type, "Started", description, source) is kind


def test_a_status_that_no_page_names_is_cited_and_not_interpreted() -> None:
    assert _interpret_scheduled("Freeze", "Postponed", MIGRATION) is Kind.UNKNOWN_NOTE


@pytest.mark.parametrize("kind", Kind)
def test_the_table_read_backwards_finds_what_it_means_forwards(kind: Kind) -> None:
    """Whatever a query finds by these words is of the kind."""
    names = collect_names({kind})
    found = [interpret_record(Signal.ACTIVITY, name, "Succeeded", {}) for name in names[Signal.ACTIVITY]]
    found += [interpret_record(Signal.POWER, f"PowerState/{name}", "", {}) for name in names[Signal.POWER]]
    found += [
        interpret_record(Signal.HEALTH, "availability", name, {})
        if name in STATUSES
        else interpret_record(Signal.HEALTH, name, "", {})
        for name in names[Signal.HEALTH]
    ]

    assert set(found) <= {kind}


def test_every_word_of_the_tables_is_found_by_some_kind() -> None:
    every = collect_names(frozenset(Kind))
    annotated = {name.lower() for name in ANNOTATIONS}

    assert every[Signal.HEALTH] == annotated | STATUSES.keys()
    assert every[Signal.POWER] == POWER.keys()
    assert {name.split("virtualmachines/")[1] for name in every[Signal.ACTIVITY]} == OPERATIONS.keys()
