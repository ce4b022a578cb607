"""The table of words, forwards and backwards."""

import pytest

from vmdiag.model import Kind, Signal
from vmdiag.vocabulary import ANNOTATIONS, OPERATIONS, SAYS, Phase, interpret, names_of, phase

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
        ("Unknown", Kind.OTHER),
        ("", Kind.OTHER),
    ],
)
def test_annotations_are_told_by_their_names(name: str, kind: Kind) -> None:
    assert interpret(Signal.HEALTH, name, "", {}) is kind


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
        ("Changed by user", Kind.OTHER),
    ],
)
def test_sentences_count_only_where_there_is_no_name(text: str, kind: Kind) -> None:
    assert interpret(Signal.HEALTH, "", "", {"title": text}) is kind
    assert interpret(Signal.HEALTH, "VirtualMachineStorageOffline", "", {"title": text}) is Kind.STORAGE_OFFLINE


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        (VM + "restart/action", "Succeeded", Kind.RESTART),
        (VM.upper() + "POWEROFF/ACTION", "Success", Kind.STOP),
        (VM + "restart/action", "Failed", Kind.OTHER),
        (VM + "runCommand/action", "Succeeded", Kind.OTHER),
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
    assert interpret(Signal.ACTIVITY, name, status, {}) is kind


def test_a_write_that_changes_the_size_is_a_reboot() -> None:
    changed = {"changed": "properties.hardwareProfile.vmSize, properties.provisioningState"}

    assert interpret(Signal.ACTIVITY, VM + "write", "Succeeded", changed) is Kind.RESIZE


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
    assert interpret(signal, name, status, {}) is kind


@pytest.mark.parametrize(
    ("status", "expected"),
    [("Start", Phase.BEGUN), ("Accept", Phase.ACCEPTED), ("SUCCESS", Phase.DONE), ("Failure", Phase.FAILED)],
)
def test_both_dialects_of_a_status_are_one(status: str, expected: Phase) -> None:
    assert phase(status) is expected


def test_the_table_reads_backwards_to_what_it_reads_forwards() -> None:
    for kind in Kind:
        for signal, words in names_of([kind]).items():
            for word in words:
                name, status = (
                    ("availability", word) if word in ("Available", "Unavailable", "Degraded") else (word, "")
                )
                if word == "Unknown":
                    name, status = "availability", word
                if signal is Signal.SERVICE:
                    status = "Resolved" if kind is Kind.SERVICE_RESOLVED else "Active"
                assert interpret(signal, name, status, {}) is kind


def test_every_kind_has_its_sentence() -> None:
    assert set(SAYS) == set(Kind)
    assert set(ANNOTATIONS.values()) | set(OPERATIONS.values()) <= set(Kind)
