"""At each threshold of the contract two VMs whose figures are level, one on either side, are told apart."""

import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import COMMAND
from tests.incidents.corpus import BLOCK_SIZE
from tests.incidents.labels import SCENARIO, expect_no_loss
from tests.incidents.model import Batch, Incident
from tests.incidents.scene import Scene
from tests.incidents.staging import stage_incident

UNTIL = datetime(2026, 3, 2, 10, tzinfo=UTC)
"""On the minute, so that a fall of so many minutes has so many points."""

Expected = Mapping[str, str | None]
ThresholdStory = Callable[[Scene, float], None]

_OPEN = {"state": "open"}
_NOTHING = {"state": None}
_RECOVERED = {"state": "recovered"}
_CONFIRMED = {"verdict": "confirmed", "explanation": SCENARIO, "extent": "full"}
_SUSPECTED = {"verdict": "suspected", "explanation": SCENARIO}
_PARTIAL = {"verdict": "inconclusive", "explanation": SCENARIO, "extent": "partial"}
_CLEAR = {"verdict": "clear", "explanation": None, "state": None}
_UNEXPLAINED = {"verdict": "clear", "explanation": "unexplained", "state": "open"}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A story with one figure, and what is said when that is a little less or a little more than the threshold."""

    tell_story: ThresholdStory
    figure_below: float
    expected_below: Expected
    figure_above: float
    expected_above: Expected


def set_up_noiseless_vm(scene: Scene) -> None:
    """All feeds that matter were read whole, without noise or holes, and the machine lives."""
    scene.select_feeds(("activity", "health", "metrics", "machine"))
    scene.set_description(agent_ready=True)
    plan = scene.plan
    plan.machine_forms = ("resources",)
    plan.migrations_in_both = True
    plan.vital_metrics = ("Percentage CPU",)
    plan.noise, plan.holes, plan.whole_tail = 0.0, 0.0, True


def _get_minutes_ago(minutes: float) -> datetime:
    return UNTIL - timedelta(minutes=minutes)


def _set_traffic(scene: Scene, share: float, start: float, end: float | None = None) -> None:
    """Traffic at that share from so many minutes ago on."""
    scene.reduce_traffic(_get_minutes_ago(start), None if end is None else _get_minutes_ago(end), share, share)


def _lose_traffic_after_migration(scene: Scene, start: float, end: float | None = None) -> None:
    """A migration half a minute before the loss of all traffic."""
    scene.migrate_vm(_get_minutes_ago(start + 0.5))
    _set_traffic(scene, 0.0, start, end)


def minutes_well_at_the_end(scene: Scene, minutes: float) -> None:
    """Lost for an hour, back for so many minutes: recovery is held for three."""
    _lose_traffic_after_migration(scene, 60, minutes)


def minutes_that_a_change_is_nearer(scene: Scene, minutes: float) -> None:
    """The migration 10 minutes before the loss, a change of the VM's own network so much nearer to it."""
    scene.migrate_vm(_get_minutes_ago(70))
    _set_traffic(scene, 0.0, 60)
    _change_security_group(scene, 70 - minutes)


def _change_security_group(scene: Scene, ago: float) -> None:
    name = "Microsoft.Network/networkSecurityGroups/write"
    scene.run_operation(_get_minutes_ago(ago), name, target=scene.get_security_group(), seconds=1)


def minutes_of_each_of_three_falls(scene: Scene, minutes: float) -> None:
    """Three falls half an hour apart, the first two minutes after the migration."""
    scene.migrate_vm(_get_minutes_ago(112))
    for start in (110, 80, 50):
        _set_traffic(scene, 0.0, start, start - minutes)


def minutes_of_collapse_at_the_end(scene: Scene, minutes: float) -> None:
    """Traffic has been gone for so many minutes, with the migration."""
    _lose_traffic_after_migration(scene, minutes)


def minutes_of_silence_at_the_end(scene: Scene, minutes: float) -> None:
    """Metrics were not read; the last heartbeat came so many minutes ago, soon after the migration."""
    scene.select_feeds(("activity", "health", "heartbeat", "machine"))
    scene.migrate_vm(_get_minutes_ago(minutes + 2.5))
    scene.stop_heartbeats(_get_minutes_ago(minutes))


def minutes_since_the_redeploy(scene: Scene, minutes: float) -> None:
    """Lost for an hour; a redeploy of two minutes ended so long ago and did not help."""
    _lose_traffic_after_migration(scene, 60)
    scene.act_as_customer(_get_minutes_ago(minutes + 2), "redeploy", seconds=120)


def minutes_of_a_closed_loss(scene: Scene, minutes: float) -> None:
    """Traffic was gone for so many minutes."""
    _lose_traffic_after_migration(scene, 90, 90 - minutes)


def minutes_unavailable(scene: Scene, minutes: float) -> None:
    """Metrics were not read; health was Unavailable for so many minutes."""
    scene.select_feeds(("activity", "health"))
    scene.migrate_vm(_get_minutes_ago(91))
    scene.change_health(_get_minutes_ago(90), "Unavailable")
    scene.change_health(_get_minutes_ago(90 - minutes), "Available", before="Unavailable")


def minutes_well_between_two_pieces(scene: Scene, minutes: float) -> None:
    """Lost for 20 minutes, well for so many, lost again to the end."""
    _lose_traffic_after_migration(scene, 100, 80)
    _set_traffic(scene, 0.0, 80 - minutes)


def minutes_well_after_flapping(scene: Scene, minutes: float) -> None:
    """Three pieces of 12 minutes with 5 well ones between, then well to the end."""
    scene.migrate_vm(_get_minutes_ago(minutes + 46.5))
    for number in range(3):
        start = minutes + 46 - 17 * number
        _set_traffic(scene, 0.0, start, start - 12)


def minutes_from_migration_to_loss(scene: Scene, minutes: float) -> None:
    """The loss an hour ago, the migration so many minutes before it."""
    scene.migrate_vm(_get_minutes_ago(60 + minutes))
    _set_traffic(scene, 0.0, 60)


def minutes_from_loss_to_migration(scene: Scene, minutes: float) -> None:
    """The loss so many minutes before the migration."""
    minutes_from_migration_to_loss(scene, -minutes)


def minutes_from_change_to_loss(scene: Scene, minutes: float) -> None:
    """A change of the VM's own network so long before the loss, the migration 28 minutes before it."""
    minutes_from_migration_to_loss(scene, 28)
    _change_security_group(scene, 60 + minutes)


def minutes_from_loss_to_change(scene: Scene, minutes: float) -> None:
    """A change of the VM's own network so long after the loss, the migration a minute before it."""
    minutes_from_migration_to_loss(scene, 1)
    _change_security_group(scene, 60 - minutes)


def minutes_from_unknown_note_to_loss(scene: Scene, minutes: float) -> None:
    """A health note in unknown words so long before the loss."""
    minutes_from_migration_to_loss(scene, 1)
    scene.annotate_health(_get_minutes_ago(60 + minutes), "VirtualMachineFabricRebalanced")


def minutes_since_a_clean_migration(scene: Scene, minutes: float) -> None:
    """Traffic as ever."""
    scene.migrate_vm(_get_minutes_ago(minutes))


def minutes_of_a_partial_fall(scene: Scene, minutes: float) -> None:
    """Traffic was at 30 % for so many minutes."""
    scene.migrate_vm(_get_minutes_ago(91))
    _set_traffic(scene, 0.3, 90, 90 - minutes)


def percent_of_traffic_left(scene: Scene, percent: float) -> None:
    """Traffic at so much of the usual since the migration."""
    scene.migrate_vm(_get_minutes_ago(91))
    _set_traffic(scene, percent / 100, 90)


def percent_of_traffic_back(scene: Scene, percent: float) -> None:
    """Lost for 40 minutes, then at so much of the usual to the end; no heartbeats were read."""
    _lose_traffic_after_migration(scene, 90, 50)
    _set_traffic(scene, percent / 100, 50)


THRESHOLDS = (
    Threshold(minutes_well_at_the_end, 2, _OPEN, 4, _RECOVERED),
    Threshold(minutes_that_a_change_is_nearer, 2, _SUSPECTED, 4, {"verdict": "clear", "explanation": "network-change"}),
    Threshold(minutes_of_each_of_three_falls, 2, _CLEAR, 3, {"verdict": "inconclusive", "state": None}),
    Threshold(minutes_of_collapse_at_the_end, 9, _NOTHING, 11, {**_OPEN, "verdict": "inconclusive", "action": "wait"}),
    Threshold(minutes_of_silence_at_the_end, 7.5, _NOTHING, 11.5, _OPEN),
    Threshold(minutes_since_the_redeploy, 9, {"action": "wait"}, 11, {"action": "escalate"}),
    Threshold(minutes_of_a_closed_loss, 14, _CLEAR, 16, {**_CONFIRMED, **_RECOVERED}),
    Threshold(minutes_of_collapse_at_the_end, 14, {"verdict": "inconclusive", "state": "open", "action": "wait"},
              16, {**_SUSPECTED, "action": "wait"}),
    Threshold(minutes_unavailable, 14, _NOTHING, 16, {**_SUSPECTED, **_RECOVERED}),
    Threshold(minutes_well_between_two_pieces, 14, {"explanation": SCENARIO, "state": "open", "extent": "intermittent"},
              16, {"explanation": "unexplained", "state": "open", "extent": "full"}),
    Threshold(minutes_well_after_flapping, 14, _OPEN, 16, _RECOVERED),
    Threshold(minutes_of_collapse_at_the_end, 21, {**_SUSPECTED, "action": "wait"},
              23, {**_CONFIRMED, "action": "redeploy"}),
    Threshold(minutes_from_migration_to_loss, 29, _CONFIRMED, 31, _UNEXPLAINED),
    Threshold(minutes_from_loss_to_migration, 1.5, _CONFIRMED, 3, _SUSPECTED),
    Threshold(minutes_from_loss_to_migration, 4, _SUSPECTED, 6, _UNEXPLAINED),
    Threshold(minutes_from_change_to_loss, 29, _SUSPECTED, 31, _CONFIRMED),
    Threshold(minutes_from_loss_to_change, 1, _SUSPECTED, 3, _CONFIRMED),
    Threshold(minutes_from_unknown_note_to_loss, 29, _SUSPECTED, 31, _CONFIRMED),
    Threshold(minutes_since_a_clean_migration, 29, {**_CLEAR, "action": "wait"}, 31, {**_CLEAR, "action": "none"}),
    Threshold(minutes_of_a_partial_fall, 29, _CLEAR, 31, {**_PARTIAL, **_RECOVERED}),
    Threshold(percent_of_traffic_left, 4, {**_CONFIRMED, **_OPEN}, 6, {**_PARTIAL, **_OPEN}),
    Threshold(percent_of_traffic_left, 49, {**_PARTIAL, **_OPEN}, 51, _CLEAR),
    Threshold(percent_of_traffic_back, 48, _OPEN, 52, _RECOVERED),
)  # fmt: skip


SEED = 11


def _staged(index: int, border: Threshold, figure: float) -> Incident:
    scene = Scene(SEED, index, UNTIL)
    set_up_noiseless_vm(scene)
    border.tell_story(scene, figure)
    return stage_incident(border.tell_story.__name__, SEED, index, scene, expect_no_loss())


def check_incidents(incidents: Sequence[Incident]) -> dict[str, dict[str, Any]]:
    """The case of each VM, by its id in lower case, from a single run."""
    with tempfile.TemporaryDirectory() as folder:
        Batch(UNTIL, tuple(incidents)).write_files(Path(folder))
        command = [str(COMMAND), "check", "--all", "--source", folder, "--until", UNTIL.isoformat(), "-o", "json"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    return {case["vm"]["id"].lower(): case for case in json.loads(ran.stdout)["cases"]}


@cache
def _cases(*, more: bool) -> tuple[dict[str, Any], ...]:
    """What is said of all VMs on one side, in the order of the borders, from a single run."""
    staged = [
        _staged(index, each, each.figure_above if more else each.figure_below) for index, each in enumerate(THRESHOLDS)
    ]
    found = check_incidents(staged)
    return tuple(found[each.vm.lower()] for each in staged)


def _said(case: dict[str, Any]) -> dict[str, str | None]:
    return {
        **{name: case[name] for name in ("verdict", "explanation", "state")},
        "action": case["recommendation"]["action"],
        "extent": case["losses"][-1].get("extent") if case["losses"] else None,
    }


def test_there_is_a_region_for_each_border() -> None:
    """An outage may be shared by the VMs of a region, so no two of a run lie in the same."""
    assert len(THRESHOLDS) <= BLOCK_SIZE


@pytest.mark.xdist_group("borders")
@pytest.mark.parametrize("more", [False, True], ids=["less", "more"])
@pytest.mark.parametrize(
    "index",
    range(len(THRESHOLDS)),
    ids=[f"{each.tell_story.__name__}-{each.figure_below:g}-{each.figure_above:g}" for each in THRESHOLDS],
)
def test_on_either_side_of_a_threshold_something_else_is_said(index: int, more: bool) -> None:  # noqa: FBT001 - a parameter of the test
    border = THRESHOLDS[index]
    wanted = border.expected_above if more else border.expected_below
    said = _said(_cases(more=more)[index])
    assert {name: said[name] for name in wanted} == dict(wanted)
