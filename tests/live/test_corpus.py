"""The labelled incidents, served by a local Resource Manager: a fleet's live verdicts are those of the labels."""

from datetime import UTC, datetime
from functools import cache

import pytest

from tests.arm import World
from tests.incidents.corpus import BLOCK_SIZE, INCIDENT_CLASSES
from tests.incidents.model import Incident
from tests.incidents.scene import Scene
from tests.incidents.staging import stage_incident
from tests.live.conftest import AzureStarter

# Their labels rest on a feed that is missing, and a Resource Manager that answers everything tells more; or, the last
# ones, on a relation that Resource Graph knows, or on coarse points where it has those of a minute.
TOLD_MORE = frozenset(
    {
        "traffic_alone",
        "heartbeat_alone",
        "activity_log_not_read",
        "health_alone_after_migration",
        "accelnet_after_migration_without_metrics",
        "idle_vm",
        "activity_log_alone_with_migration",
        "activity_log_alone_with_loss",
        "metrics_refused",
        "metrics_tail_missing",
        "heartbeats_go_on_without_metrics",
        "alive_before_the_loss_only",
        "unknown_note_and_health_alone",
        "network_change_of_unknown_relation",
        "hidden_network_change",
        "change_in_the_group_of_a_hidden_network",
        "loss_in_hours",
        # The habit shows in the traffic alone; a workspace tells that the heartbeats end as well.
        "nightly_fall",
        "hourly_fall",
        # ... or that they go on.
        "partial_loss_with_a_pair_of_tests",
    }
)
# Theirs rest on heartbeats, and no workspace is named here.
TOLD_LESS = frozenset(
    {
        "partial_loss_with_heartbeats_gone",
        "nightly_fall_with_heartbeats_gone",
        "heartbeats_go_on",
        "silent_agent_in_onset_window",
        "silent_agents_and_a_migration",
    }
)

# What the operator knows, and the window asked for, are said of one run, not of a fleet.
OF_ONE_RUN = frozenset(
    {
        "operator_knows",
        "operator_knows_of_a_silent_vm",
        "operator_rounds_down",
        "operator_rounds_down_beside_heartbeats",
        "operator_contradicted",
        "silent_agent_and_the_operators_word",
        *(name for name in INCIDENT_CLASSES if name.startswith("short_window")),
    }
)
NAMES = tuple(name for name in INCIDENT_CLASSES if name not in OF_ONE_RUN)
SEED = 1


@cache
def _stage_incidents() -> tuple[Incident, ...]:
    until = datetime(2026, 5, 1, 12, tzinfo=UTC)
    staged = []
    for number, name in enumerate(NAMES):
        scene = Scene(SEED, number, until)
        staged.append(stage_incident(name, SEED, number, scene, INCIDENT_CLASSES[name](scene)))
    assert [one.name for one in staged if one.unreachable_since or one.since] == []
    return tuple(staged)


@pytest.mark.parametrize("first", range(0, len(NAMES), BLOCK_SIZE))
def test_a_fleet_gets_the_verdicts_of_its_labels(azure: AzureStarter, first: int) -> None:
    block = _stage_incidents()[first : first + BLOCK_SIZE]
    ran, cases = azure(World.from_incidents(*block), throttle=False).check_vms("--all", "--since", "7d")
    found = {case["vm"]["id"].lower(): case["verdict"] for case in cases}

    labels = {
        vm.lower(): (one.name, label.verdict)
        for one in block
        for vm, label in [(one.vm, one.label), *one.bystanders.items()]
    }
    wrong = [
        (name, vm, found[vm], wanted)
        for vm, (name, wanted) in labels.items()
        if found[vm] not in wanted and name not in TOLD_MORE | TOLD_LESS
    ]
    assert (wrong, ran.err) == ([], "")
    assert found.keys() == labels.keys()
