"""The activity log: what its filter takes and refuses, its order, its pages."""

from datetime import timedelta

import pytest

from tests.arm import World
from tests.arm.client import LOG, Client, Reply
from tests.arm.conftest import ServerStarter

PAGE = 3
FORM = "%Y-%m-%dT%H:%M:%S"
PATH = "/subscriptions/{}/providers/Microsoft.Insights/eventtypes/management/values"


def _query_log(client: Client, rest: str = "", *, days: float = 14, select: str = "") -> Reply:
    since = client.arm.world.now() - timedelta(days=days)
    (vm,) = client.arm.world
    query = {"_select": select} if select else {}
    return client.get(
        PATH.format(vm.subscription), LOG, _filter=f"eventTimestamp ge '{since.strftime(FORM)}Z'{rest}", **query
    )


def _read_all_pages(client: Client, rest: str = "", *, select: str = "") -> list[dict[str, object]]:
    reply = _query_log(client, rest, select=select)
    events = reply.json["value"]
    while link := reply.json.get("nextLink"):
        reply = client.follow_link(link)
        events += reply.json["value"]
    return list(events)


def test_pages_are_followed_by_absolute_links_to_the_end(client: Client) -> None:
    first = _query_log(client)
    events = _read_all_pages(client)

    assert len(first.json["value"]) == 3
    assert first.json["nextLink"].startswith(client.arm.url)
    assert len({str(event["eventDataId"]) for event in events}) == len(events) > 6


def test_the_newest_event_comes_first(client: Client) -> None:
    times = [str(event["id"]).rpartition("/ticks/")[2] for event in _read_all_pages(client)]

    assert times == sorted(times, reverse=True)


def test_the_migration_is_in_the_log(client: Client) -> None:
    (vm,) = client.arm.world
    found = [
        event for event in _read_all_pages(client, f" and resourceUri eq '{vm.id}'") if "LiveMigration" in str(event)
    ]

    assert found
    assert "caller" not in found[0]


@pytest.mark.parametrize(
    "rest",
    [
        " and resourceGroupName eq 'PROD'",
        " and resourceUri eq '{vm}'",
        " AND resourceProvider eq 'Microsoft.Compute'",
        " and eventTimestamp le '2100-01-01T00:00:00.1234567'",
        " and eventTimestamp le '2100-01-01T00:00:00Z' and resourceGroupName eq 'prod'",
    ],
)
def test_what_the_reference_writes_is_understood(client: Client, rest: str) -> None:
    (vm,) = client.arm.world

    assert _query_log(client, rest.format(vm=vm.id)).json["value"]


def test_a_group_that_does_not_exist_has_no_events(client: Client) -> None:
    assert _query_log(client, " and resourceGroupName eq 'it''s none'").json == {"value": []}


@pytest.mark.parametrize(
    "rest",
    [
        " and level eq 'Error'",
        " and category eq 'ResourceHealth'",
        " and operationName eq 'x'",
        " and caller eq 'x'",
        " and resourceGroupName ne 'prod'",
        " and contains(resourceGroupName, 'prod')",
        " or resourceGroupName eq 'prod'",
        " and resourceGroupName eq 'prod' and resourceProvider eq 'Microsoft.Compute'",
        " and eventTimestamp ge '2026-01-01T00:00:00Z'",
        " and eventTimestamp le 'yesterday'",
        " and",
    ],
)
def test_the_grammar_of_the_filter_is_closed(client: Client, rest: str) -> None:
    reply = _query_log(client, rest)

    assert reply.status == 400
    assert reply.json == {"Code": "BadRequest", "Message": "$filter searching parameters invalid."}


def test_without_a_filter_there_is_nothing(client: Client) -> None:
    (vm,) = client.arm.world

    assert client.get(PATH.format(vm.subscription), LOG).status == 400


def test_no_more_than_90_days_can_be_read(client: Client) -> None:
    reply = _query_log(client, days=90.1)

    assert reply.status == 400
    assert reply.json["Message"] == "The start time cannot be more than 90 days in the past."
    assert _query_log(client, days=89.9).status == 200


def test_a_projection_gives_what_it_names_and_no_more(client: Client) -> None:
    events = _read_all_pages(client, select="eventTimestamp,operationName")

    assert {name for event in events for name in event} == {"eventTimestamp", "operationName"}
    assert _query_log(client, select="category").status == 400


def test_claims_and_requests_are_told_only_to_who_asks_for_everything(client: Client) -> None:
    called = [event for event in _read_all_pages(client) if "caller" in event]

    assert all({"claims", "httpRequest", "tenantId"} <= set(event) for event in called)


def test_a_new_record_shows_only_after_a_while(serve: ServerStarter) -> None:
    world = World.with_one_vm(log_delay=timedelta(minutes=1))
    (vm,) = world
    client = serve(world)
    before = len(_read_all_pages(client))
    world.start_redeploy(vm)
    assert len(_read_all_pages(client)) == before
    world.skew = timedelta(minutes=2)
    assert len(_read_all_pages(client)) > before
