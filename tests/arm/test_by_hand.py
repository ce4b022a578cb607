"""The server as people start it from a shell."""

import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.arm.timeline_stories import WORLDS_BY_NAME

COMMAND = (sys.executable, "-m", "tests.arm")


def _run_until_ready(arguments: Sequence[str]) -> str:
    """What it prints until it serves; then it is interrupted."""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as served:
        assert served.stdout
        assert served.stderr
        told = "".join(iter(served.stdout.readline, "Serving; Ctrl-C ends it.\n"))
        served.send_signal(signal.SIGINT)
        assert served.wait(10) == 0
        assert served.stderr.read() == ""
    return told


def test_it_tells_a_shell_all_it_needs_and_ends_with_ctrl_c() -> None:
    told = _run_until_ready(["--story", "clean", "--fault", "slow,seconds=0.1:/metrics"])
    names = [line.partition("=")[0] for line in told.splitlines() if line.startswith("export ")]

    assert names == [
        "export AZURE_AUTHORITY_HOST",
        "export AZURE_TENANT_ID",
        "export AZURE_CLIENT_ID",
        "export AZURE_CLIENT_SECRET",
        "export REQUESTS_CA_BUNDLE",
    ]
    assert "vmdiag check web-01 --cloud https://localhost:" in told


def test_it_lists_its_stories() -> None:
    listed = subprocess.run([*COMMAND, "--list"], capture_output=True, text=True, check=True)

    assert listed.stdout.split() == list(WORLDS_BY_NAME)


@pytest.mark.parametrize("arguments", [["--story", "none"], ["--fault", "slow"], ["--fault", "storm:."]])
def test_what_makes_no_sense_is_a_usage_error(arguments: list[str]) -> None:
    refused = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)

    assert refused.returncode == 2
    assert refused.stderr.startswith("usage: python -m tests.arm")
