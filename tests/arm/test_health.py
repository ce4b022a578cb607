"""Resource Health: states now and before, and events of services."""

from datetime import timedelta

import pytest

from tests.arm import World, timeline_stories
from tests.arm.client import HEALTH, Client
from tests.arm.conftest import ServerStarter
from tests.incidents.model import ServiceIssue

STATUSES = "providers/Microsoft.ResourceHealth/availabilityStatuses"
EVENTS = "providers/Microsoft.ResourceHealth/events"


def test_the_state_now_comes_first_and_then_what_was_newest_first(serve: ServerStarter) -> None:
    world = timeline_stories.create_incident("unavailable_but_traffic_normal")
    (vm,) = world
    client = serve(world)
    history = client.get(f"{vm.id}/{STATUSES}", HEALTH).json["value"]
    times = [each["properties"]["occuredTime"] for each in history[1:]]

    assert history[0]["name"] == "current"
    assert history[0]["properties"]["availabilityState"] == "Available"
    assert times == sorted(times, reverse=True)
    assert {each["properties"]["availabilityState"] for each in history} >= {"Available", "Degraded", None}


def _world_with_issues() -> World:
    world = World.with_one_vm()
    (vm,) = world
    hour = timedelta(hours=1)

    def issue(service: str, region: str, back: int, *, open_: bool) -> ServiceIssue:
        at = world.now() - back * hour
        return ServiceIssue(
            at=at,
            subscription=vm.subscription,
            region=region,
            service=service,
            mitigated=None if open_ else at + hour,
            tracking=f"{service[:3]}-{back}",
        )

    world.issues += [
        issue("Virtual Machines", "West Europe", 3, open_=True),
        issue("Virtual Network", "North Europe", 5, open_=True),
        issue("Virtual Machines", "West Europe", 200, open_=False),
    ]
    return world


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, {"Vir-3", "Vir-5"}),
        ({"queryStartTime": "1/1/2026"}, {"Vir-3", "Vir-5", "Vir-200"}),
    ],
)
def test_service_events_are_those_asked_for(serve: ServerStarter, query: dict[str, str], names: set[str]) -> None:
    world = _world_with_issues()
    (vm,) = world
    if "queryStartTime" in query:
        query = {"queryStartTime": f"{world.now() - timedelta(days=30):%m/%d/%Y}"}
    found = serve(world).get(f"/subscriptions/{vm.subscription}/{EVENTS}", HEALTH, **query).json["value"]

    assert {each["name"] for each in found} == names


@pytest.mark.parametrize(
    "query", [{"_filter": "service eq 'Virtual Machines'"}, {"queryStartTime": "soon"}, {"queryStartTime": "1/1/2020"}]
)
def test_what_is_wrong_with_a_question_for_events_is_refused(client: Client, query: dict[str, str]) -> None:
    (vm,) = client.arm.world

    assert client.get(f"/subscriptions/{vm.subscription}/{EVENTS}", HEALTH, **query).status == 400
