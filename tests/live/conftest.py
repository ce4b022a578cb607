"""The installed command against a local Resource Manager: nothing patched, only documented variables set."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.arm import Arm, World
from tests.conftest import Ran, Runner


@dataclass(frozen=True, slots=True)
class Azure:
    """A local Azure, and the command that looks at it."""

    arm: Arm
    runner: Runner

    def run(self, *arguments: str | Path, **settings: Any) -> Ran:
        """Run the command with this Azure as its cloud."""
        return self.runner(*arguments, "--cloud", self.arm.url, **(self.arm.environment | settings))

    def check(self, *arguments: str | Path, **settings: Any) -> tuple[Ran, list[dict[str, Any]]]:
        """Check VMs over a day, unless said otherwise: how it ended, and the cases."""
        window = () if "--since" in arguments else ("--since", "1d")
        ran = self.run("check", *arguments, *window, "-o", "json", **settings)
        return ran, json.loads(ran.out)["cases"] if ran.out else []

    def asked(self, part: str) -> int:
        """How many requests had this in their path."""
        return sum(part in seen.path for seen in self.arm.requests)


Starter = Callable[..., Azure]


@pytest.fixture
def azure(vmdiag: Runner) -> Iterator[Starter]:
    """Start a local Azure with one affected VM, `prod/web-01`, or with the world given: `azure(world, page=10)`."""
    with ExitStack() as running:

        def start(world: World | None = None, **settings: Any) -> Azure:
            arm = running.enter_context(Arm(World.one() if world is None else world, **settings))
            return Azure(arm, vmdiag)

        yield start


def gaps(case: dict[str, Any]) -> dict[str, str]:
    """What was not heard of a case, by signal."""
    return {gap["signal"]: gap["reason"] for gap in case["gaps"]}
