"""Ids, windows and coverage."""

from datetime import UTC, datetime, timedelta

import pytest

from tests import notation
from vmdiag.identity import Selector, VmId
from vmdiag.model import Coverage, Gap, Interval, Kind, Needs, Signal, Timeline, Window
from vmdiag.sources.protocol import Scope

T = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ID = "/subscriptions/5a1b/resourceGroups/Prod/providers/Microsoft.Compute/virtualMachines/Web-01"


def timeline(*gaps: Gap) -> Timeline:
    return Timeline(vm=notation.VM, window=Window(T, T + 4 * HOUR), gaps=gaps)


def gap(start: float, end: float, *, partial: bool = False) -> Gap:
    window = Window(T + start * HOUR, T + end * HOUR)
    return Gap(signal=Signal.TRAFFIC, window=window, reason="not read", partial=partial)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "web-01",
        "/subscriptions/5a1b/resourceGroups/prod/providers/Microsoft.Network/networkInterfaces/nic",
        "/subscriptions//resourceGroups//providers/Microsoft.Compute/virtualMachines/",
        "/subscriptions/5a1b/resourceGroups/prod/providers/Microsoft.Compute/virtualMachineScaleSets/x",
        "/subscriptions/5a1b/resourceGroups/p/providers/Microsoft.ClassicCompute/virtualMachines/x",
    ],
)
def test_what_is_no_vm_s_id_names_none(text: str) -> None:
    assert VmId.parse(text) is None


def test_two_spellings_of_an_id_are_one_vm_which_what_lies_below_names_too() -> None:
    one, other = VmId.parse(ID), VmId.parse(ID.upper())
    pooled = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/virtualMachineScaleSets/x/virtualMachines/1"

    assert one == other == VmId.parse(f"{ID}/providers/Microsoft.ResourceHealth/resourceAnnotations/current")
    assert hash(one) == hash(other)
    assert one != ID
    assert [str(one), str(VmId.parse(pooled))] == [ID, pooled]


@pytest.mark.parametrize(("text", "matches"), [
    ("web-01", True), ("PROD/WEB-01", True), (ID.lower(), True), ("web-0", False), ("other/web-01", False),
    (ID + "0", False), ("a/b/web-01", False),
])  # fmt: skip
def test_a_selector_means_a_vm_in_any_letter_case(text: str, matches: bool) -> None:  # noqa: FBT001 - a table
    vm = VmId.parse(ID)

    assert vm is not None
    assert Selector(text).matches_vm(vm) is matches


def test_a_span_counts_back_from_the_end_or_from_year_one_and_a_time_stands() -> None:
    assert Scope(since=HOUR).window(T) == Window(T - HOUR, T)
    assert Scope(since=HOUR, until=T - HOUR).window(T) == Window(T - 2 * HOUR, T - HOUR)
    assert Scope(since=T - 3 * HOUR).window(T) == Window(T - 3 * HOUR, T)
    early = datetime(1, 1, 2, tzinfo=UTC)
    assert Scope(since=timedelta(days=14)).window(early).start == datetime.min.replace(tzinfo=UTC)


def test_an_open_interval_is_closed_at_the_limit() -> None:
    assert Interval(T, None).is_open
    assert Interval(T, None).clip_to(T + HOUR) == Window(T, T + HOUR)
    assert Interval(T, T + HOUR).clip_to(T + 2 * HOUR) == Window(T, T + HOUR)
    assert Interval(T, None).clip_to(T - HOUR) == Window(T, T)


def test_needs_are_joined_to_the_wider_of_both() -> None:
    one = Needs(triggers=frozenset({Kind.STOP}), margin=HOUR)
    other = Needs(triggers=frozenset({Kind.START}), margin=2 * HOUR)

    assert one | other == Needs(triggers=frozenset({Kind.STOP, Kind.START}), margin=2 * HOUR)


@pytest.mark.parametrize(("gaps", "heard"), [
    ((), Coverage.ALL),
    ((gap(5, 6),), Coverage.ALL),
    ((gap(0, 1, partial=True),), Coverage.PART),
    ((gap(0, 1),), Coverage.PART),
    ((gap(1, 4),), Coverage.PART),
    ((gap(0, 4),), Coverage.NONE),
    ((gap(2, 4), gap(0, 2)), Coverage.NONE),
    ((gap(0, 1), gap(2, 4)), Coverage.PART),
    ((gap(0, 4, partial=True), gap(0, 4)), Coverage.NONE),
])  # fmt: skip
def test_a_feed_is_unheard_only_where_gaps_fill_the_span(gaps: tuple[Gap, ...], heard: Coverage) -> None:
    assert timeline(*gaps).measure_coverage(Signal.TRAFFIC, Window(T, T + 4 * HOUR)) is heard
    assert timeline(*gaps).measure_coverage(Signal.CPU, Window(T, T + 4 * HOUR)) is Coverage.ALL
