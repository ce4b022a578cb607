"""Resource Graph: tables, pages, quotas, and what is refused."""

from datetime import timedelta

import pytest

from tests.arm import World, timeline_stories
from tests.arm.client import GRAPH, Client
from tests.arm.conftest import ServerStarter
from tests.arm.world import AnnouncedEvent

PATH = "/providers/Microsoft.ResourceGraph/resources"
MIGRATIONS = """
healthresourcechanges
| where tostring(properties.targetResourceType) =~ 'microsoft.resourcehealth/resourceannotations'
| extend ts = todatetime(properties.changeAttributes.timestamp)
| where ts >= datetime({since})
| extend vm = tostring(split(tolower(tostring(properties.targetResourceId)), '/providers/microsoft.resourcehealth/')[0])
| extend ann = tostring(properties.changes['properties.annotationName'].newValue)
| where ann contains 'LiveMigration'
| project id, vm, ann
| order by id asc
"""


def _query_data(client: Client, query: str) -> list[dict[str, object]]:
    reply = client.query_graph(query)
    assert reply.status == 200, reply.json
    return list(reply.json["data"])


def test_a_fleet_shows_who_was_migrated(serve: ServerStarter) -> None:
    world = World.with_fleet(vms=30, migrated=4)
    since = (world.now() - timedelta(days=14)).isoformat()
    rows = _query_data(serve(world), MIGRATIONS.replace("{since}", since))

    assert len(rows) == 10
    assert {str(row["vm"]) for row in rows} < set(world.vms)


def test_resources_hold_vms_with_power_and_all_that_their_network_consists_of(serve: ServerStarter) -> None:
    client = serve(World.with_one_vm(zone="1"))
    types = {str(row["type"]) for row in _query_data(client, "resources | project type")}
    (vm,) = _query_data(
        client,
        "Resources | where type =~ 'Microsoft.Compute/virtualMachines'"
        " | project id, zones, power = tostring(properties.extended.instanceView.powerState.code)",
    )

    assert types == {
        "microsoft.compute/virtualmachines",
        "microsoft.network/networkinterfaces",
        "microsoft.network/networksecuritygroups",
        "microsoft.network/virtualnetworks",
        "microsoft.network/publicipaddresses",
        "microsoft.insights/datacollectionrules",
        "microsoft.operationalinsights/workspaces",
    }
    assert (vm["power"], vm["zones"]) == ("PowerState/running", ["1"])


def test_the_workspace_of_a_vm_is_found_by_its_rule(serve: ServerStarter) -> None:
    world = World.with_one_vm()
    query = """
        insightsresources
        | where type =~ 'microsoft.insights/datacollectionruleassociations'
        | extend rule = tolower(tostring(properties.dataCollectionRuleId))
        | join kind=inner (
            resources
            | where type =~ 'microsoft.insights/datacollectionrules'
            | mv-expand to_ = properties.destinations.logAnalytics
            | project rule = tolower(id), workspace = tostring(to_.workspaceId)
          ) on rule
        | project id, workspace
    """
    (row,) = _query_data(serve(world), query)

    assert row["workspace"] == world.workspace


def test_only_the_newest_annotation_is_current(serve: ServerStarter) -> None:
    world = World.with_one_vm()
    client = serve(world)
    query = "healthresources | project id, name = tostring(properties.annotationName) | where isnotempty(name)"
    before = _query_data(client, query)
    world.start_redeploy(next(iter(world)).id)
    after = _query_data(client, query)

    assert [row["name"] for row in before] == ["LiveMigrationSucceeded"]
    assert [row["name"] for row in after] == ["VirtualMachineRedeployInitiatedByControlPlane"]


def test_changes_of_the_network_and_announced_maintenance_are_told(serve: ServerStarter) -> None:
    world = timeline_stories.create_incident("network_change_after_migration")
    (vm, *_) = world
    world.maintenance.append(AnnouncedEvent(vm=vm.id, kind="Redeploy", not_before=world.now() + timedelta(hours=1)))
    client = serve(world)
    changes = _query_data(
        client, "resourcechanges | project id, kind_ = tostring(properties.changeAttributes.operation)"
    )
    events = _query_data(client, "maintenanceresources | project id, what = tostring(properties.EventType)")

    assert all(str(row["kind_"]).startswith("microsoft.network/") for row in changes)
    assert changes
    assert [row["what"] for row in events] == ["Redeploy"]


def test_pages_go_on_only_where_the_id_is_projected(serve: ServerStarter) -> None:
    client = serve(World.with_fleet(vms=40))
    vms = "resources | where type =~ 'microsoft.compute/virtualmachines'"
    first = client.query_graph(f"{vms} | project id | order by id asc", top=15).json
    second = client.query_graph(f"{vms} | project id | order by id asc", skipToken=first["$skipToken"]).json
    third = client.query_graph(f"{vms} | project id | order by id asc", skipToken=second["$skipToken"]).json
    cut = client.query_graph(f"{vms} | project name", top=12).json
    usual = client.query_graph("resources | project id").json
    rest = client.query_graph(f"{vms} | project id", skip=35).json

    ids = [row["id"] for page in (first, second, third) for row in page["data"]]
    assert (len(set(ids)), ids) == (40, sorted(ids))
    assert "$skipToken" not in third
    assert (first["totalRecords"], first["count"], first["resultTruncated"]) == (40, 15, "false")
    assert ("$skipToken" in cut, cut["resultTruncated"]) == (False, "true")
    assert (usual["count"], rest["count"]) == (100, 5)


def test_a_table_has_columns_and_rows(serve: ServerStarter) -> None:
    query = "resources | where name =~ 'web-01' | project name, properties, named = isnotempty(name)"
    data = serve().query_graph(query, resultFormat="table").json["data"]

    assert [column["type"] for column in data["columns"]] == ["string", "object", "boolean"]
    assert (data["rows"][0][0], data["rows"][0][2]) == ("web-01", True)


def test_what_may_not_be_seen_is_left_out_in_silence(serve: ServerStarter) -> None:
    world = World.with_one_vm()
    (vm,) = world
    client = serve(world)
    body = {"subscriptions": ["11111111-0000-4000-a000-000000000000"], "query": "resources | project id"}
    elsewhere = client.post(PATH, GRAPH, body).json
    world.denied.add(("*/read", f"/subscriptions/{vm.subscription}"))
    hidden = client.query_graph("resources | project id")

    assert elsewhere["data"] == []
    assert (hidden.status, hidden.json["data"]) == (200, [])


@pytest.mark.parametrize(
    ("query", "code", "token"),
    [
        ("resources | wher name =~ 'x'", "ParserFailure", "wher"),
        ("resources | where nme =~ 'x'", "UnresolvedReference", "nme"),
        ("nothing | project id", "UnresolvedReference", "nothing"),
        ("resources | where properties.title =~ 'x'", "ParserFailure", "title"),
        ("resources" + 4 * " | join kind=inner (resources) on id", "DisallowedMaxNumberOfOperators", "join"),
    ],
)
def test_a_query_that_is_wrong_is_refused_with_its_place(
    serve: ServerStarter, query: str, code: str, token: str
) -> None:
    reply = serve().query_graph(query)
    general, told = reply.json["error"]["details"]

    assert (reply.status, reply.error_code, general["code"]) == (400, "BadRequest", "InvalidQuery")
    assert (told["code"], told["token"]) == (code, token)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": ""},
        {"query": "resources", "options": {"$top": 1001}},
        {"query": "resources", "options": {"$top": 0}},
        {"query": "resources", "options": {"top": 10}},
        {"query": "resources", "options": {"$skipToken": "x"}},
        {"query": "resources", "options": {"resultFormat": "csv"}},
        {"query": "resources", "subscriptions": "all"},
        ["resources"],
    ],
)
def test_a_body_that_is_wrong_is_refused(serve: ServerStarter, body: object) -> None:
    assert serve().post(PATH, GRAPH, body).status == 400


def test_a_cloud_may_have_no_resource_graph(serve: ServerStarter) -> None:
    reply = serve(World.with_one_vm(graph=False)).query_graph("resources")

    assert (reply.status, reply.error_code) == (404, "NoRegisteredProviderFound")


def test_fifteen_queries_and_no_more_in_five_seconds(client: Client) -> None:
    replies = [client.query_graph("resources | take 1") for _ in range(16)]

    assert [reply.status for reply in replies] == [200] * 15 + [429]
    assert [reply.headers["x-ms-user-quota-remaining"] for reply in replies[:2]] == ["14", "13"]
    assert replies[-1].error_code == "RateLimiting"
    assert 1 <= int(replies[-1].headers["retry-after"]) <= 5
    assert replies[-1].headers["x-ms-user-quota-resets-after"].startswith("00:00:0")


def test_without_a_throttle_nobody_waits(serve: ServerStarter) -> None:
    client = serve(throttle=False)

    assert {client.query_graph("resources | take 1").status for _ in range(20)} == {200}
