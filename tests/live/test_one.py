"""One VM, read live."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.arm import World
from tests.arm.single_vm import SUBSCRIPTION
from tests.live.conftest import ID, AzureStarter, get_gap_reasons


def test_a_clean_migration_is_clear(azure: AzureStarter) -> None:
    ran, (case,) = azure(World.with_one_vm(lost_ago=None)).check_vms("web-01")

    assert ran.code == 0, ran.err
    assert (case["verdict"], case["state"]) == ("clear", None)
    assert case["migrated_at"]


def test_a_dead_path_after_a_migration_is_confirmed(azure: AzureStarter) -> None:
    ran, (case,) = azure().check_vms("web-01")

    assert ran.code == 1, ran.err
    assert ran.err == ""
    assert (case["verdict"], case["state"], case["recommendation"]["action"]) == ("confirmed", "open", "redeploy")
    assert case["code"] == "NetworkDatapathLiveMigrationSerializationError"
    assert case["vm"]["power_state"] == "running"
    assert {"traffic", "heartbeat"} <= {signal for loss in case["losses"] for signal in loss["signals"]}
    assert case["gaps"] == []


@pytest.mark.parametrize("words", ["web-01", "PROD/Web-01", ID, ID.upper()])
def test_a_name_a_group_and_name_and_an_id_mean_the_same_vm(azure: AzureStarter, words: str) -> None:
    ran, (case,) = azure().check_vms(words, AZURE_SUBSCRIPTION_ID=SUBSCRIPTION)

    assert ran.code == 1, ran.err
    assert case["vm"]["id"] == ID


def test_a_known_vm_takes_two_rounds_of_requests_that_only_ask_and_ask_for_no_claims(azure: AzureStarter) -> None:
    there = azure()
    there.check_vms(ID)
    paths = [seen.path for seen in there.arm.requests if seen.authorized]
    posts = {seen.path.rpartition("/")[2] for seen in there.arm.requests if seen.method == "POST"}
    selected = [seen.query["$select"] for seen in there.arm.requests if "eventtypes" in seen.path]

    assert sum("ResourceGraph" in path for path in paths) == 6
    assert sum(path.startswith("/subscriptions") for path in paths) == 9
    # What the first round has found: a workspace, and the hours that are to be read by the minute.
    assert sum("/v1/workspaces/" in path for path in paths) == 2
    assert [seen.query.get("interval") for seen in there.arm.requests if "Insights/metrics" in seen.path] == [
        "PT1H",
        *["PT1M"] * 4,
    ]
    assert len(paths) == 17
    assert {seen.method for seen in there.arm.requests} == {"GET", "POST"}
    assert posts == {"token", "resources", "query"}
    # Of each audience, once: what is asked for ahead is what heartbeats are asked with.
    assert there.count_requests("oauth2/v2.0/token") == 2
    assert selected
    assert not any(word in each for each in selected for word in ("claims", "caller", "authorization", "httpRequest"))


def test_an_unknown_name_is_an_error_with_near_names(azure: AzureStarter) -> None:
    ran = azure().run_command("check", "web-1")

    assert (ran.code, ran.out) == (4, "")
    assert "is called web-1" in ran.err
    assert "prod/web-01" in ran.err


def test_a_vm_that_is_named_by_its_id_and_not_there_is_not_called_clear(azure: AzureStarter) -> None:
    ran, (case,) = azure().check_vms(ID.replace("web-01", "web-99"))

    assert ran.code == 3, ran.err
    assert case["verdict"] == "inconclusive"
    assert set(get_gap_reasons(case).values()) == {"Azure knows no such VM (404); did you mean prod/web-01?"}


def test_a_subscription_that_cannot_be_seen_is_no_empty_one(azure: AzureStarter) -> None:
    ran = azure().run_command("check", "--all", "--subscription", "11111111-2222-3333-4444-555555555555")

    assert (ran.code, ran.out) == (4, "")
    assert "cannot see the subscription 11111111-2222-3333-4444-555555555555" in ran.err


def test_a_window_that_ended_is_not_judged_by_states_of_now(azure: AzureStarter) -> None:
    there = azure(World.with_one_vm(migrated_ago=timedelta(hours=30), lost_ago=timedelta(hours=30)))
    _, (case,) = there.check_vms("web-01", "--since", "2d", "--until", "1d")

    assert (case["verdict"], case["state"]) == ("confirmed", "open")
    assert "only the present state" in get_gap_reasons(case)["power"]
    assert not [event for event in case["events"] if event["signal"] in {"power", "agent"}]


def test_a_window_longer_than_a_feed_remembers_has_a_gap_for_the_rest(azure: AzureStarter) -> None:
    _, (case,) = azure().check_vms("web-01", "--since", "120d")
    missed = {gap["signal"] for gap in case["gaps"] if gap["reason"].startswith("not kept")}

    assert case["verdict"] == "confirmed"
    assert {"activity", "health", "traffic"} <= missed


def test_what_the_operator_knows_counts(azure: AzureStarter) -> None:
    _, (case,) = azure().check_vms("web-01", "--unreachable-since", "110m")

    assert "operator" in case["losses"][0]["signals"]


def test_what_the_operator_says_and_the_traffic_denies_is_no_loss(azure: AzureStarter) -> None:
    _, (case,) = azure(World.with_one_vm(lost_ago=None)).check_vms("web-01", "--unreachable-since", "110m")

    assert (case["verdict"], case["losses"]) == ("inconclusive", [])
    assert any("nothing that was measured shows a loss" in one["says"] for one in case["findings"][0]["evidence"])


def test_without_resource_graph_the_lists_tell_who_there_is(azure: AzureStarter) -> None:
    ran, (case,) = azure(World.with_one_vm(graph=False)).check_vms("web-01")

    assert ran.code == 1, ran.err
    assert case["verdict"] == "confirmed"
    assert "VMs are listed instead" in ran.err
    assert "Resource Graph" in get_gap_reasons(case)["health"]


def test_heartbeats_come_from_a_workspace_that_is_given(azure: AzureStarter) -> None:
    there = azure()
    there.check_vms("web-01")
    workspace = next(seen.path.split("/")[3] for seen in there.arm.requests if "/v1/workspaces/" in seen.path)
    before = there.count_requests("ResourceGraph")
    _, (given,) = there.check_vms("web-01", "--workspace", workspace)

    assert there.count_requests("ResourceGraph") == before + 5
    assert "heartbeat" in given["losses"][0]["signals"]


@pytest.mark.parametrize(
    ("heartbeats", "words", "said"),
    [
        (True, ("--workspace", "00000000-0000-0000-0000-000000000000"), "heartbeats in workspace 00000000-"),
        (False, (), "--workspace"),
    ],
)
def test_a_workspace_that_is_not_there_is_a_gap_and_none_says_how_to_give_one(
    azure: AzureStarter, words: tuple[str, ...], said: str, *, heartbeats: bool
) -> None:
    _, (case,) = azure(World.with_one_vm(heartbeats=heartbeats)).check_vms("web-01", *words)

    assert said in get_gap_reasons(case)["heartbeat"]
    assert not heartbeats or case["verdict"] == "confirmed"


@pytest.mark.parametrize(
    ("knobs", "missed"),
    [
        ({"api_ceiling": "2021-12-01"}, set()),
        ({"metrics_absent": {"VmAvailabilityMetric"}}, {"availability"}),
        ({"metadata": "array"}, set()),
        ({"metadata": "object"}, set()),
    ],
    ids=["versions that lag", "a metric that is not known", "announced as an array", "announced as an object"],
)
def test_a_cloud_is_spoken_to_as_it_is_and_what_it_does_not_know_costs_only_itself(
    azure: AzureStarter, knobs: dict[str, Any], missed: set[str]
) -> None:
    ran, (case,) = azure(World.with_one_vm(**knobs)).check_vms("web-01")

    assert (ran.code, case["verdict"]) == (1, "confirmed"), ran.err
    assert set(get_gap_reasons(case)) == missed
    assert json.loads(ran.out)["cloud"].startswith("https://localhost:")


def test_a_version_can_be_given(azure: AzureStarter) -> None:
    there = azure()
    there.run_command("check", "web-01", "--api-version", "compute=2021-03-01")

    assert {seen.query["api-version"] for seen in there.arm.requests if seen.path == ID} == {"2021-03-01"}


def test_a_probe_is_told_refused_or_answered_and_one_without_address_is_a_gap(azure: AzureStarter) -> None:
    there = azure(World.with_one_vm(public_ip="127.0.0.1"))
    # Nothing listens on the other port of this machine.
    for port, kind in (("1", "probe-failed"), (there.arm.url.rpartition(":")[2], "probe-answered")):
        _, (case,) = there.check_vms("web-01", "--probe", port)
        assert kind in {event["kind"] for event in case["events"]}
    _, (hidden,) = azure(World.with_one_vm(public_ip=None)).check_vms("web-01", "--probe", "22")
    assert "no public address" in get_gap_reasons(hidden)["probe"]


def test_hostile_names_reach_no_terminal(azure: AzureStarter, tmp_path: Path) -> None:
    for form in ("terminal", "markdown", "csv"):
        ran = azure(World.with_one_vm(size="\x1b[31mred[/b]\u202e")).run_command("check", "web-01", "-o", form)
        assert ran.code == 1
        assert "\x1b" not in ran.out
        assert "\u202e" not in ran.out
    # What a run keeps is in the user's state, and nowhere else.
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_verbose_says_who_signed_in(azure: AzureStarter) -> None:
    assert "EnvironmentCredential" in azure().run_command("check", "web-01", "--verbose").err


@pytest.mark.parametrize("secret", ["wrong", None])
def test_who_cannot_sign_in_is_told_how(azure: AzureStarter, secret: str | None) -> None:
    settings: dict[str, Any] = {"AZURE_CLIENT_SECRET": secret or ""}
    ran = azure().run_command("check", "web-01", "--credential", "environment", **settings)

    assert (ran.code, ran.out) == (4, "")
    assert "signing in" in ran.err
    assert "az login" in ran.err
    assert "Traceback" not in ran.err
