"""A watch in a simulated day: its clock and its pauses move the local Azure's time, and a story goes on meanwhile."""

import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.arm import ArmServer, World
from tests.arm.metric_generator import StateChange, TrafficState
from tests.arm.vm import Vm
from tests.incidents.model import GroundTruth, HealthAnnotation
from vmdiag.arm.request import AzureSettings
from vmdiag.arm.session import Session
from vmdiag.cli.redeploy_options import RedeployOptions
from vmdiag.cli.source_options import OpenedSource
from vmdiag.cli.watch import WatchOptions, run_watch
from vmdiag.cli.watch_outlet import WatchConsole
from vmdiag.sources.azure import AzureSource
from vmdiag.sources.protocol import Scope

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
Act = Callable[[], object]


@dataclass(slots=True, kw_only=True)
class Day:
    """Some hours of a local Azure: `story` holds what happens when, `observe` is called after every round.

    This machine's clock is so far `behind` Azure's.
    """

    arm: ArmServer
    state: Path
    every: timedelta
    scope: Scope = field(default_factory=lambda: Scope(everything=True))
    story: list[tuple[timedelta, Act]] = field(default_factory=list)
    notify: list[str] = field(default_factory=list)
    metrics: Path | None = None
    redeploying: RedeployOptions = field(default_factory=RedeployOptions)
    budget: int = 1
    behind: timedelta = timedelta()
    observe: Callable[[timedelta], object] = lambda _: None
    passed: timedelta = timedelta()
    told: list[dict[str, Any]] = field(default_factory=list)

    @property
    def world(self) -> World:
        """What is served."""
        return self.arm.world

    def watch_until(self, end: timedelta) -> list[dict[str, Any]]:
        """One watch, from now until so long after the beginning; what it told."""
        console = WatchConsole()
        source = self._connect(console)
        out = io.StringIO()

        def wait(seconds: float) -> None:
            self.observe(self.passed)
            target = self.passed + timedelta(seconds=seconds)
            for at, act in sorted(self.story, key=lambda one: one[0]):
                if self.passed <= at < target:
                    self._move_to(at)
                    act()
            self._move_to(target)
            if self.passed >= end:
                console.stop.set()

        options = WatchOptions(
            every=f"{self.every // timedelta(seconds=1)}s",
            notify=self.notify,
            metrics=None if self.metrics is None else str(self.metrics),
            budget=self.budget,
        )
        opened = OpenedSource(source, self.scope, "azure", self.arm.url, self.world.now(), None)
        workflow = options.choose_workflow(self.redeploying, console)
        outlet = options.open_outlet(opened, lambda: self._connect(console), workflow, console, out)
        outlet.now, outlet.wait = self._tell_time, wait
        assert run_watch(outlet, self.state) == 0
        told = [json.loads(line) for line in out.getvalue().splitlines()]
        self.told += told
        return told

    def _tell_time(self) -> datetime:
        return self.world.now() - self.behind

    def _connect(self, console: WatchConsole) -> AzureSource:
        access = AzureSettings(
            cloud=self.arm.url,
            authority=self.arm.url,
            credential="environment",
            ca_bundle=str(self.arm.ca_bundle),
            timeout=5 * MINUTE,
        )
        ticks = lambda: time.monotonic() + self.world.skew.total_seconds()  # noqa: E731 - a clock of one line
        return AzureSource(console, Session(access, self._tell_time, console.stop, ticks))

    def _move_to(self, passed: timedelta) -> None:
        with self.world.lock:
            self.world.skew += passed - self.passed
        self.passed = passed


def migrate_vm(world: World, vm: Vm, *, harm: bool) -> None:
    """Azure live-migrates a VM, which is cut off a minute later."""
    with world.lock:
        note = HealthAnnotation(at=world.now(), vm=vm.id, name="LiveMigrationSucceeded")
        vm.truth = replace(vm.truth, annotations=(*vm.truth.annotations, note))
        if harm:
            vm.state_changes.append(StateChange(world.now() + MINUTE, TrafficState.CUT_OFF))
        log_truth(world, GroundTruth(until=world.now(), annotations=(note,)))


def set_traffic(world: World, vm: Vm, state: TrafficState) -> None:
    """From now on the VM fares so."""
    with world.lock:
        vm.state_changes.append(StateChange(world.now(), state))


def log_truth(world: World, truth: GroundTruth) -> None:
    """What the activity log says of it, some minutes late."""
    world.activity_log.add_entries(truth, 4 * MINUTE, caller="", correlation=f"{truth.until}", client_request_id="")


def summarize_told(told: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Which VM changed how."""
    return [(each["vm"]["name"], each["change"]) for each in told]
