"""What the program says of itself: help, version, completion, environment; and what reaches which stream."""

import json
import re
from dataclasses import fields
from importlib import metadata
from pathlib import Path
from typing import get_args

import jsonschema
import pytest

from tests.conftest import Runner
from vmdiag import plugins, renderers
from vmdiag.cli.check import ReportOptions
from vmdiag.cli.exit_codes import FailOn
from vmdiag.cli.options import VerbosityOptions, get_variable_name
from vmdiag.cli.proof_options import ProofOptions
from vmdiag.cli.redeploy_options import COMMAND_LINE_ONLY, RedeployOptions
from vmdiag.cli.scope_options import ScopeOptions
from vmdiag.cli.source_options import AzureOptions, SourceOptions
from vmdiag.command_answers import STRUCTS

COMMANDS = ("check", "record", "explain", "schema", "watch")


def test_the_version_is_the_packages(vmdiag: Runner) -> None:
    assert vmdiag("--version").out == f"vmdiag {metadata.version('vmdiag')}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_fits_80_columns(vmdiag: Runner, command: str) -> None:
    ran = vmdiag(command, "--help")

    assert ran.code == 0
    assert f"Usage: vmdiag {command}" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_the_overview_lists_every_command_and_cuts_no_sentence(vmdiag: Runner) -> None:
    bare, ran = vmdiag(), vmdiag("-h")

    assert (bare.code, bare.out) == (2, "")
    assert "Commands:" in bare.err
    assert all(re.search(rf"^  {command} ", ran.out, re.MULTILINE) for command in COMMANDS)
    assert "..." not in ran.out.partition("Commands:")[2]


def test_every_option_but_those_that_loosen_a_guard_can_be_given_in_the_environment(vmdiag: Runner) -> None:
    shown = vmdiag("check", "--help").out.partition("Examples:")[0]
    assert ",".join(plugins.list_names(renderers)) in "".join(shown.split())
    flags = set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", shown, re.MULTILINE)) - {"--help"}
    groups = (
        *(ScopeOptions, SourceOptions, AzureOptions, ProofOptions),
        *(ReportOptions, RedeployOptions, VerbosityOptions),
    )
    declared = {info.envvar for kind in groups for field in fields(kind) for info in get_args(field.type)[1:]} - {None}
    loosening = {flag for flag in flags if flag.removeprefix("--").replace("-", "_") in COMMAND_LINE_ONLY}

    assert len(flags) > 30
    assert {get_variable_name(flag) for flag in flags - loosening} == declared
    assert {"--yes", "--max"} <= loosening


def test_the_words_of_fail_on_are_the_programs() -> None:
    (kind,) = (field.type for field in fields(ReportOptions) if field.name == "fail_on")

    assert get_args(get_args(kind)[0]) == tuple(FailOn)


def test_help_stands_under_headings_with_examples_and_exit_codes_as_wide_as_the_terminal(vmdiag: Runner) -> None:
    for columns in (60, 80, 120, 300):
        ran = vmdiag("check", "--help", COLUMNS=str(columns))
        headings = re.findall(r"^([A-Z][\w ]*):$", ran.out, re.MULTILINE)

        assert headings == ["Which VMs", "When", "From where", "Output", "Redeploy", "Options"]
        assert max(map(len, ran.out.splitlines())) <= max(80, min(columns, 120))
        assert ran.out.index("Examples:") < ran.out.index("Exit codes:")
        assert all(f"  {code}  " in ran.out.partition("Exit codes:")[2] for code in range(7))


def test_the_vms_of_the_last_run_are_completed(vmdiag: Runner, log: Path) -> None:
    def complete(word: str) -> list[str]:
        line = f"vmdiag check {word}"
        return vmdiag(_VMDIAG_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD="2").out.split()

    assert complete("w") == []
    lines = vmdiag("check", "--all", "--source", log, "-o", "ndjson").out.splitlines()
    names = [json.loads(line)["vm"]["name"] for line in lines]
    vmdiag("check", "wobbly", names[0], "--source", log)

    assert complete(names[0][:1]) == [names[0]]
    assert complete("WO") == []
    ran = vmdiag(_VMDIAG_COMPLETE="complete_bash", COMP_WORDS="vmdiag check --cloud us", COMP_CWORD="3")
    assert ran.out.split() == ["usgovernment", "usnat", "ussec"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_exists_for_every_shell(vmdiag: Runner, shell: str) -> None:
    # Without this Typer looks for the shell that runs it, which is not always one of these.
    ran = vmdiag("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")

    assert ran.code == 0
    assert "_VMDIAG_COMPLETE" in ran.out


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("check -o ", plugins.list_names(renderers)),
        ("check -o js", ("json",)),
        ("explain guest-", ("guest-crash", "guest-restart")),
    ],
)
def test_formats_and_scenarios_are_completed(vmdiag: Runner, words: str, offered: tuple[str, ...]) -> None:
    line = f"vmdiag {words}"
    ran = vmdiag(_VMDIAG_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(line.count(" ")))

    assert tuple(ran.out.split()) == offered


def test_an_unknown_format_is_a_usage_error_that_lists_them(vmdiag: Runner, log: Path) -> None:
    ran = vmdiag("check", "--source", log, "-o", "jsn")

    assert ran.code == 2
    assert "Did you mean json?" in ran.err
    assert ", ".join(plugins.list_names(renderers)) in ran.err


@pytest.mark.parametrize("name", STRUCTS)
def test_every_schema_is_one_and_names_itself(vmdiag: Runner, name: str) -> None:
    schema = json.loads(vmdiag("schema", name).out)

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == f"vmdiag.{name}/1"


def test_the_schema_is_one_and_a_report_fits_it(vmdiag: Runner, log: Path) -> None:
    schema = json.loads(vmdiag("schema").out)
    report = vmdiag("check", "--source", log, "-o", "json")

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(report.out), schema)


@pytest.mark.parametrize("form", plugins.list_names(renderers))
def test_a_file_holds_what_standard_output_would(vmdiag: Runner, tmp_path: Path, log: Path, form: str) -> None:
    shown = vmdiag("check", "--source", log, "-o", form)
    kept = vmdiag("check", "--source", log, "-o", form, "--out", "report")

    assert (kept.code, kept.out) == (shown.code, "")
    assert _undated((tmp_path / "report").read_text(encoding="utf-8")) == _undated(shown.out)
    assert "\x1b" not in shown.out


def test_a_failed_run_keeps_the_former_report(vmdiag: Runner, tmp_path: Path) -> None:
    (tmp_path / "report").write_text("before")
    ran = vmdiag("check", "--source", "archive:nowhere.json", "--out", "report")

    assert ran.code == 4
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("report", "before")]


def test_verbose_tells_what_was_read_on_standard_error(vmdiag: Runner, log: Path) -> None:
    plain = vmdiag("check", "--source", log, "-o", "ndjson")
    told = vmdiag("check", "--source", log, "-o", "ndjson", "--verbose")

    assert told.out == plain.out
    assert f"source: archive:{log}" in told.err
    assert "VMs: 1 in the report, 1 more" in told.err


@pytest.mark.usefixtures("log")
def test_quiet_leaves_the_report_alone(vmdiag: Runner, tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text('{"hello": "world"}')
    warned = vmdiag("check", "--source", tmp_path, "-o", "ndjson")
    silent = vmdiag("check", "--source", tmp_path, "-o", "ndjson", "--quiet")

    assert warned.err.startswith("warning: ")
    assert (silent.code, silent.out, silent.err) == (warned.code, warned.out, "")


def _undated(report: str) -> str:
    return re.sub(
        r'"generated_at": "[^"]*"| timestamp="[^"]*"|(?<=<time>)[^<]*|(?<=run_timestamp_seconds )\d+', "", report
    )


def test_for_a_cloud_without_the_scenario_the_report_says_so(vmdiag: Runner, log: Path) -> None:
    china = vmdiag("check", "--source", log, "--cloud", "china")
    public = vmdiag("check", "--source", log)

    assert "Azure did not publish the scenario" in " ".join(china.out.split())
    assert "did not publish" not in public.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("web-01", "--timeout", "soon"), "--timeout"),
        (("web-01", "--timeout", "2026-03-02"), "not a duration"),
        (("web-01", "--api-version", "compute"), "SERVICE=YYYY-MM-DD"),
        (("web-01", "--api-version", "disks=2021-01-01"), "The services are"),
        (("web-01", "--workspace", "../x"), "no workspace's id"),
        (("web-01", "--cloud", "http://x"), "--cloud"),
        (("web-01", "--resume", "nowhere.ndjson"), "nowhere.ndjson"),
        (("web-01", "--resume", "activity.json"), "activity.json is no report"),
        (("--tag", "x"), "KEY=VALUE"),
        # What a shell makes of a pattern that is not quoted.
        (("--source", "first.json", "activity.json"), "Quote a pattern"),
        (("web-01", "--tag", "app=shop"), "contradict"),
        # What asks Azure contradicts an archive.
        (("--source", "activity.json", "--probe", "22"), "--probe"),
        (("--source", "activity.json", "--workspace", "00000000-0000-0000-0000-000000000000"), "--workspace"),
    ],
)
@pytest.mark.usefixtures("log")
def test_a_word_that_makes_no_sense_is_told_before_anybody_signs_in(
    vmdiag: Runner, words: tuple[str, ...], told: str
) -> None:
    ran = vmdiag("check", *words)

    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
