"""Metrics of many VMs at once: the public cloud's endpoint of a region, and what happens where it refuses."""

from typing import Any

import pytest

from tests.arm import Fault, World
from tests.live.conftest import AzureStarter
from tests.live.test_batch import SAME

BATCH, SINGLE = "metrics:getBatch", "providers/Microsoft.Insights/metrics"


def build_fleet(*, public: bool = True) -> World:
    world = World.with_fleet(vms=60, groups=2, migrated=4)
    world.public = public
    return world


def pick_same(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: case[name] for name in SAME} for case in cases]


def test_suspects_are_asked_for_together_at_the_endpoint_of_their_region_and_told_as_one_by_one(
    azure: AzureStarter,
) -> None:
    there = azure(build_fleet())
    ran, cases = there.check_vms("--all", "--since", "14d")

    assert (ran.code, ran.err) == (1, "")
    assert sum(case["verdict"] == "confirmed" for case in cases) == 4
    assert sum(case["migrated_at"] is not None for case in cases) == 10
    assert there.count_requests(SINGLE) == 0
    assert 0 < there.count_requests(BATCH) <= 20
    assert len(there.arm.requests) <= 60
    sent = [seen for seen in there.arm.requests if seen.path.endswith(BATCH)]
    assert {seen.status for seen in sent} == {200}
    scopes = {seen.body.decode() for seen in there.arm.requests if seen.path.endswith("/token")}
    assert any("https%3A%2F%2Fmetrics.monitor.azure.com%2F.default" in scope for scope in scopes)
    # A token goes where it is made out to, and nowhere else.
    assert there.proxy is not None
    assert {host.partition(":")[0] for host in there.proxy.requested_hosts} >= {
        "westeurope.metrics.monitor.azure.com",
        "management.azure.com",
    }


@pytest.mark.parametrize(
    "kind", [{"kind": "status", "status": 403}, {"kind": "status", "status": 404}, {"kind": "reset"}]
)
def test_where_the_endpoint_refuses_or_is_not_there_each_vm_is_asked_and_nothing_is_lost(
    azure: AzureStarter, kind: dict[str, Any]
) -> None:
    there = azure(build_fleet(), Fault(path=BATCH, **kind))
    ran, cases = there.check_vms("--all", "--since", "14d")

    assert ran.code == 1, ran.err
    assert sum(case["verdict"] == "confirmed" for case in cases) == 4
    assert not [gap for case in cases if case["migrated_at"] for gap in case["gaps"] if gap["signal"] == "traffic"]
    assert there.count_requests(SINGLE) >= 10
    # Who was refused once is not asked again and again.
    assert there.count_requests(BATCH) <= 6
