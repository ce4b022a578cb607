"""Queries narrow and the detector decides: what is pushed down gets the verdicts of a full read of the same tables."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.arm import Fault, World
from tests.arm.kusto_tables import KustoTables
from tests.conftest import Runner
from tests.incidents.corpus import INCIDENT_CLASSES
from tests.incidents.model import Incident
from tests.incidents.scene import Scene
from tests.incidents.staging import stage_incident
from tests.incidents.tables import Tables, build_graph_tables, build_log_tables, write_tables
from tests.live.conftest import AzureStarter, LocalAzure

SEED = 1
PARTS = 4  # in which the incidents are judged: a row a minute and metric is much to read whole
JUDGED = ("verdict", "explanation", "state", "migrated_at", "failed_at", "recovered_at")
NOT_CHOSEN = "not read: no record of this VM tells of a migration or a loss; name it to read everything"


@cache
def stage_incidents(*names: str) -> tuple[Incident, ...]:
    """One incident of each class, all with the same end: now."""
    until = datetime.now(UTC).replace(microsecond=0)
    staged = []
    for number, name in enumerate(names):
        scene = Scene(SEED, number, until)
        staged.append(stage_incident(name, SEED, number, scene, INCIDENT_CLASSES[name](scene)))
    return tuple(staged)


def name_source(kind: str, azure: LocalAzure) -> str:
    """The source's address on the command line; for logs and clusters the server has another name."""
    cluster = azure.arm.url.replace("localhost", "127.0.0.1")
    return {
        "log-analytics": f"log-analytics:{azure.arm.world.workspace}",
        "adx": f"adx:{cluster}/monitoring",
        "resource-graph": "resource-graph",
    }[kind]


def judge(case: dict[str, Any]) -> dict[str, Any]:
    """All that is said of a VM; not where it was read."""
    losses = [{**loss, "channels": [{**one, "ref": ""} for one in loss["channels"]]} for loss in case["losses"]]
    return {name: case[name] for name in JUDGED} | {"losses": losses, "action": case["recommendation"]["action"]}


def _read_whole(vmdiag: Runner, folder: Path, tables: Tables, until: datetime) -> dict[str, dict[str, Any]]:
    """The cases of an archive of all rows."""
    folder.mkdir()
    write_tables(folder, tables)
    ran = vmdiag("check", "--all", "--source", str(folder), "--until", until.isoformat(), "-o", "json")
    return {case["vm"]["id"].lower(): case for case in json.loads(ran.out)["cases"]}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        *(("log-analytics", tuple(INCIDENT_CLASSES)[part::PARTS]) for part in range(PARTS)),
        ("resource-graph", tuple(INCIDENT_CLASSES)),
    ],
    ids=[*(f"log-analytics-{part}" for part in range(PARTS)), "resource-graph"],
)
def test_every_incident_gets_the_verdict_of_a_full_read_of_the_same_tables(
    azure: AzureStarter, vmdiag: Runner, tmp_path: Path, kind: str, names: tuple[str, ...]
) -> None:
    incidents = stage_incidents(*names)
    tables = build_graph_tables(incidents) if kind == "resource-graph" else build_log_tables(incidents)
    until = incidents[0].until
    served = azure(World.with_tables(KustoTables(tables)))
    source = name_source(kind, served)
    ran, cases = served.check_vms("--all", "--source", source, "--since", "14d", "--until", until.isoformat())
    whole = _read_whole(vmdiag, tmp_path / "archive", tables, until)

    pushed = {case["vm"]["id"].lower(): case for case in cases}
    assert ran.err == ""
    assert {each.vm.lower() for each in incidents} <= pushed.keys()
    assert {vm: judge(case) for vm, case in pushed.items()} == {vm: judge(case) for vm, case in whole.items()}
    assert {case["verdict"] for case in cases} >= {"clear", "inconclusive", "suspected"}
    if kind == "log-analytics":
        # It is no full read itself: of some VMs nothing was moved, and a packed row holds a day.
        unread = [case for case in cases if any(gap["reason"] == NOT_CHOSEN for gap in case["gaps"])]
        assert 3 < len(unread) < len(cases)
        assert sum(seen.bytes_sent for seen in served.arm.list_posts("/query")) < 1_000_000


FEW = ("quiet_vm", "traffic_lost_after_migration", "user_stop", "neighbours_without_harm")


def _start_few(azure: AzureStarter, *, kind: str = "log-analytics") -> tuple[LocalAzure, str, dict[str, str]]:
    """A service with four incidents, its address, and the VMs' names by the incidents'."""
    incidents = stage_incidents(*FEW)
    tables = build_graph_tables(incidents) if kind == "resource-graph" else build_log_tables(incidents)
    served = azure(World.with_tables(KustoTables(tables)))
    return served, name_source(kind, served), {each.name: each.vm.rpartition("/")[2] for each in incidents}


def test_of_vms_that_nobody_named_those_with_a_migration_or_a_loss_are_told_and_the_others_counted(
    azure: AzureStarter,
) -> None:
    served, source, names = _start_few(azure)
    ran = served.run_command("check", "--source", source, "-o", "json")
    report = json.loads(ran.out)

    assert (ran.code, ran.err) == (1, "")
    told = {case["vm"]["name"] for case in report["cases"]}
    assert told >= {names["traffic_lost_after_migration"], names["user_stop"]}
    assert names["quiet_vm"] not in told
    summary = report["summary"]
    assert (report["source"], summary["vms"]) == (source, len(told))
    assert summary["others"] == sum(summary["others_by"].values()) >= 1


def test_where_a_question_is_not_understood_nobody_counts_as_quiet_and_where_its_table_is_not_there_they_do(
    azure: AzureStarter,
) -> None:
    served, source, _ = _start_few(azure)

    def count_others(message: str) -> dict[str, int]:
        served.arm.clear_faults()
        fault = Fault(path="/query", kind="status", status=400, asking="points = make_list", message=message)
        served.arm.add_fault(fault)
        ran = served.run_command("check", "--source", source, "-o", "json")
        counted: dict[str, int] = json.loads(ran.out)["summary"]["others_by"]
        return counted

    absent = count_others("Failed to resolve table or column expression named 'AzureMetrics'")
    refused = count_others("The request had some invalid properties")

    assert absent["not_judged"] > 0 == absent["inconclusive"]
    assert refused["not_judged"] == 0 < refused["inconclusive"]


def test_where_no_question_about_vms_is_understood_the_run_fails_though_it_is_known_how_far_back_the_log_reaches(
    azure: AzureStarter,
) -> None:
    served, source, _ = _start_few(azure)
    served.arm.add_fault(Fault(path="/query", kind="status", status=400, asking="materialize"))
    ran = served.run_command("check", "--source", source, "-o", "json")

    assert (ran.code, "not understood" in ran.err, "summary" in ran.out) == (4, True, False)


def test_the_answers_of_duckdb_kqls_own_rest_server_are_read_alike(azure: AzureStarter) -> None:
    served, source, names = _start_few(azure, kind="adx")
    tables = served.arm.world.tables
    assert tables is not None
    with tables.open_rest_server():
        ran, cases = served.check_vms("--all", "--source", source.replace("monitoring", "memory"))

    assert (ran.code, ran.err, tables.queries) == (1, "", [])
    told = {case["vm"]["name"]: (case["verdict"], case["explanation"]) for case in cases}
    assert told[names["traffic_lost_after_migration"]] == ("confirmed", "live-migration-datapath")
    assert told[names["user_stop"]] == ("clear", "user-stop")
    assert told[names["quiet_vm"]] == ("clear", None)


def test_of_vms_that_are_named_each_is_read_whole_and_an_unknown_one_is_a_case_with_a_name_like_it(
    azure: AzureStarter,
) -> None:
    served, source, names = _start_few(azure)
    known = names["traffic_lost_after_migration"]
    ran, (quiet, lost, unknown) = served.check_vms(names["quiet_vm"], known, f"{known}0", "--source", source)

    assert [case["verdict"] for case in (quiet, lost, unknown)] == ["clear", "confirmed", "inconclusive"]
    # Nothing telling was written of it.
    assert not [gap for gap in quiet["gaps"] if gap["reason"] == NOT_CHOSEN]
    assert "no such VM in the workspace; did you mean" in unknown["gaps"][0]["reason"]
    assert known in unknown["gaps"][0]["reason"]
    assert ran.code == 1


@pytest.mark.parametrize(
    ("kind", "where"),
    [("log-analytics", "in the workspace"), ("adx", "in the database"), ("resource-graph", "in Resource Graph")],
)
def test_a_scope_that_is_not_there_is_an_error_that_says_where_it_was_looked_for(
    azure: AzureStarter, kind: str, where: str
) -> None:
    served, source, names = _start_few(azure, kind=kind)
    absent = served.run_command("check", "nowhere", "--source", source)
    group = served.run_command("check", "-g", "nowhere", "--source", source)

    assert (absent.code, group.code) == (4, 4)
    assert f"no VM {where} is called nowhere" in absent.err
    assert names["quiet_vm"] in absent.err
    assert f"no VM {where} is in a resource group called nowhere" in group.err
    assert "Groups with VMs: " in group.err


def test_a_scope_that_may_be_empty_ends_with_0_and_a_tag_that_is_not_known_is_an_error(azure: AzureStarter) -> None:
    served, source, _ = _start_few(azure)
    empty = served.run_command("check", "-g", "nowhere", "--source", source, "--allow-empty")
    tagged = served.run_command("check", "--tag", "app=shop", "--source", source)

    assert (empty.code, tagged.code) == (0, 4)
    assert "no VM in the workspace has the tag app=shop" in tagged.err


def test_the_log_alone_says_which_signals_are_missing_and_guesses_nothing(azure: AzureStarter) -> None:
    tables = dict(build_log_tables(stage_incidents("traffic_lost_after_migration")))
    del tables["Heartbeat"], tables["AzureMetrics"]
    served = azure(World.with_tables(KustoTables(tables)))
    ran, cases = served.check_vms("--all", "--source", name_source("log-analytics", served))
    case = next(case for case in cases if case["migrated_at"])

    assert (ran.code, case["verdict"]) == (3, "inconclusive")
    reasons = {gap["signal"]: gap["reason"] for gap in case["gaps"]}
    assert "AzureMetrics" in reasons["traffic"]
    assert "Heartbeat" in reasons["heartbeat"]
    assert ran.err.count("warning:") == 2


def test_a_workspace_that_began_yesterday_tells_what_it_cannot_know(azure: AzureStarter) -> None:
    columns, rows = build_log_tables(stage_incidents("quiet_vm"))["AzureActivity"]
    young = [row for row in rows if row["OperationNameValue"] != "MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTKEYS/ACTION"]
    served = azure(World.with_tables(KustoTables({"AzureActivity": (columns, young)})))
    _, (case,) = served.check_vms("--all", "--source", name_source("log-analytics", served), "--since", "7d")
    told = [gap for gap in case["gaps"] if gap["reason"].startswith("not kept before")]

    assert {gap["signal"] for gap in told} == {"activity", "health", "service"}
    assert all(gap["from"] < gap["to"] and not gap["partial"] for gap in told)
