"""What every test may use: the installed command, run as people run it; must not know what it answers."""

import os
import signal
import subprocess
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

COMMAND = Path(sysconfig.get_path("scripts"), "vmdiag")
# The same without the libraries of the extra `fast`.
WITHOUT_FAST = (
    "import sys; sys.modules |= dict.fromkeys(('isal', 'stringzilla')); from vmdiag.__main__ import run; run()"
)
_ROOT = Path(__file__).parent.parent
# What would change how the command speaks.
_REMOVED_VARIABLES = ("VMDIAG_", "NO_COLOR", "FORCE_COLOR", "COLUMNS")

# Without compiled modules a command needs twice the time, and the tests start some two thousand.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# How long an example takes depends on what else the machine does.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A suite that a shell started in the background hands that on; commands under test must hear Ctrl-C all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class Clock:
    """A clock that one sets."""

    time: float = 100.0

    def __call__(self) -> float:
        """The time it was set to."""
        return self.time


Runner = Callable[..., CommandResult]


@pytest.fixture
def vmdiag(tmp_path: Path) -> Runner:
    """Run the installed `vmdiag` in an empty folder: `vmdiag("check", "--all", given="text", VMDIAG_SINCE="1d")`."""
    assert COMMAND.exists(), "vmdiag is not installed beside this Python: run pip install -e '.[test]'"

    def run(*arguments: str | Path, given: str = "", cwd: Path = tmp_path, **variables: str) -> CommandResult:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_REMOVED_VARIABLES)}
        # What a run keeps for the next one is the test's own.
        kept["XDG_STATE_HOME"] = f"{tmp_path}-state"
        done = subprocess.run(
            [COMMAND, *arguments],
            input=given.encode(),
            capture_output=True,
            check=False,
            cwd=cwd,
            env=kept | variables,
            timeout=120,
        )
        return CommandResult(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def root() -> Path:
    """The top of the working tree."""
    return _ROOT
