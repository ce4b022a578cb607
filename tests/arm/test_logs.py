"""Log Analytics: heartbeats by query, and what is refused or cut."""

import json
from datetime import timedelta

import pytest

from tests.arm import ArmServer
from tests.arm.client import Client, Reply


def _create_logs_client(arm: ArmServer) -> Client:
    client = Client(arm)
    client.sign_in(arm.url.replace("localhost", "127.0.0.1"))
    return client


def _query_workspace(arm: ArmServer, text: str, workspace: str = "", **body: str) -> Reply:
    path = f"/v1/workspaces/{workspace or arm.world.workspace}/query"
    return _create_logs_client(arm).post(path, body={"query": text, **body})


def test_heartbeats_stop_where_the_network_was_lost(arm: ArmServer) -> None:
    reply = _query_workspace(
        arm,
        "Heartbeat | summarize times = make_list(TimeGenerated) by _ResourceId",
        timespan="PT4H",
    )
    (table,) = reply.json["tables"]
    ((vm, times),) = table["rows"]
    lost = arm.world.now() - timedelta(minutes=118)

    assert [column["type"] for column in table["columns"]] == ["string", "dynamic"]
    assert vm == next(iter(arm.world)).id.lower()
    assert 120 <= len(json.loads(times)) <= 123
    # The world began some seconds earlier, or on a busy machine a minute.
    assert f"{lost - timedelta(minutes=2):%Y-%m-%dT%H:%M}" <= json.loads(times)[-1] <= f"{lost:%Y-%m-%dT%H:%M:%S}Z"


@pytest.mark.parametrize("timespan", ["P1D", "PT86400.0S", "{from}/{to}", "{from}/PT24H", "PT24H/{to}"])
def test_a_timespan_is_read_in_every_form(arm: ArmServer, timespan: str) -> None:
    now = arm.world.now()
    ends = {"from": (now - timedelta(days=1)).isoformat(), "to": now.isoformat()}
    reply = _query_workspace(arm, "Heartbeat", timespan=timespan.format(**ends))

    assert 1315 <= len(reply.json["tables"][0]["rows"]) <= 1325


def test_conditions_on_time_and_vm_narrow_what_is_read(arm: ArmServer) -> None:
    (vm,) = arm.world
    first, last = (f"datetime({arm.world.now() - timedelta(minutes=each):%Y-%m-%dT%H:%M:%SZ})" for each in (180, 150))
    span = f"Heartbeat | where TimeGenerated >= {first} and TimeGenerated <= {last}"
    found = _query_workspace(arm, f"{span} and _ResourceId in~ ('{vm.id}')")
    nobody = _query_workspace(arm, f"{span} | where _ResourceId in~ ('/nobody')")

    assert 29 <= len(found.json["tables"][0]["rows"]) <= 31
    assert nobody.json["tables"][0]["rows"] == []


def test_what_lies_beyond_the_cap_is_cut_and_said(arm: ArmServer) -> None:
    arm.world.row_cap = 10
    reply = _query_workspace(arm, "Heartbeat | project TimeGenerated")

    assert (reply.status, len(reply.json["tables"][0]["rows"])) == (200, 10)
    assert reply.json["error"]["code"] == "PartialError"


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("Heartbeat | wher x", "SyntaxError"),
        ("heartbeat", "SemanticError"),
        ("Perf | take 1", "SemanticError"),
        ("Heartbeat | where TimeGenerated >= '2026-01-01'", "SemanticError"),
    ],
)
def test_a_query_that_is_wrong_is_refused(arm: ArmServer, text: str, inner: str) -> None:
    reply = _query_workspace(arm, text)

    assert (reply.status, reply.error_code) == (400, "BadArgumentError")
    assert reply.json["error"]["innererror"]["code"] == inner


def test_an_unknown_workspace_a_wrong_timespan_and_a_missing_right_are_refused(arm: ArmServer) -> None:
    unknown = _query_workspace(arm, "Heartbeat", "11111111-0000-4000-a000-000000000000")
    wrong = _query_workspace(arm, "Heartbeat", timespan="a while")
    (vm,) = arm.world
    arm.world.denied.add(("Microsoft.OperationalInsights/workspaces/query/read", f"/subscriptions/{vm.subscription}"))
    denied = _query_workspace(arm, "Heartbeat")

    assert (unknown.status, unknown.error_code) == (404, "WorkspaceNotFoundError")
    assert (wrong.status, wrong.error_code) == (400, "BadArgumentError")
    assert (denied.status, denied.error_code) == (403, "InsufficientAccessError")
