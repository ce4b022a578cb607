"""The laws of the house that no linter keeps: sizes, floors without side doors, quick starts."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from tests.cli import story

ROOT = Path(__file__).parent.parent
PROGRAM = sorted((ROOT / "vmdiag").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST_FILE = {"vmdiag": 300, "tests": 400}
LONGEST_FUNCTION = 50
LONGEST_COMMAND = 30
# What is below every source, renderer and command: it computes, and touches nothing.
PURE = [
    *((ROOT / "vmdiag" / f"{name}.py") for name in ("completeness", "identity", "mitigation", "model")),
    *sorted((ROOT / "vmdiag" / "diagnosis").rglob("*.py")),
    *sorted((ROOT / "vmdiag" / "redeploy" / "guards").glob("*.py")),
    *((ROOT / "vmdiag" / "redeploy" / f"{name}.py") for name in ("model", "verification")),
]
COMMANDS = ("check", "doctor", "explain", "mitigations", "record", "schema", "watch")
REPORTS_WHAT_WAS_IMPORTED = """
import json, sys
from vmdiag.cli.app import main
code = main(sys.argv[1:])
print("\\n" + json.dumps([code, sorted(sys.modules)]))
"""

CATCHES_ALL = {"Exception", "BaseException"}
TOUCHES = {"open", "print", "input", "exec", "eval", "__import__"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Node = TypeVar("Node", bound=ast.AST)


def test_a_file_can_be_read_in_one_go() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PROGRAM + TESTS}

    assert not [f"{_named(path)}: {lines}" for path, lines in lengths.items() if lines > LONGEST_FILE[_top(path)]]


def test_a_function_fits_on_a_screen() -> None:
    long = [(path, one) for path in PROGRAM for one in _functions(path) if _length(one) > LONGEST_FUNCTION]

    assert not [f"{_named(path)}: {one.name} has {_length(one)} lines" for path, one in long]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_nothing_itself(command: str) -> None:
    path = ROOT / "vmdiag" / "cli" / f"{command}.py"
    (function,) = [one for one in _functions(path) if one.name == command]

    assert _length(function) <= LONGEST_COMMAND


def test_a_file_says_on_its_first_line_what_it_is_for() -> None:
    contents = {path: path.read_text(encoding="utf-8") for path in PROGRAM + TESTS}

    assert not [_named(path) for path, text in contents.items() if text and not text.startswith(('"""', 'r"""'))]


def test_no_error_is_caught_by_a_net_with_one_mesh() -> None:
    handlers = [(path, node) for path in PROGRAM + TESTS for node in _nodes(path, ast.ExceptHandler)]
    wide = [path for path, node in handlers if node.type is None or ast.unparse(node.type) in CATCHES_ALL]

    assert not [_named(path) for path in wide]


def test_no_test_replaces_a_part_of_the_program() -> None:
    calls = [(path, node.func) for path in TESTS for node in _nodes(path, ast.Call)]
    patches = [path for path, call in calls if isinstance(call, ast.Attribute) and call.attr in {"patch", "setattr"}]

    assert not [_named(path) for path in patches]


def test_no_test_imports_a_stand_in_without_behaviour() -> None:
    assert not [
        _named(path) for path, name in _imports(TESTS) if name.startswith(("unittest.mock", "mock", "pytest_mock"))
    ]


def test_nobody_imports_click() -> None:
    assert not [_named(path) for path, name in _imports(PROGRAM + TESTS) if name.partition(".")[0] == "click"]


def test_every_dependency_is_imported_somewhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in project["dependencies"]}
    needed = {name.replace("azure-", "azure.").replace("-", ".") for name in needed}
    imported = {name for _, name in _imports(PROGRAM)}
    # The zstd module's name depends on Python's version, so it is imported by a string.
    imported |= {str(node.value) for path in PROGRAM for node in _nodes(path, ast.Constant) if node.value in needed}

    assert needed
    assert not [one for one in needed if not any(name == one or name.startswith(f"{one}.") for name in imported)]


def test_only_the_redeploy_knows_the_library_that_can_change_a_vm() -> None:
    knowing = {_named(path) for path, name in _imports(PROGRAM) if name.startswith("azure.mgmt")}

    assert knowing == {"vmdiag/redeploy/request.py"}


def test_what_computes_touches_nothing() -> None:
    calls = [(path, node.func) for path in PURE for node in _nodes(path, ast.Call)]
    doors = [path for path, call in calls if isinstance(call, ast.Name) and call.id in TOUCHES]

    assert not [_named(path) for path in doors]


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["check", "--help"], ["explain", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    _, modules = _run(*arguments)

    assert not modules & {"rich", "msgspec", "azure", "click", "vmdiag.model", "vmdiag.pipeline", "importlib.metadata"}
    assert not _plugins(modules)


def test_reading_an_archive_imports_no_azure_and_only_the_format_asked_for(tmp_path: Path) -> None:
    log = story.write_log(tmp_path, story.make_affected_log())
    code, modules = _run("check", "--source", str(log), "-o", "ndjson")

    assert code == 1
    assert not modules & {"azure", "click", "jinja2", "rich", "requests"}
    assert _plugins(modules) == {"vmdiag.renderers.ndjson", "vmdiag.sources.archive"}


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _top(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def _imports(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """What each file imports, by the name of the module or of the thing taken from it."""
    for path in paths:
        yield from ((path, alias.name) for node in _nodes(path, ast.Import) for alias in node.names)
        for node in _nodes(path, ast.ImportFrom):
            yield from ((path, f"{node.module}.{alias.name}") for alias in node.names)


def _nodes(path: Path, kind: type[Node]) -> Iterator[Node]:
    return (node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, kind))


def _functions(path: Path) -> Iterator[Function]:
    yield from _nodes(path, ast.FunctionDef)
    yield from _nodes(path, ast.AsyncFunctionDef)


def _length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _run(*arguments: str) -> tuple[int, set[str]]:
    command = [sys.executable, "-c", REPORTS_WHAT_WAS_IMPORTED, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    code, modules = json.loads(ran.stdout.splitlines()[-1])
    return code, set(modules)


def _plugins(modules: set[str]) -> set[str]:
    """The sources and renderers among them; scenarios are all needed to judge."""
    parts = [(name, name.split(".")) for name in modules if name.startswith(("vmdiag.sources.", "vmdiag.renderers."))]
    sources = {"azure", "archive"}
    return {
        name
        for name, words in parts
        if len(words) == 3 and not words[2].startswith("_") and (words[1] == "renderers" or words[2] in sources)
    }
