"""A watch over a day of a local Azure whose time its pauses move: no change is lost, none is told twice."""

import gc
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.arm import ArmServer, Fault, World
from tests.arm.fleet import UNHARMED_COUNT
from tests.arm.metric_generator import TrafficState
from tests.live.conftest import METRICS
from tests.live.day import HOUR, MINUTE, Day, migrate_vm, set_traffic, summarize_told
from vmdiag.sources.azure import AzureSource

EVERY = 30 * MINUTE


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ExitStack]:
    """Whatever is served while the test runs; state lies in the test's own folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    with ExitStack() as running:
        yield running


def create_calm_fleet(vms: int, groups: int) -> World:
    """A fleet of which nobody was migrated: not even the few that take no harm by it."""
    return World.with_fleet(vms, groups, -UNHARMED_COUNT)


def refuse(path: str) -> Fault:
    return Fault(path=path, kind="status", status=403)


def begin_day(served: ExitStack, monkeypatch: pytest.MonkeyPatch, folder: Path, world: World, every: timedelta) -> Day:
    arm = served.enter_context(ArmServer(world))
    for name, value in arm.environment.items():
        monkeypatch.setenv(name, value)
    return Day(arm=arm, state=folder / "state.jsonl", every=every, metrics=folder / "vmdiag.prom")


def read_metric(day: Day, name: str) -> float:
    assert day.metrics is not None
    return float(re.findall(rf"^{re.escape(name)} (.+)$", day.metrics.read_text(), re.MULTILINE)[0])


def count_objects() -> int:
    gc.collect()
    return sum(str(type(one).__module__).startswith("vmdiag") for one in gc.get_objects())


def write_story(day: Day, world: World) -> None:
    """What happens to five VMs and to those who read of them, hour by hour."""
    early, unseen, unwatched, unharmed, stopped, former = *list(world)[:5], world.principal
    day.story = [
        (1 * HOUR, lambda: migrate_vm(world, early, harm=True)),
        (3 * HOUR, lambda: set_traffic(world, early, TrafficState.NORMAL)),
        (5 * HOUR, lambda: migrate_vm(world, unharmed, harm=False)),
        # Everything is refused, and somebody is cut off meanwhile.
        (7 * HOUR, lambda: day.arm.add_fault(refuse(r"^/(subscriptions|providers|v1)"))),
        (7 * HOUR + 5 * MINUTE, lambda: migrate_vm(world, unseen, harm=True)),
        (8 * HOUR + 10 * MINUTE, day.arm.clear_faults),
        # It comes back while nothing that would show it can be read.
        (10 * HOUR, lambda: day.arm.add_fault(refuse(f"{METRICS}|/v1/workspaces"))),
        (10 * HOUR, lambda: set_traffic(world, unseen, TrafficState.NORMAL)),
        (11 * HOUR + 10 * MINUTE, day.arm.clear_faults),
        (15 * HOUR, lambda: set_traffic(world, unwatched, TrafficState.NORMAL)),
        (17 * HOUR, lambda: setattr(world, "principal", replace(former, secret=former.client))),
        (19 * HOUR, lambda: setattr(world, "principal", former)),
        (20 * HOUR, lambda: world.vms.pop(stopped.id.lower())),
    ]


def test_in_a_day_with_faults_and_a_restart_every_change_is_told_once(
    served: ExitStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    world = create_calm_fleet(10, 2)
    day = begin_day(served, monkeypatch, tmp_path, world, EVERY)
    early, unseen, unwatched, _, stopped = list(world)[:5]
    write_story(day, world)
    rounds: list[tuple[timedelta, float, float, int]] = []
    sizes: list[int] = []

    def observe(passed: timedelta) -> None:
        failed, affected = read_metric(day, "vmdiag_watch_failed_rounds"), read_metric(day, "vmdiag_affected_vms")
        rounds.append((passed, failed, affected, len(day.arm.requests)))
        if len(rounds) % 8 == 0:
            sizes.append(count_objects())

    day.observe = observe
    before = day.watch_until(12.8 * HOUR)
    # Nobody watches for an hour, in which somebody is cut off.
    world.skew += HOUR
    day.passed += HOUR
    migrate_vm(world, unwatched, harm=True)
    world.skew += 30 * MINUTE
    day.passed += 30 * MINUTE
    after = day.watch_until(23.8 * HOUR)

    assert summarize_told(before) == [
        (early.name, "affected"), (early.name, "recovered"),
        (unseen.name, "affected"), (unseen.name, "changed"), (unseen.name, "recovered"),
    ]  # fmt: skip
    assert "cannot be judged any more" in before[3]["says"]
    assert summarize_told(after) == [
        (unwatched.name, "affected"), (unwatched.name, "recovered"), (stopped.name, "disappeared"),
    ]  # fmt: skip
    # Health showed what nobody was told of twice.
    failed = {passed // HOUR for passed, count, *_ in rounds if count}
    assert 7 in failed
    assert failed & {17, 18}
    assert failed <= {7, 8, 17, 18, 19}
    assert capfd.readouterr().err.count("this round failed") == 2
    # Who was affected when nothing could be read still is.
    assert {affected for passed, _, affected, _ in rounds if 9 * HOUR < passed < 11 * HOUR} == {1}
    # It keeps nothing of a round that is over, and asks for little when nothing happens.
    assert max(sizes[1:]) - min(sizes[1:]) < 250, sizes
    calm = [later[3] - one[3] for one, later in pairwise(rounds) if later[0] > 21 * HOUR]
    assert max(calm) <= 14, calm


@pytest.mark.parametrize("groups", [4, 12])
def test_a_round_over_200_vms_in_which_nothing_happens_makes_at_most_12_requests(
    served: ExitStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, groups: int
) -> None:
    day = begin_day(served, monkeypatch, tmp_path, create_calm_fleet(200, groups), 5 * MINUTE)
    seen: list[int] = []
    day.observe = lambda _: seen.append(len(day.arm.requests))

    assert day.watch_until(15 * MINUTE) == []

    rounds = [later - one for one, later in pairwise(seen)]
    assert len(rounds) >= 2
    assert max(rounds) <= 12, rounds
    assert read_metric(day, 'vmdiag_vms{verdict="clear"}') == 200


def test_rounds_that_fail_for_hours_leave_no_connection_and_no_answer_behind(
    served: ExitStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    day = begin_day(served, monkeypatch, tmp_path, create_calm_fleet(9, 1), EVERY)
    day.story = [(20 * MINUTE, lambda: day.arm.add_fault(refuse(r"^/(subscriptions|providers|v1)")))]
    kept: list[int] = []

    def observe(_: timedelta) -> None:
        gc.collect()
        kept.append(sum(isinstance(one, AzureSource) for one in gc.get_objects()))

    day.observe = observe

    assert day.watch_until(8 * HOUR) == []

    assert read_metric(day, "vmdiag_watch_failed_rounds") > 10
    # The one in use; whatever refused before it is gone, with its connections.
    assert max(kept) <= 2, kept
