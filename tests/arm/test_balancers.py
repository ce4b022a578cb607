"""Load balancers and gateways of the local Azure: what must be asked for, how it answers, and what it refuses."""

from datetime import timedelta

import pytest

from tests.arm import World
from tests.arm.client import METRICS, Client, Reply
from tests.arm.conftest import ServerStarter
from tests.arm.single_vm import SUBSCRIPTION
from tests.arm.test_metrics import FORM
from tests.incidents.model import BalancerProbe

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/prod/providers"
BALANCER, GATEWAY = (
    f"{GROUP}/Microsoft.Network/{kind}" for kind in ("loadBalancers/front", "applicationGateways/gate")
)
VERSION, RULE = "2025-05-01", f"{BALANCER}/loadBalancingRules/tcp-443/health"
RULE_RIGHT = "Microsoft.Network/loadBalancers/loadBalancingRules/health/action"
RESULT_RIGHT = "Microsoft.Network/locations/operationResults/read"


@pytest.fixture
def client(serve: ServerStarter) -> Client:
    """A VM behind a balancer that probes thirteen ports of it, and behind a gateway."""
    world = World.with_one_vm()
    (vm,) = [each.id for each in world]
    world.add_balancer("front", vm)
    world.add_gateway("gate", vm)
    world.probes += [BalancerProbe(vm=vm, port=str(port)) for port in range(81, 93)]
    return serve(world)


def query_probes(client: Client, **query: str) -> Reply:
    now = client.arm.world.now()
    span = f"{(now - timedelta(hours=1)).strftime(FORM)}/{now.strftime(FORM)}"
    asked = {"metricnames": "DipAvailability", "aggregation": "Average", "timespan": span, **query}
    return client.get(f"{BALANCER}/providers/Microsoft.Insights/metrics", METRICS, **asked)


def count_series(reply: Reply) -> int:
    return len(reply.json["value"][0]["timeseries"])


def test_a_filter_splits_by_the_dimensions_that_it_names_and_ten_series_are_told_unless_more_are_wanted(
    client: Client,
) -> None:
    by_port = "BackendIPAddress eq '10.0.0.4' and BackendPort eq '*'"

    assert count_series(query_probes(client)) == 1
    assert count_series(query_probes(client, _filter=by_port)) == 10
    assert count_series(query_probes(client, _filter=by_port, top="100")) == 13
    assert count_series(query_probes(client, _filter="BackendIPAddress eq '10.0.0.9'", top="100")) == 0
    chosen = "BackendPort eq '81' or BackendPort eq '82'"
    assert count_series(query_probes(client, _filter=chosen)) == 2


@pytest.mark.parametrize(
    "query",
    [
        {"_filter": "BackendPort eq '81' or BackendIPAddress eq '10.0.0.4'"},
        {"_filter": "Backend eq '*'"},
        {"_filter": "BackendPort = 81"},
        {"top": "100"},
        {"metricnames": "Network In Total"},
        {"interval": "PT2M"},
    ],
)
def test_what_is_wrong_with_a_question_is_refused(client: Client, query: dict[str, str]) -> None:
    assert query_probes(client, **query).status == 400


def test_the_health_of_a_rule_is_accepted_worked_at_and_then_told(client: Client) -> None:
    begun = client.post(RULE, VERSION)
    waiting = client.follow_link(begun.headers["location"])
    told = client.follow_link(waiting.headers["location"])

    assert (begun.status, waiting.status, told.status) == (202, 202, 200)
    assert "/locations/westeurope/operationResults/" in begun.headers["location"]
    assert (told.json["up"], told.json["down"]) == (0, 1)
    assert told.json["loadBalancerBackendAddresses"][0]["reason"] == "Down_Probe_TcpProbeTimeout"
    # A rule without a probe has no health; an older version does not know it.
    assert client.post(f"{BALANCER}/loadBalancingRules/blind/health", VERSION).status == 400
    assert client.post(RULE, "2021-08-01").status == 400
    assert client.post(f"{GATEWAY}/backendhealth", "2021-08-01").status == 202


def test_actions_need_rights_that_a_reader_lacks_and_the_result_one_at_the_subscription(client: Client) -> None:
    world = client.arm.world
    begun = client.post(RULE, VERSION)
    world.denied.add((RESULT_RIGHT, f"/subscriptions/{SUBSCRIPTION}"))
    result = client.follow_link(begun.headers["location"])
    world.role = "reader"
    refused = client.post(RULE, VERSION)

    assert (result.status, refused.status) == (403, 403)
    assert RULE_RIGHT in refused.json["error"]["message"]
    assert client.get(BALANCER, VERSION).status == 200
