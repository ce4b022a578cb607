"""Options from the environment: all of them, split as documented, but for those that loosen a guard."""

from pathlib import Path

import pytest

from tests.conftest import Runner


@pytest.mark.parametrize(
    ("variable", "written", "told"),
    [
        ("TAG", "owner=Ops Team", "has the tag owner=Ops Team\n"),
        ("TAG", "owner=Ops Team\n", "has the tag owner=Ops Team\n"),
        ("TAG", "owner=Ops Team env=prod", "has the tags owner=Ops Team, env=prod\n"),
        ("TAG", "owner=Ops Team\nenv=a=b c=d\r\n", "has the tags owner=Ops Team, env=a=b c=d\n"),
        ("TAG", "  env=prod  ", "has the tag env=prod\n"),
        ("RESOURCE_GROUP", "prod stage", "called stage"),
        ("RESOURCE_GROUP", "prod\nmy group\n", "called my group"),
    ],
)
def test_a_tag_may_hold_blanks_and_lines_part_the_values(
    vmdiag: Runner, log: Path, variable: str, written: str, told: str
) -> None:
    assert told in vmdiag("check", VMDIAG_SOURCE=str(log), **{f"VMDIAG_{variable}": written}).err


def test_the_command_line_wins_over_the_environment_and_an_empty_variable_is_none(vmdiag: Runner, log: Path) -> None:
    assert vmdiag("check", "-g", "prod", "--source", log, VMDIAG_RESOURCE_GROUP="stage").code == 1
    assert vmdiag("check", VMDIAG_SOURCE=str(log), VMDIAG_TAG="", VMDIAG_RESOURCE_GROUP=" ").code == 1


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


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [("ALL", "maybe", "Invalid value for 'VMDIAG_ALL': 'maybe'"), ("CLOUD", "mars", "error: VMDIAG_CLOUD mars is ")],
)
def test_what_is_wrong_in_the_environment_is_called_by_its_variable(
    vmdiag: Runner, variable: str, value: str, told: str
) -> None:
    found = vmdiag("check", "--source", ".", **{f"VMDIAG_{variable}": value})

    assert (found.code, found.err.count(told)) == (2, 1)
