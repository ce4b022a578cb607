"""Worlds: moved to now, going on by themselves, and the server that shows them."""

import gc
import itertools
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.arm import ArmServer, World, timeline_stories
from tests.arm.client import COMPUTE, Client, create_client
from tests.arm.conftest import ServerStarter
from tests.arm.metric_generator import MINUTE, HeartbeatGenerator, MetricGenerator, StateChange, TrafficState
from tests.arm.service import ArmApi, IncomingRequest
from tests.arm.throttle import FixedWindows, TokenBuckets
from tests.arm.world import Principal
from tests.incidents.corpus import INCIDENT_CLASSES, generate_incidents
from tests.incidents.model import Series

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
LONG_AGO = START - timedelta(days=9)


def _create_generator(*values: float | None, name: str = "Network In Total") -> MetricGenerator:
    series = Series(vm="/vm", name=name, aggregation="total", unit="Bytes", start=START, values=values)
    return MetricGenerator(series, LONG_AGO)


def _generate_after(
    meter: MetricGenerator, count: int, minutes: int = 3, turns: tuple[StateChange, ...] = ()
) -> list[float | None]:
    start = START + count * MINUTE
    return meter.generate_values(start, minutes, turns, start + timedelta(hours=1))


def test_what_was_normal_goes_on_and_what_was_dead_stays_dead() -> None:
    assert set(_generate_after(_create_generator(*[100.0] * 90), 200)) == {100.0}
    assert set(_generate_after(_create_generator(*[100.0] * 60, *[0.0] * 12), 200)) == {0.0}
    assert set(_generate_after(_create_generator(*[100.0] * 60, *[None] * 12), 200)) == {None}


def test_reports_that_were_on_their_way_arrive() -> None:
    assert _generate_after(_create_generator(*[100.0] * 60, None, None), 60) == [100.0] * 3
    assert _generate_after(_create_generator(*[100.0] * 60, None, 100.0), 60)[0] is None


def test_before_the_recording_it_was_as_at_its_beginning_and_before_its_birth_nothing() -> None:
    meter = _create_generator(*[100.0] * 60, *[0.0] * 12)

    assert meter.generate_values(START - timedelta(days=5), 2, (), START) == [100.0] * 2
    assert meter.generate_values(LONG_AGO - MINUTE, 2, (), START) == [None, 100.0]


def test_a_minute_is_reported_when_it_has_been_over_for_a_while() -> None:
    meter = _create_generator(*[100.0] * 60)
    now = START + timedelta(minutes=3, seconds=20)

    assert meter.generate_values(START, 4, (), now) == [100.0, 100.0, None, None]
    assert meter.generate_values(START, 4, (), now + timedelta(seconds=10)) == [100.0, 100.0, 100.0, None]


def test_turns_outdo_the_recording_and_later_ones_earlier_ones() -> None:
    turns = (
        StateChange(START + 10 * MINUTE, TrafficState.CUT_OFF),
        StateChange(START + 20 * MINUTE, TrafficState.DOWN),
        StateChange(START + 22 * MINUTE, TrafficState.NORMAL),
    )
    traffic, cpu = _create_generator(*[100.0] * 60), _create_generator(*[50.0] * 60, name="Percentage CPU")

    assert [_generate_after(traffic, at, 1, turns)[0] for at in (9, 10, 20, 22)] == [100.0, 1.0, None, 100.0]
    assert [_generate_after(cpu, at, 1, turns)[0] for at in (9, 10, 20, 22)] == [50.0, 50.0, None, 50.0]


def test_heartbeats_go_on_stop_and_come_back() -> None:
    alive = HeartbeatGenerator([START, START + MINUTE], LONG_AGO, START + 2 * MINUTE)
    silent = HeartbeatGenerator([START], LONG_AGO, START + 20 * MINUTE)
    turns = (
        StateChange(START + 10 * MINUTE, TrafficState.CUT_OFF),
        StateChange(START + 20 * MINUTE, TrafficState.NORMAL),
    )
    end = START + 30 * MINUTE

    assert len(alive.generate_heartbeats(START, end, ())) == 31
    assert len(alive.generate_heartbeats(START - timedelta(hours=1), START, ())) == 61
    assert silent.generate_heartbeats(START, end, ()) == [START]
    assert len(alive.generate_heartbeats(START, end, turns)) == 10 + 11
    assert HeartbeatGenerator([], LONG_AGO, START).generate_heartbeats(START, end, ()) == []


def test_incidents_are_moved_by_whole_minutes_to_end_now() -> None:
    told = list(itertools.islice(generate_incidents(3, 4), 4))
    world = World.from_incidents(*told)
    now = world.now()

    assert len(world.subscriptions) == 4
    for incident in told:
        vm = world.find_vm(incident.vm)
        assert vm is not None
        series, moved = incident.truth.series, vm.metrics
        shift = next(iter(moved.values())).series.start - next(each for each in series if each.vm == vm.id).start
        assert shift % MINUTE == timedelta()
        assert timedelta() <= now - (incident.until + shift) < timedelta(minutes=1, seconds=5)


@pytest.mark.parametrize("name", ["affected", "clean", "fleet", *list(INCIDENT_CLASSES)[::6]])
def test_every_story_can_be_served(serve: ServerStarter, name: str) -> None:
    world = timeline_stories.WORLDS_BY_NAME[name]()
    assert serve(world).get(next(iter(world)).id, COMPUTE).status == 200


def test_stories_are_named_after_the_classes_of_the_corpus() -> None:
    assert set(timeline_stories.WORLDS_BY_NAME) == {"affected", "clean", "fleet", *INCIDENT_CLASSES}


def test_a_fleet_has_as_many_vms_groups_and_victims_as_was_said() -> None:
    world = World.with_fleet(vms=50, groups=5, migrated=3, seed=4)
    (subscription,) = world.subscriptions

    assert len(world.vms) == 50
    assert len(world.list_groups(subscription)) == 5
    assert sum(bool(vm.state_changes) for vm in world) == 3
    assert {vm.id for vm in World.with_fleet(vms=50, groups=5, seed=4)} == {vm.id for vm in world}


def test_a_server_starts_and_stops_quickly_and_leaves_nothing_behind() -> None:
    took: list[float] = []
    clients: list[Client] = []
    bundles: list[bytes] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for arm in (ArmServer(World.with_one_vm()), ArmServer(World.with_one_vm()), ArmServer(World.with_one_vm())):
            start = time.monotonic()
            with arm:
                took.append(time.monotonic() - start)
                clients.append(create_client(arm))
                bundles.append(arm.ca_bundle.read_bytes())
        gc.collect()

    assert min(took) < 0.5
    assert {bundle[:27] for bundle in bundles} == {b"-----BEGIN CERTIFICATE-----"}
    assert not any(client.arm.ca_bundle.exists() for client in clients)
    assert [str(warning.message) for warning in caught] == []
    with pytest.raises(OSError, match=r"refused|No such file"):
        clients[0].get("/subscriptions", "2020-01-01")


def test_several_servers_stand_side_by_side(serve: ServerStarter) -> None:
    clients = [serve(World.with_one_vm(name=name)) for name in ("one", "other")]
    names = [client.get(next(iter(client.arm.world)).id, COMPUTE).json["name"] for client in clients]

    assert names == ["one", "other"]


def test_servers_that_start_at_once_have_one_authority() -> None:
    def bundle(name: str) -> bytes:
        with ArmServer(World.with_one_vm(name=name)) as arm:
            assert create_client(arm).get("/subscriptions", "2020-01-01").status == 200
            return arm.ca_bundle.read_bytes()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(bundle, "abcd"))) == 1


def test_a_port_that_is_taken_is_an_error() -> None:
    with ArmServer(World.with_one_vm()) as arm, pytest.raises(OSError, match="in use"):
        ArmServer(World.with_one_vm(), port=int(arm.url.rpartition(":")[2])).__enter__()


def test_latency_is_waited_before_every_answer() -> None:
    with ArmServer(World.with_one_vm(), latency=0.2) as arm:
        start = time.monotonic()
        Client(arm).get("/metadata/endpoints", "2022-09-01")

    assert time.monotonic() - start >= 0.2


def test_a_subscription_is_read_250_times_and_then_25_times_a_second() -> None:
    clock = [0.0]
    buckets = TokenBuckets(250, 25, lambda: clock[0])
    granted = [buckets.take_token("one") for _ in range(251)]
    clock[0] = 1.0
    later = [buckets.take_token("one").is_allowed for _ in range(26)]

    assert [each.is_allowed for each in granted] == [True] * 250 + [False]
    assert (granted[0].remaining, granted[-1].wait) == (249, 1)
    assert later == [True] * 25 + [False]
    assert buckets.take_token("another").remaining == 249


def test_a_window_opens_again_when_its_seconds_are_over() -> None:
    clock = [0.0]
    windows = FixedWindows(2, 5, lambda: clock[0])
    first = [windows.take_request("").is_allowed for _ in range(3)]
    clock[0] = 5.0

    assert first == [True, True, False]
    assert windows.take_request("").is_allowed


@pytest.mark.parametrize(("throttle", "status"), [(True, 429), (False, 200)])
def test_who_reads_too_fast_is_told_to_wait(throttle: bool, status: int) -> None:  # noqa: FBT001 - the case and its answer
    service = ArmApi(World.with_one_vm(), 1, page=1, throttle=throttle)
    who = Principal()
    form = f"grant_type=client_credentials&client_id={who.client}&client_secret={who.secret}"
    scope = "https://localhost:1/.default"
    signed = service.answer_request(
        _create_request("POST", f"/{who.tenant}/oauth2/v2.0/token", f"{form}&scope={scope}")
    )
    assert isinstance(signed.body, dict)
    headers = {"authorization": f"Bearer {signed.body['access_token']}"}
    (vm,) = World.with_one_vm()
    answers = [service.answer_request(_create_request("GET", vm.id, **headers)) for _ in range(300)]

    assert answers[0].headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert {answer.status for answer in answers[:250]} == {200}
    assert answers[-1].status == status
    assert answers[-1].headers.get("Retry-After") == ("1" if throttle else None)


def _create_request(method: str, path: str, body: str = "", **headers: str) -> IncomingRequest:
    query = {"api-version": COMPUTE}
    return IncomingRequest(method=method, path=path, query=query, headers=headers, body=body.encode())
