"""At each threshold of the contract two VMs, one on either side, are told apart."""

import json
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import COMMAND
from tests.incidents.borders import THRESHOLDS, UNTIL, Threshold, set_up_noiseless_vm
from tests.incidents.corpus import BLOCK_SIZE
from tests.incidents.labels import expect_no_loss
from tests.incidents.model import Incident
from tests.incidents.scene import Scene
from tests.incidents.staging import stage_incident

SEED = 11


def _staged(index: int, border: Threshold, figure: float) -> Incident:
    scene = Scene(SEED, index, UNTIL)
    set_up_noiseless_vm(scene)
    border.tell_story(scene, figure)
    return stage_incident(border.tell_story.__name__, SEED, index, scene, expect_no_loss())


@cache
def _cases(*, more: bool) -> tuple[dict[str, Any], ...]:
    """What is said of all VMs on one side, in the order of the borders, from a single run."""
    staged = [
        _staged(index, each, each.figure_above if more else each.figure_below) for index, each in enumerate(THRESHOLDS)
    ]
    with tempfile.TemporaryDirectory(prefix="borders-") as folder:
        for each in staged:
            each.write_files(Path(folder, f"{each.index:02d}"))
        command = [str(COMMAND), "check", "--all", "--source", folder, "--until", UNTIL.isoformat(), "-o", "json"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    found = {case["vm"]["id"].lower(): case for case in json.loads(ran.stdout)["cases"]}
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
