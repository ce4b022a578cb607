"""The installed command against a local Resource Manager: nothing patched, only documented variables set."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.arm import Arm, Redeploying, World
from tests.conftest import Ran, Runner
from vmdiag.redeploy.journal import Journal


@dataclass(frozen=True, slots=True)
class Azure:
    """A local Azure, and the command that looks at it."""

    arm: Arm
    runner: Runner
    state: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a person would set, and a folder for state that is the test's own."""
        return {**self.arm.environment, "XDG_STATE_HOME": str(self.state)}

    @property
    def journal(self) -> Journal:
        """The journal that the command keeps by default."""
        return Journal(self.state / "vmdiag" / "redeploys.jsonl")

    def run(self, *arguments: str | Path, **settings: Any) -> Ran:
        """Run the command with this Azure as its cloud."""
        return self.runner(*arguments, "--cloud", self.arm.url, **(self.environment | settings))

    def check(self, *arguments: str | Path, **settings: Any) -> tuple[Ran, list[dict[str, Any]]]:
        """Check VMs over a day, unless said otherwise: how it ended, and the cases."""
        window = () if "--since" in arguments else ("--since", "1d")
        ran = self.run("check", *arguments, *window, "-o", "json", **settings)
        return ran, json.loads(ran.out)["cases"] if ran.out else []

    def redeploy(self, *arguments: str | Path, **settings: Any) -> tuple[Ran, list[dict[str, Any]]]:
        """Redeploy what is affected, without being asked."""
        yes = () if {"--dry-run", "--yes"} & set(arguments) else ("--yes",)
        named = () if {"--all", "-g"} & set(arguments) else ("prod/web-01",)
        return self.check(*named, "--redeploy", *yes, *arguments, **settings)

    @property
    def posts(self) -> int:
        """How many requests for a redeploy came, whatever became of them."""
        return len(self.arm.posts("/redeploy"))

    def asked(self, part: str) -> int:
        """How many requests had this in their path."""
        return sum(part in seen.path for seen in self.arm.requests)


Starter = Callable[..., Azure]


@pytest.fixture
def azure(vmdiag: Runner, tmp_path: Path) -> Iterator[Starter]:
    """Start a local Azure with one affected VM, `prod/web-01`, or with the world given: `azure(world, page=10)`."""
    with ExitStack() as running:

        def start(world: World | None = None, **settings: Any) -> Azure:
            arm = running.enter_context(Arm(World.one() if world is None else world, **settings))
            return Azure(arm, vmdiag, tmp_path / "state")

        yield start


def mending(**how: Any) -> Redeploying:
    """A redeploy that takes half a second, and after which a quarter of an hour is over at once."""
    return Redeploying(**{"takes": timedelta(seconds=0.5), "leap": timedelta(minutes=15)} | how)


def world(*, redeploying: Redeploying | None = None, **knobs: Any) -> World:
    """One affected VM, `prod/web-01`, that a redeploy mends."""
    one = World.one(**knobs)
    one.redeploying = redeploying or mending()
    return one


def until(running: subprocess.Popen[Any], happened: Callable[[], object]) -> None:
    """Wait until it has happened, as long as the command runs."""
    while not happened():
        assert running.poll() is None, "it ended before"
        time.sleep(0.01)


def gaps(case: dict[str, Any]) -> dict[str, str]:
    """What was not heard of a case, by signal."""
    return {gap["signal"]: gap["reason"] for gap in case["gaps"]}
