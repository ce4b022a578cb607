"""The labelled incidents, served by a local Resource Manager: a fleet's live verdicts are those of the labels."""

from datetime import UTC, datetime
from functools import cache

import pytest

from tests.arm import World
from tests.incidents.corpus import BLOCK, CLASSES
from tests.incidents.model import Incident
from tests.incidents.scene import Scene
from tests.incidents.staging import incident
from tests.live.conftest import Starter

# Their labels rest on a feed that is missing, and a Resource Manager that answers everything tells more; or, the last
# one, on a relation that Resource Graph knows.
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
        "network_change_of_unknown_relation",
    }
)
SEED = 1


@cache
def _staged() -> tuple[Incident, ...]:
    until = datetime(2026, 5, 1, 12, tzinfo=UTC)
    staged = []
    for number, (name, tells) in enumerate(CLASSES.items()):
        scene = Scene(SEED, number, until)
        staged.append(incident(name, SEED, number, scene, tells(scene)))
    # What the operator knows is said of one VM, not of a fleet.
    return tuple(one for one in staged if not one.unreachable_since)


@pytest.mark.parametrize("first", range(0, len(CLASSES), BLOCK))
def test_a_fleet_gets_the_verdicts_of_its_labels(azure: Starter, first: int) -> None:
    block = _staged()[first : first + BLOCK]
    ran, cases = azure(World.of(*block), throttle=False).check("--all", "--since", "14d")
    found = {case["vm"]["id"].lower(): case["verdict"] for case in cases}

    labels = {
        vm.lower(): (one.name, label.verdict)
        for one in block
        for vm, label in [(one.vm, one.label), *one.bystanders.items()]
    }
    wrong = [
        (name, vm, found[vm], wanted)
        for vm, (name, wanted) in labels.items()
        if found[vm] not in wanted and name not in TOLD_MORE
    ]
    assert (wrong, ran.err) == ([], "")
    assert found.keys() == labels.keys()
