"""How soon vmdiag answers, beside a bare Typer program with as many options: `python -m tests.benchmarks.startup`.

The two run in turn, and the quickest of each counts: what makes a run slower than that is the machine's other work.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.conftest import COMMAND

LIMIT = 1.3
RUNS = 20
BARE = '''
from typing import Annotated, Optional
import typer

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)

@app.callback(invoke_without_command=True)
def main(version: Annotated[bool, typer.Option("--version")] = False) -> None:
    """A program."""
    if version:
        typer.echo("bare 0.1.0")
        raise typer.Exit
'''
COMMAND_TEXT = '''
@app.command()
def {name}({options}) -> None:
    """Do something."""
'''
OPTIONS = {
    "check": 42, "record": 25, "diff": 5, "doctor": 12, "mitigations": 15, "explain": 3, "schema": 1, "mcp": 2,
    "watch": 39, "query": 10,
}  # fmt: skip


def main() -> None:
    """Print the quickest run of both and their ratio, for each thing that must be quick."""
    runs = argparse.ArgumentParser(description=__doc__)
    runs.add_argument("--runs", type=int, default=RUNS)
    count = runs.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        bare = _bare(Path(folder))
        for arguments in (["--version"], ["--help"], ["check", "--help"]):
            ours, theirs = _quickest([[COMMAND, *arguments], [bare, *arguments]], count)
            ratio = f"{ours / theirs:.2f} (limit {LIMIT})"
            print(f"{' '.join(arguments):14} vmdiag {ours * 1000:6.1f} ms  bare {theirs * 1000:6.1f} ms  ratio {ratio}")


def _bare(folder: Path) -> Path:
    """A script beside a compiled module, as pip installs one."""
    option = 'o{n}: Annotated[Optional[str], typer.Option(help="An option.", envvar="BARE_{n}")] = None'
    commands = [
        COMMAND_TEXT.format(name=name, options=", ".join(option.format(n=n) for n in range(count)))
        for name, count in OPTIONS.items()
    ]
    (folder / "bare.py").write_text(BARE + "\n".join(commands))
    script = folder / "bare"
    script.write_text(f"#!{sys.executable}\nimport sys\nfrom bare import app\nsys.exit(app())\n")
    script.chmod(0o755)
    return script


def _quickest(commands: Sequence[Sequence[str | Path]], count: int) -> list[float]:
    """The shortest of so many runs of each command, run in turn."""
    best = [float("inf")] * len(commands)
    for _ in range(count):
        for number, command in enumerate(commands):
            began = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            best[number] = min(best[number], time.perf_counter() - began)
    return best


if __name__ == "__main__":
    main()
