"""Worlds: moved to now, going on by themselves, and the server that shows them."""

import gc
import itertools
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.arm import Arm, World, timeline_stories
from tests.arm.client import COMPUTE, Client, signed_in
from tests.arm.metric_generator import MINUTE, Meter, Mood, Pulse, Turn
from tests.arm.service import Incoming, Service
from tests.arm.throttle import Buckets, Windows
from tests.arm.world import Principal
from tests.incidents.corpus import CLASSES, incidents
from tests.incidents.model import Series

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
LONG_AGO = START - timedelta(days=9)


def _meter(*values: float | None, name: str = "Network In Total") -> Meter:
    series = Series(vm="/vm", name=name, aggregation="total", unit="Bytes", start=START, values=values)
    return Meter(series, LONG_AGO)


def _after(meter: Meter, count: int, minutes: int = 3, turns: tuple[Turn, ...] = ()) -> list[float | None]:
    start = START + count * MINUTE
    return meter.values(start, minutes, turns, start + timedelta(hours=1))


def test_what_was_normal_goes_on_and_what_was_dead_stays_dead() -> None:
    assert set(_after(_meter(*[100.0] * 90), 200)) == {100.0}
    assert set(_after(_meter(*[100.0] * 60, *[0.0] * 12), 200)) == {0.0}
    assert set(_after(_meter(*[100.0] * 60, *[None] * 12), 200)) == {None}


def test_reports_that_were_on_their_way_arrive() -> None:
    assert _after(_meter(*[100.0] * 60, None, None), 60) == [100.0] * 3
    assert _after(_meter(*[100.0] * 60, None, 100.0), 60)[0] is None


def test_before_the_recording_it_was_as_at_its_beginning_and_before_its_birth_nothing() -> None:
    meter = _meter(*[100.0] * 60, *[0.0] * 12)

    assert meter.values(START - timedelta(days=5), 2, (), START) == [100.0] * 2
    assert meter.values(LONG_AGO - MINUTE, 2, (), START) == [None, 100.0]


def test_a_minute_is_reported_when_it_has_been_over_for_a_while() -> None:
    meter = _meter(*[100.0] * 60)
    now = START + timedelta(minutes=3, seconds=20)

    assert meter.values(START, 4, (), now) == [100.0, 100.0, None, None]
    assert meter.values(START, 4, (), now + timedelta(seconds=10)) == [100.0, 100.0, 100.0, None]


def test_turns_outdo_the_recording_and_later_ones_earlier_ones() -> None:
    turns = (
        Turn(START + 10 * MINUTE, Mood.CUT),
        Turn(START + 20 * MINUTE, Mood.DOWN),
        Turn(START + 22 * MINUTE, Mood.USUAL),
    )
    traffic, cpu = _meter(*[100.0] * 60), _meter(*[50.0] * 60, name="Percentage CPU")

    assert [_after(traffic, at, 1, turns)[0] for at in (9, 10, 20, 22)] == [100.0, 1.0, None, 100.0]
    assert [_after(cpu, at, 1, turns)[0] for at in (9, 10, 20, 22)] == [50.0, 50.0, None, 50.0]


def test_heartbeats_go_on_stop_and_come_back() -> None:
    alive = Pulse([START, START + MINUTE], LONG_AGO, START + 2 * MINUTE)
    silent = Pulse([START], LONG_AGO, START + 20 * MINUTE)
    turns = (Turn(START + 10 * MINUTE, Mood.CUT), Turn(START + 20 * MINUTE, Mood.USUAL))
    end = START + 30 * MINUTE

    assert len(alive.between(START, end, ())) == 31
    assert len(alive.between(START - timedelta(hours=1), START, ())) == 61
    assert silent.between(START, end, ()) == [START]
    assert len(alive.between(START, end, turns)) == 10 + 11
    assert Pulse([], LONG_AGO, START).between(START, end, ()) == []


def test_incidents_are_moved_by_whole_minutes_to_end_now() -> None:
    told = list(itertools.islice(incidents(3, 4), 4))
    world = World.of(*told)
    now = world.now()

    assert len(world.subscriptions) == 4
    for incident in told:
        vm = world.find(incident.vm)
        assert vm is not None
        series, moved = incident.truth.series, vm.meters
        shift = next(iter(moved.values())).series.start - next(each for each in series if each.vm == vm.id).start
        assert shift % MINUTE == timedelta()
        assert timedelta() <= now - (incident.until + shift) < timedelta(minutes=1, seconds=5)


@pytest.mark.parametrize("name", ["affected", "clean", "fleet", *list(CLASSES)[::6]])
def test_every_story_can_be_served(name: str) -> None:
    world = timeline_stories.STORIES[name]()
    with Arm(world) as arm:
        assert signed_in(arm).get(next(iter(world)).id, COMPUTE).status == 200


def test_stories_are_named_after_the_classes_of_the_corpus() -> None:
    assert set(timeline_stories.STORIES) == {"affected", "clean", "fleet", *CLASSES}


def test_a_fleet_has_as_many_vms_groups_and_victims_as_was_said() -> None:
    world = World.fleet(vms=50, groups=5, migrated=3, seed=4)
    (subscription,) = world.subscriptions

    assert len(world.vms) == 50
    assert len(world.groups(subscription)) == 5
    assert sum(bool(vm.turns) for vm in world) == 3
    assert {vm.id for vm in World.fleet(vms=50, groups=5, seed=4)} == {vm.id for vm in world}


def test_a_server_starts_and_stops_quickly_and_leaves_nothing_behind() -> None:
    took: list[float] = []
    clients: list[Client] = []
    bundles: list[bytes] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for arm in (Arm(World.one()), Arm(World.one()), Arm(World.one())):
            start = time.monotonic()
            with arm:
                took.append(time.monotonic() - start)
                clients.append(signed_in(arm))
                bundles.append(arm.ca.read_bytes())
        gc.collect()

    assert min(took) < 0.5
    assert {bundle[:27] for bundle in bundles} == {b"-----BEGIN CERTIFICATE-----"}
    assert not any(client.arm.ca.exists() for client in clients)
    assert [str(warning.message) for warning in caught] == []
    with pytest.raises(OSError, match=r"refused|No such file"):
        clients[0].get("/subscriptions", "2020-01-01")


def test_several_servers_stand_side_by_side() -> None:
    with Arm(World.one(name="one")) as first, Arm(World.one(name="other")) as second:
        names = [signed_in(arm).get(next(iter(arm.world)).id, COMPUTE).json["name"] for arm in (first, second)]

    assert names == ["one", "other"]


def test_servers_that_start_at_once_have_one_authority() -> None:
    def bundle(name: str) -> bytes:
        with Arm(World.one(name=name)) as arm:
            assert signed_in(arm).get("/subscriptions", "2020-01-01").status == 200
            return arm.ca.read_bytes()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(bundle, "abcd"))) == 1


def test_a_port_that_is_taken_is_an_error() -> None:
    with Arm(World.one()) as arm, pytest.raises(OSError, match="in use"):
        Arm(World.one(), port=int(arm.url.rpartition(":")[2])).__enter__()


def test_latency_is_waited_before_every_answer() -> None:
    with Arm(World.one(), latency=0.2) as arm:
        start = time.monotonic()
        Client(arm).get("/metadata/endpoints", "2022-09-01")

    assert time.monotonic() - start >= 0.2


def test_a_subscription_is_read_250_times_and_then_25_times_a_second() -> None:
    clock = [0.0]
    buckets = Buckets(250, 25, lambda: clock[0])
    granted = [buckets.take("one") for _ in range(251)]
    clock[0] = 1.0
    later = [buckets.take("one").allowed for _ in range(26)]

    assert [each.allowed for each in granted] == [True] * 250 + [False]
    assert (granted[0].remaining, granted[-1].wait) == (249, 1)
    assert later == [True] * 25 + [False]
    assert buckets.take("another").remaining == 249


def test_a_window_opens_again_when_its_seconds_are_over() -> None:
    clock = [0.0]
    windows = Windows(2, 5, lambda: clock[0])
    first = [windows.take("").allowed for _ in range(3)]
    clock[0] = 5.0

    assert first == [True, True, False]
    assert windows.take("").allowed


@pytest.mark.parametrize(("throttle", "status"), [(True, 429), (False, 200)])
def test_who_reads_too_fast_is_told_to_wait(throttle: bool, status: int) -> None:  # noqa: FBT001 - the case and its answer
    service = Service(World.one(), 1, page=1, throttle=throttle)
    who = Principal()
    form = f"grant_type=client_credentials&client_id={who.client}&client_secret={who.secret}"
    scope = "https://localhost:1/.default"
    signed = service.answer(_incoming("POST", f"/{who.tenant}/oauth2/v2.0/token", f"{form}&scope={scope}"))
    assert isinstance(signed.body, dict)
    headers = {"authorization": f"Bearer {signed.body['access_token']}"}
    (vm,) = World.one()
    answers = [service.answer(_incoming("GET", vm.id, **headers)) for _ in range(300)]

    assert answers[0].headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert {answer.status for answer in answers[:250]} == {200}
    assert answers[-1].status == status
    assert answers[-1].headers.get("Retry-After") == ("1" if throttle else None)


def _incoming(method: str, path: str, body: str = "", **headers: str) -> Incoming:
    query = {"api-version": COMPUTE}
    return Incoming(method=method, path=path, query=query, headers=headers, body=body.encode())
