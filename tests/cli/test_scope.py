"""A scope that is not there, on archives: an error that names what is, never "nothing found"."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli import story
from tests.conftest import CommandResult, Runner
from vmdiag.errors import UsageError
from vmdiag.identity import Selector, VmId
from vmdiag.sources.selection import VmNameIndex

OTHER = "99999999-2222-3333-4444-555555555555"


def entry(vm_id: str, **changes: Any) -> dict[str, Any]:
    """An affected VM's migration under another id."""
    return {**story.make_migration("x"), "resourceId": vm_id, "eventDataId": vm_id, **changes}


def in_group(group: str, name: str, subscription: str = story.SUBSCRIPTION) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three VMs of one group, one of another, and one of another subscription; one is affected."""
    more = [entry(in_group("stage", "db-01")), entry(in_group("prod", "web-01", OTHER)), story.make_migration("web-02")]
    return story.write_log(tmp_path, [*story.make_affected_log("api-01"), *more])


def cases(ran: CommandResult) -> dict[str, dict[str, Any]]:
    """By name."""
    return {case["vm"]["name"]: case for case in json.loads(ran.out)["cases"]}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-g", "prodd"), "Did you mean prod?"),
        (("-g", "STAG"), "Did you mean stage?"),
        (("-g", "prod", "-g", "stagee"), "Did you mean stage?"),
        (("-g", "dev-*"), "Groups with VMs: prod, stage."),
        (("-s", OTHER.replace("99", "98", 1), "--all"), f"Did you mean {OTHER}"),
        (("-s", "Contoso Prod", "--all"), f"Subscriptions: {story.SUBSCRIPTION}, {OTHER}."),
        (("-s", OTHER, "-g", "stage"), "Groups with VMs: prod."),
        (("--tag", "app=shop"), "has the tag app=shop"),
        (("web-2",), "Did you mean prod/web-02"),
        (("nosuch/web-02",), "Did you mean prod/web-02?"),
        (("dbx-*",), "stage/db-01"),
        (("-g", "prod", "db-01"), "no VM in the archive is called db-01"),
    ],
)
def test_what_is_not_there_is_an_error_that_names_what_is(
    vmdiag: Runner, log: Path, words: tuple[str, ...], says: str
) -> None:
    ran = vmdiag("check", *words, "--source", log, "--redeploy", "--yes", "-o", "ndjson")

    assert (ran.code, ran.out) == (4, ""), ran
    assert says in ran.err


@pytest.mark.parametrize("words", [("-g", "prodd"), ("-s", "nosuch", "--all"), ("--tag", "app=shop"), ("dbx-*",)])
def test_a_scope_without_vms_may_be_meant(vmdiag: Runner, log: Path, words: tuple[str, ...]) -> None:
    ran = vmdiag("check", *words, "--source", log, "--allow-empty")

    assert ran.code == 0, ran.err
    assert "No VM is in what was asked for" in ran.out
    assert "without a migration or a loss" not in ran.out


def test_an_empty_list_with_leave_is_nobody_and_not_everybody(vmdiag: Runner, log: Path) -> None:
    ran = vmdiag("check", "-", "--source", log, "--allow-empty", "-o", "json", given="# none tonight\n")

    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["cases"] == []
    assert vmdiag("check", "web-2", "--source", log, "--allow-empty").code == 4  # a name is no scope that may be empty


def test_among_several_one_that_is_unknown_is_a_case(vmdiag: Runner, log: Path) -> None:
    ran = vmdiag("check", "api-01", "apj-01", "nosuch/web-02", "mail-*", "--source", log, "-o", "json")
    found = cases(ran)

    assert ran.code == 1, ran.err
    assert list(found) == ["api-01", "apj-01", "web-02", "mail-*"]
    assert found["mail-*"]["verdict"] == "inconclusive"
    for name, near in (("apj-01", "prod/api-01"), ("web-02", "prod/web-02")):
        assert found[name]["verdict"] == "inconclusive"
        assert {gap["reason"] for gap in found[name]["gaps"]} == {f"no such VM in the archive; did you mean {near}?"}
        assert (found[name]["state"], found[name]["explanation"], found[name]["losses"]) == (None, None, [])
    assert found["web-02"]["vm"]["resource_group"] == "nosuch"


def test_an_unknown_name_ends_no_list(vmdiag: Runner, log: Path, tmp_path: Path) -> None:
    (tmp_path / "vms.txt").write_text("web-02\nweb-99 # gone\ndb-01\n")
    ran = vmdiag("check", "--vms-from", "vms.txt", "--source", log, "-o", "csv")

    assert ran.code == 3, ran.err
    assert ran.out.count("\n") == 4
    assert "no such VM" in ran.out


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_an_unknown_vm_reads_like_no_medical_finding(vmdiag: Runner, log: Path, form: str) -> None:
    unknown = in_group("nosuch", "web-77")
    told = " ".join(vmdiag("check", unknown, "--source", log, "-o", form).out.split())

    assert "web-77: no such VM" in told.replace("\\", "")
    assert "check its name" in told
    for finding in ("live migration", "not enough was seen", "no loss", "feed"):
        assert finding not in told


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("web-*",), ["web-02", "web-01"]),
        (("WEB-0?",), ["web-02", "web-01"]),
        (("*",), ["api-01", "other", "web-02", "db-01", "web-01"]),
        (("pro?/w*", "db-01"), ["web-02", "web-01", "db-01"]),
        (("st*/*",), ["db-01"]),
        (("-g", "st*"), ["db-01"]),
        (("-g", "prod", "-s", OTHER), ["web-01"]),
        (("web-*", "-s", OTHER), ["web-01"]),
        ((in_group("*", "web-0?"),), ["web-02"]),
    ],
)
def test_stars_and_question_marks_name_several(
    vmdiag: Runner, log: Path, words: tuple[str, ...], named: list[str]
) -> None:
    assert list(cases(vmdiag("check", *words, "--source", log, "-o", "json"))) == named


@pytest.mark.usefixtures("log")
def test_tags_choose_where_the_archive_tells_them(vmdiag: Runner, tmp_path: Path) -> None:
    kind = "Microsoft.Compute/virtualMachines"
    tagged = {"id": story.make_vm_id("web-02"), "type": kind, "tags": {"App": "shop", "n": None}}
    mail = {"id": in_group("stage", "db-01"), "subscriptionId": story.SUBSCRIPTION, "tags": '{"app": "mail"}'}
    graph = {**tagged, **mail}
    (tmp_path / "vms.json").write_text(json.dumps([tagged, graph]))
    run = ("check", "--source", tmp_path, "-o", "json")

    assert list(cases(vmdiag(*run, "--tag", "app=shop"))) == ["web-02"]
    assert list(cases(vmdiag(*run, "--tag", "app=mail"))) == ["db-01"]
    wrong = vmdiag(*run, "--tag", "app=Shop")
    assert wrong.code == 4
    assert "Did you mean App=shop?" in wrong.err
    assert "app=mail" in vmdiag(*run, "--tag", "zone=1").err


def test_others_are_called_well_only_where_that_was_judged(vmdiag: Runner, log: Path) -> None:
    ran = vmdiag("check", "web-02", "--source", log, "-o", "json")
    seen = json.loads(ran.out)["summary"]
    told = " ".join(vmdiag("check", "web-02", "--source", log).out.split())

    assert seen["others"] == sum(seen["others_by"].values()) == 4
    assert seen["others_by"] == {"clear": 0, "migrated_or_lost": 3, "inconclusive": 0, "not_judged": 1}
    assert "seen without a migration or a loss" not in told
    assert "3 other VMs were seen with a migration or a loss" in told
    assert "1 other VM was not judged" in told


@pytest.mark.parametrize("form", ["terminal", "markdown", "json", "csv", "ndjson"])
def test_hostile_names_break_no_output(vmdiag: Runner, log: Path, form: str) -> None:
    names = ["web-02", "\x1b[31mred\x1b[0m", "[bold]", "x" * 1_000_000, "\u202eweb", "a b"]
    ran = vmdiag("check", *names[:3], "-", "--source", log, "-o", form, given="\n".join(names[3:]))

    assert ran.code == 3, ran.err
    assert "\x1b" not in ran.out + ran.err
    if form == "terminal":
        assert len(ran.out) < 10_000
    if form == "json":
        assert len(json.loads(ran.out)["cases"]) == len(names)


@pytest.mark.parametrize(
    "words",
    [("-g", "x" * 50_000), ("-s", "y\x1b" * 10_000, "--all"), ("--tag", "t=" + "z" * 50_000), ("q/" * 20_000,)],
    ids=["group", "subscription", "tag", "name"],
)
def test_a_hostile_scope_is_told_shortly(vmdiag: Runner, log: Path, words: tuple[str, ...]) -> None:
    ran = vmdiag("check", *words, "--source", log)

    assert ran.code in {2, 4}
    assert "\x1b" not in ran.err
    assert len(ran.err) < 2_000


def test_what_was_unknown_is_looked_for_again_and_what_is_finished_is_known(
    vmdiag: Runner, log: Path, tmp_path: Path
) -> None:
    first = vmdiag("check", "web-02", "new-01", "--source", log, "-o", "ndjson").out
    (tmp_path / "first.ndjson").write_text(first)
    entries = [entry(in_group("prod", "new-01")), entry(in_group("prod", "tail"))]
    later = story.write_log(tmp_path, entries, "later.json")
    again = vmdiag("check", "web-*", "new-01", "--source", later, "-o", "json", "--resume", "first.ndjson")
    found = cases(again)

    assert set(found) == {"web-02", "new-01"}
    assert found["new-01"]["migrated_at"] is not None
    assert vmdiag("check", "web-02", "--source", later, "--resume", "first.ndjson").code == 3


def test_finished_cases_of_another_group_are_not_told_with_this_one(vmdiag: Runner, log: Path, tmp_path: Path) -> None:
    (tmp_path / "all.ndjson").write_text(vmdiag("check", "--all", "--source", log, "-o", "ndjson").out)
    ran = vmdiag("check", "-g", "stage", "--source", log, "-o", "json", "--resume", "all.ndjson")

    assert list(cases(ran)) == ["db-01"]


@pytest.mark.parametrize(
    ("word", "ids", "hint"),
    [
        (
            "web-01",
            [in_group("production-europe", "web-01"), in_group("stage", "web-01")],
            "as resource-group/name",
        ),
        ("prod/web-01", [in_group("prod", "web-01", OTHER), in_group("prod", "web-01")], "with its --subscription"),
    ],
)
def test_of_vms_of_one_name_the_ids_can_be_pasted_and_the_hint_tells_them_apart(
    word: str, ids: list[str], hint: str
) -> None:
    known = [vm for vm in map(VmId.parse, ids) if vm is not None]
    with pytest.raises(UsageError) as caught:
        VmNameIndex(known, "in the archive").find_matches(Selector(word))

    assert {line.strip() for line in caught.value.message.splitlines()[1:]} == set(ids)
    assert hint in caught.value.hint
