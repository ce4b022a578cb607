"""A redeploy from the request to what it changes, and what speaks against it."""

import time
from datetime import timedelta

import pytest

from tests.arm import RedeployBehaviour, World
from tests.arm.client import COMPUTE, LOG, METRICS, Client, Reply
from tests.arm.conftest import ServerStarter

MINUTES = timedelta(minutes=5)
"""Longer than any test takes, so that an operation ends when the test turns the clock on."""
ALLOCATION = "Allocation failed. We do not have sufficient capacity for the requested VM size in this region."


def _post_redeploy(client: Client) -> Reply:
    (vm,) = client.arm.world
    return client.post(f"{vm.id}/redeploy", COMPUTE)


def _read_states(client: Client) -> tuple[str, str]:
    """Provisioning state and power state."""
    (vm,) = client.arm.world
    properties = client.get(vm.id, COMPUTE, _expand="instanceView").json["properties"]
    return properties["provisioningState"], properties["instanceView"]["statuses"][1]["code"].rpartition("/")[2]


def _read_traffic(client: Client) -> list[float | None]:
    """Three minutes that have been reported."""
    (vm,) = client.arm.world
    now = client.arm.world.now().replace(second=0) - timedelta(minutes=1)
    span = f"{now - timedelta(minutes=3):%Y-%m-%dT%H:%M:%SZ}/{now:%Y-%m-%dT%H:%M:%SZ}"
    asked = {"metricnames": "Network In Total", "timespan": span, "interval": "PT1M", "aggregation": "Total"}
    (metric,) = client.get(f"{vm.id}/providers/Microsoft.Insights/metrics", METRICS, **asked).json["value"]
    return [point.get("total") for point in metric["timeseries"][0]["data"]]


def test_the_answer_is_empty_and_says_where_to_ask_on(serve: ServerStarter) -> None:
    world = World.with_one_vm(redeploying=RedeployBehaviour(takes=MINUTES))
    client = serve(world)
    reply = _post_redeploy(client)
    address = reply.headers["azure-asyncoperation"]
    running, monitored = client.follow_link(address), client.follow_link(reply.headers["location"])
    state = _read_states(client)
    world.skew = 2 * MINUTES
    ended, final = client.follow_link(address), client.follow_link(reply.headers["location"])

    assert (reply.status, reply.content) == (202, b"")
    assert reply.headers["location"].partition("?")[0] == address.partition("?")[0]
    assert (running.json["status"], set(running.json)) == ("InProgress", {"startTime", "status", "name"})
    assert (monitored.status, final.status, final.content) == (202, 200, b"")
    assert state == ("Updating", "running")
    assert ended.json["status"] == "Succeeded"
    assert ended.json["endTime"] > ended.json["startTime"]
    assert len(client.arm.list_posts("/redeploy")) == 1


@pytest.mark.parametrize("cures", [True, False])
def test_traffic_is_back_afterwards_or_not(serve: ServerStarter, cures: bool) -> None:  # noqa: FBT001 - the case
    client = serve(World.with_one_vm(redeploying=RedeployBehaviour(cures=cures)))
    before = _read_traffic(client)
    _post_redeploy(client)
    client.arm.world.skew = timedelta(minutes=10)

    assert all(value is not None and value < 1e5 for value in before)
    assert all(value is not None and (value > 1e5) == cures for value in _read_traffic(client))


def test_the_clock_can_leap_at_the_end_so_that_nobody_need_wait(serve: ServerStarter) -> None:
    world = World.with_one_vm(redeploying=RedeployBehaviour(takes=timedelta(seconds=0.2), leap=timedelta(minutes=10)))
    client = serve(world)
    begun = world.now()
    _post_redeploy(client)
    while world.find_running_redeploy(next(iter(world))):
        time.sleep(0.05)
    after = _read_traffic(client)

    assert timedelta(minutes=10) <= world.now() - begun < timedelta(minutes=11)
    assert all(value is not None and value > 1e5 for value in after)


def test_a_redeploy_that_finds_no_host_leaves_the_vm_down(serve: ServerStarter) -> None:
    world = World.with_one_vm(
        redeploying=RedeployBehaviour(outcome="Failed", code="AllocationFailed", message=ALLOCATION)
    )
    client = serve(world)
    address = _post_redeploy(client).headers["azure-asyncoperation"]
    world.skew = timedelta(minutes=10)
    ended, state, traffic = client.follow_link(address).json, _read_states(client), _read_traffic(client)
    again = _post_redeploy(client)

    assert (ended["status"], ended["error"]) == ("Failed", {"code": "AllocationFailed", "message": ALLOCATION})
    assert state == ("Failed", "deallocated")
    assert traffic == [None, None, None]
    assert (again.status, again.error_code) == (409, "OperationNotAllowed")


def test_one_redeploy_at_a_time(serve: ServerStarter) -> None:
    client = serve(World.with_one_vm(redeploying=RedeployBehaviour(takes=MINUTES)))
    first, second = _post_redeploy(client), _post_redeploy(client)

    assert (first.status, second.status, second.error_code) == (202, 409, "Conflict")
    assert [seen.status for seen in client.arm.list_posts("/redeploy")] == [202, 409]


@pytest.mark.parametrize(
    ("knobs", "status", "code"),
    [
        ({"power": "deallocated"}, 409, "OperationNotAllowed"),
        ({"locks": ("ReadOnly",)}, 409, "ScopeLocked"),
        ({"role": "reader"}, 403, "AuthorizationFailed"),
        ({"redeploying": RedeployBehaviour(refuse=(429, "Busy", "Too many requests."))}, 429, "Busy"),
    ],
)
def test_what_speaks_against_it(serve: ServerStarter, knobs: dict[str, object], status: int, code: str) -> None:
    world = World.with_one_vm(**knobs)
    reply = _post_redeploy(serve(world))

    assert (reply.status, reply.error_code) == (status, code)
    assert world.operations == {}


def test_a_lock_against_deletion_does_not(serve: ServerStarter) -> None:
    assert _post_redeploy(serve(World.with_one_vm(locks=("CanNotDelete",)))).status == 202


def test_the_log_tells_who_asked_when_it_began_and_how_it_ended(serve: ServerStarter) -> None:
    world = World.with_one_vm()
    client = serve(world)
    (vm,) = world
    client.headers |= {"x-ms-client-request-id": "mine", "x-ms-correlation-request-id": "thread"}
    _post_redeploy(client)
    world.skew = timedelta(minutes=1)
    since = world.now() - timedelta(minutes=5)
    path = f"/subscriptions/{vm.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    events = client.get(path, LOG, _filter=f"eventTimestamp ge '{since:%Y-%m-%dT%H:%M:%SZ}'").json["value"]
    called = [event for event in events if "caller" in event]

    assert {event["status"]["value"] for event in called} >= {"Started", "Succeeded"}
    assert {event["operationName"]["value"] for event in called} == {
        "Microsoft.Compute/virtualMachines/redeploy/action"
    }
    assert {event["caller"] for event in called} == {world.principal.client}
    assert {event["correlationId"] for event in called} == {"thread"}
    assert {event["httpRequest"]["clientRequestId"] for event in called} == {"mine"}
    assert any("VirtualMachineRedeployInitiatedByControlPlane" in str(event["properties"]) for event in events)


def test_an_instance_of_a_scale_set_is_redeployed_the_same_way(serve: ServerStarter) -> None:
    world = World.with_one_vm(scale_set="front", uniform=True)
    reply = _post_redeploy(serve(world))

    assert reply.status == 202
    assert next(iter(world.operations.values())).vm.endswith("/virtualMachineScaleSets/front/virtualMachines/0")


def test_an_operation_that_nobody_began_is_not_found(client: Client) -> None:
    (vm,) = client.arm.world
    path = f"/subscriptions/{vm.subscription}/providers/Microsoft.Compute/locations/westeurope/operations/x"

    assert client.get(path, COMPUTE).status == 404
