"""Points that came in pieces are told in order of time, each once, however the pieces lie."""

import random
from array import array
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest

from vmdiag.identity import VmId
from vmdiag.model import Signal
from vmdiag.sources.items import STRETCHES_LIMIT, MetricPoints, PackedMetricPoints, merge_times

Piece = list[tuple[float, float]]


def merge_pieces(*pieces: Piece) -> Piece:
    parts = [(array("d", [at for at, _ in one]), array("d", [value for _, value in one])) for one in pieces]
    merged = merge_times([times for times, _ in parts])
    return list(zip(merged.times, merged.merge_values(parts), strict=True))


def order_points(pieces: list[Piece]) -> Piece:
    """Of two readings of one minute the larger."""
    return sorted(dict(sorted(chain.from_iterable(pieces))).items())


@pytest.mark.parametrize("seed", range(30))
def test_pieces_in_any_order_that_lie_between_one_another_or_overlap_are_one_series(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - measurements, no secret
    whole = [(60.0 * minute, rng.uniform(0, 9)) for minute in range(rng.choice([0, 1, 300, 2_000]))]
    pieces: list[Piece] = [[] for _ in range(rng.choice([1, 2, 5]))]
    length = rng.choice([1, 7, 60, 500])
    for first in range(0, len(whole), length):
        rng.choice(pieces).extend(whole[first : first + length])
    for one in pieces if rng.random() < 0.3 else ():
        rng.shuffle(one)
    if whole and rng.random() < 0.5:
        pieces.append([(at, value + rng.choice([-1, 0, 1])) for at, value in rng.choices(whole, k=5)])
    rng.shuffle(pieces)

    assert merge_pieces(*pieces) == order_points(pieces)


def test_two_sources_that_report_every_other_minute_are_one_series() -> None:
    pieces = [[(60.0 * minute, 1.0) for minute in range(first, 4 * STRETCHES_LIMIT, 2)] for first in (0, 1)]

    assert merge_pieces(*pieces) == order_points(pieces)


def test_points_in_any_order_are_packed_in_order_and_of_two_at_one_time_the_larger() -> None:
    at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    minutes = (2, 0, 1, 0)
    vm = VmId(subscription="s", resource_group="g", name="vm")
    times = tuple(at + timedelta(minutes=minute) for minute in minutes)
    points = MetricPoints(vm=vm, name="in", signal=Signal.TRAFFIC, times=times, values=(2.0, 5.0, 1.0, 3.0))
    packed = PackedMetricPoints.pack_points(points)

    assert [(second - at.timestamp()) / 60 for second in packed.times] == [0, 1, 2]
    assert list(packed.values) == [5.0, 1.0, 2.0]
