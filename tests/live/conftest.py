"""The installed command against a local Resource Manager: nothing patched, only documented variables set."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.arm import ArmServer, Fault, Proxy, RedeployBehaviour, World
from tests.arm.single_vm import SUBSCRIPTION
from tests.conftest import COMMAND, CommandResult, Runner
from tests.incidents.model import GroundTruth, Operation
from vmdiag.redeploy.journal import Journal

ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/web-01"
# Paths, as faults look for them.
METRICS, LOG, GRAPH = r"Microsoft\.Insights/metrics", "eventtypes/management", "Microsoft.ResourceGraph"


@dataclass(frozen=True, slots=True)
class LocalAzure:
    """A local Azure, and the command that looks at it."""

    arm: ArmServer
    runner: Runner
    state: Path
    proxy: Proxy | None = None
    """The way to it where it is the public cloud."""

    @property
    def environment(self) -> dict[str, str]:
        """What a person would set, and a folder for state that is the test's own."""
        way = {"HTTPS_PROXY": f"http://{self.proxy.address}", "NO_PROXY": "", "no_proxy": ""} if self.proxy else {}
        return {**self.arm.environment, "XDG_STATE_HOME": str(self.state), **way}

    @property
    def cloud(self) -> str:
        """What the command is told of it."""
        return "public" if self.proxy else self.arm.url

    @property
    def journal(self) -> Journal:
        """The journal that the command keeps by default."""
        return Journal(self.state / "vmdiag" / "redeploys.jsonl")

    def run_command(self, *arguments: str | Path, **settings: Any) -> CommandResult:
        """Run the command with this Azure as its cloud."""
        return self.runner(*arguments, "--cloud", self.cloud, **(self.environment | settings))

    def check_vms(self, *arguments: str | Path, **settings: Any) -> tuple[CommandResult, list[dict[str, Any]]]:
        """Check VMs over a day, unless said otherwise: how it ended, and the cases."""
        window = () if "--since" in arguments else ("--since", "1d")
        ran = self.run_command("check", *arguments, *window, "-o", "json", **settings)
        return ran, json.loads(ran.out)["cases"] if ran.out else []

    def redeploy_vms(self, *arguments: str | Path, **settings: Any) -> tuple[CommandResult, list[dict[str, Any]]]:
        """Redeploy what is affected, without being asked."""
        yes = () if {"--dry-run", "--yes"} & set(arguments) else ("--yes",)
        named = () if {"--all", "-g"} & set(arguments) else ("prod/web-01",)
        return self.check_vms(*named, "--redeploy", *yes, *arguments, **settings)

    def refuse_redeploy(self, *arguments: str | Path) -> dict[str, Any]:
        """Ask for a redeploy that guards refuse: nothing was sent; the case."""
        ran, (case,) = self.redeploy_vms(*arguments)
        assert (ran.code, self.redeploy_count, case["mitigation"]["status"]) == (5, 0, "refused"), ran.err
        return dict(case)

    def start_command(self, *arguments: str) -> "subprocess.Popen[str]":
        """The command under way."""
        return subprocess.Popen(
            [COMMAND, *arguments, "--cloud", self.arm.url],
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start_redeploy(self, *vms: str) -> "subprocess.Popen[str]":
        """A run that redeploys without being asked, under way."""
        named = vms or ("prod/web-01",)
        return self.start_command("check", *named, "--since", "1d", "-o", "json", "--redeploy", "--yes")

    def run_in_shell(self, command: str, tail: str) -> "subprocess.CompletedProcess[str]":
        """The command as a shell runs it, with something done to its streams."""
        return subprocess.run(
            ["bash", "-c", f"set -o pipefail; {COMMAND} {command} --cloud {self.arm.url} {tail}"],  # noqa: S607 - only a shell can close streams
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    @property
    def redeploy_count(self) -> int:
        """How many requests for a redeploy came, whatever became of them."""
        return len(self.arm.list_posts("/redeploy"))

    def count_requests(self, part: str) -> int:
        """How many requests had this in their path."""
        return sum(part in seen.path for seen in self.arm.requests)


AzureStarter = Callable[..., LocalAzure]


@pytest.fixture
def azure(vmdiag: Runner, tmp_path: Path) -> Iterator[AzureStarter]:
    """Start a local Azure of one affected VM, `prod/web-01`, or of a world: `azure(world, fault, page=10)`."""
    with ExitStack() as running:

        def start(*given: World | Fault, **settings: Any) -> LocalAzure:
            world = next((each for each in given if isinstance(each, World)), None)
            arm = running.enter_context(ArmServer(World.with_one_vm() if world is None else world, **settings))
            for fault in given:
                if isinstance(fault, Fault):
                    arm.add_fault(fault)
            proxy = running.enter_context(Proxy(arm.port)) if arm.world.public else None
            return LocalAzure(arm, vmdiag, tmp_path / "state", proxy)

        yield start


def build_redeploy(**how: Any) -> RedeployBehaviour:
    """A redeploy that takes half a second, and after which a quarter of an hour is over at once."""
    return RedeployBehaviour(**{"takes": timedelta(seconds=0.5), "leap": timedelta(minutes=15)} | how)


Change = Callable[[World], object]


def build_world(*changes: Change, redeploying: RedeployBehaviour | None = None, **knobs: Any) -> World:
    """One affected VM, `prod/web-01`, that a redeploy mends."""
    one = World.with_one_vm(**knobs)
    one.redeploying = redeploying or build_redeploy()
    for change in changes:
        change(one)
    return one


def build_fleet(vms: int, groups: int, migrated: int, **how: Any) -> World:
    """A fleet of which some are affected, and what a redeploy does."""
    many = World.with_fleet(vms=vms, groups=groups, migrated=migrated)
    many.redeploying = build_redeploy(**how)
    return many


def log_operation(one: World, target: str, name: str, ago: timedelta) -> None:
    """Somebody else, from somewhere else, did something so long ago."""
    truth = GroundTruth(until=one.now(), operations=(Operation(at=one.now() - ago, target=target, name=name),))
    one.activity_log.add_entries(
        truth, timedelta(seconds=1), caller="ops", correlation=f"{target}/{name}/{ago}", client_request_id="theirs"
    )


def wait_until(running: subprocess.Popen[Any], happened: Callable[[], object]) -> None:
    """Wait until it has happened, as long as the command runs."""
    while not happened():
        assert running.poll() is None, "it ended before"
        time.sleep(0.01)


def get_gap_reasons(case: dict[str, Any]) -> dict[str, str]:
    """What was not heard of a case, by signal."""
    return {gap["signal"]: gap["reason"] for gap in case["gaps"]}


def list_refusing_guards(case: dict[str, Any]) -> set[str]:
    return {guard["guard"] for guard in case["mitigation"]["guards"] if guard["passes"] is False}
