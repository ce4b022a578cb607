"""Answers that are not whole are asked for again in parts, and what is still missing then is a gap, never a loss."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.arm import Fault, World
from tests.arm.kusto_tables import KustoTables
from tests.incidents.tables import build_graph_tables, build_log_tables
from tests.live.conftest import GRAPH, AzureStarter, LocalAzure
from tests.live.test_push_down import judge, name_source, stage_incidents

LOGS, CLUSTER = "/v1/workspaces/", "/v2/rest/query"
ONE = "traffic_lost_after_migration"
PATHS = {"log-analytics": LOGS, "adx": CLUSTER}


def _start_one(azure: AzureStarter, *faults: Fault, kind: str = "log-analytics") -> LocalAzure:
    """One affected VM in the tables of a service."""
    incidents = stage_incidents(ONE)
    build = build_graph_tables if kind == "resource-graph" else build_log_tables
    return azure(World.with_tables(KustoTables(build(incidents))), *faults)


def _check_one(served: LocalAzure, kind: str = "log-analytics") -> tuple[int, str, dict[str, Any]]:
    """How a check of all ended, what it warned of, and the case of the migrated VM."""
    ran, cases = served.check_vms("--all", "--source", name_source(kind, served))
    return (
        ran.code,
        ran.err,
        next(case for case in cases if case["vm"]["name"] == stage_incidents(ONE)[0].vm.rsplit("/")[-1]),
    )


@pytest.mark.parametrize("kind", ["log-analytics", "adx"])
def test_rows_beyond_the_limit_are_asked_for_in_parts_and_none_is_lost(azure: AzureStarter, kind: str) -> None:
    tables = KustoTables(build_log_tables(stage_incidents(ONE, "flapping", "user_stop", "redeploy_did_not_help")))
    world = World.with_tables(tables)
    served = azure(world)
    until = datetime.now(UTC).isoformat(timespec="seconds")
    _, whole = served.check_vms("--all", "--source", name_source(kind, served), "--until", until)
    asked = served.count_requests(PATHS[kind])
    world.row_cap = 20
    ran, cases = served.check_vms("--all", "--source", name_source(kind, served), "--until", until)

    assert (ran.code, ran.err) == (1, "")
    assert [judge(case) for case in cases] == [judge(case) for case in whole]
    assert served.count_requests(PATHS[kind]) > 2 * asked + 2


def test_what_is_cut_in_the_smallest_part_is_a_gap_and_lowers_the_verdict(azure: AzureStarter) -> None:
    beside = Fault(path=LOGS, kind="error_beside", asking="let told")
    code, warned, case = _check_one(_start_one(azure, beside))

    cut = {gap["signal"] for gap in case["gaps"] if "PartialError" in gap["reason"]}
    assert {"activity", "health"} <= cut
    assert case["verdict"] == "suspected"
    assert code == 1
    assert "what is missing counts as not read" in warned


@pytest.mark.parametrize(
    "fault",
    [
        Fault(path=CLUSTER, kind="spoilt_frames", how="endless", asking="union isfuzzy", times=1),
        Fault(path=CLUSTER, kind="spoilt_frames", how="broken", asking="union isfuzzy", times=1),
        Fault(path=CLUSTER, kind="status", status=504, times=1),
        Fault(path=CLUSTER, kind="huge", megabytes=65, asking="let told", times=1),
    ],
    ids=["without an end", "an error among the rows", "too slow", "too large"],
)
def test_half_an_answer_of_a_cluster_is_asked_for_again_in_halves(azure: AzureStarter, fault: Fault) -> None:
    served = _start_one(azure, fault, kind="adx")
    code, warned, case = _check_one(served, "adx")

    assert (code, warned, case["verdict"]) == (1, "", "confirmed")
    assert served.count_requests(CLUSTER) == 5 + 2


def test_a_page_of_resource_graph_that_was_cut_is_a_gap_of_every_vm(azure: AzureStarter) -> None:
    short = Fault(path=GRAPH, kind="short_page", keep=1, says="truncated", asking='"query": ?"healthresourcechanges')
    served = _start_one(azure, short, kind="resource-graph")
    _, cases = served.check_vms("--all", "--source", "resource-graph")

    reasons = [[gap["reason"] for gap in case["gaps"] if gap["signal"] == "health"] for case in cases]
    assert cases
    assert all(any("truncated" in reason for reason in each) for each in reasons)


def test_pages_of_resource_graph_are_followed_to_the_last(azure: AzureStarter) -> None:
    tables = dict(build_graph_tables(stage_incidents(ONE)))
    columns, rows = tables["resources"]
    machine = next(row for row in rows if row["type"] == "microsoft.compute/virtualmachines")
    more = [
        {**machine, "id": f"{machine['id']}-{number}", "name": f"{machine['name']}-{number}"} for number in range(1_050)
    ]
    served = azure(World.with_tables(KustoTables({**tables, "resources": (columns, [*rows, *more])})))
    ran = served.run_command("check", "--source", "resource-graph", "-o", "json")
    summary = json.loads(ran.out)["summary"]

    assert summary["vms"] + summary["others"] == 1_050 + len([row for row in rows if row["type"] == machine["type"]])


def test_a_workspace_without_any_data_is_no_answer_about_a_vm(azure: AzureStarter) -> None:
    served = _start_one(azure, Fault(path=LOGS, kind="status", status=204, body="empty"))
    ran = served.run_command("check", "web-01", "--source", name_source("log-analytics", served))

    assert ran.code == 4
    assert "no VM in the workspace is called web-01" in ran.err


@pytest.mark.parametrize(
    ("kind", "right"), [("log-analytics", "workspaces/query/read"), ("adx", "Viewer of the database")]
)
def test_who_may_not_ask_is_told_which_right_is_missing(azure: AzureStarter, kind: str, right: str) -> None:
    served = _start_one(azure, Fault(path=PATHS[kind], kind="status", status=403), kind=kind)
    ran = served.run_command("check", "--all", "--source", name_source(kind, served))

    assert ran.code == 4
    assert right in ran.err


def test_a_cluster_gets_a_token_of_its_own_and_no_other(azure: AzureStarter) -> None:
    served = _start_one(azure, kind="adx")
    _check_one(served, "adx")
    sent = [seen for seen in served.arm.requests if seen.authorization]
    claims = [json.loads(base64.urlsafe_b64decode(seen.authorization.split(".")[1] + "==")) for seen in sent]

    assert {seen.path for seen in sent} == {CLUSTER}
    assert {each["aud"] for each in claims} == {served.arm.url.replace("localhost", "127.0.0.1")}


@pytest.mark.parametrize(
    ("cloud", "cluster"),
    [
        ("", "https://contoso.westeurope.kusto.windows.net"),
        ("", "https://management.azure.com"),
        ("public", "https://kusto.example"),
        ("public", "https://kusto.windows.net.example"),
        ("usgovernment", "https://contoso.westeurope.kusto.windows.net"),
    ],
)
def test_no_token_goes_to_a_cluster_that_is_not_of_the_cloud(azure: AzureStarter, cloud: str, cluster: str) -> None:
    served = _start_one(azure, kind="adx")
    variables = {"VMDIAG_CLOUD": cloud} if cloud else {}
    asked = ("check", "--all", "--source", f"adx:{cluster}/monitoring")
    ran = served.runner(*asked, **(served.environment | variables)) if cloud else served.run_command(*asked)

    assert ran.code == 2
    assert "no token is sent there" in ran.err
    assert not [seen for seen in served.arm.requests if "/oauth2/" in seen.path]
