"""Options from the environment: all of them, split as documented, but for those that loosen a guard."""

from pathlib import Path

import pytest

from tests.conftest import Runner


def error(vmdiag: Runner, log: Path, **variables: str) -> str:
    """What is said of a scope that nothing in the log is in."""
    return vmdiag("check", VMDIAG_SOURCE=str(log), **variables).err


@pytest.mark.parametrize(
    ("written", "tags"),
    [
        ("owner=Ops Team", "has the tag owner=Ops Team"),
        ("owner=Ops Team\n", "has the tag owner=Ops Team"),
        ("owner=Ops Team env=prod", "has the tags owner=Ops Team, env=prod"),
        ("owner=Ops Team\nenv=a=b c=d\r\n", "has the tags owner=Ops Team, env=a=b c=d"),
        ("  env=prod  ", "has the tag env=prod"),
    ],
)
def test_a_tag_of_the_environment_may_hold_blanks(vmdiag: Runner, log: Path, written: str, tags: str) -> None:
    assert f"{tags}\n" in error(vmdiag, log, VMDIAG_TAG=written)


@pytest.mark.parametrize(
    ("written", "missing"), [("prod stage", "called stage"), ("prod\nmy group\n", "called my group")]
)
def test_lines_part_the_values_where_there_are_lines(vmdiag: Runner, log: Path, written: str, missing: str) -> None:
    assert missing in error(vmdiag, log, VMDIAG_RESOURCE_GROUP=written)


def test_the_command_line_wins_over_the_environment(vmdiag: Runner, log: Path) -> None:
    ran = vmdiag("check", "-g", "prod", "--source", log, VMDIAG_RESOURCE_GROUP="stage")

    assert ran.code == 1, ran.err


@pytest.mark.parametrize(
    ("variable", "value"), [("YES", "1"), ("MAX", "500"), ("INCLUDE_SUSPECTED", "true"), ("ALLOW_DATA_LOSS", "true")]
)
def test_what_loosens_a_guard_is_heard_on_the_command_line_alone(
    vmdiag: Runner, log: Path, variable: str, value: str
) -> None:
    found = vmdiag("check", "--source", log, "--redeploy", "-o", "json", **{f"VMDIAG_{variable}": value})
    plain = vmdiag("check", "--source", log, "--redeploy", "-o", "json")

    assert found.code == plain.code == 5
    assert f"VMDIAG_{variable} has no effect" in found.err
    assert "at most 1 (--max)" in found.out
    assert found.out.partition('"cases"')[2] == plain.out.partition('"cases"')[2]


def test_an_empty_variable_is_none(vmdiag: Runner, log: Path) -> None:
    assert vmdiag("check", VMDIAG_SOURCE=str(log), VMDIAG_TAG="", VMDIAG_RESOURCE_GROUP=" ").code == 1
