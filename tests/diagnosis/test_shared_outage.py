"""What only shows across VMs."""

import pytest

from tests.timeline_builders import make_case
from vmdiag.diagnosis.model import Action, Case, Stance, State, Verdict
from vmdiag.diagnosis.shared_outage import compare_fleet
from vmdiag.values import replace

MIGRATED = "12:00 live-migration\n12:03 traffic-lost\ncpu active"
OUTAGE = "12:04 traffic-lost\ncpu active"


def compared(*cases: Case) -> list[Case]:
    """The flagged ones, who wait for the others, first."""
    return sorted(compare_fleet(cases), key=lambda one: not one.diagnosis.verdict.is_flagged)


@pytest.mark.parametrize("others", [
    pytest.param([make_case(MIGRATED, f"vm{n}") for n in range(2)], id="migrated ones"),
    pytest.param([make_case(OUTAGE, f"vm{n}", "eastus") for n in range(5)], id="of another region"),
    pytest.param([make_case(f"12:03 deallocate\n{OUTAGE}", f"vm{n}") for n in range(5)], id="stopped together"),
    pytest.param([make_case(OUTAGE, "vm1")], id="one, by chance"),
])  # fmt: skip
def test_these_vms_share_no_outage(others: list[Case]) -> None:
    flagged = [one for one in compared(make_case(MIGRATED), *others) if one.diagnosis.migrated_at]

    assert {one.diagnosis.verdict for one in flagged} == {Verdict.CONFIRMED}


def test_a_case_read_back_without_a_time_of_its_loss_stays_as_it_is() -> None:
    flagged = make_case(MIGRATED)
    undated = replace(flagged, diagnosis=replace(flagged.diagnosis, failed_at=None))

    assert compared(undated, *(make_case(OUTAGE, f"vm{n}") for n in range(5)))[0] is undated


def test_in_an_outage_shared_with_unmigrated_vms_a_migrated_one_is_at_most_suspected() -> None:
    told = compared(make_case(MIGRATED), *(make_case(OUTAGE, f"vm{n}") for n in range(3)))
    diagnosis = told[0].diagnosis

    assert diagnosis.verdict is Verdict.SUSPECTED
    assert diagnosis.recommendation.action is Action.INVESTIGATE
    assert any("3 of them not migrated" in piece.says for piece in diagnosis.finding.evidence)
    assert [one.stance for one in diagnosis.finding.evidence][-1] is Stance.AGAINST
    assert diagnosis.finding in diagnosis.findings


def test_vms_of_one_network_share_an_outage_across_regions_unknown() -> None:
    network = frozenset({"/subscriptions/s/resourcegroups/r/providers/microsoft.network/virtualnetworks/v/subnets/a"})
    cases = [make_case(MIGRATED, location=None), *(make_case(OUTAGE, f"vm{n}", f"region{n}") for n in range(3))]
    told = compared(*(replace(one, vm=replace(one.vm, network=network)) for one in cases))

    assert told[0].diagnosis.verdict is Verdict.SUSPECTED


def test_only_flagged_cases_wait_until_the_rest_is_known() -> None:
    stories = {"a": "traffic normal", "b": MIGRATED, "c": "traffic normal", "d": OUTAGE}
    cases = (make_case(story, name) for name, story in stories.items())

    assert [one.vm.id.name for one in compare_fleet(cases)] == ["a", "c", "d", "b"]


def test_a_recovered_case_keeps_its_advice() -> None:
    back = "12:00 live-migration\n12:03 traffic-lost\n12:40 traffic-back\ncpu active\nuntil 14:00"
    told = compared(make_case(back), *(make_case(OUTAGE, f"vm{n}") for n in range(3)))

    assert told[0].diagnosis.recommendation.action is Action.NONE
    assert told[0].diagnosis.verdict is Verdict.SUSPECTED


SILENT = "12:04 heartbeat-lost\ntraffic normal"
SILENT_AND_STATED = "12:00 live-migration\n12:03 heartbeat-lost\n12:10 unreachable\ntraffic normal"


def silent_and_stated(*others: str) -> Case:
    """The migrated one whose agent fell silent, and that of the others, too."""
    cases = compare_fleet([make_case(SILENT_AND_STATED), *(make_case(SILENT, name) for name in others)])
    return next(one for one in cases if one.diagnosis.migrated_at)


@pytest.mark.parametrize("others", [(), ("b",)])
def test_one_other_silent_agent_takes_nothing_from_the_operator_s_word(others: tuple[str, ...]) -> None:
    told = silent_and_stated(*others).diagnosis
    assert (told.verdict, told.state) == (Verdict.SUSPECTED, State.OPEN)


def test_where_most_agents_that_fell_silent_are_of_unmigrated_vms_nothing_can_be_told() -> None:
    told = silent_and_stated("b", "c")

    assert told.diagnosis.verdict is Verdict.INCONCLUSIVE
    assert told.diagnosis.recommendation.action is Action.INVESTIGATE
    assert "2 of VMs that were not migrated" in told.diagnosis.finding.evidence[-1].says
