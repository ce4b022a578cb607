"""Half an answer is half an answer: what Azure says, or shows, that it did not give counts as not read."""

from pathlib import Path
from typing import Any

import pytest

from tests.arm import Fault, World
from tests.live.conftest import GRAPH, ID, LOG, METRICS, AzureStarter, LocalAzure, build_world

QUERY = r"/v1/workspaces/[^/]+/query"
HISTORY = "availabilityStatuses"
REFUSED, HALF_QUERY = Fault(path=METRICS, kind="status", status=403), Fault(path=QUERY, kind="partial_error", lose=100)
SUSPECTED = ("--include-suspected",)


def check_vm(there: LocalAzure, *more: str) -> dict[str, Any]:
    ran, cases = there.check_vms(ID, *more)
    assert len(cases) == 1, ran.err
    assert "Traceback" not in ran.err
    return cases[0]


def get_partial_gaps(case: dict[str, Any]) -> dict[str, str]:
    """The gaps in part that a case has, by signal."""
    return {gap["signal"]: gap["reason"] for gap in case["gaps"] if gap["partial"]}


def test_an_error_beside_the_heartbeats_is_a_gap_of_heartbeats(azure: AzureStarter) -> None:
    case = check_vm(azure(World.with_one_vm(lost_ago=None), Fault(path=QUERY, kind="partial_error", lose=100)))

    assert "PartialError" in get_partial_gaps(case)["heartbeat"]
    assert "E_QUERY_RESULT_SET_TOO_LARGE" in get_partial_gaps(case)["heartbeat"]
    assert set(get_partial_gaps(case)) == {"heartbeat"}


def test_the_cap_of_a_workspace_is_a_gap_of_heartbeats(azure: AzureStarter) -> None:
    case = check_vm(azure(World.with_one_vm(lost_ago=None, row_cap=1)), "--since", "3d")

    assert "not all records were returned" in get_partial_gaps(case)["heartbeat"]


@pytest.mark.parametrize("form", ["null", "bare", "missing", "text"])
def test_an_activity_log_without_its_list_was_not_read(azure: AzureStarter, form: str) -> None:
    case = check_vm(azure(Fault(path=LOG, kind="unlisted", form=form)))

    assert "activity" in get_partial_gaps(case)
    # The history of annotations was read whole, and the incidents, too: for them nothing is missing.
    assert case["verdict"] == "suspected"


FEEDS = {
    HISTORY: {"health"},
    METRICS: {"traffic", "cpu", "disk", "availability"},
    "Microsoft.ResourceHealth/events": {"service"},
}


@pytest.mark.parametrize(
    ("path", "how"),
    [
        *((path, {"kind": "unlisted", "form": form}) for path in FEEDS for form in ("null", "missing")),
        (METRICS, {"kind": "error_beside"}),
    ],
)
def test_no_feed_without_its_list_or_with_an_error_beside_it_is_taken_for_whole(
    azure: AzureStarter, path: str, how: dict[str, Any]
) -> None:
    assert FEEDS[path] <= set(get_partial_gaps(check_vm(azure(Fault(path=path, **how)))))


@pytest.mark.parametrize("says", ["total", "truncated"])
def test_health_changes_that_are_a_page_of_many_were_read_in_part(azure: AzureStarter, says: str) -> None:
    there = azure(
        World.with_one_vm(migrated_ago=None, lost_ago=None), Fault(path=GRAPH, kind="short_page", keep=0, says=says)
    )
    case = check_vm(there)

    assert "health" in {gap["signal"] for gap in case["gaps"]}


def test_a_page_that_fails_behind_a_good_one_leaves_the_feed_read_in_part(azure: AzureStarter) -> None:
    case = check_vm(azure(Fault(path=LOG, kind="status", status=500, after=1), page=1))

    assert "activity" in {gap["signal"] for gap in case["gaps"]}
    assert case["verdict"] == "suspected"


def test_a_workspace_that_answers_whole_makes_good_what_the_other_lacks(azure: AzureStarter) -> None:
    there = azure(Fault(path=QUERY, kind="partial_error", lose=100, times=1))
    workspace = there.arm.world.workspace
    case = check_vm(there, "--workspace", workspace, "--workspace", workspace.upper())

    assert case["verdict"] == "confirmed"


@pytest.mark.parametrize(
    ("knobs", "faults", "words", "code"),
    [
        # A healthy VM, of whose heartbeats half are known.
        ({"lost_ago": None}, (REFUSED, HALF_QUERY), (), 3),
        # Half of what might deny the loss, or of the VM's log.
        ({}, (Fault(path=METRICS, kind="unlisted", form="null"),), SUSPECTED, 5),
        ({}, (HALF_QUERY,), SUSPECTED, 5),
        ({}, (Fault(path=LOG, kind="error_beside"),), SUSPECTED, 5),
        # Heartbeats alone, where the traffic could not be read.
        ({}, (Fault(path=METRICS, kind="html"),), (), 5),
        ({}, (Fault(path=METRICS, kind="truncated"),), (), 5),
        ({}, (REFUSED,), (), 5),
        # A lock that was read counts, whatever its list lacks.
        ({"locks": ("CanNotDelete",)}, (Fault(path="Authorization/locks", kind="error_beside"),), (), 5),
    ],
)
def test_nothing_is_redeployed_on_half_an_answer(
    azure: AzureStarter, knobs: dict[str, Any], faults: tuple[Fault, ...], words: tuple[str, ...], code: int
) -> None:
    there = azure(build_world(**knobs), *faults)
    ran, _ = there.redeploy_vms(*words)

    assert (there.redeploy_count, ran.code) == (0, code), ran.err


def test_the_replay_of_half_an_answer_is_still_half(azure: AzureStarter, tmp_path: Path) -> None:
    there = azure(World.with_one_vm(lost_ago=None), Fault(path=QUERY, kind="partial_error", lose=100))
    recording = tmp_path / "web-01.jsonl"
    recording.write_text("an older one", encoding="utf-8")
    recording.chmod(0o644)
    ran = there.run_command("record", ID, "--since", "1d", "--out", recording)
    assert ran.code == 0, ran.err

    replayed, cases = there.check_vms("web-01", "--source", recording)
    assert "PartialError" in get_partial_gaps(cases[0])["heartbeat"], replayed.err
    assert recording.stat().st_mode & 0o777 == 0o600


def test_every_vm_of_a_fleet_says_that_its_health_was_read_in_part(azure: AzureStarter) -> None:
    there = azure(World.with_fleet(vms=12, groups=2, migrated=2), Fault(path=GRAPH, kind="error_beside"))
    _, cases = there.check_vms("--all")

    assert len(cases) == 12
    assert all("health" in get_partial_gaps(case) for case in cases)
