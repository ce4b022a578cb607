"""Azure's own libraries read the server as they read Azure; each is tried where it is installed."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.arm import ArmServer, Fault, RedeployBehaviour, World

Sdk = Callable[[str, str], Any]
FORM = "%Y-%m-%dT%H:%M:%SZ"


@pytest.fixture
def arm(monkeypatch: pytest.MonkeyPatch) -> Iterator[ArmServer]:
    world = World.with_one_vm(redeploying=RedeployBehaviour(takes=timedelta(seconds=0.3), retry_after=0))
    with ArmServer(world, page=2) as served:
        for name, value in served.environment.items():
            monkeypatch.setenv(name, value)
        yield served


@pytest.fixture
def credential(arm: ArmServer) -> Iterator[Any]:
    """Signs in with what the environment says; a private authority is in nobody's list of clouds."""
    identity = pytest.importorskip("azure.identity")
    assert arm.environment
    with identity.EnvironmentCredential(disable_instance_discovery=True) as found:
        yield found


@pytest.fixture
def sdk(arm: ArmServer, credential: Any) -> Iterator[Sdk]:
    """A client of one of Azure's management libraries."""
    made: list[Any] = []

    def client(module: str, name: str) -> Any:
        (vm,) = arm.world
        made.append(
            getattr(pytest.importorskip(module), name)(
                credential, vm.subscription, base_url=arm.url, credential_scopes=[f"{arm.url}/.default"]
            )
        )
        return made[-1]

    yield client
    for each in made:
        each.close()


def _create_pipeline(arm: ArmServer, credential: Any) -> Any:
    """The pipeline that the management libraries are built on, with nothing left out."""
    core = pytest.importorskip("azure.mgmt.core")
    policies = pytest.importorskip("azure.core.pipeline.policies")
    challenges = pytest.importorskip("azure.mgmt.core.policies")
    return core.ARMPipelineClient(
        arm.url,
        policies=[
            policies.RequestIdPolicy(),
            policies.RetryPolicy(),
            challenges.ARMChallengeAuthenticationPolicy(credential, f"{arm.url}/.default"),
        ],
    )


def _send_subscriptions(arm: ArmServer, client: Any) -> Any:
    rest = pytest.importorskip("azure.core.rest")
    request = rest.HttpRequest("GET", f"{arm.url}/subscriptions", params={"api-version": "2020-01-01"})
    return client.send_request(request)


def test_the_pipeline_signs_in_and_reads(arm: ArmServer, credential: Any) -> None:
    with _create_pipeline(arm, credential) as client:
        reply = _send_subscriptions(arm, client)

    assert [each["displayName"] for each in reply.json()["value"]] == ["contoso-1"]
    assert arm.requests[-1].authorized
    assert arm.requests[-1].client_request_id


def test_the_pipeline_meets_a_claims_challenge_by_itself(arm: ArmServer, credential: Any) -> None:
    arm.add_fault(Fault(path="/subscriptions", kind="claims_challenge"))
    with _create_pipeline(arm, credential) as client:
        reply = _send_subscriptions(arm, client)

    assert reply.status_code == 200
    assert [seen.status for seen in arm.requests if seen.path == "/subscriptions"] == [401, 200]


def test_the_pipeline_waits_as_it_is_told_and_asks_again(arm: ArmServer, credential: Any) -> None:
    arm.add_fault(Fault(path="/subscriptions", kind="status", status=429, retry_after=0, times=1))
    with _create_pipeline(arm, credential) as client:
        reply = _send_subscriptions(arm, client)

    assert reply.status_code == 200
    assert [seen.status for seen in arm.requests if seen.path == "/subscriptions"] == [429, 200]


def test_a_wrong_secret_is_told_by_the_library_in_entras_words(arm: ArmServer) -> None:
    identity = pytest.importorskip("azure.identity")
    errors = pytest.importorskip("azure.core.exceptions")
    who = arm.world.principal
    with (
        identity.ClientSecretCredential(who.tenant, who.client, "guess", disable_instance_discovery=True) as credential,
        pytest.raises(errors.ClientAuthenticationError, match="AADSTS7000215"),
    ):
        credential.get_token(f"{arm.url}/.default")


def test_the_compute_library_reads_vms_and_redeploys_one(arm: ArmServer, sdk: Sdk) -> None:
    client = sdk("azure.mgmt.compute", "ComputeManagementClient")
    vm = client.virtual_machines.get("prod", "web-01", expand="instanceView")
    listed = [each.name for each in client.virtual_machines.list_all()]
    poller = client.virtual_machines.begin_redeploy("prod", "web-01", polling_interval=0.1)
    poller.wait()

    assert vm.instance_view.statuses[1].code == "PowerState/running"
    assert listed == ["web-01"]
    assert poller.status() == "Succeeded"
    assert len(arm.list_posts("/redeploy")) == 1


def test_the_monitor_library_reads_log_and_metrics(arm: ArmServer, sdk: Sdk) -> None:
    client = sdk("azure.mgmt.monitor", "MonitorManagementClient")
    now: datetime = arm.world.now()
    (vm,) = arm.world
    since = (now - timedelta(days=14)).strftime(FORM)
    events = list(client.activity_logs.list(filter=f"eventTimestamp ge '{since}' and resourceGroupName eq 'prod'"))
    found = client.metrics.list(
        vm.id,
        timespan=f"{(now - timedelta(hours=1)).strftime(FORM)}/{now.strftime(FORM)}",
        interval="PT1M",
        metricnames="Network In Total",
        aggregation="Total",
    )

    assert len(events) > 4
    assert any(point.total for point in found.value[0].timeseries[0].data)


def test_the_health_library_reads_the_history(arm: ArmServer, sdk: Sdk) -> None:
    client = sdk("azure.mgmt.resourcehealth", "ResourceHealthMgmtClient")
    (vm,) = arm.world
    history = [each.properties.title for each in client.availability_statuses.list(vm.id)]

    assert history == ["Available", "Live Migration"]


def test_the_graph_library_queries(arm: ArmServer, credential: Any) -> None:
    graph = pytest.importorskip("azure.mgmt.resourcegraph")
    models = pytest.importorskip("azure.mgmt.resourcegraph.models")
    with graph.ResourceGraphClient(credential, base_url=arm.url, credential_scopes=[f"{arm.url}/.default"]) as client:
        reply = client.resources(models.QueryRequest(query="resources | where name =~ 'web-01' | project id"))

    assert reply.total_records == 1


def test_the_logs_library_queries(arm: ArmServer, credential: Any) -> None:
    query = pytest.importorskip("azure.monitor.query")
    logs = arm.url.replace("localhost", "127.0.0.1")
    with query.LogsQueryClient(credential, endpoint=f"{logs}/v1", audience=logs) as client:
        reply = client.query_workspace(arm.world.workspace, "Heartbeat", timespan=timedelta(hours=4))

    assert len(reply.tables[0].rows) > 100
