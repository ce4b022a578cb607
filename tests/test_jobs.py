"""The jobs among the examples: commands that vmdiag knows, metrics that it writes, files that their tools accept."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Runner
from tests.renderers import cases
from tests.renderers.gallery import render_report

JOBS = Path(__file__).parent.parent / "examples" / "jobs"
FILES = sorted(path.name for path in JOBS.iterdir() if path.name != "README.md")
# A command in a shell's words, or as lists of words, as containers are given them.
COMMAND_LINE = re.compile(r"bin/vmdiag (?P<words>(?:check|diff|watch|doctor|mitigations)\b[^;\n]*)")
WORD_LIST = re.compile(r"\[(?P<words>[\"'](?:check|watch)[^\]]*)\]")


def find_commands(name: str) -> list[list[str]]:
    text = (JOBS / name).read_text(encoding="utf-8")
    found = [match["words"].split() for match in COMMAND_LINE.finditer(text)]
    return found + [re.findall(r"[\"']([^\"']+)[\"']", match["words"]) for match in WORD_LIST.finditer(text)]


def test_every_file_that_runs_vmdiag_is_looked_at() -> None:
    runs = {name for name in FILES if find_commands(name)}

    assert runs >= {
        "Containerfile", "container-apps-job-resources.bicep", "github-actions.yml", "vmdiag-check.service",
        "vmdiag.cron",
    }  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_job_gives_only_options_that_there_are(vmdiag: Runner, name: str) -> None:
    for command, *words in find_commands(name):
        known = set(re.findall(r"(?<![\w-])--[a-z-]+", vmdiag(command, "--help").out))

        assert {word for word in words if word.startswith("--")} <= known, (name, command)


def test_the_rules_ask_for_metrics_that_are_written() -> None:
    written = render_report("prometheus", cases.make_report(cases.make_fleet()))
    rules = (JOBS / "prometheus-rules.yml").read_text(encoding="utf-8")
    asked = re.findall(r"(vmdiag_\w+)(\{[^}]*\})?", "".join(re.findall(r"expr: (.*)", rules)))

    assert len(asked) > 4
    for metric, labels in asked:
        assert f"# TYPE {metric} gauge" in written
        for label, value in re.findall(r"(\w+)!?=~?\"([^\"]*)\"", labels):
            # A VM of which nothing was done has no such label, as no series of Prometheus has an empty one.
            assert label == "mitigation" or any(f'{label}="{each}"' in written for each in value.split("|")), label


@pytest.mark.parametrize("unit", [name for name in FILES if name.endswith((".service", ".timer"))])
def test_systemd_takes_the_unit(unit: str, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    for path in JOBS.glob("vmdiag-*"):
        # The program lies where the tests find one.
        text = path.read_text(encoding="utf-8").replace("/opt/vmdiag/bin/vmdiag", sys.executable)
        (tmp_path / path.name).write_text(text, encoding="utf-8")

    ran = subprocess.run(
        [program, "verify", tmp_path / unit],
        capture_output=True,
        text=True,
        check=False,
    )

    assert unit not in ran.stderr
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr


@pytest.mark.parametrize(
    ("tool", "arguments", "name"),
    [
        ("hadolint", (), "Containerfile"),
        ("check-jsonschema", ("--builtin-schema", "vendor.github-workflows"), "github-actions.yml"),
    ],
)
def test_a_tool_takes_the_file(tool: str, arguments: tuple[str, ...], name: str) -> None:
    program = shutil.which(tool, path=str(Path(sys.executable).parent)) or shutil.which(tool)
    if program is None:
        pytest.skip(f"{tool} is not installed: pip install '.[test-jobs]'")

    ran = subprocess.run([program, *arguments, JOBS / name], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr
