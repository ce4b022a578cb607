"""What was not read, or not whole, never makes a verdict firmer, nor clear what was flagged."""

import gzip
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.incidents.corpus import BLOCK_SIZE, INCIDENT_CLASSES
from tests.incidents.model import FLAGGED, Incident, WireFile
from tests.incidents.scene import Scene
from tests.incidents.staging import stage_incident
from tests.incidents.test_borders import UNTIL, check_incidents

_FileChange = Callable[[WireFile], WireFile]

FEEDS = {
    "activity": ("activity-", "storage-", "event-hub", "azureactivity-"),
    "health": ("health", "availability-statuses", "event-grid", "cloud-events"),
    "metrics": ("metrics-rest", "metrics-cli", "azuremetrics-"),
    "heartbeat": ("heartbeat-",),
    "machine": ("vm-", "resources-"),
}
"""Each feed with the beginnings of the names of its forms."""


def list_feeds(incident: Incident) -> list[str]:
    """The feeds that some file of the incident belongs to."""
    return [feed for feed in FEEDS if any(_is_of_feed(file, feed) for file in incident.files)]


def remove_feed(incident: Incident, feed: str) -> Incident:
    """The same, exported without that feed."""
    return replace(incident, files=tuple(file for file in incident.files if not _is_of_feed(file, feed)))


def truncate_feed(rng: random.Random, incident: Incident, feed: str) -> Incident:
    """The same, with one file of that feed that shows that it is not whole."""
    chosen = rng.choice([file for file in incident.files if _is_of_feed(file, feed)])
    plain = _decompress_file(chosen)
    ends: _FileChange = partial(_truncate_file, share=rng.uniform(0.2, 0.98))
    how = rng.choice([ends, *(way for begin, way in _INCOMPLETE_MARKS.items() if chosen.form.startswith(begin))])
    return replace(incident, files=tuple(how(plain) if file is chosen else file for file in incident.files))


def _is_of_feed(file: WireFile, feed: str) -> bool:
    return file.form.startswith(FEEDS[feed])


def _decompress_file(file: WireFile) -> WireFile:
    if not file.path.endswith(".gz"):
        return file
    return replace(file, path=file.path.removesuffix(".gz"), content=gzip.decompress(file.content))


def _truncate_file(file: WireFile, *, share: float) -> WireFile:
    """The file ends early, inside a record, as after a full disk or a lost connection."""
    cut = file.content[: max(1, int(share * len(file.content)))].rstrip(b"\r\n}]")
    # A row that has all its cells does not show that the last of them was longer.
    return replace(file, content=cut.rpartition(b",")[0] or cut if file.path.endswith(".csv") else cut)


def _add_members(file: WireFile, **said: object) -> WireFile:
    """An answer that bears these members as well."""
    answer = {**json.loads(file.content), **said}
    return replace(file, content=json.dumps(answer, separators=(",", ":")).encode())


def _claim_more_rows(file: WireFile) -> WireFile:
    """A Resource Graph answer with fewer rows than the total it names."""
    total = json.loads(file.content)["totalRecords"]
    return _add_members(file, totalRecords=total + 7, resultTruncated="true")


_PARTIAL = {"code": "PartialError", "message": "There were some errors when processing your query."}
_INCOMPLETE_MARKS: dict[str, _FileChange] = {
    "activity-rest": partial(_add_members, nextLink="https://management.azure.com/subscriptions/next?$skiptoken=7a"),
    "healthresources-": _claim_more_rows,
    "healthresourcechanges-": _claim_more_rows,
    "resources-": _claim_more_rows,
    "azureactivity-api": partial(_add_members, error=_PARTIAL),
    "heartbeat-api": partial(_add_members, error=_PARTIAL),
    "azuremetrics-api": partial(_add_members, error=_PARTIAL),
}
"""How an answer of a form says itself that it is not whole."""


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
    return {vm: case["verdict"] for vm, case in check_incidents(incidents).items()}


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
