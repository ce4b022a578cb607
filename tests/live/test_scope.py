"""A scope that is not there, live: an error that names what is, and one stale name takes nobody along."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.arm import Fault, World
from tests.arm.single_vm import SUBSCRIPTION
from tests.live.conftest import AzureStarter, LocalAzure, build_world, get_gap_reasons


def build_fleet() -> World:
    return World.with_fleet(vms=12, groups=2, migrated=1)


def index_by_name(cases: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {case["vm"]["name"]: case for case in cases}


def run_refused(there: LocalAzure, *words: str) -> str:
    """What is said where nothing may be read, nor done, of a scope."""
    ran, cases = there.check_vms(*words, "--redeploy", "--yes")

    assert (ran.code, cases) == (4, []), ran
    assert there.redeploy_count == 0
    return ran.err


def test_a_group_tag_or_subscription_that_is_not_there_is_an_error(azure: AzureStarter) -> None:
    there = azure(World.with_one_vm(tags={"App": "shop"}))

    assert "Did you mean prod?" in run_refused(there, "-g", "prdo")
    assert "Groups with VMs: prod." in run_refused(there, "-g", "zzz-*")
    assert "Did you mean prod?" in run_refused(there, "-g", "prod", "-g", "prodd")
    assert "Did you mean App=shop?" in run_refused(there, "--tag", "app=shp")
    assert "App=shop" in run_refused(there, "--tag", "zone=1")
    assert "Did you mean contoso-1?" in run_refused(there, "-s", "contosso-1", "--all")
    wrong = SUBSCRIPTION[:-1] + "0"
    assert f"cannot see the subscription {wrong}" in run_refused(there, "-s", wrong, "--all")
    assert f"Did you mean {SUBSCRIPTION}?" in run_refused(there, "-s", wrong, "-s", SUBSCRIPTION, "web-01")
    assert "resource group called nosuch" in run_refused(there, "-g", "nosuch", "web-09")


def test_a_scope_without_vms_may_be_meant(azure: AzureStarter) -> None:
    there = azure()
    for words in (("-g", "prdo"), ("--tag", "a=b"), ("db-*",), ("-", "-s", SUBSCRIPTION)):
        ran = there.run_command("check", *words, "--allow-empty")
        assert ran.code == 0, ran
        assert "No VM is in what was asked for" in ran.out
    assert there.run_command("check", "web-9", "--allow-empty").code == 4


def test_a_subscription_may_be_given_by_name(azure: AzureStarter) -> None:
    there = azure()

    assert there.check_vms("web-01", "-s", "CONTOSO-1")[0].code == 1
    assert there.check_vms("prod/web-01", AZURE_SUBSCRIPTION_ID="contoso-1")[0].code == 1


def test_a_group_that_is_not_there_is_no_medical_finding(azure: AzureStarter) -> None:
    told = run_refused(azure(), "nosuch/web-01", "-s", SUBSCRIPTION)

    assert "is called nosuch/web-01" in told
    assert "Did you mean prod/web-01?" in told


def test_among_several_one_that_is_unknown_is_a_case(azure: AzureStarter, tmp_path: Path) -> None:
    (tmp_path / "vms.txt").write_text("web-01\nweb-1\nnosuch/web-01\n")
    ran, cases = azure().check_vms("--vms-from", "vms.txt", "-s", SUBSCRIPTION)

    assert ran.code == 1, ran.err
    assert [case["verdict"] for case in cases] == ["confirmed", "inconclusive", "inconclusive"]
    assert [(case["vm"]["resource_group"], case["vm"]["name"]) for case in cases[1:]] == [
        ("?", "web-1"),
        ("nosuch", "web-01"),
    ]
    for case in cases[1:]:
        assert "no such VM" in get_gap_reasons(case)["activity"]
        assert "did you mean prod/web-01?" in get_gap_reasons(case)["activity"]
        assert len(case["findings"]) == 1


def test_in_a_long_list_stale_names_and_ids_take_nobody_along(azure: AzureStarter) -> None:
    there = azure(build_fleet())
    _, known = there.check_vms("--all")
    ids = [case["vm"]["id"] for case in known]
    subscription = known[0]["vm"]["subscription_id"]
    stale = [f"{ids[0]}9", f"{known[0]['vm']['resource_group']}/{known[0]['vm']['name']}8"]
    ran, cases = there.check_vms(*ids, *stale, "-s", subscription)

    assert ran.code == 1, ran.err
    assert [case["vm"]["id"] for case in cases[: len(ids)]] == ids
    assert len(cases) == len(ids) + 2
    for case in cases[-2:]:
        assert "no such VM" in get_gap_reasons(case)["health"]
        assert (
            f"did you mean {known[0]['vm']['resource_group']}/{known[0]['vm']['name']}"
            in get_gap_reasons(case)["health"]
        )


def test_stars_and_question_marks_name_several(azure: AzureStarter) -> None:
    there = azure(build_fleet())
    _, cases = there.check_vms("web-*")
    assert {case["vm"]["name"][:4] for case in cases} == {"web-"}
    assert len(cases) == 3
    _, grouped = there.check_vms("-g", "rg-?0")
    assert {case["vm"]["resource_group"] for case in grouped} == {"rg-00"}
    _, both = there.check_vms("RG-*0/WEB-*", "api-0001")
    assert {case["vm"]["name"] for case in both} <= {case["vm"]["name"] for case in cases} | {"api-0001"}
    assert both[-1]["vm"]["name"] == "api-0001"


def test_without_resource_graph_the_same_is_told(azure: AzureStarter) -> None:
    there = azure(build_world(tags={"app": "shop"}, graph=False))

    assert "Did you mean prod?" in run_refused(there, "-g", "prdo")
    assert "Did you mean prod/web-01?" in run_refused(there, "web-1")
    assert "Did you mean app=shop?" in run_refused(there, "--tag", "app=shpo")
    assert "Did you mean prod/web-01?" in run_refused(there, "nosuch/web-01", "-s", SUBSCRIPTION)
    _, cases = there.check_vms("web-*", "web-1")
    assert [case["verdict"] for case in cases] == ["confirmed", "inconclusive"]
    assert "did you mean prod/web-01?" in get_gap_reasons(cases[1])["activity"]


def test_what_could_not_be_listed_is_not_called_absent(azure: AzureStarter) -> None:
    one = build_world(graph=False)
    there = azure(one, Fault(path=r"Microsoft\.Compute/virtualMachines\?", kind="status", status=403))
    ran, cases = there.check_vms("-g", "prdo")

    assert (ran.code, cases) == (4, [])
    assert "resource group called" not in ran.err
    assert "403" in ran.err or "refused" in ran.err


def test_an_id_is_looked_for_in_its_own_subscription_and_one_that_cannot_be_seen_hides_nobody(
    azure: AzureStarter,
) -> None:
    there, foreign = azure(), "11111111-2222-3333-4444-555555555555"
    _, (case,) = there.check_vms("web-01")
    known = case["vm"]["id"]
    _, (again,) = there.check_vms(known, AZURE_SUBSCRIPTION_ID=foreign)
    ran, cases = there.check_vms(known, known.replace(SUBSCRIPTION, foreign))

    assert (again["verdict"], again["gaps"]) == ("confirmed", case["gaps"])
    assert ran.code == 1, ran.err
    assert [case["verdict"] for case in cases] == ["confirmed", "inconclusive"]


def test_what_was_unknown_is_looked_for_again(azure: AzureStarter, tmp_path: Path) -> None:
    there = azure()
    first = there.run_command("check", "web-01", "db-01", "--since", "1d", "-o", "ndjson").out
    (tmp_path / "first.ndjson").write_text(first)
    before = len(there.arm.requests)
    ran, cases = there.check_vms("web-01", "db-01", "--resume", "first.ndjson")

    assert ran.code == 1, ran.err
    assert index_by_name(cases)["web-01"] == index_by_name([json.loads(line) for line in first.splitlines()])["web-01"]
    assert len(there.arm.requests) > before
    assert index_by_name(cases)["db-01"]["verdict"] == "inconclusive"


@pytest.mark.parametrize("name", ["[bold]", "'] | take 1 //", "x" * 5_000, "\x1b[31m"])
def test_hostile_names_ask_for_nothing_else(azure: AzureStarter, name: str) -> None:
    ran, cases = azure().check_vms(name.replace("/", ""), f"{name.replace('/', '')}*", "web-01", "-s", SUBSCRIPTION)

    assert ran.code == 1, ran.err
    assert [case["verdict"] for case in cases] == ["inconclusive", "inconclusive", "confirmed"]
    assert "\x1b" not in ran.err


def test_a_recording_holds_no_vm_that_is_not_there(azure: AzureStarter, tmp_path: Path) -> None:
    ran = azure().run_command("record", "web-01", "web-1", "--since", "1d", "--out", "kept.jsonl")

    assert ran.code == 0, ran.err
    assert "web-1 is not recorded: no such VM" in ran.err
    assert len((tmp_path / "kept.jsonl").read_text().splitlines()) == 1


def test_doctor_takes_a_subscription_by_name_too(azure: AzureStarter) -> None:
    ran = azure().run_command("doctor", "-s", "Contoso-1")

    assert f"{SUBSCRIPTION}: contoso-1" in ran.out
    assert "cannot see" not in ran.out
