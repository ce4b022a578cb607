"""What was not read, or not whole, never makes a verdict firmer, nor clear what was flagged."""

import json
import random
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import COMMAND
from tests.incidents.borders import UNTIL
from tests.incidents.corpus import BLOCK_SIZE, INCIDENT_CLASSES
from tests.incidents.model import FLAGGED, Incident
from tests.incidents.scene import Scene
from tests.incidents.staging import stage_incident
from tests.incidents.unread import list_feeds, remove_feed, truncate_feed

RUNS = -(-len(INCIDENT_CLASSES) // BLOCK_SIZE)
"""So many runs hold one incident of each class, no two of a run in one region."""
MEASURED = frozenset({"metrics", "heartbeat"})
"""Feeds whose normal values may be all that speaks against a loss: without them another channel may stand alone."""


def _incident(number: int, index: int, name: str) -> Incident:
    scene = Scene(number, index, UNTIL)
    label = INCIDENT_CLASSES[name](scene)
    # Where one feed alone shows the migration, a world without that feed has none.
    scene.plan.migrations_in_both = True
    return stage_incident(name, number, index, scene, label)


@cache
def _staged(number: int) -> tuple[Incident, ...]:
    """Those of a run that can be judged with others: no operator's word, no window of their own."""
    told = [_incident(number, index, name) for index, name in enumerate(list(INCIDENT_CLASSES)[number::RUNS])]
    return tuple(each for each in told if not each.unreachable_since and not each.since and list_feeds(each))


def _verdicts(incidents: Sequence[Incident]) -> Mapping[str, str]:
    """By VM, in lower case, from a single run."""
    with tempfile.TemporaryDirectory(prefix="unread-") as folder:
        for each in incidents:
            each.write_files(Path(folder, f"{each.index:03d}"))
        command = [str(COMMAND), "check", "--all", "--source", folder, "--until", UNTIL.isoformat(), "-o", "json"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    return {case["vm"]["id"].lower(): case["verdict"] for case in json.loads(ran.stdout)["cases"]}


@cache
def _of_whole_answers(number: int) -> Mapping[str, str]:
    return _verdicts(_staged(number))


def _is_named(one: Incident) -> bool:
    """Whether any plain file that is left names the VM; without one nothing can be said of it."""
    name = one.vm.rsplit("/", 1)[-1].lower().encode()
    return any(name in file.content.lower() for file in one.files if not file.path.endswith(".gz"))


def _is_lawful(before: str, after: str | None, *, feed: str, named: bool) -> bool:
    if after is None:
        return not named
    if before in FLAGGED and after == "clear":
        return False
    return before == "confirmed" or after != "confirmed" or feed in MEASURED


@pytest.mark.xdist_group("unread")
@pytest.mark.parametrize("number", range(RUNS))
@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(chance=st.integers(0, 2**32))
def test_what_goes_unread_makes_no_verdict_firmer_nor_clear(number: int, chance: int) -> None:
    """Of each incident one feed is cut in a way that shows, or dropped."""
    rng = random.Random(chance)  # noqa: S311 - a story, no secret
    chosen = [(each, rng.choice(list_feeds(each))) for each in _staged(number)]
    spoilt = [
        truncate_feed(rng, each, feed) if rng.random() < 0.5 else remove_feed(each, feed) for each, feed in chosen
    ]
    before, after = _of_whole_answers(number), _verdicts(spoilt)
    wrong = [
        (each.name, feed, [file.form for file in each.files], before[vm], after.get(vm))
        for each, (_, feed) in zip(spoilt, chosen, strict=True)
        if not _is_lawful(before[(vm := each.vm.lower())], after.get(vm), feed=feed, named=_is_named(each))
    ]
    assert wrong == []
