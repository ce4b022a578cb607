"""From a source to cases: a fake source stands for the real ones."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests import notation
from vmdiag.cli.exit_codes import FailOn, compute_exit_code, pick_worst_code
from vmdiag.diagnosis.model import Verdict
from vmdiag.identity import Selector, VmId
from vmdiag.model import Needs, Signal, Transcript
from vmdiag.pipeline import SKETCH_POINTS, examine_vms
from vmdiag.sources.protocol import Reading, Scope
from vmdiag.values import replace

AFFECTED = "12:00 live-migration\n12:03 traffic-lost\ncpu active\nuntil 14:00"
QUIET = "12:00 available\ntraffic normal\nuntil 14:00"
UNKNOWN = "12:00 live-migration\nuntil 14:00"


class Told:
    """A source that knows stories by the VM's name."""

    def __init__(self, **stories: str) -> None:
        self.stories = stories
        self.asked = 0

    def read(self, scope: Scope, needs: Needs) -> Reading:
        """The stories, lazily."""
        assert scope.since == timedelta(days=14)
        assert needs.triggers
        window = notation.timeline(QUIET).window
        vms = tuple(self._id(selector.text) for selector in scope.vms)
        return Reading(window=window, transcripts=self._transcripts(), vms=vms, others=7)

    @staticmethod
    def _id(name: str) -> VmId:
        return VmId(subscription="s", resource_group="r", name=name)

    def _transcripts(self) -> Iterator[Transcript]:
        for name, story in self.stories.items():
            self.asked += 1
            drawn = notation.transcript(story)
            yield replace(drawn, vm=replace(drawn.vm, id=self._id(name)))


@pytest.mark.parametrize(
    ("scope", "verdicts", "others"),
    [(Scope(), [Verdict.CONFIRMED], 8), (Scope(everything=True), [Verdict.CLEAR, Verdict.CONFIRMED], 7)],
)
def test_with_nothing_named_a_case_is_a_migration_or_a_loss_and_the_rest_is_counted(
    scope: Scope, verdicts: list[Verdict], others: int
) -> None:
    run = examine_vms(Told(a=QUIET, b=AFFECTED), scope)

    assert [case.diagnosis.verdict for case in run.cases] == verdicts
    assert run.other_vms.total == others


def test_a_named_vm_is_compared_with_its_neighbours_which_are_not_told() -> None:
    outage = "12:04 traffic-lost\ncpu active\nuntil 14:00"
    run = examine_vms(Told(a=AFFECTED, b=outage, c=outage, d=outage), Scope(vms=(Selector("a"),)))
    (case,) = run.cases

    assert case.diagnosis.verdict is Verdict.SUSPECTED


def test_what_the_operator_knows_counts_for_the_named_vm_only() -> None:
    at = notation.timeline("12:05 stop").events[0].at
    run = examine_vms(Told(a=UNKNOWN, b=UNKNOWN), Scope(vms=(Selector("a"),)), unreachable_since=at)
    (case,) = run.cases

    assert case.diagnosis.losses[0].signals == (Signal.OPERATOR,)


def test_nothing_is_read_before_it_is_asked_for() -> None:
    source = Told(a=QUIET, b=QUIET)
    cases = examine_vms(source, Scope(everything=True)).cases

    assert source.asked == 0
    next(cases)
    assert source.asked == 1


def test_the_curve_is_a_sketch_of_the_traffic_around_the_incident() -> None:
    (case,) = examine_vms(Told(a=AFFECTED), Scope()).cases

    assert case.curve is not None
    assert len(case.curve.times) <= SKETCH_POINTS
    assert (max(case.curve.values), min(case.curve.values)) == (1e6, 0.0)
    (case,) = examine_vms(Told(a=QUIET), Scope(everything=True)).cases
    assert case.heartbeats is None
    assert case.curve is None  # without an incident there is nothing to sketch


@pytest.mark.parametrize(
    ("story", "after"),
    [
        ("12:00 live-migration\n12:03 heartbeat-lost\ntraffic normal", 0.0),
        ("12:00 live-migration\n12:03 traffic-lost\nheartbeat normal", 1.0),
    ],
)
def test_heartbeats_are_sketched_beside_the_traffic(story: str, after: float) -> None:
    (case,) = examine_vms(Told(a=story), Scope(everything=True)).cases
    beats = case.heartbeats

    assert beats is not None
    assert len(beats.times) <= SKETCH_POINTS
    assert beats.values[0] == pytest.approx(1, abs=0.3)
    assert beats.values[-10:] == pytest.approx([after] * 10, abs=0.5)


def test_heartbeats_that_were_not_read_are_no_silence() -> None:
    story = "12:00 live-migration\n12:03 traffic-lost\nheartbeat normal\ngap heartbeat refused"
    (case,) = examine_vms(Told(a=story), Scope(everything=True)).cases

    assert case.heartbeats is None


def test_the_exit_code_is_the_worst_of_the_cases() -> None:
    told = Told(a=QUIET, b=AFFECTED, c=UNKNOWN)
    affected, unknown, quiet = (
        next(case for case in examine_vms(told, Scope(everything=True)).cases if case.vm.id.name == name)
        for name in "bca"
    )

    assert [compute_exit_code(case) for case in (quiet, unknown, affected)] == [0, 3, 1]
    assert [compute_exit_code(affected, fail_on) for fail_on in FailOn] == [1, 1, 0]
    assert pick_worst_code({0, 3}) == 3
    assert pick_worst_code({3, 1}) == 1
