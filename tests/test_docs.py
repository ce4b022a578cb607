"""The documents say what the program does: commands, options, formats, exit codes, links."""

import os
import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import Runner
from vmdiag import errors, plugins, renderers
from vmdiag.cli.exit_codes import WORST_FIRST
from vmdiag.redeploy.guards import GUARDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / ".github").glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FIRST_SCREEN = 40


def test_the_two_commands_of_a_fresh_machine_are_on_the_first_screen() -> None:
    first, second, *rest = SHELL.findall(README)

    assert not rest
    assert README.index(second) < len("\n".join(README.splitlines()[:FIRST_SCREEN]))
    assert "vmdiag check --source examples/" in first
    assert "pytest" in second


def test_the_first_command_does_the_main_job_on_an_example(vmdiag: Runner) -> None:
    first = SHELL.findall(README)[0]
    arguments = first.partition(".venv/bin/vmdiag ")[2].split()
    ran = vmdiag(*arguments, cwd=ROOT)

    assert ran.code == 1
    assert "web-01" in ran.out


def test_every_option_that_is_mentioned_exists(vmdiag: Runner) -> None:
    overview = vmdiag("--help").out
    commands = re.findall(r"^  ([a-z]+)  ", overview.partition("Commands:")[2], re.MULTILINE)
    known = set(re.findall(r"--[a-z-]+", overview + "".join(vmdiag(command, "--help").out for command in commands)))
    text = "\n".join(path.read_text(encoding="utf-8") for path in PAGES if path.parent.name != ".github")
    lines = (line for line in text.splitlines() if "vmdiag" in line and not line.startswith("python3"))
    mentioned = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(lines)))

    assert mentioned - known - {"--count"} == set()


def test_the_manual_of_the_scenarios_is_what_the_command_prints(vmdiag: Runner) -> None:
    ran = vmdiag("explain", "--all", "-o", "markdown")

    assert (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8") == ran.out, (
        "run vmdiag explain --all -o markdown > docs/scenarios.md"
    )


def test_every_format_is_mentioned() -> None:
    (listed,) = re.findall(r"`-o ([a-z-]+(?:\|[a-z-]+)+)`", README)

    assert sorted(listed.split("|")) == list(plugins.list_names(renderers))


def test_every_exit_code_is_explained() -> None:
    explained = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    kinds = (errors.UsageError, errors.SourceError, errors.MitigationError, errors.Interrupted)

    assert {*WORST_FIRST, *(kind.exit_code for kind in kinds)} <= explained


def test_every_guard_is_explained() -> None:
    section = README.partition("## Redeploy")[2].partition("\n## ")[0]
    explained = {
        name.strip() for row in re.findall(r"^\| ([a-z, ]+) \|", section, re.MULTILINE) for name in row.split(",")
    }

    assert {guard.__name__.removeprefix("check_").replace("_", " ") for guard in GUARDS} <= explained


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))

    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_changelog_knows_the_version(vmdiag: Runner) -> None:
    version = vmdiag("--version").out.split()[1]

    assert f"\n## {version} " in (ROOT / ".github" / "CHANGELOG.md").read_text(encoding="utf-8")


def test_ci_tests_every_python_that_is_promised() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = {word for entry in project["classifiers"] for word in re.findall(r"Python :: (3\.\d+)", entry)}
    tested = re.findall(r"python: (\[.*\])", (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))

    assert {word for entry in tested for word in re.findall(r"3\.\d+", entry)} == promised


def test_ci_can_be_run_from_anywhere() -> None:
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert "BASH_SOURCE" in script.read_text(encoding="utf-8") or "$0" in script.read_text(encoding="utf-8")


def test_every_dependency_has_its_reason_above_it() -> None:
    listed = (
        (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("\ndependencies = [\n")[2].partition("\n]")[0]
    )
    is_reason = [line.strip().startswith("#") for line in listed.splitlines()]

    assert all(above for above, itself in pairwise(is_reason) if not itself)
