"""Half an answer is half an answer: what Azure says, or shows, that it did not give counts as not read."""

from pathlib import Path
from typing import Any

import pytest

from tests.arm import Fault, World
from tests.arm.single_vm import SUBSCRIPTION
from tests.live.conftest import Azure, Starter, world

ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/web-01"
QUERY = r"/v1/workspaces/[^/]+/query"
LOG = "eventtypes/management"
GRAPH = "Microsoft.ResourceGraph"
HISTORY = "availabilityStatuses"
METRICS = r"Microsoft\.Insights/metrics"


def checked(there: Azure, *more: str) -> dict[str, Any]:
    ran, cases = there.check(ID, *more)
    assert len(cases) == 1, ran.err
    assert "Traceback" not in ran.err
    return cases[0]


def halved(case: dict[str, Any]) -> dict[str, str]:
    """The gaps in part that a case has, by signal."""
    return {gap["signal"]: gap["reason"] for gap in case["gaps"] if gap["partial"]}


def test_what_is_answered_whole_leaves_no_gap(azure: Starter) -> None:
    assert halved(checked(azure())) == {}


def test_an_error_beside_the_heartbeats_is_a_gap_of_heartbeats(azure: Starter) -> None:
    there = azure(World.one(lost_ago=None))
    there.arm.fail(Fault(path=QUERY, kind="partial_error", lose=100))
    case = checked(there)

    assert "PartialError" in halved(case)["heartbeat"]
    assert "E_QUERY_RESULT_SET_TOO_LARGE" in halved(case)["heartbeat"]
    assert set(halved(case)) == {"heartbeat"}


def test_the_cap_of_a_workspace_is_a_gap_of_heartbeats(azure: Starter) -> None:
    one = World.one(lost_ago=None)
    one.row_cap = 1
    case = checked(azure(one), "--since", "3d")

    assert "not all records were returned" in halved(case)["heartbeat"]


@pytest.mark.parametrize("form", ["null", "bare", "missing", "text"])
def test_an_activity_log_without_its_list_was_not_read(azure: Starter, form: str) -> None:
    there = azure()
    there.arm.fail(Fault(path=LOG, kind="unlisted", form=form))
    case = checked(there)

    assert "activity" in halved(case)
    # The history of annotations was read whole, and the incidents, too: for them nothing is missing.
    assert case["verdict"] == "suspected"


@pytest.mark.parametrize("path", [HISTORY, METRICS, "Microsoft.ResourceHealth/events"])
@pytest.mark.parametrize("form", ["null", "missing"])
def test_no_feed_without_its_list_is_taken_for_an_empty_one(azure: Starter, path: str, form: str) -> None:
    there = azure()
    there.arm.fail(Fault(path=path, kind="unlisted", form=form))
    signals = {HISTORY: {"health"}, METRICS: {"traffic", "cpu", "disk", "availability"}}.get(path, {"service"})

    assert signals <= set(halved(checked(there)))


@pytest.mark.parametrize("says", ["total", "truncated"])
def test_health_changes_that_are_a_page_of_many_were_read_in_part(azure: Starter, says: str) -> None:
    there = azure(World.one(migrated_ago=None, lost_ago=None))
    there.arm.fail(Fault(path=GRAPH, kind="short_page", keep=0, says=says))
    case = checked(there)

    assert "health" in {gap["signal"] for gap in case["gaps"]}


def test_an_error_beside_metrics_is_a_gap_of_what_they_measure(azure: Starter) -> None:
    there = azure()
    there.arm.fail(Fault(path=METRICS, kind="error_beside"))

    assert {"traffic", "cpu", "disk", "availability"} <= set(halved(checked(there)))


def test_a_page_that_fails_behind_a_good_one_leaves_the_feed_read_in_part(azure: Starter) -> None:
    there = azure(page=1)
    there.arm.fail(Fault(path=LOG, kind="status", status=500, after=1))
    case = checked(there)

    assert "activity" in {gap["signal"] for gap in case["gaps"]}
    assert case["verdict"] == "suspected"


def test_a_workspace_that_answers_whole_makes_good_what_the_other_lacks(azure: Starter) -> None:
    there = azure()
    there.arm.fail(Fault(path=QUERY, kind="partial_error", lose=100, times=1))
    workspace = there.arm.world.workspace
    case = checked(there, "--workspace", workspace, "--workspace", workspace.upper())

    assert case["verdict"] == "confirmed"


def test_a_healthy_vm_is_not_redeployed_on_half_of_its_heartbeats(azure: Starter) -> None:
    there = azure(world(lost_ago=None))
    there.arm.fail(Fault(path=METRICS, kind="status", status=403))
    there.arm.fail(Fault(path=QUERY, kind="partial_error", lose=100))
    there.redeploy()

    assert there.posts == 0


@pytest.mark.parametrize(
    "fault", [Fault(path=METRICS, kind="unlisted", form="null"), Fault(path=QUERY, kind="partial_error", lose=100)]
)
def test_half_of_what_might_deny_the_loss_refuses_the_redeploy(azure: Starter, fault: Fault) -> None:
    there = azure(world())
    there.arm.fail(fault)
    ran, _ = there.redeploy("--include-suspected")

    assert (there.posts, ran.code) == (0, 5), ran.err


@pytest.mark.parametrize(
    "fault",
    [
        Fault(path=METRICS, kind="html"),
        Fault(path=METRICS, kind="truncated"),
        Fault(path=METRICS, kind="status", status=403),
    ],
)
def test_heartbeats_alone_redeploy_nothing_where_the_traffic_could_not_be_read(azure: Starter, fault: Fault) -> None:
    there = azure(world())
    there.arm.fail(fault)
    ran, _ = there.redeploy()

    assert (there.posts, ran.code) == (0, 5), ran.err


def test_a_lock_that_was_read_counts_whatever_its_list_lacks(azure: Starter) -> None:
    there = azure(world(locks=("CanNotDelete",)))
    there.arm.fail(Fault(path="Authorization/locks", kind="error_beside"))
    ran, _ = there.redeploy()

    assert (there.posts, ran.code) == (0, 5), ran.err


def test_half_a_log_of_the_vm_refuses_the_redeploy(azure: Starter) -> None:
    there = azure(world())
    there.arm.fail(Fault(path=LOG, kind="error_beside"))
    ran, _ = there.redeploy("--include-suspected")

    assert there.posts == 0
    assert ran.code == 5, ran.err


def test_the_replay_of_half_an_answer_is_still_half(azure: Starter, tmp_path: Path) -> None:
    there = azure(World.one(lost_ago=None))
    there.arm.fail(Fault(path=QUERY, kind="partial_error", lose=100))
    recording = tmp_path / "web-01.jsonl"
    recording.write_text("an older one", encoding="utf-8")
    recording.chmod(0o644)
    ran = there.run("record", ID, "--since", "1d", "--out", recording)
    assert ran.code == 0, ran.err

    replayed, cases = there.check("web-01", "--source", recording)
    assert "PartialError" in halved(cases[0])["heartbeat"], replayed.err
    assert recording.stat().st_mode & 0o777 == 0o600


def test_every_vm_of_a_fleet_says_that_its_health_was_read_in_part(azure: Starter) -> None:
    there = azure(World.fleet(vms=12, groups=2, migrated=2))
    there.arm.fail(Fault(path=GRAPH, kind="error_beside"))
    _, cases = there.check("--all")

    assert len(cases) == 12
    assert all("health" in halved(case) for case in cases)
